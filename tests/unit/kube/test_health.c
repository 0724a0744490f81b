/* init/kube/health.c: a row for each state that a kind can be in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "kube/health.h"
#include "unit/kube/json.h"

#define U HEALTH_UNKNOWN
#define P HEALTH_IN_PROGRESS
#define F HEALTH_FAILED
#define C HEALTH_CURRENT
#define T HEALTH_TERMINATING

#define COND(type, status)          "{'type':'" type "','status':'" status "'}"
#define COND_WHY(type, status, why) "{'type':'" type "','status':'" status "','reason':'" why "','message':'said why'}"
#define CONDS(...)                  "'conditions':[" __VA_ARGS__ "]"

#define ROLLED COND_WHY("Progressing", "True", "NewReplicaSetAvailable")
#define AVAIL  COND("Available", "True")
#define COUNTS "'replicas':2,'updatedReplicas':2,'readyReplicas':2,'availableReplicas':2"

static const struct {
	const char *group, *kind, *json;
	enum health health;
	const char *why; /* part of the sentence */
} rows[] = {
	/* any kind */
	{"", "ConfigMap", "[]", U, ""},
	{"", "ConfigMap", "{}", C, ""},
	{"", "ConfigMap", "{'metadata':{'deletionTimestamp':'2026-01-01T00:00:00Z'}}", T, "being deleted"},
	{"x.dev", "Thing", "{}", C, ""},
	{"x.dev", "Thing", "{'metadata':{'generation':2},'status':{'observedGeneration':1}}", P, "generation 2"},
	{"x.dev", "Thing", "{'metadata':{'generation':2},'status':{'observedGeneration':2}}", C, ""},
	{"x.dev", "Thing", "{'metadata':{'generation':2}}", C, ""},
	{"x.dev", "Thing", "{'status':{" CONDS(COND_WHY("Reconciling", "True", "r")) "}}", P, "said why"},
	{"x.dev", "Thing", "{'status':{" CONDS(COND_WHY("Stalled", "True", "r")) "}}", F, "said why"},
	{"x.dev", "Thing", "{'status':{" CONDS(COND("Stalled", "False")) "}}", C, ""},
	{"x.dev", "Thing", "{'status':{" CONDS(COND_WHY("Ready", "False", "r")) "}}", P, "said why"},
	{"x.dev", "Thing", "{'status':{" CONDS(COND("Ready", "Unknown")) "}}", P, ""},
	{"x.dev", "Thing", "{'status':{" CONDS(COND("Ready", "True")) "}}", C, ""},
	{"x.dev", "Thing", "{'status':{'conditions':'none'}}", C, ""},
	{"", "ConfigMap", "{'status':{" CONDS(COND("Ready", "False")) "}}", C, ""}, /* has a rule of its own */
	/* Deployment */
	{"apps", "Deployment", "{}", P, "replicas: 0/1"},
	{"apps", "Deployment", "{'spec':{'replicas':2},'status':{'replicas':2,'updatedReplicas':1}}", P,
         "updated: 1/2"},
	{"apps", "Deployment", "{'spec':{'replicas':2},'status':{'replicas':3,'updatedReplicas':2}}", P,
         "still to end: 1"},
	{"apps", "Deployment",
         "{'spec':{'replicas':2},'status':{'replicas':2,'updatedReplicas':2,'availableReplicas':1}}", P,
         "available: 1/2"},
	{"apps", "Deployment",
         "{'spec':{'replicas':2},'status':{'replicas':2,'updatedReplicas':2,'availableReplicas':2,'readyReplicas':1}}",
         P, "ready: 1/2"},
	{"apps", "Deployment", "{'spec':{'replicas':2},'status':{" COUNTS "}}", P, "not available yet"},
	{"apps", "Deployment", "{'spec':{'replicas':2},'status':{" COUNTS "," CONDS(AVAIL) "}}", C, "replicas: 2"},
	{"apps", "Deployment",
         "{'spec':{'replicas':2,'progressDeadlineSeconds':600},'status':{" COUNTS "," CONDS(AVAIL) "}}", P,
         "new ReplicaSet"},
	{"apps", "Deployment",
         "{'spec':{'replicas':2,'progressDeadlineSeconds':600},'status':{" COUNTS "," CONDS(AVAIL "," ROLLED) "}}", C,
         ""},
	{"apps", "Deployment", "{'status':{" CONDS(COND_WHY("Progressing", "False", "ProgressDeadlineExceeded")) "}}",
         F, "said why"},
	{"apps", "Deployment", "{'spec':{'replicas':0},'status':{" CONDS(AVAIL) "}}", C, "replicas: 0"},
	{"apps", "Deployment", "{'spec':{'replicas':'two'},'status':[]}", P, "replicas: 0/1"},
	/* ReplicaSet */
	{"apps", "ReplicaSet", "{}", P, "labelled: 0/1"},
	{"apps", "ReplicaSet", "{'status':{'fullyLabeledReplicas':1}}", P, "available: 0/1"},
	{"apps", "ReplicaSet", "{'status':{'fullyLabeledReplicas':1,'availableReplicas':1}}", P, "ready: 0/1"},
	{"apps", "ReplicaSet",
         "{'status':{'fullyLabeledReplicas':1,'availableReplicas':1,'readyReplicas':1,'replicas':2}}", P, "to end"},
	{"apps", "ReplicaSet",
         "{'status':{'fullyLabeledReplicas':1,'availableReplicas':1,'readyReplicas':1,'replicas':1}}", C, ""},
	{"apps", "ReplicaSet", "{'status':{" CONDS(COND_WHY("ReplicaFailure", "True", "r")) "}}", P, "said why"},
	/* StatefulSet */
	{"apps", "StatefulSet", "{}", P, "replicas: 0/1"},
	{"apps", "StatefulSet", "{'spec':{'updateStrategy':{'type':'OnDelete'}}}", C, ""},
	{"apps", "StatefulSet", "{'status':{'replicas':1}}", P, "ready: 0/1"},
	{"apps", "StatefulSet", "{'status':{'replicas':2,'readyReplicas':2}}", P, "to end"},
	{"apps", "StatefulSet", "{'status':{'replicas':1,'readyReplicas':1}}", P, "updated: 0/1"},
	{"apps", "StatefulSet",
         "{'status':{'replicas':1,'readyReplicas':1,'currentReplicas':1,'currentRevision':'a','updateRevision':'b'}}",
         P, "revision"},
	{"apps", "StatefulSet",
         "{'status':{'replicas':1,'readyReplicas':1,'currentReplicas':1,'currentRevision':'a','updateRevision':'a'}}",
         C, ""},
	{"apps", "StatefulSet",
         "{'spec':{'replicas':3,'updateStrategy':{'rollingUpdate':{'partition':2}}},"
         "'status':{'replicas':3,'readyReplicas':3,'updatedReplicas':0}}",
         P, "updated: 0/1"},
	{"apps", "StatefulSet",
         "{'spec':{'replicas':3,'updateStrategy':{'rollingUpdate':{'partition':2}}},"
         "'status':{'replicas':3,'readyReplicas':3,'updatedReplicas':1}}",
         C, ""},
	/* DaemonSet */
	{"apps", "DaemonSet", "{}", P, "has not looked"},
	{"apps", "DaemonSet", "{'status':{'observedGeneration':0}}", P, "has not looked"},
	{"apps", "DaemonSet", "{'status':{'observedGeneration':0,'desiredNumberScheduled':1}}", P, "scheduled: 0/1"},
	{"apps", "DaemonSet",
         "{'status':{'observedGeneration':0,'desiredNumberScheduled':1,'currentNumberScheduled':1}}", P,
         "updated: 0/1"},
	{"apps", "DaemonSet",
         "{'status':{'observedGeneration':0,'desiredNumberScheduled':1,'currentNumberScheduled':1,"
         "'updatedNumberScheduled':1}}",
         P, "available: 0/1"},
	{"apps", "DaemonSet",
         "{'status':{'observedGeneration':0,'desiredNumberScheduled':1,'currentNumberScheduled':1,"
         "'updatedNumberScheduled':1,'numberAvailable':1}}",
         P, "ready: 0/1"},
	{"apps", "DaemonSet",
         "{'status':{'observedGeneration':0,'desiredNumberScheduled':1,'currentNumberScheduled':1,"
         "'updatedNumberScheduled':1,'numberAvailable':1,'numberReady':1}}",
         C, "pods: 1"},
	/* Job, CronJob */
	{"batch", "Job", "{}", P, "not started"},
	{"batch", "Job", "{'spec':{'completions':3},'status':{'startTime':'t','succeeded':1}}", P, "succeeded: 1/3"},
	{"batch", "Job", "{'status':{'startTime':'t'," CONDS(COND("Complete", "True")) "}}", C, "complete"},
	{"batch", "Job", "{'status':{'startTime':'t'," CONDS(COND_WHY("Failed", "True", "BackoffLimitExceeded")) "}}",
         F, "BackoffLimitExceeded: said why"},
	{"batch", "Job", "{'status':{" CONDS(COND("Suspended", "True")) "}}", C, "suspended"},
	{"batch", "CronJob", "{}", C, ""},
	/* Pod */
	{"", "Pod", "{'status':{'phase':'Pending'}}", P, "pending"},
	{"", "Pod", "{'status':{'phase':'Pending'," CONDS(COND_WHY("PodScheduled", "False", "Unschedulable")) "}}", P,
         "said why"},
	{"", "Pod", "{'status':{'phase':'Running'}}", P, "not ready yet"},
	{"", "Pod", "{'status':{'phase':'Running'," CONDS(COND("Ready", "True")) "}}", C, ""},
	{"", "Pod", "{'status':{'phase':'Succeeded'}}", C, ""},
	{"", "Pod", "{'status':{'phase':'Failed','message':'evicted'}}", F, "evicted"},
	{"", "Pod",
         "{'status':{'phase':'Running','containerStatuses':[{'name':'a'},{'name':'b','state':{'waiting':{'reason':"
         "'CrashLoopBackOff'}}},{'name':'c','state':{'waiting':{'reason':'CrashLoopBackOff'}}}]}}",
         F, "again: b, c"},
	{"", "Pod",
         "{'status':{'phase':'Pending','initContainerStatuses':[{'name':'i','state':{'waiting':{'reason':"
         "'CrashLoopBackOff'}}}]}}",
         F, "again: i"},
	/* storage */
	{"", "PersistentVolumeClaim", "{}", P, "not bound: unknown"},
	{"", "PersistentVolumeClaim", "{'status':{'phase':'Pending'}}", P, "not bound: Pending"},
	{"", "PersistentVolumeClaim", "{'status':{'phase':'Lost'}}", F, "Lost"},
	{"", "PersistentVolumeClaim", "{'status':{'phase':'Bound'}}", C, ""},
	{"", "PersistentVolume", "{}", P, ""},
	{"", "PersistentVolume", "{'status':{'phase':'Failed','message':'gone'}}", F, "gone"},
	{"", "PersistentVolume", "{'status':{'phase':'Available'}}", C, ""},
	{"", "PersistentVolume", "{'status':{'phase':'Released'}}", C, ""},
	/* network */
	{"", "Service", "{'spec':{'type':'ClusterIP'}}", C, ""},
	{"", "Service", "{'spec':{'type':'LoadBalancer'}}", P, "no cluster address"},
	{"", "Service", "{'spec':{'type':'LoadBalancer','clusterIP':'10.0.0.1'}}", P, "load balancer"},
	{"", "Service",
         "{'spec':{'type':'LoadBalancer','clusterIP':'10.0.0.1'},'status':{'loadBalancer':{'ingress':[{'ip':'1'}]}}}",
         C, ""},
	/* others */
	{"", "Namespace", "{'status':{'phase':'Active'}}", C, ""},
	{"", "Namespace", "{'status':{'phase':'Terminating'}}", P, "being deleted"},
	{"", "Node", "{'status':{" CONDS(COND("Ready", "False")) "}}", P, ""},
	{"policy", "PodDisruptionBudget", "{'status':{'currentHealthy':1,'desiredHealthy':2}}", P, "healthy: 1/2"},
	{"policy", "PodDisruptionBudget", "{'status':{'currentHealthy':2,'desiredHealthy':2}}", C, ""},
	{"apiextensions.k8s.io", "CustomResourceDefinition", "{}", P, "not established"},
	{"apiextensions.k8s.io", "CustomResourceDefinition", "{'status':{" CONDS(COND("Established", "True")) "}}", C,
         ""},
	{"apiextensions.k8s.io", "CustomResourceDefinition",
         "{'status':{" CONDS(COND_WHY("NamesAccepted", "False", "r") "," COND("Established", "True")) "}}", F,
         "said why"},
	{"apiregistration.k8s.io", "APIService", "{}", P, ""},
	{"apiregistration.k8s.io", "APIService", "{'status':{" CONDS(COND_WHY("Available", "False", "r")) "}}", P,
         "said why"},
	{"apiregistration.k8s.io", "APIService", "{'status':{" CONDS(AVAIL) "}}", C, ""},
};

