/* init/kube/apply.c: the engine against answers and events that the test makes up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "fake/sys.h"
#include "kube/apply.h"
#include "kube/inventory.h"

#define OBJECTS 300

static struct manifest_object objects[OBJECTS];
static struct manifest m;
static struct apply a;
static struct err e;
static bool no_room, cannot, discovers;
static const char *allowed; /* annotation that every manifest carries */
static char log_text[8192];
static struct {
	unsigned flight, item;
	enum apply_step step;
	char uid[64];
} sent[64];
static unsigned sends;

static enum apply_sent on_send(const struct apply_call *c, void *arg, struct err *why)
{
	(void)arg;
	if (no_room)
		return APPLY_NO_ROOM;
	if (cannot) {
		err_put(why, 2, "no kind of that name");
		return APPLY_CANNOT;
	}
	assert_in_range(sends, 0, COUNT_OF(sent) - 1);
	sent[sends].flight = c->flight;
	sent[sends].item = c->item;
	sent[sends].step = c->step;
	assert_int_equal(str_copy(sent[sends].uid, sizeof(sent[sends].uid), c->uid), 0);
	sends++;
	return APPLY_ON_ITS_WAY;
}

static void on_discover(void *arg)
{
	(void)arg;
	discovers = true;
}

static bool on_allows(unsigned item, const char *annotation, void *arg)
{
	(void)item;
	(void)arg;
	return allowed && str_eq(annotation, allowed);
}

static void on_tell(unsigned item, const char *text, void *arg)
{
	size_t n = strlen(log_text);
	(void)arg;
	assert_int_equal(str_format(log_text + n, sizeof(log_text) - n, "%s: %s\n", m.object[item].name, text), 0);
}

static const struct apply_ops ops = {on_send, on_discover, on_allows, on_tell};

static void add(const char *group, const char *kind, const char *name, const char *app, int wave)
{
	struct manifest_object *o = &objects[m.count++];
	memset(o, 0, sizeof(*o));
	o->group = group;
	o->version = "v1";
	o->kind = kind;
	o->namespace = str_eq(kind, "Namespace") || str_eq(kind, "CustomResourceDefinition") ? "" : "ns";
	o->name = name;
	o->app = app;
	o->wave = wave;
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	fake_clock_ms = 1000000;
	memset(&m, 0, sizeof(m));
	m.object = objects;
	no_room = cannot = discovers = false;
	allowed = NULL;
	log_text[0] = '\0';
	sends = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	apply_free(&a);
	return 0;
}

static uint64_t run(void)
{
	sends = 0;
	return apply_run(&a);
}

static void start(void)
{
	assert_int_equal(apply_init(&a, &m, &ops, NULL, &e), 0);
	apply_open(&a);
	run();
}

static void reply_with(unsigned flight, struct outcome_answer r, const char *json)
{
	yyjson_doc *doc = yyjson_read(json, strlen(json), 0);
	assert_non_null(doc);
	r.body = yyjson_doc_get_root(doc);
	apply_answered(&a, flight, &r);
	yyjson_doc_free(doc);
}

/* The n-th of the requests of this run is answered. */
static void reply(unsigned n, int status, const char *json)
{
	struct outcome_answer r = {.status = status, .why = ""};
	assert_in_range(n, 0, sends - 1);
	reply_with(sent[n].flight, r, json);
}

static void fault(unsigned n, enum kclient_fault f)
{
	struct outcome_answer r = {.fault = f, .why = "nobody answers"};
	apply_answered(&a, sent[n].flight, &r);
}

/* What the server shows of an object of ours; field: what we own there. */
static const char *object(uint64_t revision, const char *field)
{
	static char text[1024];
	assert_int_equal(
		str_format(
			text, sizeof(text),
			"{\"metadata\":{\"name\":\"n\",\"namespace\":\"ns\",\"uid\":\"u-1\",\"resourceVersion\":\"%"
			"llu\","
			"\"labels\":{\"" INVENTORY_LABEL "\":\"" INVENTORY_ID "\"},"
			"\"managedFields\":[{\"manager\":\"hearth\",\"operation\":\"Apply\",\"fieldsV1\":{\"f:%s\":{}}}"
			","
			"{\"manager\":\"kubectl-edit\",\"operation\":\"Update\",\"time\":\"2026-01-01T00:00:00Z\"}]}}",
			(unsigned long long)revision, field),
		0);
	return text;
}

static void see(unsigned item, enum watch_event ev, const char *json)
{
	const struct manifest_object *o = &objects[item];
	const struct object_id id = {o->group, o->kind, o->namespace, o->name};
	yyjson_doc *doc = yyjson_read(json, strlen(json), 0);
	assert_non_null(doc);
	apply_seen(&a, &id, ev, yyjson_doc_get_root(doc));
	yyjson_doc_free(doc);
}

static void reply_all(uint64_t revision)
{
	unsigned n = sends;
	for (unsigned i = 0; i < n; i++)
		reply(i, 200, object(revision + i, "spec"));
}

/* --- turns ------------------------------------------------------------------------------------ */

