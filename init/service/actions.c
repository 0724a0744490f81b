/* The hands of the service machine. Run by PID 1.
 * Every call here may fail; none of them loses the service: it ends in back-off or meets its deadline again. */
#include "service/actions.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "base/sys.h"
#include "host/cgroup.h"
#include "service/fsm.h"
#include "service/notify.h"
#include "service/output.h"

#define CONTROL_FD   3
#define DEFAULT_PATH "PATH=/usr/sbin:/usr/bin:/sbin:/bin"
#define TO_TEXT(n)   TO_TEXT_(n)
#define TO_TEXT_(n)  #n
#define TIME_TEXT    24

static void time_text(char dst[TIME_TEXT], uint64_t ms)
{
	int rc = ms < 1000 ? str_format(dst, TIME_TEXT, "%u ms", (unsigned)ms)
	                   : str_format(dst, TIME_TEXT, "%llu s", (unsigned long long)ms / 1000);
	(void)rc; /* 20 digits and a unit fit */
}

/* Timers ---------------------------------------------------------------------------------------------------- */

static uint32_t deadline(const struct service *s)
{
	if (s->state == SERVICE_STARTING)
		return s->def.start_timeout_ms;
	return s->state == SERVICE_STOPPING ? s->def.stop_timeout_ms : SERVICE_KILL_TIMEOUT_MS;
}

static void timeout_text(const struct service *s, char why[LIMIT_DETAIL])
{
	char time[TIME_TEXT];
	const char *what = s->state == SERVICE_STARTING   ? "not ready within"
	                   : s->state == SERVICE_STOPPING ? "killed, because it did not stop within"
	                                                  : "not dead within";

	time_text(time, deadline(s));
	int rc = str_format(why, LIMIT_DETAIL, "%s %s", what, time);
	(void)rc; /* short */
}

static void on_timer(struct loop *l, void *arg)
{
	struct service *s = arg;
	char why[LIMIT_DETAIL] = "";
	(void)l;

	if (s->state != SERVICE_BACKOFF)
		timeout_text(s, why);
	if (s->state == SERVICE_KILLING)
		log_warnx("service", "%s: process %d %s; killing it again", s->def.name, (int)s->child.pid, why);
	s->all->deliver(s, EV_TIMEOUT, why);
}

/* The first end after it was ready with a fresh back-off costs no delay; failing before that does. */
static enum service_event back_off(struct service *s, enum service_state from)
{
	uint32_t delay = s->backoff_ms;
	char time[TIME_TEXT];

	if (delay == 0 && from == SERVICE_READY) {
		s->backoff_ms = SERVICE_BACKOFF_MIN_MS;
		return EV_TIMEOUT;
	}
	if (delay == 0)
		delay = SERVICE_BACKOFF_MIN_MS;
	s->backoff_ms = delay < SERVICE_BACKOFF_MAX_MS / 2 ? delay * 2 : SERVICE_BACKOFF_MAX_MS;
	time_text(time, delay);
	service_say(s, "%s; next start in %s", s->detail, time);
	loop_after(s->all->loop, &s->timer, delay, on_timer, s);
	return EV_COUNT;
}

/* The end of a program ---------------------------------------------------------------------------------------- */

static void exit_text(const struct service *s, const struct child_exit *how, char why[LIMIT_DETAIL])
{
	char time[TIME_TEXT];
	const char *name = how->signaled ? service_signal_name(how->status) : NULL;

	time_text(time, clock_ms() - s->started_at);
	int rc = name ? str_format(why, LIMIT_DETAIL, "killed by signal %s after %s", name, time)
	              : str_format(why, LIMIT_DETAIL, "%s %d after %s",
	                           how->signaled ? "killed by signal" : "exited with status", how->status, time);
	(void)rc; /* short */
}

static void on_exit_of(pid_t pid, const struct child_exit *how, void *arg)
{
	struct service *s = arg;
	char why[LIMIT_DETAIL];
	bool good = !how->signaled && how->status == 0;
	(void)pid;

	exit_text(s, how, why);
	if (s->state == SERVICE_READY && clock_ms() - s->since >= SERVICE_STABLE_MS)
		s->backoff_ms = 0;
	s->all->deliver(s, good ? EV_EXIT_OK : EV_EXIT_BAD, why);
}

void actions_kill(struct service *s)
{
	struct err e;

	if (s->cgroup_fd >= 0 && cgroup_kill(s->def.name, &e) < 0)
		log_warnx("service", "%s: %s", s->def.name, e.text);
	/* The session that every service starts with is a process group too; ESRCH: nobody is left in it. */
	if (s->group > 0 && sys_kill(-s->group, SIGKILL) < 0 && errno != ESRCH)
		log_warn("service", "%s: kill process group %d", s->def.name, (int)s->group);
	if (s->child.pid > 0 && child_signal(&s->child, SIGKILL, &e) < 0)
		log_warnx("service", "%s: %s", s->def.name, e.text);
}

static bool is_at_rest(const struct service *s)
{
	return s->state == SERVICE_DOWN || s->state == SERVICE_DONE || s->state == SERVICE_FAILED;
}

/* Everybody that the program left behind goes with it. A group that nothing will use soon gives its kernel memory
 * back; one that is not empty yet is used again by the next start. */
