/* PID 1: takes over from stage 1, walks the boot stages, then serves events for ever; see init.h. It must never exit
 * and never wait for anything but the loop. */
#include "boot/init.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/reboot.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/exit.h"
#include "base/file.h"
#include "base/log.h"
#include "base/paths.h"
#include "base/str.h"
#include "base/sys.h"
#include "board.h"
#include "boot/box.h"
#include "boot/commands.h"
#include "boot/fault.h"
#include "boot/trial.h"
#include "boot/wire.h"
#include "host/bootenv.h"
#include "host/cgroup.h"
#include "host/mounts.h"
#include "host/net.h"
#include "loop/signals.h"

#define LOOP_BROKEN_MS 1000 /* between two tries when epoll itself fails */
#define TELL_AGAIN_MS  60000

static struct box box;
static const char loop_name[] = "event loop";

/* ---- boot stages ---- */

static void on_mount_note(const char *target, bool needed, const struct err *e, void *arg)
{
	struct err *first = arg;
	(void)target; /* e names it */
	if (!needed) {
		log_debug("mounts", "%s", e->text); /* a kernel without it, or a container */
		return;
	}
	log_warnx("mounts", "%s", e->text);
	if (first->code == 0)
		*first = *e;
}

/* Stage 1 knows which slot runs; the roles read it from PATH_RUN_SLOT. */
static void take_slot(struct box *b)
{
	const char *slot = b->cmdline.slot[0] ? b->cmdline.slot : getenv(INIT_ENV_SLOT);
	struct err e;
	if (slot == NULL || !bootenv_is_slot(slot))
		return;
	b->slot = slot[0];
	if (file_replace(PATH_RUN_SLOT, slot, 1, 0644, &e) < 0)
		log_warnx("init", "%s", e.text);
}

/* A command line that names a slot is somebody's test. */
static void take_trial(struct box *b)
{
	const char *text = getenv(INIT_ENV_TRIAL);
	uint64_t left;
	if (text != NULL && b->slot != '\0' && !b->cmdline.slot[0] && str_u64(text, BOOTENV_MOST, &left) == 0)
		trial_early(b, (unsigned)left);
}

static int start_mounts(void *arg, struct err *e)
{
	struct box *b = arg;
	struct err first = {0};
	int rc = mounts_setup(on_mount_note, &first);
	say_open(&b->say); /* now that /dev and /sys are there for sure */
	struct err bad = {0};
	if (cmdline_read(&b->cmdline, &bad) < 0)
		log_warnx("init", "%s", bad.text);
	take_slot(b);
	take_trial(b);
	if (rc < 0)
		*e = first;
	return rc;
}

static int start_watchdog(void *arg, struct err *e)
{
	struct box *b = arg;
	const char *handed = getenv(INIT_ENV_WATCHDOG);
	uint64_t fd;
	if (handed != NULL && str_u64(handed, INT_MAX, &fd) == 0)
		guard_take(&b->guard, (int)fd);
	return guard_start(&b->guard, e);
}

static int start_cgroups(void *arg, struct err *e)
{
	struct box *b = arg;
	b->services.cgroups = cgroup_setup(e) == 0;
	return b->services.cgroups ? 0 : err_prefix(e, "services run without limits");
}

/* Before any other service: servers bind to 127.0.0.1, network or not. */
static int start_loopback(void *arg, struct err *e)
{
	(void)arg;
	return net_loopback_up(e);
}

static int start_clock(void *arg, struct err *e)
{
	struct box *b = arg;
	if (identify_clock(&b->identify, e) < 0)
		return -1;
	fact_set(&b->facts, "time-floor", FACT_ON, b->identify.clock);
	return 0;
}

static int start_control(void *arg, struct err *e)
{
	struct box *b = arg;
	if (control_listen(&b->control, e) < 0)
		return -1;
	fact_set(&b->facts, "control-ready", FACT_ON, PATH_CONTROL);
	return 0;
}

