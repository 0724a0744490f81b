/* The rules of kstatus as a table: group, kind, function. Pure; runs in the kube role.
 * Documents come from the API server: absent and wrongly typed fields read as "" or a default, never as an error. */
#include "kube/health.h"

#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "kube/object.h"

typedef enum health rule_fn(yyjson_val *o, struct buf *why);

/* have of want is not enough: says so. */
static bool lacks(struct buf *why, const char *what, int64_t have, int64_t want)
{
	if (have >= want)
		return false;
	buf_addf(why, "%s: %" PRId64 "/%" PRId64, what, have, want);
	return true;
}

static enum health in_progress(struct buf *why, const char *text)
{
	buf_add(why, text);
	return HEALTH_IN_PROGRESS;
}

static int64_t status(yyjson_val *o, const char *pointer)
{
	return object_int(o, pointer, 0);
}

static bool surplus(struct buf *why, int64_t have, int64_t want)
{
	if (have <= want)
		return false;
	buf_addf(why, "pods still to end: %" PRId64, have - want);
	return true;
}

static enum health deployment(yyjson_val *o, struct buf *why)
{
	yyjson_val *progressing = object_condition(o, "Progressing");
	const char *reason = object_str(progressing, "/reason");
	int64_t want = object_int(o, "/spec/replicas", 1);
	int64_t updated = status(o, "/status/updatedReplicas");
	/* Without a deadline (INT32_MAX stands for none) the controller never sets the condition. */
	bool watched = object_int(o, "/spec/progressDeadlineSeconds", INT32_MAX) != INT32_MAX;

	if (str_eq(reason, "ProgressDeadlineExceeded")) {
		buf_addf(why, "no progress in time: %s", object_str(progressing, "/message"));
		return HEALTH_FAILED;
	}
	if (lacks(why, "replicas", status(o, "/status/replicas"), want) || lacks(why, "updated", updated, want) ||
	    surplus(why, status(o, "/status/replicas"), want) ||
	    lacks(why, "available", status(o, "/status/availableReplicas"), updated) ||
	    lacks(why, "ready", status(o, "/status/readyReplicas"), want))
		return HEALTH_IN_PROGRESS;
	if (watched && !(object_is(o, "Progressing", "True") && str_eq(reason, "NewReplicaSetAvailable")))
		return in_progress(why, "the new ReplicaSet is not available yet");
	if (!object_is(o, "Available", "True"))
		return in_progress(why, "not available yet");
	buf_addf(why, "replicas: %" PRId64, want);
	return HEALTH_CURRENT;
}

static enum health replica_set(yyjson_val *o, struct buf *why)
{
	int64_t want = object_int(o, "/spec/replicas", 1);
	if (object_is(o, "ReplicaFailure", "True"))
		return in_progress(why, object_str(object_condition(o, "ReplicaFailure"), "/message"));
	if (lacks(why, "labelled", status(o, "/status/fullyLabeledReplicas"), want) ||
	    lacks(why, "available", status(o, "/status/availableReplicas"), want) ||
	    lacks(why, "ready", status(o, "/status/readyReplicas"), want) ||
	    surplus(why, status(o, "/status/replicas"), want))
		return HEALTH_IN_PROGRESS;
	return HEALTH_CURRENT;
}

static enum health stateful_set(yyjson_val *o, struct buf *why)
{
	int64_t want = object_int(o, "/spec/replicas", 1);
	int64_t partition = object_int(o, "/spec/updateStrategy/rollingUpdate/partition", 0);
	if (str_eq(object_str(o, "/spec/updateStrategy/type"), "OnDelete"))
		return HEALTH_CURRENT; /* updated by hand, one pod at a time */
	if (lacks(why, "replicas", status(o, "/status/replicas"), want) ||
	    lacks(why, "ready", status(o, "/status/readyReplicas"), want) ||
	    surplus(why, status(o, "/status/replicas"), want))
		return HEALTH_IN_PROGRESS;
	if (partition > 0)
		return lacks(why, "updated", status(o, "/status/updatedReplicas"), want - partition)
		               ? HEALTH_IN_PROGRESS
		               : HEALTH_CURRENT;
	if (lacks(why, "updated", status(o, "/status/currentReplicas"), want))
		return HEALTH_IN_PROGRESS;
	if (!str_eq(object_str(o, "/status/currentRevision"), object_str(o, "/status/updateRevision")))
		return in_progress(why, "the new revision is not everywhere yet");
	buf_addf(why, "replicas: %" PRId64, want);
	return HEALTH_CURRENT;
}

static enum health daemon_set(yyjson_val *o, struct buf *why)
{
	int64_t want = object_int(o, "/status/desiredNumberScheduled", -1);
	if (object_int(o, "/status/observedGeneration", -1) < 0 || want < 0)
		return in_progress(why, "its controller has not looked at it yet");
	if (lacks(why, "scheduled", status(o, "/status/currentNumberScheduled"), want) ||
	    lacks(why, "updated", status(o, "/status/updatedNumberScheduled"), want) ||
	    lacks(why, "available", status(o, "/status/numberAvailable"), want) ||
	    lacks(why, "ready", status(o, "/status/numberReady"), want))
		return HEALTH_IN_PROGRESS;
	buf_addf(why, "pods: %" PRId64, want);
	return HEALTH_CURRENT;
}

