/* All services, the only writer of their state, and the folder loader. PID 1 owns one, in static storage. */
#ifndef HEARTH_SERVICE_TABLE_H
#define HEARTH_SERVICE_TABLE_H

#include "service/model.h"

/* ss is zeroed static storage; only the fields that are needed are touched. */
void services_init(struct services *ss, struct loop *l, struct facts *fs, struct events *evs);
/* Loads every *.yaml of the folder, by name; a file that is wrong or cannot be placed is skipped and its message
 * becomes an EVENT_PROBLEM (and goes to on_problem); a later folder's file replaces an earlier one of the same name
 * as long as that was not started; after that it cannot (a problem). A missing folder is no error, and a file that is
 * loaded is not read again. May be called again for another folder, then services_link and services_start_all again
 * too. Returns the number of files refused. The copies under /run are named by the place they come from,
 * PATH_STATE_SERVICES. */
typedef void services_problem_fn(const char *message, void *arg);
unsigned services_load(struct services *ss, const char *folder, services_problem_fn *on_problem, void *arg);
/* Loads the consoles of the folder alone and wants them up, so that they need not wait until all the rest is read:
 * files that are called console*, have a `tty` and no other service in requires/after. Says nothing of what is wrong:
 * that does services_load of the same folder, which has to come next. */
void services_start_early(struct services *ss, const char *folder);
/* Checks names in requires/after and cycles ("a -> b -> a") and builds the graph, after each round of loading.
 * Offenders never start, with a problem each; returns their number. */
unsigned services_link(struct services *ss, services_problem_fn *on_problem, void *arg);
struct service *services_find(struct services *ss, const char *name);
/* Wants. They settle from the loop (deferred), without recursion.
 * start_all wants up every enabled service that it has not seen yet. */
void services_start_all(struct services *ss);
MUST_CHECK int services_want(struct services *ss, const char *name, bool up, struct err *e);
MUST_CHECK int services_restart(struct services *ss, const char *name, struct err *e);
void services_stop_all(struct services *ss);
/* Nothing runs any more. */
bool services_all_down(const struct services *ss);
/* SIGKILL to all that is left; for the end of a shutdown. */
void services_kill_all(struct services *ss);
/* The one setter: logs old, new and why, stamps the time, tells events and facts ("service-NAME": on when ready or
 * done). */
void table_set_state(struct service *s, enum service_state next, const char *why);
/* Puts an event into the machine of one service: fsm_next, table_set_state, actions. */
void table_event(struct service *s, enum service_event ev, const char *why);

#endif
