/* Who needs whom, and what follows from it. Wants and states settle through a queue, never by recursion: a service
 * that may be concerned by a change is queued (once), and graph_look says what should happen to it. */
#ifndef HEARTH_SERVICE_GRAPH_H
#define HEARTH_SERVICE_GRAPH_H

#include "service/model.h"

typedef void graph_problem_fn(struct service *s, const char *message, void *arg);

/* Builds the links from the names in requires and after. A service that names an unknown one, or is part of a cycle,
 * is refused with a message ("FILE:LINE: ..."; a cycle as "a -> b -> a", once). May be called again after more were
 * loaded. Returns the number of refused services. */
unsigned graph_link(struct services *ss, graph_problem_fn *problem, void *arg);

/* NULL when there is none of that name. */
struct service *graph_find(struct services *ss, const char *name);
/* The known name most like it, or NULL: for "did you mean". */
const char *graph_nearest(struct services *ss, const char *name);

/* Look at it again. */
void graph_queue(struct service *s);
/* Its state changed: look again at it, at everybody who needs it, and at those who wait for its end to leave. */
void graph_touch(struct service *s);
/* It is not there any more: whoever runs and requires it must leave, even when it is back before anybody looks. */
void graph_lost(struct service *s);
/* All that are stopped last: nothing else runs any more. */
void graph_queue_kept(struct services *ss);
/* The next one to look at; NULL: nothing more. */
struct service *graph_pop(struct services *ss);

/* What should happen to it now, or EV_COUNT. Marks it as leaving (and queues who needs it) when it has to end; in the
 * state waiting it writes what is missing into the detail. *why is a sentence, valid until the detail changes. */
enum service_event graph_look(struct service *s, const char **why);

#endif