static void namespaces_crds_rest_and_waves_take_turns(void **state)
{
	int wave = 99;
	(void)state;
	add("", "Namespace", "ns", "platform", -1);
	add("apiextensions.k8s.io", "CustomResourceDefinition", "crd", "platform", -1);
	add("", "ConfigMap", "first", "x", -1);
	add("", "ConfigMap", "second", "x", 0);
	start();
	assert_int_equal(sends, 1);
	assert_int_equal(sent[0].item, 0);
	assert_true(apply_wave(&a, &wave));
	assert_int_equal(wave, -1);
	reply_all(10);
	run();
	assert_int_equal(sends, 1);
	assert_int_equal(sent[0].item, 1);
	reply(0, 201, "{\"metadata\":{\"resourceVersion\":\"11\"}}");
	run();
	assert_int_equal(sends, 0); /* not established yet */
	assert_false(discovers);
	see(1, WATCH_MODIFIED,
	    "{\"metadata\":{\"resourceVersion\":\"12\"},\"status\":{\"conditions\":[{\"type\":\"Established\","
	    "\"status\":\"True\"}]}}");
	run();
	assert_true(discovers); /* the kinds that it brought */
	assert_int_equal(sends, 0);
	run();
	assert_int_equal(sends, 0);
	apply_discovered(&a);
	run();
	assert_int_equal(sends, 1);
	assert_int_equal(sent[0].item, 2);
	assert_false(apply_complete(&a));
	reply_all(20);
	run();
	assert_int_equal(sent[0].item, 3);
	reply_all(30);
	run();
	assert_true(apply_complete(&a));
	assert_false(apply_wave(&a, &wave));
}

static void a_wave_waits_for_health_and_is_passed_over_in_the_end(void **state)
{
	(void)state;
	add("apps", "Deployment", "slow", "slow", 0);
	add("", "PersistentVolumeClaim", "claim", "slow", 0);
	add("", "ConfigMap", "next", "next", 1);
	start();
	assert_int_equal(sends, 2);
	reply(0, 200, object(10, "spec")); /* no replica is there yet */
	reply(1, 200, object(11, "spec")); /* a claim may wait for its pod */
	assert_int_equal(a.t.item[0].health, HEALTH_IN_PROGRESS);
	assert_int_equal(a.t.item[1].health, HEALTH_IN_PROGRESS);
	uint64_t next = run();
	assert_int_equal(sends, 0);
	assert_int_equal(next, APPLY_WAVE_MS);
	fake_clock_ms += APPLY_WAVE_MS - 1;
	run();
	assert_int_equal(sends, 0);
	fake_clock_ms += 1;
	run();
	assert_int_equal(sends, 1);
	assert_int_equal(sent[0].item, 2);
	assert_non_null(strstr(a.passed, "wave 0 passed over: Deployment ns/slow: replicas: 0/1"));
	assert_non_null(strstr(log_text, "slow: its wave has waited long enough"));
}

static void news_that_come_before_the_answer_count(void **state)
{
	(void)state;
	add("apps", "Deployment", "quick", "quick", 0);
	add("", "ConfigMap", "next", "next", 1);
	start();
	see(0, WATCH_MODIFIED,
	    "{\"metadata\":{\"resourceVersion\":\"12\",\"managedFields\":[{\"manager\":\"hearth\",\"operation\":"
	    "\"Apply\","
	    "\"fieldsV1\":{\"f:spec\":{}}}]},\"status\":{\"replicas\":1,\"updatedReplicas\":1,\"readyReplicas\":1,"
	    "\"availableReplicas\":1,\"conditions\":[{\"type\":\"Available\",\"status\":\"True\"}]}}");
	reply(0, 200, object(10, "spec")); /* how it was when it was made; no other event comes */
	assert_int_equal(a.t.item[0].health, HEALTH_CURRENT);
	assert_int_equal(a.t.item[0].seen, 12);
	run();
	assert_int_equal(sends, 1);
	assert_int_equal(sent[0].item, 1);
}

static void each_wave_has_the_whole_time(void **state)
{
	(void)state;
	add("apps", "Deployment", "slow", "x", 0);
	add("apps", "Deployment", "slower", "x", 1);
	add("", "ConfigMap", "next", "x", 2);
	start();
	reply(0, 200, object(10, "spec"));
	fake_clock_ms += APPLY_WAVE_MS;
	run();
	assert_int_equal(sent[0].item, 1);
	reply(0, 200, object(11, "spec"));
	fake_clock_ms += APPLY_WAVE_MS - 1;
	run();
	assert_int_equal(sends, 0);
	fake_clock_ms += 1;
	run();
	assert_int_equal(sends, 1);
}

static void time_without_a_server_does_not_count(void **state)
{
	(void)state;
	add("apps", "Deployment", "slow", "x", 0);
	add("", "ConfigMap", "other", "x", 0);
	add("", "ConfigMap", "next", "x", 1);
	start();
	reply(0, 200, object(10, "spec"));
	fault(1, KCLIENT_REFUSED);
	for (unsigned i = 0; i < 4; i++) {
		fake_clock_ms += RETRY_CAP_MS + 1;
		run();
		assert_int_equal(sends, 1);
		assert_int_equal(sent[0].item, 1);
		fault(0, KCLIENT_REFUSED);
	}
	fake_clock_ms += RETRY_CAP_MS + 1;
	run();
	reply(0, 200, object(11, "spec"));
	run();
	assert_int_equal(sends, 0);
	fake_clock_ms += APPLY_WAVE_MS - 1;
	run();
	assert_int_equal(sends, 0);
	fake_clock_ms += 1;
	run();
	assert_int_equal(sends, 1);
}

