/* The service model.
 *
 * A *service* is a program that PID 1 keeps in the state somebody wants. Two things are kept apart:
 *   want   what it should be: up or down. Set by boot (everything enabled), by commands, by shutdown.
 *   state  what it is. Changed by one function only (table_set_state), which records when, logs and tells.
 *
 * States:
 *   down      nothing runs, nothing is to be done.
 *   waiting   wanted up, but a requirement is not there yet (a service not ready, a fact not on). The
 *             detail names the first one missing, so a person sees what it waits for.
 *   starting  the process runs and has not said it is ready. Deadline: start-timeout.
 *   ready     it runs and is ready; what requires it may start.
 *   done      it ended with status 0 and is not to be started again (a oneshot, or a daemon that is not
 *             `restart: always`): counts as ready, nothing runs.
 *   stopping  its stop signal was sent. Deadline: stop-timeout.
 *   killing   SIGKILL went to its whole cgroup. Deadline: KILL_TIMEOUT, after which it is sent again.
 *   backoff   ended by itself; waits before the next start. Delay doubles from 100 ms to 30 s and starts over
 *             after the service was ready for 60 s. It never gives up: a home server has nobody to type `reset`.
 *             The first end of a service that had become ready (with a fresh back-off) has no delay at all.
 *   failed    it will not be started by itself: a `restart: never` service that ended badly.
 *
 * Events: what can happen to it, timers and child exits included. fsm.h holds the whole table
 * state x event -> next state + actions, without one system call; a test visits every cell.
 *
 * Readiness (`ready:`): `start` = running is ready; `notify` = it writes "READY=1\n" to the descriptor
 * named in NOTIFY_FD; `fact: NAME` = the fact is on (set through the control channel or by PID 1); for oneshots
 * readiness is ending with status 0.
 *
 * Requirements: `requires:` (services that must be ready; when one stops being ready, this one is stopped
 * first and started again after), `after:` (order only, when both are wanted up), `when:` (facts that must be on to
 * start; losing one later does not stop it). `after:` waits until the other one had its turn: ready, done,
 * failed or in back-off.
 *
 * Leaving: a running service that is to end (not wanted, to be restarted, or a requirement was lost) is first
 * marked `leaving`; whoever requires it then leaves too, and its stop signal is sent when nothing that requires
 * it (or comes after it and leaves as well) runs any more. One rule, so that stop, restart, a lost requirement
 * and shutdown all happen in the reverse of the start order.
 *
 * Shutdown: want = down for all. `keep: true` services (and what they require) are stopped last. A deadline for
 * the whole bounds it, in boot/shutdown.
 */
#ifndef HEARTH_SERVICE_MODEL_H
#define HEARTH_SERVICE_MODEL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/limits.h"
#include "core/event.h"
#include "core/fact.h"
#include "core/passwd.h"
#include "loop/child.h"
#include "loop/loop.h"

#define SERVICE_STATES(X)                                                                                              \
	X(DOWN, "down")                                                                                                \
	X(WAITING, "waiting")                                                                                          \
	X(STARTING, "starting")                                                                                        \
	X(READY, "ready")                                                                                              \
	X(DONE, "done")                                                                                                \
	X(STOPPING, "stopping")                                                                                        \
	X(KILLING, "killing")                                                                                          \
	X(BACKOFF, "backoff")                                                                                          \
	X(FAILED, "failed")

#define SERVICE_EVENTS(X)                                                                                              \
	X(UP, "up")                 /* wanted up (again) */                                                            \
	X(DOWN, "down")             /* wanted down, and nothing that needs it runs any more */                         \
	X(CLEAR, "clear")           /* requirements are all there */                                                   \
	X(BLOCKED, "blocked")       /* a required service is not ready any more */                                     \
	X(SPAWN_FAILED, "no-spawn") /* the start action could not start the program */                                 \
	X(IS_READY, "is-ready")     /* readiness seen */                                                               \
	X(EXIT_OK, "exit-ok")       /* main process ended with status 0 */                                             \
	X(EXIT_BAD, "exit-bad")     /* main process ended otherwise */                                                 \
	X(TIMEOUT, "timeout")       /* the state's own deadline passed */                                              \
	X(RESTART, "restart")       /* asked for by a person: stop, then start without back-off */

enum service_state {
#define X(id, name) SERVICE_##id,
	SERVICE_STATES(X)
#undef X
		SERVICE_STATE_COUNT
};

enum service_event {
#define X(id, name) EV_##id,
	SERVICE_EVENTS(X)
#undef X
		EV_COUNT
};

enum service_type { SERVICE_DAEMON, SERVICE_ONESHOT };
enum service_ready { READY_START, READY_NOTIFY, READY_FACT };
enum service_restart { RESTART_ALWAYS, RESTART_ON_FAILURE, RESTART_NEVER };

/* What a service file says; filled once by service/def, read-only afterwards. All strings of the lists lie in
 * `text`, so a copy must go through def_copy. */
