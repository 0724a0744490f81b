/* init/kube/watch.c: what is asked for, and what answers and lines mean. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "kube/object.h"
#include "kube/watch.h"
#include "unit/kube/json.h"

static struct watch w;
static struct err e;
static char heard[1024];

static void on_object(struct watch *from, enum watch_event ev, yyjson_val *object)
{
	static const char *const names[] = {"added", "modified", "deleted", "listed"};
	size_t n = strlen(heard);
	assert_ptr_equal(from, &w);
	assert_int_equal(
		str_format(heard + n, sizeof(heard) - n, "%s %s;", names[ev], object_str(object, "/metadata/name")), 0);
}

static void on_list(struct watch *from, bool complete)
{
	size_t n = strlen(heard);
	assert_ptr_equal(from, &w);
	assert_int_equal(str_format(heard + n, sizeof(heard) - n, "%s;", complete ? "complete" : "begins"), 0);
}

static const struct watch_ops ops = {on_object, on_list};

static int setup(void **state)
{
	(void)state;
	heard[0] = '\0';
	err_clear(&e);
	watch_init(&w, &ops, NULL);
	w.kind = "ConfigMap";
	w.selector = "labelSelector=x";
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	watch_free(&w);
	return 0;
}

static void asks(const char *query)
{
	char text[1024];
	struct buf b;
	buf_init(&b, text, sizeof(text));
	watch_query(&w, &b);
	assert_string_equal(text, query);
}

static int page(const char *json)
{
	yyjson_doc *doc = json_doc(json);
	int rc = watch_page(&w, yyjson_doc_get_root(doc), &e);
	yyjson_doc_free(doc);
	return rc;
}

static int line(const char *json)
{
	char *copy = json_quoted(json);
	size_t n = strlen(copy);
	char *padded = calloc(1, n + YYJSON_PADDING_SIZE);
	assert_non_null(padded);
	memcpy(padded, copy, n);
	int rc = watch_line(&w, padded, n, &e);
	free(padded);
	free(copy);
	return rc;
}

static void listed(void)
{
	assert_int_equal(page("{'metadata':{'resourceVersion':'7'},'items':[]}"), 0);
	heard[0] = '\0';
}

static void lists_in_pages_and_watches_from_there(void **state)
{
	(void)state;
	asks("labelSelector=x&limit=50");
	assert_string_equal(watch_accept(&w), "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1");
	assert_int_equal(
		page("{'metadata':{'resourceVersion':'5','continue':'go/on'},'items':[{'metadata':{'name':'a'}}]}"), 0);
	asks("labelSelector=x&limit=50&continue=go%2Fon");
	assert_int_equal(page("{'metadata':{'resourceVersion':'6'},'items':[{'metadata':{'name':'b'}}]}"), 0);
	assert_string_equal(heard, "begins;listed a;listed b;complete;");
	assert_int_equal(w.state, WATCH_OPEN);
	asks("labelSelector=x&watch=true&allowWatchBookmarks=true&timeoutSeconds=540&resourceVersion=6");
	assert_string_equal(watch_accept(&w), "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1");
	w.full = true;
	assert_string_equal(watch_accept(&w), "application/json");
}

static void events_are_told_and_remembered(void **state)
{
	(void)state;
	listed();
	assert_int_equal(line("{'type':'ADDED','object':{'metadata':{'name':'a','resourceVersion':'8'}}}"), 0);
	assert_int_equal(line("{'type':'MODIFIED','object':{'metadata':{'name':'a','resourceVersion':'9'}}}"), 0);
	assert_int_equal(line("{'type':'DELETED','object':{'metadata':{'name':'a','resourceVersion':'10'}}}"), 0);
	assert_int_equal(line("{'type':'BOOKMARK','object':{'metadata':{'resourceVersion':'99'}}}"), 0);
	assert_string_equal(heard, "added a;modified a;deleted a;");
	asks("labelSelector=x&watch=true&allowWatchBookmarks=true&timeoutSeconds=540&resourceVersion=99");
}

static void too_old_begins_with_the_list_again(void **state)
{
	(void)state;
	listed();
	assert_int_equal(
		line("{'type':'ERROR','object':{'kind':'Status','code':410,'message':'too old resource version'}}"),
		-1);
	assert_int_equal(e.code, ESTALE);
	assert_int_equal(w.state, WATCH_LIST);
	asks("labelSelector=x&limit=50");
}

static void another_error_ends_the_stream_alone(void **state)
{
	(void)state;
	listed();
	assert_int_equal(line("{'type':'ERROR','object':{'code':500,'message':'etcd'}}"), -1);
	assert_string_equal(e.text, "etcd");
	assert_int_equal(w.state, WATCH_OPEN);
	assert_string_equal(w.since, "7");
}

static void rubbish_is_an_error_and_changes_nothing(void **state)
{
	static const char *const lines[] = {"{'type':'ADDED'",
	                                    "[]",
	                                    "{}",
	                                    "{'type':'ADDED','object':{}}",
	                                    "{'type':'ADDED','object':{'metadata':{'resourceVersion':7}}}",
	                                    "null",
	                                    "7"};
	(void)state;
	listed();
	for (size_t i = 0; i < COUNT_OF(lines); i++)
		assert_int_equal(line(lines[i]), -1);
	assert_int_equal(line("{'type':'RENAMED','object':{'metadata':{'resourceVersion':'8'}}}"), -1);
	assert_string_equal(heard, "");
	assert_int_equal(w.state, WATCH_OPEN);
}

static void a_page_that_is_none_begins_anew(void **state)
{
	static const char *const pages[] = {"{}", "[]", "{'metadata':{},'items':[]}",
	                                    "{'metadata':{'resourceVersion':'1'}}"};
	(void)state;
	for (size_t i = 0; i < COUNT_OF(pages); i++) {
		assert_int_equal(page("{'metadata':{'resourceVersion':'5','continue':'c'},'items':[]}"), 0);
		assert_int_equal(page(pages[i]), -1);
		asks("labelSelector=x&limit=50");
	}
	assert_int_equal(page("{'metadata':{'resourceVersion':'5'},'items':null}"), 0);
	assert_string_equal(heard, "begins;begins;begins;begins;begins;complete;");
}

static void tokens_and_versions_are_bounded(void **state)
{
	char json[WATCH_CONTINUE + 200], text[WATCH_CONTINUE + 1];
	(void)state;
	memset(text, 'c', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(
		str_format(json, sizeof(json), "{'metadata':{'resourceVersion':'5','continue':'%s'},'items':[]}", text),
		0);
	assert_int_equal(page(json), -1);
	text[WATCH_VERSION] = '\0';
	assert_int_equal(str_format(json, sizeof(json), "{'metadata':{'resourceVersion':'%s'},'items':[]}", text), 0);
	assert_int_equal(page(json), -1);
}

static void pages_shrink(void **state)
{
	(void)state;
	w.page = 3;
	watch_shrink(&w);
	asks("labelSelector=x&limit=1");
	watch_shrink(&w);
	asks("labelSelector=x&limit=1");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(lists_in_pages_and_watches_from_there),   TEST(events_are_told_and_remembered),
		TEST(too_old_begins_with_the_list_again),      TEST(another_error_ends_the_stream_alone),
		TEST(rubbish_is_an_error_and_changes_nothing), TEST(a_page_that_is_none_begins_anew),
		TEST(tokens_and_versions_are_bounded),         TEST(pages_shrink),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