static void a_claim_that_waits_for_its_pod_holds_nobody(void **state)
{
	(void)state;
	add("", "PersistentVolumeClaim", "claim", "x", 0);
	add("", "ConfigMap", "next", "next", 1);
	start();
	reply_all(10);
	assert_int_equal(a.t.item[0].health, HEALTH_IN_PROGRESS);
	run();
	assert_int_equal(sent[0].item, 1);
}

static void no_more_than_its_flights_are_under_way(void **state)
{
	(void)state;
	for (unsigned i = 0; i < APPLY_FLIGHTS + 3; i++)
		add("", "ConfigMap", (const char *[]){"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"}[i], "x",
		    0);
	start();
	assert_int_equal(sends, APPLY_FLIGHTS);
	reply(3, 200, object(10, "spec"));
	run();
	assert_int_equal(sends, 1);
	assert_int_equal(sent[0].item, APPLY_FLIGHTS);
}

/* --- conflicts -------------------------------------------------------------------------------- */

#define CONFLICT                                                                                                       \
	"{\"kind\":\"Status\",\"code\":409,\"reason\":\"Conflict\",\"message\":\"Apply failed with 2 conflicts\","     \
	"\"details\":{\"causes\":[{\"reason\":\"FieldManagerConflict\",\"message\":\"conflict with "                   \
	"\\\"kubectl-edit\\\" "                                                                                        \
	"using apps/v1\",\"field\":\".spec.replicas\"},{\"reason\":\"FieldManagerConflict\",\"message\":\"conflict "   \
	"with \\\"other\\\"\",\"field\":\".spec.x\"}]}}"

static void a_field_of_ours_is_taken_back_by_name(void **state)
{
	(void)state;
	add("", "ConfigMap", "n", "x", 0);
	start();
	reply(0, 409, CONFLICT);
	assert_int_equal(sends, 2);
	assert_int_equal(sent[1].step, APPLY_OWNER);
	reply(1, 200, object(10, "nothing"));
	assert_int_equal(sent[2].step, APPLY_TAKE);
	reply(2, 200, object(11, "spec"));
	assert_int_equal(a.t.item[0].state, ITEM_DONE);
	assert_null(a.t.item[0].problem);
	assert_non_null(strstr(log_text, "n: taken back from kubectl-edit on .spec.replicas and 1 more"));
}

static void an_object_of_somebody_else_is_left_alone(void **state)
{
	(void)state;
	add("", "ConfigMap", "n", "x", 0);
	start();
	reply(0, 409, CONFLICT);
	reply(1, 200, "{\"metadata\":{\"name\":\"n\",\"resourceVersion\":\"5\"}}");
	assert_int_equal(sends, 2);
	assert_string_equal(a.t.item[0].problem,
	                    "not ours, left alone: conflict with kubectl-edit on .spec.replicas and 1 more");
	assert_false(apply_complete(&a));
	assert_int_equal(a.t.item[0].state, ITEM_DUE); /* tried again, but not soon */
	assert_in_range(a.t.item[0].due - fake_clock_ms, APPLY_REFUSED_MS, APPLY_REFUSED_MS * 2);
}

static void the_annotation_takes_an_object_of_somebody_else(void **state)
{
	(void)state;
	add("", "ConfigMap", "n", "x", 0);
	allowed = APPLY_FORCE;
	start();
	reply(0, 409, CONFLICT);
	reply(1, 200, "{\"metadata\":{\"name\":\"n\",\"resourceVersion\":\"5\"}}");
	assert_int_equal(sent[2].step, APPLY_TAKE);
}

static void another_409_is_tried_again(void **state)
{
	(void)state;
	add("", "ConfigMap", "n", "x", 0);
	start();
	reply(0, 409, "{\"message\":\"the object has been modified\"}");
	assert_int_equal(sends, 1);
	assert_int_equal(a.t.item[0].state, ITEM_DUE);
	assert_in_range(a.t.item[0].due - fake_clock_ms, 1, 2000);
}

/* --- what cannot be changed ------------------------------------------------------------------- */

#define FIXED "{\"code\":422,\"message\":\"Job.batch n is invalid: spec.template: field is immutable\"}"

static void a_job_that_cannot_be_changed_is_replaced(void **state)
{
	(void)state;
	add("batch", "Job", "n", "x", 0);
	start();
	reply(0, 422, FIXED);
	assert_int_equal(sent[1].step, APPLY_LOOK);
	reply(1, 200, object(10, "spec"));
	assert_int_equal(sent[2].step, APPLY_DELETE);
	assert_string_equal(sent[2].uid, "u-1");
	reply(2, 200, "{\"kind\":\"Status\"}");
	assert_int_equal(a.t.item[0].state, ITEM_DUE);
	assert_int_equal(a.t.item[0].step, APPLY_GONE);
	run();
	assert_int_equal(sends, 0);
	fake_clock_ms += APPLY_POLL_MS;
	run();
	assert_int_equal(sent[0].step, APPLY_GONE);
	reply(0, 200, object(10, "spec")); /* its pods still end */
	fake_clock_ms += APPLY_POLL_MS;
	run();
	assert_int_equal(sent[0].step, APPLY_GONE);
	reply(0, 404, "{\"code\":404}");
	assert_int_equal(sent[1].step, APPLY_PATCH);
	reply(1, 201, object(20, "spec"));
	assert_int_equal(a.t.item[0].state, ITEM_DONE);
	assert_non_null(strstr(log_text, "replaced"));
}