static void clean_up(struct service *s)
{
	struct err e;

	notify_close(s);
	actions_kill(s);
	s->group = 0;
	if (s->cgroup_fd < 0 || !is_at_rest(s))
		return;
	sys_close(s->cgroup_fd);
	s->cgroup_fd = -1;
	(void)!cgroup_remove(s->def.name, &e);
}

static void stop(struct service *s)
{
	struct err e;

	if (child_signal(&s->child, s->def.stop_signal, &e) < 0)
		log_warnx("service", "%s: %s", s->def.name, e.text);
}

/* Start ------------------------------------------------------------------------------------------------------- */

/* What the child gets besides what the definition says; the descriptors are ours to close again. */
struct kit {
	int control, notify;
	const char *env[LIMIT_ENV + 3];
};

static void fill_env(const struct service_def *d, const char **env)
{
	unsigned n = 0;
	bool path = false;

	for (unsigned i = 0; i < LIMIT_ENV && d->env[i]; i++) {
		path = path || str_starts(d->env[i], "PATH=");
		env[n++] = d->env[i];
	}
	if (!path)
		env[n++] = DEFAULT_PATH;
	if (d->ready == READY_NOTIFY)
		env[n++] = "NOTIFY_FD=" TO_TEXT(NOTIFY_FD);
	env[n] = NULL;
}

static int open_kit(struct service *s, struct kit *k, struct err *e)
{
	fill_env(&s->def, k->env);
	if (s->def.control) {
		if (!s->all->open_channel)
			return err_set(e, ENOTCONN, "no control channel");
		k->control = s->all->open_channel(s->def.name, s->all->arg, e);
		if (k->control < 0)
			return err_prefix(e, "control channel");
	}
	if (s->def.ready == READY_NOTIFY) {
		k->notify = notify_open(s, e);
		if (k->notify < 0)
			return -1;
	}
	return 0;
}

static void close_kit(struct kit *k)
{
	if (k->control >= 0)
		sys_close(k->control);
	if (k->notify >= 0)
		sys_close(k->notify);
}

/* Without its log pipe or cgroup it runs as well: said, and tried again at the next start. */
static void open_extras(struct service *s)
{
	struct err e;

	if (s->def.tty[0] == '\0' && output_open(s, &e) < 0)
		log_warnx("service", "%s: starts without a log: %s", s->def.name, e.text);
	if (!s->all->cgroups || s->cgroup_fd >= 0)
		return;
	s->cgroup_fd = cgroup_open(s->def.name, s->def.memory_max, s->def.memory_min, &e);
	if (s->cgroup_fd < 0)
		log_warnx("service", "%s: starts without a cgroup: %s", s->def.name, e.text);
}

static int spawn(struct service *s, const struct kit *k, struct err *e)
{
	struct child_spec spec;

	child_spec_init(&spec);
	spec.argv = s->def.argv;
	spec.envp = k->env;
	spec.uid = s->def.uid;
	spec.gid = s->def.gid;
	spec.tty = s->def.tty[0] ? s->def.tty : NULL;
	spec.cgroup_fd = s->cgroup_fd;
	spec.oom_score_adj = s->def.oom_score_adj;
	spec.fds[1] = spec.fds[2] = s->log_fd;
	spec.fds[CONTROL_FD] = k->control;
	spec.fds[NOTIFY_FD] = k->notify;
	return child_spawn(&s->child, &spec, on_exit_of, s, e);
}

static enum service_event start(struct service *s, struct err *why)
{
	struct kit k = {.control = -1, .notify = -1};

	open_extras(s);
	/* Two at a time would fight for ports and files; those of the last run were killed and are about to end. */
	if (s->started && s->cgroup_fd >= 0 && cgroup_populated(s->def.name)) {
		err_set(why, EBUSY, "processes of its last run are still ending");
		return EV_SPAWN_FAILED;
	}
	int rc = open_kit(s, &k, why);
	if (rc == 0)
		rc = spawn(s, &k, why);
	close_kit(&k);
	if (rc < 0)
		return EV_SPAWN_FAILED;
	if (s->started)
		s->restarts++;
	s->started = true;
	s->started_at = clock_ms();
	s->group = s->child.pid;
	why->text[0] = '\0';
	return s->def.type == SERVICE_DAEMON && s->def.ready == READY_START ? EV_IS_READY : EV_COUNT;
}

enum service_event actions_run(struct service *s, enum service_state from, unsigned actions, struct err *why)
{
	enum service_event next = EV_COUNT;

	err_clear(why);
	if (actions & ACT_CLEANUP)
		clean_up(s);
	if (actions & ACT_FRESH)
		s->backoff_ms = 0;
	if (actions & ACT_AGAIN)
		s->restarting = true;
	if (actions & ACT_BACKOFF)
		next = back_off(s, from);
	if (actions & ACT_STOP)
		stop(s);
	if (actions & ACT_KILL)
		actions_kill(s);
	if (actions & ACT_START)
		next = start(s, why);
	/* An event that follows at once leaves the state: its deadline is not needed. */
	if ((actions & ACT_TIMER) && next == EV_COUNT)
		loop_after(s->all->loop, &s->timer, deadline(s), on_timer, s);
	return next;
}
