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
 *   done      a oneshot ended with status 0: counts as ready, nothing runs.
 *   stopping  its stop signal was sent. Deadline: stop-timeout.
 *   killing   SIGKILL went to its whole cgroup. Deadline: KILL_TIMEOUT, after which it is sent again.
 *   backoff   ended by itself; waits before the next start. Delay doubles from 100 ms to 30 s and starts over
 *             after the service was ready for 60 s. It never gives up: a home server has nobody to type `reset`.
 *   failed    it will not be started by itself: a oneshot or a `restart: never` service that ended badly.
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
 * start; losing one later does not stop it).
 *
 * Shutdown: want = down for all; a service is stopped when nothing that requires it or comes after it runs
 * any more: the reverse of start order falls out of the same graph. A deadline for the whole bounds it.
 */
#ifndef HEARTH_SERVICE_MODEL_H
#define HEARTH_SERVICE_MODEL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/limits.h"
#include "loop/child.h"
#include "loop/loop.h"

#define SERVICE_STATES(X)                                                                                             \
	X(DOWN, "down")                                                                                               \
	X(WAITING, "waiting")                                                                                         \
	X(STARTING, "starting")                                                                                       \
	X(READY, "ready")                                                                                             \
	X(DONE, "done")                                                                                               \
	X(STOPPING, "stopping")                                                                                       \
	X(KILLING, "killing")                                                                                         \
	X(BACKOFF, "backoff")                                                                                         \
	X(FAILED, "failed")

#define SERVICE_EVENTS(X)                                                                                             \
	X(UP, "up")                 /* wanted up (again) */                                                           \
	X(DOWN, "down")             /* wanted down, and nothing that needs it runs any more */                        \
	X(CLEAR, "clear")           /* requirements are all there */                                                  \
	X(BLOCKED, "blocked")       /* a required service is not ready any more */                                    \
	X(SPAWN_FAILED, "no-spawn") /* the start action could not start the program */                                \
	X(IS_READY, "is-ready")     /* readiness seen */                                                              \
	X(EXIT_OK, "exit-ok")       /* main process ended with status 0 */                                            \
	X(EXIT_BAD, "exit-bad")     /* main process ended otherwise */                                                \
	X(TIMEOUT, "timeout")       /* the state's own deadline passed */                                             \
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

/* What a service file says; filled once by service/def, read-only afterwards. */
struct service_def {
	char name[LIMIT_NAME]; /* = file name without ".yaml" */
	char description[64];
	char file[LIMIT_PATH]; /* where it came from */
	char text[LIMIT_ARG_TEXT]; /* argv and environment strings, one after the other */
	const char *argv[LIMIT_ARGS + 1];
	const char *env[LIMIT_ENV + 1];
	enum service_type type;
	enum service_ready ready;
	char ready_fact[LIMIT_NAME];
	enum service_restart restart;
	bool enabled;
	bool control;    /* gets a control channel as descriptor 3 with PEER_WEB rights */
	bool keep;       /* stopped last, with the console: see boot/shutdown */
	uint32_t start_timeout_ms, stop_timeout_ms;
	int stop_signal;
	uid_t uid;
	gid_t gid;
	char tty[LIMIT_NAME];     /* "/dev/ttyS0" or "" */
	uint64_t memory_max;      /* bytes; 0: none */
	uint64_t memory_min;      /* bytes protected; 0: none */
	int oom_score_adj;
	char requires[LIMIT_DEPS][LIMIT_NAME];
	char after[LIMIT_DEPS][LIMIT_NAME];
	char when[LIMIT_DEPS][LIMIT_NAME];
	unsigned requires_count, after_count, when_count;
};

#define SERVICE_BACKOFF_MIN_MS 100
#define SERVICE_BACKOFF_MAX_MS 30000
#define SERVICE_STABLE_MS 60000
#define SERVICE_KILL_TIMEOUT_MS 5000

struct services;

/* One service at run time. */
struct service {
	struct service_def def;
	enum service_state state; /* written by table_set_state only */
	bool want_up;
	bool restarting;       /* RESTART asked: next end starts at once */
	uint64_t since;        /* clock_ms of the last state change */
	uint32_t restarts;     /* starts after the first, since boot */
	uint32_t backoff_ms;   /* next delay */
	char detail[LIMIT_DETAIL]; /* why it is in this state, for people */
	struct child child;
	struct loop_timer timer; /* the state's deadline, or the back-off */
	int notify_fd;         /* read end, -1: none */
	int log_fd;            /* write end of its log pipe, kept open across restarts; -1: none */
	bool queued;           /* stands in the settle queue */
	struct services *all;
};

const char *service_state_name(enum service_state s);
const char *service_event_name(enum service_event ev);

#endif