static void others_that_cannot_be_changed_are_reported(void **state)
{
	(void)state;
	add("", "Service", "n", "x", 0);
	start();
	reply(0, 422, FIXED);
	assert_int_equal(sends, 1);
	assert_non_null(strstr(a.t.item[0].problem, "field is immutable"));
	allowed = APPLY_REPLACE;
	fake_clock_ms += 2 * APPLY_REFUSED_MS;
	run();
	reply(0, 422, FIXED);
	assert_int_equal(sent[1].step, APPLY_LOOK);
	reply(1, 200, "{\"metadata\":{\"name\":\"n\",\"uid\":\"u-2\"}}");
	assert_int_equal(sends, 2); /* not ours: never deleted */
	assert_non_null(strstr(a.t.item[0].problem, "somebody else made it"));
}

static void a_completed_job_that_is_gone_is_not_made_again(void **state)
{
	(void)state;
	add("batch", "Job", "n", "x", 0);
	start();
	reply(0, 201, object(10, "spec"));
	see(0, WATCH_MODIFIED,
	    "{\"metadata\":{\"resourceVersion\":\"11\"},\"status\":{\"conditions\":[{\"type\":\"Complete\",\"status\":"
	    "\"True\"}]}}");
	a.t.item[0].state = ITEM_DONE; /* that event was of no field of ours, in this test's short form */
	a.t.item[0].drift = ITEM_TRUE;
	see(0, WATCH_DELETED, object(12, "spec"));
	assert_int_equal(a.t.item[0].state, ITEM_OVER);
	fake_clock_ms += 100000;
	run();
	assert_int_equal(sends, 0);
	assert_true(apply_complete(&a));
}

/* --- drift ------------------------------------------------------------------------------------ */

static void begin_with_one(void)
{
	add("", "ConfigMap", "n", "x", 0);
	start();
	reply(0, 201, object(10, "spec"));
	see(0, WATCH_ADDED, object(10, "spec"));
	run();
	assert_int_equal(sends, 0);
	log_text[0] = '\0';
}

static void a_changed_field_is_put_right_within_seconds(void **state)
{
	(void)state;
	begin_with_one();
	see(0, WATCH_MODIFIED, object(11, "less"));
	assert_int_equal(run(), APPLY_SETTLE_MS);
	fake_clock_ms += APPLY_SETTLE_MS;
	run();
	assert_int_equal(sends, 1);
	assert_int_equal(sent[0].step, APPLY_PATCH);
	reply(0, 200, object(12, "spec"));
	see(0, WATCH_MODIFIED, object(12, "spec"));
	assert_int_equal(a.t.item[0].state, ITEM_DONE);
	assert_string_equal(log_text, "n: changed by kubectl-edit\nn: put right\n");
}

static void changes_of_others_fields_are_none_of_ours(void **state)
{
	(void)state;
	begin_with_one();
	see(0, WATCH_MODIFIED, object(11, "spec"));
	assert_int_equal(a.t.item[0].state, ITEM_DONE);
	run();
	assert_int_equal(sends, 0);
	assert_string_equal(log_text, "");
}

static void a_deleted_object_is_made_again(void **state)
{
	(void)state;
	begin_with_one();
	see(0, WATCH_DELETED, object(11, "spec"));
	fake_clock_ms += APPLY_SETTLE_MS;
	run();
	assert_int_equal(sends, 1);
	reply(0, 201, object(12, "spec"));
	assert_string_equal(log_text, "n: was deleted; made again\n");
}

static void what_is_missing_in_a_list_is_made_again(void **state)
{
	(void)state;
	begin_with_one();
	apply_listed(&a, "", "ConfigMap", false);
	see(0, WATCH_LISTED, object(10, "spec"));
	apply_listed(&a, "", "ConfigMap", true);
	assert_int_equal(a.t.item[0].state, ITEM_DONE);
	apply_listed(&a, "", "ConfigMap", false);
	apply_listed(&a, "apps", "ConfigMap", true); /* another kind */
	assert_int_equal(a.t.item[0].state, ITEM_DONE);
	apply_listed(&a, "", "ConfigMap", true);
	assert_int_equal(a.t.item[0].state, ITEM_DUE);
	assert_int_equal(a.t.item[0].drift, ITEM_DELETED);
}

static void a_change_while_a_request_is_under_way_is_seen(void **state)
{
	(void)state;
	begin_with_one();
	see(0, WATCH_MODIFIED, object(11, "less"));
	fake_clock_ms += APPLY_SETTLE_MS;
	run();
	see(0, WATCH_MODIFIED, object(13, "less")); /* came behind the repair, told before its answer */
	reply(0, 200, object(12, "spec"));
	assert_int_equal(a.t.item[0].state, ITEM_DUE);
	fake_clock_ms += APPLY_SETTLE_MS;
	run();
	reply(0, 200, object(14, "spec"));
	assert_int_equal(a.t.item[0].state, ITEM_DONE);
	see(0, WATCH_MODIFIED, object(12, "spec")); /* late news of the repair */
	see(0, WATCH_MODIFIED, object(13, "less")); /* and of what it repaired */
	assert_int_equal(a.t.item[0].state, ITEM_DONE);
	assert_int_equal(a.t.item[0].seen, 14);
}