static void every_row_holds(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char why[HEALTH_TEXT] = "rubbish";
		yyjson_doc *doc = json_doc(rows[i].json);
		enum health h = health_of(rows[i].group, rows[i].kind, yyjson_doc_get_root(doc), why);
		if (h != rows[i].health || !strstr(why, rows[i].why))
			fail_msg("%s %s: %s, '%s'", rows[i].kind, rows[i].json, health_name(h), why);
		yyjson_doc_free(doc);
	}
}

static void no_document_is_unknown(void **state)
{
	char why[HEALTH_TEXT];
	(void)state;
	assert_int_equal(health_of("", "Pod", NULL, why), HEALTH_UNKNOWN);
	assert_string_equal(why, "");
}

static void long_reasons_are_cut(void **state)
{
	char why[HEALTH_TEXT], json[1024], message[600];
	(void)state;
	memset(message, 'm', sizeof(message) - 1);
	message[sizeof(message) - 1] = '\0';
	assert_int_equal(str_format(json, sizeof(json),
	                            "{'status':{'conditions':[{'type':'Stalled','status':'True','message':'%s'}]}}",
	                            message),
	                 0);
	yyjson_doc *doc = json_doc(json);
	assert_int_equal(health_of("x", "Thing", yyjson_doc_get_root(doc), why), HEALTH_FAILED);
	assert_int_equal(strlen(why), HEALTH_TEXT - 1);
	yyjson_doc_free(doc);
}

