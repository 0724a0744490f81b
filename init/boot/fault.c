/* PID 1's last words; see fault.h. The handler uses only async-signal-safe calls and storage taken beforehand. */
#include "boot/fault.h"

#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/exit.h"
#include "base/log.h"
#include "base/paths.h"
#include "base/str.h"
#include "base/sys.h"

#define STACK 32768 /* AVX-512 state alone takes 4 KiB of a signal frame */
#define LINE  160

/* A signal handler has no argument, so this is file-static. */
static struct {
	int kmsg, pmsg;
	const struct say *consoles;
} fault = {.kmsg = -1, .pmsg = -1};

static char stack[STACK];

static const struct {
	int signo;
	const char *name;
} signals[] = {
	{SIGSEGV, "SIGSEGV"}, {SIGBUS, "SIGBUS"},   {SIGILL, "SIGILL"},
	{SIGFPE, "SIGFPE"},   {SIGABRT, "SIGABRT"}, {SIGSYS, "SIGSYS"},
};

struct line {
	char text[LINE];
	size_t len;
};

static void add(struct line *l, const char *s)
{
	while (*s != '\0' && l->len < LINE - 1)
		l->text[l->len++] = *s++;
}

static void add_hex(struct line *l, uint64_t v)
{
	char digits[] = "0x0000000000000000";
	for (unsigned i = 17; i >= 2; i--, v >>= 4)
		digits[i] = "0123456789abcdef"[v & 15];
	add(l, digits);
}

static void add_dec(struct line *l, pid_t v)
{
	char digits[12] = "";
	size_t at = sizeof(digits) - 1;
	do {
		digits[--at] = (char)('0' + v % 10);
		v /= 10;
	} while (v > 0 && at > 0);
	add(l, digits + at);
}

static const char *name_of(int signo)
{
	for (size_t i = 0; i < COUNT_OF(signals); i++) {
		if (signals[i].signo == signo)
			return signals[i].name;
	}
	return "signal";
}

static void put(int fd, const char *text, size_t len)
{
	if (fd >= 0 && write(fd, text, len) < 0)
		return; /* nobody is left to tell */
}

/* text starts with the "<0>" that only the kernel log understands. */
static void tell(const struct line *l)
{
	put(fault.kmsg, l->text, l->len);
	put(fault.pmsg, l->text + 3, l->len - 3);
	for (unsigned i = 0; fault.consoles != NULL && i < fault.consoles->count; i++) {
		put(fault.consoles->fd[i], "\r", 1);
		put(fault.consoles->fd[i], l->text + 3, l->len - 3);
	}
}

static void on_fault(int signo, siginfo_t *info, void *context)
{
	const ucontext_t *uc = context;
	struct line l = {.len = 0};
	/* A child between clone and exec shares this handler; its death is its own. */
	if (getpid() != 1)
		_exit(EXIT_IMPOSSIBLE);
	bool sent = info->si_code <= 0; /* by a process, not by an instruction of ours */
	add(&l, "<0>hearth: PID 1 fault: ");
	add(&l, name_of(signo));
	if (sent) {
		add(&l, " sent by process ");
		add_dec(&l, info->si_pid);
	} else {
		add(&l, " at ");
		add_hex(&l, (uint64_t)(uintptr_t)info->si_addr);
	}
	add(&l, " rip ");
	add_hex(&l, (uint64_t)uc->uc_mcontext.gregs[REG_RIP]);
	if (!sent && signo == SIGBUS) /* a page of our own program that the kernel cannot read */
		add(&l, "; the root is damaged");
	add(&l, "; the box restarts\n");
	tell(&l);
	/* Back to the faulting instruction with the default action: the kernel then adds its own report. */
	struct sigaction dfl = {.sa_handler = SIG_DFL};
	if (sent || signo == SIGSYS || sigaction(signo, &dfl, NULL) < 0)
		_exit(EXIT_IMPOSSIBLE);
}

int fault_init(const struct say *consoles, struct err *e)
{
	stack_t st = {.ss_sp = stack, .ss_size = sizeof(stack)};
	struct sigaction sa = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};
	fault.consoles = consoles;
	if (fault.kmsg < 0)
		fault.kmsg = sys_open(PATH_KMSG, O_WRONLY | O_APPEND | O_NONBLOCK | O_CLOEXEC, 0);
	if (fault.pmsg < 0)
		fault.pmsg = sys_open(PATH_PMSG, O_WRONLY | O_NONBLOCK | O_CLOEXEC, 0);
	if (sigaltstack(&st, NULL) < 0)
		return err_sys(e, "sigaltstack");
	sigfillset(&sa.sa_mask);
	for (size_t i = 0; i < COUNT_OF(signals); i++) {
		if (sigaction(signals[i].signo, &sa, NULL) < 0)
			return err_sys(e, "sigaction %s", signals[i].name);
	}
	return 0;
}
