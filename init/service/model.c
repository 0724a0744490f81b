/* Names of states, events and signals, and small questions about one service. Used by PID 1 and `hearth check`.
 * Never changes a state. */
#include "service/model.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

static const char *const state_names[] = {
#define X(id, name) name,
	SERVICE_STATES(X)
#undef X
};

static const char *const event_names[] = {
#define X(id, name) name,
	SERVICE_EVENTS(X)
#undef X
};

static const struct {
	const char *name;
	int signo;
} signals[] = {
	{"HUP", SIGHUP},     {"INT", SIGINT},   {"QUIT", SIGQUIT}, {"ILL", SIGILL},   {"TRAP", SIGTRAP},
	{"ABRT", SIGABRT},   {"BUS", SIGBUS},   {"FPE", SIGFPE},   {"KILL", SIGKILL}, {"USR1", SIGUSR1},
	{"SEGV", SIGSEGV},   {"USR2", SIGUSR2}, {"PIPE", SIGPIPE}, {"ALRM", SIGALRM}, {"TERM", SIGTERM},
	{"XCPU", SIGXCPU},   {"XFSZ", SIGXFSZ}, {"SYS", SIGSYS},   {"CONT", SIGCONT}, {"PWR", SIGPWR},
	{"WINCH", SIGWINCH},
};

const char *service_state_name(enum service_state s)
{
	return (unsigned)s < COUNT_OF(state_names) ? state_names[s] : "unknown";
}

const char *service_event_name(enum service_event ev)
{
	return (unsigned)ev < COUNT_OF(event_names) ? event_names[ev] : "unknown";
}

const char *service_signal_name(int signo)
{
	for (size_t i = 0; i < COUNT_OF(signals); i++) {
		if (signals[i].signo == signo)
			return signals[i].name;
	}
	return NULL;
}

int service_signal_number(const char *name)
{
	if (str_starts(name, "SIG"))
		name += 3;
	for (size_t i = 0; i < COUNT_OF(signals); i++) {
		if (str_eq(signals[i].name, name))
			return signals[i].signo;
	}
	return 0;
}

bool service_runs(const struct service *s)
{
	return s->state == SERVICE_STARTING || s->state == SERVICE_READY || s->state == SERVICE_STOPPING ||
	       s->state == SERVICE_KILLING;
}

bool service_is_there(const struct service *s)
{
	return (s->state == SERVICE_READY || s->state == SERVICE_DONE) && !s->leaving;
}

void service_say(struct service *s, const char *fmt, ...)
{
	char text[LIMIT_DETAIL]; /* apart, because an argument may be the old detail */
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n < 0)
		text[0] = '\0';
	if (n >= (int)sizeof(text))
		memcpy(text + sizeof(text) - 4, "...", 4);
	memcpy(s->detail, text, sizeof(text));
}