static void a_deletion_while_a_request_is_under_way_is_seen(void **state)
{
	(void)state;
	begin_with_one();
	see(0, WATCH_MODIFIED, object(11, "less"));
	fake_clock_ms += APPLY_SETTLE_MS;
	run();
	see(0, WATCH_DELETED, object(13, "spec"));
	reply(0, 200, object(12, "spec"));
	assert_int_equal(a.t.item[0].state, ITEM_DUE);
}

static void who_fights_is_answered_more_and_more_slowly(void **state)
{
	uint64_t last = 0;
	uint64_t revision = 11;
	(void)state;
	begin_with_one();
	for (unsigned i = 0; i < 30; i++) {
		see(0, WATCH_MODIFIED, object(revision++, "less"));
		last = a.t.item[0].due - fake_clock_ms;
		fake_clock_ms += last;
		run();
		assert_int_equal(sends, 1);
		reply(0, 200, object(revision++, "spec"));
		log_text[0] = '\0';
	}
	assert_int_equal(last, APPLY_REPAIR_MAX);
	fake_clock_ms += APPLY_CALM_MS + 1;
	see(0, WATCH_MODIFIED, object(revision, "less"));
	assert_int_equal(a.t.item[0].due - fake_clock_ms, APPLY_SETTLE_MS);
}

static void a_repair_that_changes_nothing_is_no_repair(void **state)
{
	(void)state;
	begin_with_one();
	see(0, WATCH_MODIFIED, object(11, "less"));
	fake_clock_ms += APPLY_SETTLE_MS;
	run();
	reply(0, 200, object(11, "less")); /* the server found nothing to do */
	assert_int_equal(a.t.item[0].repairs, 0);
	see(0, WATCH_MODIFIED, object(11, "less"));
	assert_int_equal(a.t.item[0].state, ITEM_DONE); /* and it does not go round */
}

/* --- what the last run left -------------------------------------------------------------------- */

/* The fingerprint of what object() owns with this field. */
static uint32_t owned(const char *field)
{
	const char *json = object(1, field);
	yyjson_doc *doc = yyjson_read(json, strlen(json), 0);
	uint32_t n = object_owned(yyjson_doc_get_root(doc), "hearth");
	yyjson_doc_free(doc);
	return n;
}

static void begin_with_known(void)
{
	add("", "ConfigMap", "n", "x", 0);
	assert_int_equal(apply_init(&a, &m, &ops, NULL, &e), 0);
	a.t.item[0].known = true;
	a.t.item[0].owned = owned("spec");
	apply_open(&a);
}

static void what_is_as_it_was_is_not_sent_again(void **state)
{
	(void)state;
	begin_with_known();
	run();
	assert_int_equal(sends, 0); /* the list may spare it */
	see(0, WATCH_LISTED, object(10, "spec"));
	run();
	assert_int_equal(sends, 0);
	assert_true(apply_complete(&a));
	assert_int_equal(a.t.item[0].revision, 10);
	see(0, WATCH_MODIFIED, object(11, "less")); /* and it is looked after like any other */
	assert_int_equal(a.t.item[0].state, ITEM_DUE);
}

static void a_list_that_came_first_spares_it_too(void **state)
{
	(void)state;
	begin_with_known();
	see(0, WATCH_LISTED, object(10, "spec"));
	run();
	assert_int_equal(sends, 0);
	assert_true(apply_complete(&a));
}

static void waves_that_are_there_do_not_wait(void **state)
{
	(void)state;
	add("apps", "Deployment", "slow", "x", 0);
	add("apps", "Deployment", "slower", "x", 1);
	add("", "ConfigMap", "new", "x", 2);
	assert_int_equal(apply_init(&a, &m, &ops, NULL, &e), 0);
	for (unsigned i = 0; i < 2; i++) {
		a.t.item[i].known = true;
		a.t.item[i].owned = owned("spec");
	}
	apply_open(&a);
	run();
	see(1, WATCH_LISTED, object(11, "spec"));
	assert_int_equal(a.t.item[1].state, ITEM_DONE); /* before its turn */
	see(0, WATCH_LISTED, object(10, "spec"));
	run();
	assert_int_equal(a.end, 2);
	assert_int_equal(sends, 0); /* but what is new waits for the health of all before */
	fake_clock_ms += APPLY_WAVE_MS;
	run();
	assert_int_equal(sends, 1);
	assert_int_equal(sent[0].item, 2);
}

static void what_was_changed_meanwhile_is_sent_at_once(void **state)
{
	(void)state;
	begin_with_known();
	run();
	see(0, WATCH_LISTED, object(10, "less"));
	run();
	assert_int_equal(sends, 1);
}