static int start_consoles(void *arg, struct err *e)
{
	(void)e; /* what is wrong with them is told with all other services */
	wire_consoles(arg);
	return 0;
}

static int start_services(void *arg, struct err *e)
{
	return wire_services(arg, e);
}

static int start_settings(void *arg, struct err *e)
{
	return wire_state(arg, e);
}

/* name, start, fact, needs, deadline, on failure, what it waits for. Rows without a start function are done by
 * services, which set the fact. */
static const struct stage_row stages[] = {
	{"mounts", start_mounts, NULL, NULL, 0, STAGE_DEGRADED, NULL},
	{"watchdog", start_watchdog, NULL, "mounts", 0, STAGE_CONTINUE, NULL},
	{"cgroups", start_cgroups, NULL, NULL, 0, STAGE_DEGRADED, NULL},
	{"control", start_control, NULL, NULL, 0, STAGE_RESCUE, NULL},
	/* All that follows takes its time, and a person is to see it come up. */
	{"consoles", start_consoles, WIRE_CONSOLES, NULL, 2 * WIRE_CONSOLES_MS, STAGE_CONTINUE, "a console"},
	{"loopback", start_loopback, NULL, "consoles", 0, STAGE_CONTINUE, NULL},
	{"clock", start_clock, NULL, "consoles", 0, STAGE_CONTINUE, NULL},
	{"services", start_services, NULL, "consoles", 0, STAGE_RESCUE, NULL},
	{"state", NULL, "state-mounted", NULL, 90000, STAGE_DEGRADED, "the state partition"},
	{"settings", start_settings, NULL, "state", 0, STAGE_DEGRADED, NULL},
	{"data", NULL, "data-mounted", NULL, 180000, STAGE_DEGRADED, "the data partition"},
	{"network", NULL, "network-up", NULL, 30000, STAGE_OUTSIDE, "an address"},
	{"time", NULL, "time-synced", "network", 60000, STAGE_CONTINUE, "a time server"},
	/* Not in a box without Kubernetes: see wire_services. */
	{WIRE_KUBERNETES, NULL, "node-ready", "data", 900000, STAGE_CONTINUE, "the node to be Ready"},
	{"platform", NULL, "kube-healthy", WIRE_KUBERNETES, 1800000, STAGE_CONTINUE, "every app to be healthy"},
	{NULL, NULL, NULL, NULL, 0, STAGE_CONTINUE, NULL},
};

/* ---- signals ---- */

enum signal_does { DOES_REAP, DOES_CTRL_ALT_DEL, DOES_REBOOT, DOES_POWEROFF, DOES_HALT, DOES_NOTHING };

/* The real-time ones are systemd's, which glibc's programs send counted from 34. */
static const struct {
	int signo;
	enum signal_does does;
	const char *by;
} signals[] = {
	{SIGCHLD, DOES_REAP, NULL},
	{SIGINT, DOES_CTRL_ALT_DEL, NULL},       /* the kernel's Ctrl-Alt-Del, see RB_DISABLE_CAD */
	{SIGTERM, DOES_REBOOT, "signal TERM"},   /* BusyBox reboot */
	{SIGUSR1, DOES_HALT, "signal USR1"},     /* BusyBox halt */
	{SIGUSR2, DOES_POWEROFF, "signal USR2"}, /* BusyBox poweroff */
	{SIGPWR, DOES_POWEROFF, "signal PWR"},   /* sysvinit: power is failing */
	{34 + 4, DOES_POWEROFF, "signal RTMIN+4"},
	{34 + 5, DOES_REBOOT, "signal RTMIN+5"},
	{SIGPIPE, DOES_NOTHING, NULL},
	{SIGHUP, DOES_NOTHING, NULL},
};

static void reap(struct loop *l, void *arg)
{
	struct box *b = arg;
	/* One call is bounded; as long as there was something, look again in the next round. */
	if (child_reap() > 0)
		loop_after(l, &b->reap, 0, reap, b);
}

