/* How an object is doing, by the rules of kstatus: from its own fields alone, one pure function per kind in a table.
 *
 * Order: being deleted > a spec that its controller has not seen yet > the conditions Reconciling and Stalled > the
 * rule of the kind > the condition Ready > nothing known against it, so Current.
 *
 * Two departures: a Pod that cannot be scheduled is InProgress however long (the role trusts no wall clock), and a Pod
 * that ended with a failure is Failed, which is what a person wants to hear. */
#ifndef HEARTH_KUBE_HEALTH_H
#define HEARTH_KUBE_HEALTH_H

#include <stdbool.h>
#include <stddef.h>

#include <yyjson.h>

#define HEALTH_TEXT 120 /* one sentence */

enum health {
	HEALTH_UNKNOWN,     /* not seen yet, or no object */
	HEALTH_IN_PROGRESS, /* on its way to what the spec says */
	HEALTH_FAILED,      /* will not get there by itself */
	HEALTH_CURRENT,     /* is what the spec says */
	HEALTH_TERMINATING, /* is being deleted */
};

/* The object's kind is said beside it: elements of lists do not carry theirs. message (HEALTH_TEXT bytes) gets the
 * reason as a sentence, cut where it does not fit; "" when there is nothing to say. */
enum health health_of(const char *group, const char *kind, yyjson_val *object, char *message);
/* False for kinds whose health shows in their metadata alone (ConfigMap, Role, ...): watching less of them is enough.
 */
bool health_needs_status(const char *group, const char *kind);
/* Workloads whose health is that of pods which run on and on: Deployment and the like. */
bool health_follows_pods(const char *group, const char *kind);
/* "unknown", "in progress", "failed", "current", "terminating". */
const char *health_name(enum health h);

#endif
