/* All services, the only writer of their state, and the folder loader. PID 1 owns one, in static storage. */
#ifndef HEARTH_SERVICE_TABLE_H
#define HEARTH_SERVICE_TABLE_H

#include "core/event.h"
#include "core/fact.h"
#include "service/model.h"

/* Gives a service's log pipe: returns the write end (kept by the service) or -1 for /dev/null. */
typedef int services_log_fn(const char *name, void *arg);
/* Gives the child's end of a fresh control channel, -1 with e on failure. */
typedef int services_channel_fn(const char *name, void *arg, struct err *e);

struct services {
	struct service service[LIMIT_SERVICES]; /* in load order; a slot is never reused */
	unsigned count;
	struct service *queue[LIMIT_SERVICES]; /* settle queue: who must be looked at again */
	unsigned queued;
	struct loop_timer settle;
	bool stopping;    /* shutdown: nothing starts any more */
	struct loop *loop;
	struct facts *facts;
	struct events *events;
	services_log_fn *log;
	services_channel_fn *channel;
	void *arg; /* for log and channel */
	bool cgroups; /* cgroup v2 is there */
};

void services_init(struct services *ss, struct loop *l, struct facts *fs, struct events *evs);
/* Loads every *.yaml of the folder, by name; a file that is wrong or cannot be placed is skipped and its message
 * becomes an EVENT_PROBLEM (and goes to on_problem); a later folder's file replaces an earlier one of the same name
 * before anything was started. A missing folder is no error. Returns the number of files refused. */
typedef void services_problem_fn(const char *message, void *arg);
unsigned services_load(struct services *ss, const char *folder, services_problem_fn *on_problem, void *arg);
/* Checks names in requires/after and cycles once all folders are loaded; offenders are disabled with a problem each. */
unsigned services_link(struct services *ss, services_problem_fn *on_problem, void *arg);
struct service *services_find(struct services *ss, const char *name);
/* Wants. They settle from the loop (deferred), without recursion. */
void services_start_all(struct services *ss);
MUST_CHECK int services_want(struct services *ss, const char *name, bool up, struct err *e);
MUST_CHECK int services_restart(struct services *ss, const char *name, struct err *e);
void services_stop_all(struct services *ss);
/* Nothing runs any more. */
bool services_all_down(const struct services *ss);
/* SIGKILL to all that is left; for the end of a shutdown. */
void services_kill_all(struct services *ss);
/* The one setter: logs old, new and why, stamps the time, tells events and facts ("service-NAME": on when ready or done). */
void table_set_state(struct service *s, enum service_state next, const char *why);
/* Puts an event into the machine of one service: fsm_next, table_set_state, actions. */
void table_event(struct service *s, enum service_event ev, const char *why);

#endif