static void on_signal(struct loop *l, int signo, void *arg)
{
	struct box *b = arg;
	size_t i = 0;
	while (i < COUNT_OF(signals) && signals[i].signo != signo)
		i++;
	if (i == COUNT_OF(signals))
		return;
	switch (signals[i].does) {
	case DOES_REAP:
		reap(l, b);
		break;
	case DOES_CTRL_ALT_DEL:
		shutdown_ctrl_alt_del(&b->shutdown);
		break;
	case DOES_REBOOT:
		wire_shutdown(b, SHUTDOWN_REBOOT, signals[i].by);
		break;
	case DOES_POWEROFF:
		wire_shutdown(b, SHUTDOWN_POWEROFF, signals[i].by);
		break;
	case DOES_HALT:
		wire_shutdown(b, SHUTDOWN_HALT, signals[i].by);
		break;
	case DOES_NOTHING:
		break;
	}
}

/* ---- start ---- */

static void open_log(void)
{
	int fd = sys_open(PATH_KMSG, O_WRONLY | O_CLOEXEC | O_NONBLOCK | O_APPEND, 0);
	if (fd >= 0)
		log_init("init", fd, 1);
}

static int take_signals(struct box *b, struct err *e)
{
	int list[COUNT_OF(signals) + 1] = {0};
	for (size_t i = 0; i < COUNT_OF(signals); i++)
		list[i] = signals[i].signo;
	if (sys_reboot(RB_DISABLE_CAD) < 0)
		log_debug("init", "Ctrl-Alt-Del stays with the kernel"); /* in a container */
	return signals_init(&b->loop, list, on_signal, b, e);
}

/* What failed is told, once a minute, and done without: there is nobody to return to. */
static void attempt(int rc, const char *what, const struct err *e)
{
	static const char *said;
	static uint64_t when;
	if (rc == 0 || (said == what && clock_ms() - when < TELL_AGAIN_MS))
		return;
	said = what;
	when = clock_ms();
	log_errx("init", "%s: %s", what, e->text);
	say_loud(&box.say, "%s: %s", what, e->text);
}

static void set_up(void)
{
	struct err e = {0};
	say_take_standard(PATH_NULL);
	open_log();
	say_open(&box.say);
	attempt(fault_init(&box.say, &e), "fault handlers", &e);
	while (loop_init(&box.loop, &e) < 0) {
		attempt(-1, loop_name, &e);
		(void)sys_poll(NULL, 0, LOOP_BROKEN_MS); /* nothing else can be done yet */
	}
	attempt(take_signals(&box, &e), "signals", &e);
	attempt(wire_init(&box, &e), "wiring", &e);
	attempt(commands_install(&box, &e), "commands", &e);
	attempt(stages_init(&box.stages, stages, wire_stage, &box, &e), "boot stages", &e);
}

/* Stage 1 hands over when it began. */
static void take_times(void)
{
	const char *began = getenv(INIT_ENV_STAGE1);
	if (began == NULL || str_u64(began, UINT64_MAX, &box.stage1_ms) < 0)
		box.stage1_ms = 0;
	box.init_ms = clock_ms();
}

int init_main(int argc, char **argv)
{
	struct err e = {0};
	(void)argc;
	(void)argv;
	if (getpid() != 1) {
		fprintf(stderr, "hearth init: only as PID 1\n");
		return EXIT_USAGE;
	}
	/* ---- from here on this process must not end ---- */
	take_times();
	set_up();
	log_info("init", BOARD_NAME " %s, PID 1 at %llu ms", box.version, (unsigned long long)box.init_ms);
	stages_begin(&box.stages);
	for (;;) {
		if (loop_run(&box.loop, &e) == 0)
			continue;
		attempt(-1, loop_name, &e);
		(void)sys_poll(NULL, 0, LOOP_BROKEN_MS);
	}
}