static enum health job(yyjson_val *o, struct buf *why)
{
	yyjson_val *failed = object_condition(o, "Failed");
	int64_t want = object_int(o, "/spec/completions", object_int(o, "/spec/parallelism", 1));
	if (object_is(o, "Failed", "True")) {
		buf_addf(why, "%s: %s", object_str(failed, "/reason"), object_str(failed, "/message"));
		return HEALTH_FAILED;
	}
	if (object_is(o, "Complete", "True")) {
		buf_add(why, "complete");
		return HEALTH_CURRENT;
	}
	if (object_is(o, "Suspended", "True")) {
		buf_add(why, "suspended");
		return HEALTH_CURRENT;
	}
	if (object_str(o, "/status/startTime")[0] == '\0')
		return in_progress(why, "not started yet");
	/* Upstream calls a started Job Current; a wave that needs its result has to wait for the end. */
	buf_addf(why, "running; succeeded: %" PRId64 "/%" PRId64, status(o, "/status/succeeded"), want);
	return HEALTH_IN_PROGRESS;
}

static enum health claim(yyjson_val *o, struct buf *why)
{
	const char *phase = object_str(o, "/status/phase");
	if (str_eq(phase, "Bound"))
		return HEALTH_CURRENT;
	buf_addf(why, "not bound: %s", phase[0] ? phase : "unknown");
	return str_eq(phase, "Lost") ? HEALTH_FAILED : HEALTH_IN_PROGRESS;
}

static enum health volume(yyjson_val *o, struct buf *why)
{
	const char *phase = object_str(o, "/status/phase");
	if (str_eq(phase, "Failed")) {
		buf_add(why, object_str(o, "/status/message"));
		return HEALTH_FAILED;
	}
	return str_eq(phase, "Available") || str_eq(phase, "Bound") || str_eq(phase, "Released")
	               ? HEALTH_CURRENT
	               : in_progress(why, "not available yet");
}

static enum health service(yyjson_val *o, struct buf *why)
{
	if (!str_eq(object_str(o, "/spec/type"), "LoadBalancer"))
		return HEALTH_CURRENT;
	if (object_str(o, "/spec/clusterIP")[0] == '\0')
		return in_progress(why, "no cluster address yet");
	if (yyjson_arr_size(yyjson_ptr_get(o, "/status/loadBalancer/ingress")) == 0)
		return in_progress(why, "no address from the load balancer yet");
	return HEALTH_CURRENT;
}

static enum health crd(yyjson_val *o, struct buf *why)
{
	yyjson_val *names = object_condition(o, "NamesAccepted");
	if (object_is(o, "NamesAccepted", "False")) {
		buf_add(why, object_str(names, "/message"));
		return HEALTH_FAILED;
	}
	if (object_is(o, "Established", "True"))
		return HEALTH_CURRENT;
	/* Installing is a pause of some seconds that the server makes by itself. */
	return in_progress(why, "not established yet");
}

static enum health pdb(yyjson_val *o, struct buf *why)
{
	return lacks(why, "healthy", status(o, "/status/currentHealthy"), status(o, "/status/desiredHealthy"))
	               ? HEALTH_IN_PROGRESS
	               : HEALTH_CURRENT;
}

static enum health api_service(yyjson_val *o, struct buf *why)
{
	if (object_is(o, "Available", "True"))
		return HEALTH_CURRENT;
	return in_progress(why, object_str(object_condition(o, "Available"), "/message"));
}

/* Names of containers that are started again and again; false when there is none. */
static bool crash_loops(yyjson_val *o, const char *pointer, struct buf *why)
{
	size_t before = why->len;
	yyjson_arr_iter it;
	yyjson_val *c;
	yyjson_arr_iter_init(yyjson_ptr_get(o, pointer), &it);
	while ((c = yyjson_arr_iter_next(&it)) != NULL) {
		if (str_eq(object_str(c, "/state/waiting/reason"), "CrashLoopBackOff"))
			buf_addf(why, "%s%s",
			         why->len > before ? ", " : "ends again and again: ", object_str(c, "/name"));
	}
	return why->len > before;
}

static enum health pod(yyjson_val *o, struct buf *why)
{
	const char *phase = object_str(o, "/status/phase");
	yyjson_val *scheduled = object_condition(o, "PodScheduled");
	if (str_eq(phase, "Succeeded"))
		return HEALTH_CURRENT;
	if (str_eq(phase, "Failed")) {
		buf_addf(why, "ended with a failure %s", object_str(o, "/status/message"));
		return HEALTH_FAILED;
	}
	if (str_eq(phase, "Running") && object_is(o, "Ready", "True"))
		return HEALTH_CURRENT;
	if (crash_loops(o, "/status/initContainerStatuses", why) || crash_loops(o, "/status/containerStatuses", why))
		return HEALTH_FAILED;
	if (object_is(o, "PodScheduled", "False"))
		return in_progress(why, object_str(scheduled, "/message"));
	return in_progress(why, str_eq(phase, "Running") ? "running, not ready yet" : "pending");
}

