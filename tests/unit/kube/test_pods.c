/* init/kube/pods.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "kube/pods.h"
#include "unit/kube/json.h"

static char text[8192];
static struct buf b;
static struct err e;

static void answer(const char *json, int64_t now, size_t room)
{
	struct json j;
	yyjson_doc *doc = json_doc(json);
	buf_init(&b, text, sizeof(text));
	json_init(&j, &b);
	pods_answer(&j, yyjson_doc_get_root(doc), now, room);
	assert_true(json_ok(&j));
	yyjson_doc_free(doc);
}

static int log_path(const char *json, const char *container)
{
	yyjson_doc *doc = json_doc(json);
	buf_init(&b, text, sizeof(text));
	int rc = pods_log(yyjson_doc_get_root(doc), container, &b, &e);
	yyjson_doc_free(doc);
	return rc;
}

#define COLUMNS                                                                                                        \
	"'columnDefinitions':[{'name':'Extra'},{'name':'Name'},{'name':'Ready'},{'name':'Status'},{'name':'Restarts'}" \
	","                                                                                                            \
	"{'name':'Age'},{'name':'IP'}]"
#define ROW                                                                                                            \
	"{'cells':['?','web-1','1/1','Running','3 (5m "                                                                \
	"ago)','7d','10.42.0.9'],'object':{'metadata':{'namespace':'htpc',"                                            \
	"'creationTimestamp':'2026-01-01T00:00:00Z'}}}"

static void rows_become_pods(void **state)
{
	(void)state;
	answer("{" COLUMNS ",'rows':[" ROW "]}", 1767225600 + 61, sizeof(text));
	assert_string_equal(text,
	                    "{\"pods\":[{\"namespace\":\"htpc\",\"name\":\"web-1\",\"status\":\"Running\",\"ready\":"
	                    "\"1/1\",\"restarts\":3,\"age\":61,\"ip\":\"10.42.0.9\"}]}");
	answer("{" COLUMNS ",'rows':[{'cells':['','a','','',7]},{'cells':7},7]}", 0, sizeof(text));
	assert_non_null(strstr(text, "\"name\":\"a\",\"status\":\"\",\"ready\":\"\",\"restarts\":7,\"age\":0"));
	answer("{}", 0, sizeof(text));
	assert_string_equal(text, "{\"pods\":[]}");
}

static void what_does_not_fit_is_counted(void **state)
{
	(void)state;
	answer("{" COLUMNS ",'rows':[" ROW "," ROW "," ROW "]}", 0, PODS_ROOM + 50);
	assert_non_null(strstr(text, "],\"more\":2}"));
}

static void a_clock_that_was_set_back_makes_no_negative_age(void **state)
{
	(void)state;
	answer("{" COLUMNS ",'rows':[" ROW "]}", 5, sizeof(text));
	assert_non_null(strstr(text, "\"age\":0"));
}

#define META(ns) "'metadata':{'name':'web-1','namespace':'" ns "','uid':'u-1'}"
#define ONE                                                                                                            \
	"{" META("htpc") ",'spec':{'containers':[{'name':'main'}]},'status':{'containerStatuses':[{'name':'main',"     \
			 "'restartCount':4}]}}"
#define TWO                                                                                                            \
	"{" META(                                                                                                      \
		"htpc") ",'spec':{'containers':[{'name':'main'},{'name':'side'}],'initContainers':[{'name':'init'}]}," \
			"'status':{'initContainerStatuses':[{'name':'init','restartCount':2}]}}"

static void logs_lie_where_the_kubelet_writes_them(void **state)
{
	(void)state;
	assert_int_equal(log_path("{'items':[" ONE "]}", ""), 0);
	assert_string_equal(text, "/var/log/pods/htpc_web-1_u-1/main/4.log");
	assert_int_equal(log_path("{'items':[" ONE "]}", "main"), 0);
	assert_int_equal(log_path("{'items':[" TWO "]}", "side"), 0);
	assert_string_equal(text, "/var/log/pods/htpc_web-1_u-1/side/0.log");
	assert_int_equal(log_path("{'items':[" TWO "]}", "init"), 0);
	assert_string_equal(text, "/var/log/pods/htpc_web-1_u-1/init/2.log");
}

static void a_choice_is_offered(void **state)
{
	(void)state;
	assert_int_equal(log_path("{'items':[" TWO "]}", ""), -1);
	assert_string_equal(e.text, "which of its containers? main, side, init");
	assert_int_equal(log_path("{'items':[" TWO "]}", "none"), -1);
	assert_string_equal(e.text, "no container 'none' in it; there are main, side, init");
	assert_int_equal(log_path("{'items':[]}", ""), -1);
	assert_int_equal(log_path("{}", ""), -1);
	assert_int_equal(log_path("{'items':[" ONE "," ONE "]}", ""), -1);
	assert_non_null(strstr(e.text, "say pod/htpc/web-1"));
}

static void names_from_outside_stay_in_the_folder(void **state)
{
	(void)state;
	assert_int_equal(log_path("{'items':[{" META("..") ",'spec':{'containers':[{'name':'a'}]}}]}", ""), -1);
	assert_int_equal(log_path("{'items':[{" META("a/b") ",'spec':{'containers':[{'name':'a'}]}}]}", ""), -1);
	assert_int_equal(log_path("{'items':[{" META("a") ",'spec':{'containers':[{'name':'../x'}]}}]}", ""), -1);
}

static int query(const char *name, const char *ns, const char *want)
{
	char copy[64];
	const char *got = NULL;
	assert_int_equal(str_copy(copy, sizeof(copy), name), 0);
	buf_init(&b, text, sizeof(text));
	if (pods_query(copy, &got, &b, &e) < 0)
		return -1;
	assert_string_equal(got, ns);
	assert_string_equal(text, want);
	return 0;
}

static void names_are_asked_for_in_one_namespace_or_all(void **state)
{
	(void)state;
	assert_int_equal(query("web-1", "", "fieldSelector=metadata.name%3Dweb-1&limit=20"), 0);
	assert_int_equal(query("htpc/web-1", "htpc", "fieldSelector=metadata.name%3Dweb-1&limit=20"), 0);
	static const char *const bad[] = {"", "/", "a/", "/a", "a/b/c", "A", "a&b", "..", "../a", "a b"};
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_int_equal(query(bad[i], "", ""), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_become_pods),
		cmocka_unit_test(what_does_not_fit_is_counted),
		cmocka_unit_test(a_clock_that_was_set_back_makes_no_negative_age),
		cmocka_unit_test(logs_lie_where_the_kubelet_writes_them),
		cmocka_unit_test(a_choice_is_offered),
		cmocka_unit_test(names_from_outside_stay_in_the_folder),
		cmocka_unit_test(names_are_asked_for_in_one_namespace_or_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