static void what_is_gone_is_sent_at_once(void **state)
{
	(void)state;
	begin_with_known();
	run();
	apply_listed(&a, "", "ConfigMap", false);
	apply_listed(&a, "", "ConfigMap", true);
	run();
	assert_int_equal(sends, 1);
}

static void a_list_that_does_not_come_is_not_waited_for_long(void **state)
{
	(void)state;
	begin_with_known();
	assert_int_equal(run(), APPLY_LIST_MS);
	fake_clock_ms += APPLY_LIST_MS;
	run();
	assert_int_equal(sends, 1);
	see(0, WATCH_LISTED, object(10, "spec")); /* too late: the answer counts */
	assert_int_equal(a.t.item[0].state, ITEM_SENT);
}

/* --- bad weather ------------------------------------------------------------------------------ */

static void a_server_that_does_not_answer_is_left_in_peace(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++)
		add("", "ConfigMap", (const char *[]){"a", "b", "c", "d"}[i], "x", 0);
	start();
	assert_int_equal(sends, 4);
	for (unsigned i = 0; i < 4; i++)
		fault(i, KCLIENT_REFUSED);
	assert_string_equal(a.trouble, "nobody answers");
	assert_int_equal(a.patience.tries, 1); /* one failure, not four */
	assert_null(a.t.item[0].problem);      /* it is not the object's fault */
	uint64_t wait = run();
	assert_int_equal(sends, 0);
	assert_in_range(wait, 1, RETRY_CAP_MS);
	fake_clock_ms += wait;
	run();
	assert_int_equal(sends, 1); /* one tries */
	fault(0, KCLIENT_REFUSED);
	fake_clock_ms += RETRY_CAP_MS * 2;
	run();
	assert_int_equal(sends, 1);
	reply(0, 200, object(10, "spec"));
	assert_string_equal(a.trouble, "");
	run();
	assert_int_equal(sends, 3); /* all the others */
	reply_all(20);
	assert_true(apply_complete(&a));
}

static void patience_asked_for_is_given(void **state)
{
	struct outcome_answer r = {.status = 429, .retry_after_s = 7, .why = ""};
	(void)state;
	add("", "ConfigMap", "n", "x", 0);
	start();
	reply_with(sent[0].flight, r, "{\"message\":\"too many requests\"}");
	assert_in_range(run(), 7000, 20000);
	assert_int_equal(sends, 0);
}

static void who_waits_since_before_the_trouble_holds_nobody(void **state)
{
	(void)state;
	add("", "ConfigMap", "a", "x", 0);
	add("", "ConfigMap", "b", "x", 0);
	start();
	reply(1, 429, "{\"message\":\"too many requests\"}"); /* a is still under way */
	fake_clock_ms += RETRY_CAP_MS;
	run();
	assert_int_equal(sends, 1);
	assert_int_equal(sent[0].item, 1);
	run();
	assert_int_equal(sends, 0); /* one tries, not two */
}

static void every_trouble_has_a_try_of_its_own(void **state)
{
	struct outcome_answer busy = {.status = 429, .why = ""};
	(void)state;
	add("", "ConfigMap", "a", "x", 0);
	add("", "ConfigMap", "b", "x", 0);
	start();
	unsigned of_a = sent[0].flight;
	reply(1, 429, "{}");
	fake_clock_ms += RETRY_CAP_MS;
	run();
	unsigned of_b = sent[0].flight;
	reply_with(of_a, (struct outcome_answer){.status = 200, .why = ""}, object(10, "spec")); /* it is over */
	see(0, WATCH_DELETED, object(11, "spec"));
	fake_clock_ms += APPLY_SETTLE_MS;
	run();
	assert_int_equal(sends, 1);
	reply_with(sent[0].flight, busy, "{}"); /* and begins anew; b is of before it */
	fake_clock_ms += RETRY_CAP_MS;
	run();
	assert_int_equal(sends, 1);
	assert_int_equal(sent[0].item, 0);
	assert_int_not_equal(sent[0].flight, of_b);
}

static void of_two_waits_the_longer_one_counts(void **state)
{
	struct outcome_answer busy = {.status = 429, .retry_after_s = 7, .why = ""};
	struct outcome_answer less = {.status = 429, .retry_after_s = 1, .why = ""};
	(void)state;
	add("", "ConfigMap", "a", "x", 0);
	add("", "ConfigMap", "b", "x", 0);
	add("", "ConfigMap", "c", "x", 0);
	start();
	fault(0, KCLIENT_TIMEOUT);
	reply_with(sent[1].flight, busy, "{}");
	assert_in_range(run(), 7000, 7000 + RETRY_BASE_MS);
	reply_with(sent[2].flight, less, "{}");
	assert_in_range(run(), 7000, 7000 + RETRY_BASE_MS);
	assert_int_equal(a.patience.tries, 1); /* still one failure */
}

static void patience_is_kept_whatever_older_requests_hear(void **state)
{
	struct outcome_answer busy = {.status = 429, .retry_after_s = 7, .why = ""};
	(void)state;
	add("", "ConfigMap", "a", "x", 0);
	add("", "ConfigMap", "b", "x", 0);
	start();
	reply_with(sent[0].flight, busy, "{\"message\":\"too many requests\"}");
	reply(1, 200, object(10, "spec")); /* sent before; the server has asked since */
	assert_in_range(run(), 7000, 7000 + RETRY_BASE_MS);
	assert_int_equal(sends, 0);
	assert_string_equal(a.trouble, "too many requests");
	fake_clock_ms += 7000 + RETRY_BASE_MS;
	run();
	assert_int_equal(sends, 1);
	reply(0, 200, object(11, "spec"));
	assert_int_equal(a.patience.tries, 0);
	assert_string_equal(a.trouble, "");
	assert_true(apply_complete(&a));
}