static enum health name_space(yyjson_val *o, struct buf *why)
{
	return str_eq(object_str(o, "/status/phase"), "Terminating") ? in_progress(why, "being deleted")
	                                                             : HEALTH_CURRENT;
}

static enum health always(yyjson_val *o, struct buf *why)
{
	(void)o;
	(void)why;
	return HEALTH_CURRENT;
}

/* A kind without a rule of its own (fn NULL in no row): custom resources that follow the conventions say Ready. */
static enum health by_ready(yyjson_val *o, struct buf *why)
{
	yyjson_val *ready = object_condition(o, "Ready");
	if (ready && !object_is(o, "Ready", "True"))
		return in_progress(why, object_str(ready, "/message"));
	return HEALTH_CURRENT;
}

/* status: the health shows in .spec or .status, so that watching metadata alone would not do. */
static const struct {
	const char *group, *kind; /* kind NULL: every other one of the group */
	rule_fn *rule;
	bool status;
} rules[] = {
	{"apps", "Deployment", deployment, true},
	{"apps", "ReplicaSet", replica_set, true},
	{"apps", "StatefulSet", stateful_set, true},
	{"apps", "DaemonSet", daemon_set, true},
	{"apps", NULL, always, false},
	{"batch", "Job", job, true},
	{"batch", NULL, always, false},
	{"", "Pod", pod, true},
	{"", "PersistentVolumeClaim", claim, true},
	{"", "PersistentVolume", volume, true},
	{"", "Service", service, true},
	{"", "Namespace", name_space, false},
	{"", "Node", by_ready, true},
	{"", NULL, always, false},
	{"apiextensions.k8s.io", "CustomResourceDefinition", crd, true},
	{"apiregistration.k8s.io", "APIService", api_service, true},
	{"policy", "PodDisruptionBudget", pdb, true},
	{"rbac.authorization.k8s.io", NULL, always, false},
	{"networking.k8s.io", NULL, always, false},
	{"storage.k8s.io", NULL, always, false},
	{"scheduling.k8s.io", NULL, always, false},
	{"node.k8s.io", NULL, always, false},
	{"coordination.k8s.io", NULL, always, false},
	{"discovery.k8s.io", NULL, always, false},
	{"admissionregistration.k8s.io", NULL, always, false},
	{"autoscaling", NULL, always, false},
};

static size_t row_of(const char *group, const char *kind)
{
	size_t i = 0;
	while (i < COUNT_OF(rules) &&
	       !(str_eq(rules[i].group, group) && (!rules[i].kind || str_eq(rules[i].kind, kind))))
		i++;
	return i;
}

bool health_needs_status(const char *group, const char *kind)
{
	size_t i = row_of(group, kind);
	return i == COUNT_OF(rules) || rules[i].status;
}

bool health_follows_pods(const char *group, const char *kind)
{
	return str_eq(group, "apps") && health_needs_status(group, kind);
}

/* What holds for objects of every kind; HEALTH_UNKNOWN: says nothing. */
static enum health generic(yyjson_val *o, struct buf *why)
{
	int64_t generation = object_int(o, "/metadata/generation", 0);
	int64_t observed = object_int(o, "/status/observedGeneration", generation);
	if (object_str(o, "/metadata/deletionTimestamp")[0] != '\0') {
		buf_add(why, "being deleted");
		return HEALTH_TERMINATING;
	}
	if (observed != generation) {
		buf_addf(why, "generation %" PRId64 ", its controller has seen %" PRId64, generation, observed);
		return HEALTH_IN_PROGRESS;
	}
	if (object_is(o, "Reconciling", "True"))
		return in_progress(why, object_str(object_condition(o, "Reconciling"), "/message"));
	if (object_is(o, "Stalled", "True")) {
		buf_add(why, object_str(object_condition(o, "Stalled"), "/message"));
		return HEALTH_FAILED;
	}
	return HEALTH_UNKNOWN;
}

enum health health_of(const char *group, const char *kind, yyjson_val *object, char *message)
{
	struct buf why;
	buf_init(&why, message, HEALTH_TEXT);
	if (!yyjson_is_obj(object))
		return HEALTH_UNKNOWN;
	enum health h = generic(object, &why);
	if (h != HEALTH_UNKNOWN)
		return h;
	size_t row = row_of(group, kind);
	return row < COUNT_OF(rules) ? rules[row].rule(object, &why) : by_ready(object, &why);
}

const char *health_name(enum health h)
{
	static const char *const names[] = {"unknown", "in progress", "failed", "current", "terminating"};
	return (size_t)h < COUNT_OF(names) ? names[h] : names[HEALTH_UNKNOWN];
}
