/* Pods and nodes of which the API server still tells what the kubelet said before this boot. Pure.
 *
 * A pod that was running when the box went down is "Running" in the database until the kubelet has looked at it, and
 * with it everything that follows from pods, such as the replicas of a Deployment. */
#ifndef HEARTH_KUBE_STALE_H
#define HEARTH_KUBE_STALE_H

#include <stdbool.h>
#include <stdint.h>

#include <yyjson.h>

#include "kube/object.h"

/* Seconds since 1970 of "2026-01-31T12:00:00Z", fractions left out; INT64_MAX: it is no time. */
int64_t stale_time(const char *text);
/* It runs, and one of its containers has done so since before `began`, the beginning of this boot in seconds since
 * 1970. One that is being deleted counts for nobody. */
bool stale_pod(yyjson_val *pod, int64_t began);
/* Ready pods that the status of a workload tells of. Its controller may not have looked yet in this boot, long after
 * the kubelet has: then it tells of more than there are. */
unsigned stale_claims(yyjson_val *workload);
/* The workload of which the pod is Ready; false: it is not, or has none. A Deployment owns its pods by way of a
 * ReplicaSet that is called NAME-HASH, with the pod's label pod-template-hash. name is where the id's name is kept. */
bool stale_ready(yyjson_val *pod, struct object_id *workload, char name[OBJECT_NAME]);
/* What it says of being Ready is from before `began`. */
bool stale_node(yyjson_val *node, int64_t began);
/* The earlier of what was known (INT64_MAX: nothing) and what the clocks say now: wall clock less time since boot, both
 * in ms. The earliest counts because the wall clock may be set forward after the first containers were started. */
int64_t stale_began(int64_t known, int64_t wall_ms, uint64_t up_ms);

#endif
