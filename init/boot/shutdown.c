/* The end of a run, in PID 1; see shutdown.h. Never blocks, never returns to running, never exits: the kernel ends it.
 */
#include "boot/shutdown.h"

#include <signal.h>
#include <sys/reboot.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "base/sys.h"
#include "host/identity.h"
#include "service/table.h"

#define STOP_MS    180000 /* k3s, then pods with their grace periods, then the rest */
#define KILL_MS    1000
#define RECORD_MS  5000
#define UNMOUNT_MS 20000
#define REBOOT_MS  5000

static const struct {
	const char *name;
	int flag;
} hows[] = {
	[SHUTDOWN_REBOOT] = {"reboot", RB_AUTOBOOT},
	[SHUTDOWN_POWEROFF] = {"power-off", RB_POWER_OFF},
	[SHUTDOWN_HALT] = {"halt", RB_HALT_SYSTEM},
};

const char *shutdown_how_name(enum shutdown_how how)
{
	return (size_t)how < COUNT_OF(hows) ? hows[how].name : "?";
}

bool shutdown_running(const struct shutdown *s)
{
	return s->phase != PHASE_IDLE;
}

static void on_helper(bool ok, void *arg)
{
	struct shutdown *s = arg;
	(void)ok;
	s->helper_done = true;
}

/* Without a helper the phase has nothing to wait for. */
static void run_helper(struct shutdown *s, struct helper *h, const char *const *words, uint32_t deadline_ms)
{
	struct err e;
	h->loop = s->loop;
	h->fn = on_helper;
	h->arg = s;
	s->helper_done = false;
	if (helper_run(h, words, deadline_ms, &e) == 0)
		return;
	log_warnx("shutdown", "%s", e.text);
	s->helper_done = true;
}

static void start_stop(struct shutdown *s)
{
	services_stop_all(s->services);
}

static bool stop_done(struct shutdown *s)
{
	return services_all_down(s->services);
}

/* Everybody but PID 1. As an ordinary process it would be everybody but itself, the caller's session included. */
static void kill_everybody(struct shutdown *s)
{
	services_kill_all(s->services);
	if (getpid() == 1 && sys_kill(-1, SIGKILL) < 0)
		log_debug("shutdown", "nobody is left to kill");
}

static void start_kill(struct shutdown *s)
{
	s->kills = 1;
	kill_everybody(s);
}

static bool kill_done(struct shutdown *s)
{
	/* A second time for what was being started during the first. */
	if (s->kills == 1) {
		s->kills = 2;
		kill_everybody(s);
		return false;
	}
	return services_all_down(s->services);
}

static void start_record(struct shutdown *s)
{
	char line[END_LINE];
	const char *const words[] = {"keep", "end", line, NULL};
	struct err e;
	s->helper_done = true;
	if (fact_get(s->facts, "state-mounted") != FACT_ON)
		return;
	if (history_line(s->history, s->kind, s->why, line, &e) == 0)
		run_helper(s, &s->helper[0], words, RECORD_MS);
	else
		log_warnx("shutdown", "%s", e.text);
}

static void start_unmount(struct shutdown *s)
{
	static const char *const words[] = {"unmount", NULL};
	run_helper(s, &s->helper[1], words, UNMOUNT_MS);
}

static bool helper_done(struct shutdown *s)
{
	return s->helper_done;
}

static void start_reboot(struct shutdown *s)
{
	if (s->leaving != NULL)
		s->leaving(s->how, s->arg);
	if (sys_reboot(hows[s->how].flag) < 0)
		log_warn("shutdown", "reboot");
}

static bool reboot_done(struct shutdown *s)
{
	(void)s;
	return false;
}

/* what: for the console line of its start. */
static const struct {
	const char *what;
	void (*start)(struct shutdown *s);
	bool (*done)(struct shutdown *s);
	uint32_t deadline_ms;
} phases[PHASE_COUNT] = {
	[PHASE_IDLE] = {NULL, NULL, NULL, 0},
	[PHASE_STOP] = {"stopping the services", start_stop, stop_done, STOP_MS},
	[PHASE_KILL] = {"ending what is left", start_kill, kill_done, KILL_MS},
	[PHASE_RECORD] = {"noting why", start_record, helper_done, RECORD_MS},
	[PHASE_UNMOUNT] = {"unmounting the disks", start_unmount, helper_done, UNMOUNT_MS},
	[PHASE_REBOOT] = {"the kernel takes over", start_reboot, reboot_done, REBOOT_MS},
};

bool shutdown_is_late(const struct shutdown *s, uint32_t grace_ms)
{
	return shutdown_running(s) && clock_ms() - s->phase_since > phases[s->phase].deadline_ms + grace_ms;
}