static void an_answer_of_500_delays_its_object_alone(void **state)
{
	(void)state;
	add("", "ConfigMap", "a", "x", 0);
	add("", "ConfigMap", "b", "x", 0);
	start();
	reply(0, 500, "{\"message\":\"failed calling webhook\"}");
	assert_string_equal(a.t.item[0].problem, "failed calling webhook");
	assert_int_equal(a.patience.tries, 0);
	reply(1, 200, object(10, "spec"));
	fake_clock_ms += RETRY_CAP_MS;
	run();
	assert_int_equal(sends, 1);
	reply(0, 200, object(11, "spec"));
	assert_null(a.t.item[0].problem);
	assert_true(apply_complete(&a));
}

static void what_is_refused_is_reported_and_tried_again_seldom(void **state)
{
	(void)state;
	add("", "ConfigMap", "a", "x", 0);
	start();
	reply(0, 400, "{\"message\":\"unknown field\"}");
	assert_string_equal(a.t.item[0].problem, "unknown field");
	fake_clock_ms += APPLY_REFUSED_MS - 1;
	run();
	assert_int_equal(sends, 0);
	fake_clock_ms += APPLY_REFUSED_MS;
	run();
	assert_int_equal(sends, 1);
}

static void a_lost_connection_forgets_nothing(void **state)
{
	(void)state;
	add("batch", "Job", "a", "x", 0);
	add("", "ConfigMap", "b", "x", 0);
	start();
	reply(0, 422, FIXED); /* a replacement has begun */
	apply_close(&a);
	run();
	assert_int_equal(sends, 0);
	apply_answered(&a, 0, &(struct outcome_answer){.status = 200, .why = ""}); /* too late: nobody waits for it */
	assert_int_equal(a.t.item[0].state, ITEM_DUE);
	apply_open(&a);
	run();
	assert_int_equal(sends, 2);
	assert_int_equal(sent[0].step, APPLY_PATCH);
	assert_int_equal(sent[1].step, APPLY_PATCH);
}

static void what_cannot_be_sent_says_why(void **state)
{
	(void)state;
	add("x.dev", "Thing", "a", "x", 0);
	cannot = true;
	start();
	assert_string_equal(a.t.item[0].problem, "no kind of that name");
	assert_int_equal(a.t.item[0].state, ITEM_DUE);
	cannot = false;
	apply_discovered(&a); /* the kind may be known now */
	assert_int_equal(a.t.item[0].due, fake_clock_ms);
	no_room = true;
	run();
	no_room = false;
	fake_clock_ms += RETRY_FLOOR_MS;
	run();
	assert_int_equal(sends, 1);
}

/* --- pause ------------------------------------------------------------------------------------ */

static void a_paused_app_is_neither_applied_nor_repaired(void **state)
{
	(void)state;
	add("", "ConfigMap", "a", "x", 0);
	add("", "ConfigMap", "b", "y", 1);
	assert_int_equal(apply_init(&a, &m, &ops, NULL, &e), 0);
	assert_false(apply_pause(&a, "z", true));
	assert_true(apply_pause(&a, "x", true));
	apply_open(&a);
	run();
	assert_int_equal(sends, 1);
	assert_int_equal(sent[0].item, 1); /* the wave does not wait for it */
	reply(0, 200, object(10, "spec"));
	assert_true(apply_complete(&a));
	apply_pause(&a, "x", false);
	run();
	assert_int_equal(sends, 1);
	assert_int_equal(sent[0].item, 0);
	reply(0, 200, object(11, "spec"));
	apply_pause(&a, "x", true);
	see(0, WATCH_MODIFIED, object(12, "less"));
	fake_clock_ms += 60000;
	run();
	assert_int_equal(sends, 0);
	assert_int_equal(a.t.item[0].drift, ITEM_CHANGED);
	apply_pause(&a, "x", false);
	run();
	assert_int_equal(sends, 1);
}

/* --- the rest --------------------------------------------------------------------------------- */

static void an_object_twice_and_too_many_apps_are_errors(void **state)
{
	static char names[ITEMS_APPS + 1][16];
	(void)state;
	add("", "ConfigMap", "a", "x", 0);
	add("", "ConfigMap", "a", "x", 0);
	assert_int_equal(apply_init(&a, &m, &ops, NULL, &e), -1);
	assert_string_equal(e.text, "ConfigMap ns/a stands twice in the manifests");
	m.count = 0;
	for (unsigned i = 0; i <= ITEMS_APPS; i++) {
		assert_int_equal(str_format(names[i], sizeof(names[i]), "app%u", i), 0);
		add("", "ConfigMap", names[i], names[i], 0);
	}
	assert_int_equal(apply_init(&a, &m, &ops, NULL, &e), -1);
	assert_non_null(strstr(e.text, "apps"));
}