struct service_def {
	char name[LIMIT_NAME]; /* = file name without ".yaml" */
	char description[64];
	char file[LIMIT_PATH]; /* where it came from, for messages */
	enum service_type type;
	enum service_ready ready;
	enum service_restart restart;
	bool enabled;
	bool control; /* gets a control channel as descriptor 3 with PEER_WEB rights */
	bool keep;    /* stopped last, with the console */
	uint32_t start_timeout_ms, stop_timeout_ms;
	int stop_signal;
	uid_t uid;
	gid_t gid;
	int oom_score_adj;
	uint64_t memory_max; /* bytes; 0: none */
	uint64_t memory_min; /* bytes protected; 0: none */
	char ready_fact[LIMIT_NAME];
	char tty[LIMIT_NAME]; /* "/dev/ttyS0" or "" */
	unsigned requires_count, after_count, when_count;
	int requires_line, after_line; /* in `file`, for messages of services_link */
	const char *requires[LIMIT_DEPS];
	const char *after[LIMIT_DEPS];
	const char *when[LIMIT_DEPS];
	const char *argv[LIMIT_ARGS + 1];
	const char *env[LIMIT_ENV + 1];
	char text[LIMIT_ARG_TEXT]; /* every string of the lists above, one after the other */
};

#define SERVICE_BACKOFF_MIN_MS  100
#define SERVICE_BACKOFF_MAX_MS  30000
#define SERVICE_STABLE_MS       60000
#define SERVICE_KILL_TIMEOUT_MS 5000

struct services;
struct service;

/* One "who needs on" of the graph, stored in the service that needs; made by graph_link. */
struct service_link {
	struct service *who;
	struct service *on;
	struct service_link *next; /* in on->dependents */
	bool order_only;           /* from `after:` */
};

/* One service at run time. */
struct service {
	struct service_def def;
	enum service_state state; /* written by table_set_state only */
	bool want_up;
	bool fresh;          /* services_start_all has not seen it yet */
	bool refused;        /* services_link found its requirements impossible; detail says why */
	bool keep;           /* def.keep, or something that is kept requires it */
	bool leaving;        /* runs, and is to end as soon as nothing needs it (see above) */
	bool restart_asked;  /* leaving because a person said restart */
	bool restarting;     /* stopping in order to be started again: its end has no back-off */
	bool started;        /* was started before, since boot */
	bool queued;         /* stands in the settle queue */
	uint64_t since;      /* clock_ms of the last state change */
	uint64_t started_at; /* clock_ms of the last start */
	uint32_t restarts;   /* starts after the first, since boot */
	uint32_t backoff_ms; /* next delay; 0: fresh */
	struct child child;
	pid_t group;             /* process group of the last start; 0: nothing left to kill in it */
	struct loop_timer timer; /* the state's deadline, or the back-off */
	int notify_fd;           /* read end, -1: none */
	unsigned notify_matched; /* bytes of the readiness line seen so far */
	int log_fd;              /* write end of its log pipe, kept open across restarts; -1: none */
	int log_read_fd;         /* read end of the same pipe, handed to the log service; -1: none */
	bool log_told;           /* the running log service has got log_read_fd */
	int cgroup_fd;           /* its cgroup.procs, kept open; -1: none */
	struct services *all;
	struct service_link *dependents; /* everybody who needs this one */
	unsigned links;
	struct service_link link[2 * LIMIT_DEPS];
	char detail[LIMIT_DETAIL]; /* why it is in this state, for people */
};

/* Gives a service's log pipe: returns the write end (kept by the service) or -1 for /dev/null. */
typedef int services_log_fn(const char *name, void *arg);
/* Gives the child's end of a fresh control channel, -1 with e on failure. The service room closes it. */
typedef int services_channel_fn(const char *name, void *arg, struct err *e);
/* The way up from actions to table: delivers an event, then settles. */
typedef void services_event_fn(struct service *s, enum service_event ev, const char *why);

/* All services of the process, in static (zeroed) storage: slots that are not used are never touched. */
struct services {
	unsigned count;
	unsigned others;       /* running services that are not kept: the kept ones stop when it is 0 */
	unsigned head, queued; /* settle queue, a ring: who must be looked at again */
	bool stopping;         /* shutdown: nothing starts any more */
	bool settling;         /* the queue is being worked off */
	bool cgroups;          /* cgroup v2 is there */
	bool watches_services; /* some `when:` or `ready:` names a "service-" fact */
	struct loop_timer settle;
	struct loop *loop;
	struct facts *facts;
	struct events *events;
	services_event_fn *deliver;
	services_log_fn *log; /* NULL: service/output makes the pipe */
	services_channel_fn *open_channel;
	void *arg;       /* for log and open_channel */
	passwd_fn *user; /* for `user:` of a service file */
	struct service *queue[LIMIT_SERVICES];
	struct service service[LIMIT_SERVICES]; /* in load order; a slot is never reused */
};

const char *service_state_name(enum service_state s);
const char *service_event_name(enum service_event ev);
/* "TERM" for SIGTERM; "signal 34" style for those without a name is the caller's: NULL. */
const char *service_signal_name(int signo);
/* 0 for an unknown name. Takes "TERM" and "SIGTERM". */
int service_signal_number(const char *name);
/* A process belongs to it: starting, ready, stopping, killing. */
bool service_runs(const struct service *s);
/* What requires it may start: ready or done, and not about to end. */
bool service_is_there(const struct service *s);
/* Sets the detail; a longer text ends in "...". */
void service_say(struct service *s, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