static void what_metadata_tells_needs_no_status(void **state)
{
	(void)state;
	assert_false(health_needs_status("", "ConfigMap"));
	assert_false(health_needs_status("", "Namespace"));
	assert_false(health_needs_status("rbac.authorization.k8s.io", "ClusterRole"));
	assert_true(health_needs_status("apps", "Deployment"));
	assert_true(health_needs_status("", "Service"));
	assert_true(health_needs_status("x.dev", "Thing"));
	assert_true(health_needs_status("x.dev", "Deployment"));
}

static void values_have_names(void **state)
{
	(void)state;
	assert_string_equal(health_name(HEALTH_CURRENT), "current");
	assert_string_equal(health_name(HEALTH_TERMINATING), "terminating");
	assert_string_equal(health_name((enum health)99), "unknown");
}

static void workloads_follow_their_pods(void **state)
{
	(void)state;
	assert_true(health_follows_pods("apps", "Deployment"));
	assert_true(health_follows_pods("apps", "StatefulSet"));
	assert_true(health_follows_pods("apps", "DaemonSet"));
	assert_false(health_follows_pods("apps", "ControllerRevision"));
	assert_false(health_follows_pods("batch", "Job"));
	assert_false(health_follows_pods("", "Pod"));
	assert_false(health_follows_pods("example.com", "Deployment"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_holds),      cmocka_unit_test(no_document_is_unknown),
		cmocka_unit_test(long_reasons_are_cut), cmocka_unit_test(what_metadata_tells_needs_no_status),
		cmocka_unit_test(values_have_names),    cmocka_unit_test(workloads_follow_their_pods),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