static void every_object_is_found(void **state)
{
	static char names[OBJECTS][16];
	(void)state;
	for (unsigned i = 0; i < OBJECTS; i++) {
		assert_int_equal(str_format(names[i], sizeof(names[i]), "n%u", i), 0);
		add("", "ConfigMap", names[i], "x", 0);
	}
	start();
	for (unsigned i = 0; i < OBJECTS; i++) {
		const struct object_id id = {"", "ConfigMap", "ns", names[i]};
		assert_int_equal(items_find(&a.t, &id), i);
	}
	assert_int_equal(items_find(&a.t, &(struct object_id){"", "Secret", "ns", "n1"}), -1);
}

/* Whatever comes in whatever order: no object is ever without a next step. */
static void nothing_is_forgotten_in_any_weather(void **state)
{
	static char names[20][8];
	static const int statuses[] = {200, 201, 404, 409, 410, 422, 429, 500, 503, 403, 401, 400};
	uint32_t dice = 12345;
	uint64_t revision = 100;
	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		assert_int_equal(str_format(names[i], sizeof(names[i]), "n%u", i), 0);
		add(i % 3 ? "" : "batch", i % 3 ? "ConfigMap" : "Job", names[i], i % 2 ? "x" : "y", (int)i / 7);
	}
	start();
	for (unsigned round = 0; round < 3000; round++) {
		dice = dice * 1664525u + 1013904223u;
		unsigned what = dice >> 28, item = (dice >> 16) % 20;
		for (unsigned i = 0; i < sends && i < COUNT_OF(sent); i++) {
			int status = statuses[(dice >> (i % 16)) % COUNT_OF(statuses)];
			if (what == 0)
				fault(i, (enum kclient_fault)(1 + dice % (KCLIENT_FAULTS - 1)));
			else
				reply_with(sent[i].flight, (struct outcome_answer){.status = status, .why = ""},
				           status == 409   ? CONFLICT
				           : status == 422 ? FIXED
				                           : object(revision++, "spec"));
		}
		if (what == 1)
			see(item, WATCH_DELETED, object(revision++, "spec"));
		if (what == 2)
			see(item, WATCH_MODIFIED, object(revision++, "less"));
		if (what == 3)
			apply_close(&a);
		if (what >= 3)
			apply_open(&a);
		fake_clock_ms += (int64_t)(dice >> 20);
		log_text[0] = '\0';
		run();
	}
	/* The sky clears. */
	apply_close(&a);
	apply_open(&a);
	for (unsigned round = 0; round < 200; round++) {
		fake_clock_ms += APPLY_REFUSED_MS;
		run();
		for (unsigned i = 0; i < sends && i < COUNT_OF(sent); i++) {
			bool gone = sent[i].step == APPLY_GONE;
			reply(i, gone ? 404 : 200, object(revision++, "spec"));
		}
		log_text[0] = '\0';
	}
	assert_true(apply_complete(&a));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(namespaces_crds_rest_and_waves_take_turns),
		T(a_wave_waits_for_health_and_is_passed_over_in_the_end),
		T(news_that_come_before_the_answer_count),
		T(each_wave_has_the_whole_time),
		T(time_without_a_server_does_not_count),
		T(a_claim_that_waits_for_its_pod_holds_nobody),
		T(no_more_than_its_flights_are_under_way),
		T(a_field_of_ours_is_taken_back_by_name),
		T(an_object_of_somebody_else_is_left_alone),
		T(the_annotation_takes_an_object_of_somebody_else),
		T(another_409_is_tried_again),
		T(a_job_that_cannot_be_changed_is_replaced),
		T(others_that_cannot_be_changed_are_reported),
		T(a_completed_job_that_is_gone_is_not_made_again),
		T(a_changed_field_is_put_right_within_seconds),
		T(changes_of_others_fields_are_none_of_ours),
		T(a_deleted_object_is_made_again),
		T(what_is_missing_in_a_list_is_made_again),
		T(a_change_while_a_request_is_under_way_is_seen),
		T(a_deletion_while_a_request_is_under_way_is_seen),
		T(who_fights_is_answered_more_and_more_slowly),
		T(a_repair_that_changes_nothing_is_no_repair),
		T(what_is_as_it_was_is_not_sent_again),
		T(a_list_that_came_first_spares_it_too),
		T(waves_that_are_there_do_not_wait),
		T(what_was_changed_meanwhile_is_sent_at_once),
		T(what_is_gone_is_sent_at_once),
		T(a_list_that_does_not_come_is_not_waited_for_long),
		T(a_server_that_does_not_answer_is_left_in_peace),
		T(patience_asked_for_is_given),
		T(who_waits_since_before_the_trouble_holds_nobody),
		T(patience_is_kept_whatever_older_requests_hear),
		T(every_trouble_has_a_try_of_its_own),
		T(of_two_waits_the_longer_one_counts),
		T(an_answer_of_500_delays_its_object_alone),
		T(what_is_refused_is_reported_and_tried_again_seldom),
		T(a_lost_connection_forgets_nothing),
		T(what_cannot_be_sent_says_why),
		T(a_paused_app_is_neither_applied_nor_repaired),
		T(an_object_twice_and_too_many_apps_are_errors),
		T(every_object_is_found),
		T(nothing_is_forgotten_in_any_weather),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