static void enter(struct shutdown *s, enum shutdown_phase phase)
{
	s->phase = phase;
	s->phase_since = clock_ms();
	s->told = s->phase_since;
	log_info("shutdown", "%s: %s", shutdown_how_name(s->how), phases[phase].what);
	say_loud(s->say, "%s: %s", shutdown_how_name(s->how), phases[phase].what);
	phases[phase].start(s);
}

/* The last phase has no next one: it begins again. */
static void next_phase(struct shutdown *s)
{
	enter(s, s->phase < PHASE_REBOOT ? s->phase + 1 : PHASE_REBOOT);
}

/* What is waited for: a service that was told to stop, rather than one whose turn comes later. */
static const struct service *first_running(const struct services *ss)
{
	const struct service *any = NULL;
	for (unsigned i = 0; i < ss->count; i++) {
		const struct service *v = &ss->service[i];
		if (v->state == SERVICE_STOPPING || v->state == SERVICE_KILLING)
			return v;
		if (!any && service_runs(v))
			any = v;
	}
	return any;
}

static void tell_waiting(struct shutdown *s, uint64_t now)
{
	const struct service *v = first_running(s->services);
	unsigned left = (unsigned)((phases[s->phase].deadline_ms - (now - s->phase_since)) / 1000);
	s->told = now;
	if (v != NULL)
		say_loud(s->say, "still %s: %s is %s, at most %u s more", phases[s->phase].what, v->def.name,
		         service_state_name(v->state), left);
	else
		say_loud(s->say, "still %s, at most %u s more", phases[s->phase].what, left);
}

static void on_tick(struct loop *l, void *arg)
{
	struct shutdown *s = arg;
	uint64_t now = clock_ms();
	loop_after(l, &s->tick, SHUTDOWN_TICK_MS, on_tick, s);
	if (phases[s->phase].done(s)) {
		next_phase(s);
	} else if (now - s->phase_since >= phases[s->phase].deadline_ms) {
		log_warnx("shutdown", "%s: took too long, going on", phases[s->phase].what);
		next_phase(s);
	} else if (now - s->told >= SHUTDOWN_TELL_MS) {
		tell_waiting(s, now);
	}
}

static void begin(struct shutdown *s)
{
	if (s->begun != NULL)
		s->begun(s->arg);
	enter(s, PHASE_STOP);
	loop_after(s->loop, &s->tick, SHUTDOWN_TICK_MS, on_tick, s);
}

void shutdown_ask_for(struct shutdown *s, enum shutdown_how how, enum end_kind kind, const char *what, const char *by)
{
	bool again = shutdown_running(s);
	if (again && how == s->how)
		return;
	s->how = how;
	s->kind = kind;
	if (str_format(s->why, sizeof(s->why), "%s asked for by %s", what, by) < 0)
		s->why[0] = '\0';
	event_add(s->events, EVENT_SYSTEM, what, "asked for by %s", by);
	if (s->say->quiet) /* else the event has been shown already */
		say_loud(s->say, "%s", s->why);
	if (!again)
		begin(s);
}

void shutdown_restart(struct shutdown *s, enum end_kind kind, const char *why)
{
	if (shutdown_running(s))
		return;
	s->how = SHUTDOWN_REBOOT;
	s->kind = kind;
	identity_sentence(s->why, sizeof(s->why), why);
	event_add(s->events, EVENT_SYSTEM, shutdown_how_name(s->how), "%s", s->why);
	if (s->say->quiet)
		say_loud(s->say, "%s: %s", shutdown_how_name(s->how), s->why);
	begin(s);
}

void shutdown_ask(struct shutdown *s, enum shutdown_how how, const char *by)
{
	shutdown_ask_for(s, how, END_ASKED, shutdown_how_name(how), by);
}

/* True when the last SHUTDOWN_BURST presses fell into SHUTDOWN_BURST_MS. */
static bool is_burst(struct shutdown *s)
{
	uint64_t now = clock_ms();
	unsigned oldest = ++s->press % SHUTDOWN_BURST;
	s->presses[(s->press - 1) % SHUTDOWN_BURST] = now;
	return s->press >= SHUTDOWN_BURST && now - s->presses[oldest] <= SHUTDOWN_BURST_MS;
}

void shutdown_ctrl_alt_del(struct shutdown *s)
{
	if (is_burst(s)) {
		say_loud(s->say, "Ctrl-Alt-Del %d times: restarting at once", SHUTDOWN_BURST);
		if (sys_reboot(RB_AUTOBOOT) < 0)
			log_warn("shutdown", "reboot");
		return;
	}
	if (!shutdown_running(s)) {
		shutdown_ask(s, SHUTDOWN_REBOOT, "Ctrl-Alt-Del");
	} else if (s->phase < PHASE_REBOOT) {
		say_loud(s->say, "Ctrl-Alt-Del: not waiting any longer");
		next_phase(s);
	}
}
