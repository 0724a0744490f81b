/* init/kube/stale.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "kube/stale.h"
#include "unit/kube/json.h"

#define BEGAN 1767225600 /* 2026-01-01T00:00:00Z */

static bool stale(const char *json)
{
	yyjson_doc *doc = json_doc(json);
	bool is = stale_pod(yyjson_doc_get_root(doc), BEGAN);
	yyjson_doc_free(doc);
	return is;
}

#define SINCE(time)        "{'name':'c','state':{'running':{'startedAt':'" time "'}}}"
#define POD(phase, states) "{'metadata':{},'status':{'phase':'" phase "','containerStatuses':[" states "]}}"
#define OLD                SINCE("2025-12-31T23:59:59Z")
#define NEW                SINCE("2026-01-01T00:00:00Z")

static void times_are_read(void **state)
{
	(void)state;
	assert_int_equal(stale_time("2026-01-01T00:00:00Z"), BEGAN);
	assert_int_equal(stale_time("2026-01-01T00:00:01.999Z"), BEGAN + 1);
	static const char *const none[] = {"", "2026", "2026-01-01T00:00:00", "2026-01-01T00:00:00+01:00", "yesterday"};
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_true(stale_time(none[i]) == INT64_MAX);
}

static void what_ran_before_this_boot_is_stale(void **state)
{
	(void)state;
	assert_true(stale(POD("Running", OLD)));
	assert_true(stale(POD("Running", NEW "," OLD)));
	assert_false(stale(POD("Running", NEW "," NEW)));
	assert_false(stale(POD("Running", "")));
	assert_false(stale(POD("Running", "{'state':{'waiting':{'reason':'CrashLoopBackOff'}}}")));
	assert_false(stale(POD("Running", "{'state':{'terminated':{'startedAt':'2025-12-31T23:59:59Z'}}}")));
}

static void who_does_not_run_or_goes_holds_nobody(void **state)
{
	(void)state;
	assert_false(stale(POD("Pending", OLD)));
	assert_false(stale(POD("Succeeded", OLD)));
	assert_false(stale("{'metadata':{'deletionTimestamp':'2026-01-01T00:00:00Z'},'status':{'phase':'Running',"
	                   "'containerStatuses':[" OLD "]}}"));
}

static void a_workload_claims_its_ready_pods(void **state)
{
	static const struct {
		const char *json;
		unsigned claims;
	} rows[] = {{"{'status':{'readyReplicas':2}}", 2},
	            {"{'status':{'numberReady':3}}", 3},
	            {"{'status':{}}", 0},
	            {"{'status':{'readyReplicas':-1}}", 0},
	            {"{'status':{'readyReplicas':9999999}}", UINT16_MAX}};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		yyjson_doc *doc = json_doc(rows[i].json);
		assert_int_equal(stale_claims(yyjson_doc_get_root(doc)), rows[i].claims);
		yyjson_doc_free(doc);
	}
}

static void nonsense_is_not_stale(void **state)
{
	(void)state;
	static const char *const odd[] = {"{}",
	                                  "7",
	                                  "[]",
	                                  "{'status':7}",
	                                  "{'status':{'phase':'Running','containerStatuses':{'a':1}}}",
	                                  POD("Running", "7"),
	                                  POD("Running", SINCE("now"))};
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		assert_false(stale(odd[i]));
}

static bool node_is_stale(const char *heartbeat)
{
	char json[256];
	assert_true(snprintf(json, sizeof(json),
	                     "{'status':{'conditions':[{'type':'MemoryPressure'},{'type':'Ready',"
	                     "'status':'True','lastHeartbeatTime':%s}]}}",
	                     heartbeat) > 0);
	yyjson_doc *doc = json_doc(json);
	bool is = stale_node(yyjson_doc_get_root(doc), BEGAN);
	yyjson_doc_free(doc);
	return is;
}

static void a_node_that_was_not_heard_since_is_stale(void **state)
{
	(void)state;
	assert_true(node_is_stale("'2025-12-31T23:59:59Z'"));
	assert_false(node_is_stale("'2026-01-01T00:00:00Z'"));
	assert_false(node_is_stale("''"));
	assert_false(node_is_stale("7"));
	assert_false(stale_node(NULL, BEGAN));
}

static void the_earliest_beginning_counts(void **state)
{
	(void)state;
	int64_t began = stale_began(INT64_MAX, 5000999, 1000000);
	assert_int_equal(began, 4000);
	assert_int_equal(stale_began(began, 9000000, 1001000), 4000); /* the clock was set forward */
	assert_int_equal(stale_began(began, 3000000, 1002000), 1998); /* and back */
	assert_int_equal(stale_began(INT64_MAX, 500, 1000), -1);
	assert_int_equal(stale_began(7, 9000000, 0), 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_are_read),
		cmocka_unit_test(what_ran_before_this_boot_is_stale),
		cmocka_unit_test(who_does_not_run_or_goes_holds_nobody),
		cmocka_unit_test(a_workload_claims_its_ready_pods),
		cmocka_unit_test(nonsense_is_not_stale),
		cmocka_unit_test(a_node_that_was_not_heard_since_is_stale),
		cmocka_unit_test(the_earliest_beginning_counts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
