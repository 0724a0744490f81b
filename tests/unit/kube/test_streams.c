/* init/kube/streams.c: watches over a client that the test answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kube/streams.h"
#include "unit/kube/api.h"

static struct manifest_object objects[] = {
	{.group = "", .version = "v1", .kind = "ConfigMap", .namespace = "ns", .name = "a", .app = "x"},
	{.group = "apps", .version = "v1", .kind = "Deployment", .namespace = "ns", .name = "a", .app = "x"},
};
static const struct manifest m = {.object = objects, .count = 2};
static struct inventory inv;
static struct apply a;
static struct streams s;
static unsigned seen;
static int nodes_ready, nodes_stale, nodes_all;
static bool doubtful;

static void on_seen(void *arg)
{
	(void)arg;
	seen++;
}

static bool on_doubts(yyjson_val *node, void *arg)
{
	(void)arg;
	assert_non_null(node);
	return doubtful;
}

static void on_node(int ready, int stale, int nodes, void *arg)
{
	(void)arg;
	nodes_ready = ready;
	nodes_stale = stale;
	nodes_all = nodes;
}

static const struct apply_ops ops = {0};

static int setup(void **state)
{
	(void)state;
	seen = 0;
	nodes_ready = nodes_all = -1;
	doubtful = false;
	if (api_setup(&api_quiet) < 0 || inventory_init(&inv, &m, &api_err) < 0 ||
	    apply_init(&a, &m, &ops, NULL, &api_err) < 0)
		return -1;
	streams_init(&s, &api_link, &a, &inv);
	s.seen = on_seen;
	s.node = on_node;
	api_start();
	streams_open(&s);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	streams_fini(&s);
	apply_free(&a);
	return api_teardown();
}

#define MAPS      "/api/v1/configmaps?"
#define LIST(...) "{'metadata':{'resourceVersion':'5'},'items':[" __VA_ARGS__ "]}"
#define MAP(rv)   "{'metadata':{'name':'a','namespace':'ns','resourceVersion':'" rv "'}}"

static void each_kind_is_listed_and_watched(void **state)
{
	(void)state;
	assert_int_equal(api_open_calls(), 3);
	unsigned i = api_get("GET", MAPS INVENTORY_SELECTOR "&limit=50");
	assert_string_equal(api.call[i].accept, "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1");
	i = api_get("GET", "/apis/apps/v1/deployments?" INVENTORY_SELECTOR "&limit=50");
	assert_string_equal(api.call[i].accept, "application/json");
	api_answer("GET", MAPS, 200, LIST(MAP("4")));
	assert_int_equal(a.t.item[0].seen, 4);
	assert_true(seen > 0);
	i = api_get("GET", MAPS INVENTORY_SELECTOR "&watch=true");
	assert_int_equal(api.call[i].r.timeout_ms, STREAM_SILENCE_MS);
	api_line(MAPS, "{'type':'MODIFIED','object':" MAP("6") "}");
	assert_int_equal(a.t.item[0].seen, 6);
	api_line(MAPS, "{'type':'DELETED','object':" MAP("7") "}");
	assert_int_equal(a.t.item[0].seen, 0);
}

static void strangers_are_noticed(void **state)
{
	(void)state;
	assert_false(streams_clean(&s, "", "ConfigMap")); /* not listed yet */
	api_answer("GET", MAPS, 200, LIST(MAP("4")));
	assert_true(streams_clean(&s, "", "ConfigMap"));
	assert_false(streams_clean(&s, "", "Secret"));
	assert_false(streams_clean(&s, "apps", "Deployment"));
	api_line(MAPS,
	         "{'type':'ADDED','object':{'metadata':{'name':'stray','namespace':'ns','resourceVersion':'6'}}}");
	assert_false(streams_clean(&s, "", "ConfigMap"));
	api_answer("GET", MAPS, 410, "{}");
	api_wait(RETRY_BASE_MS);
	api_answer("GET", MAPS, 200, LIST());
	assert_true(streams_clean(&s, "", "ConfigMap"));
	streams_close(&s);
	assert_false(streams_clean(&s, "", "ConfigMap"));
}

static void places_are_left_for_others(void **state)
{
	(void)state;
	streams_close(&s);
	api.taken = API_CALLS - STREAMS_KEEP;
	streams_open(&s);
	assert_int_equal(api_open_calls(), 0);
}

static void a_stream_that_ends_goes_on_where_it_was(void **state)
{
	(void)state;
	api_answer("GET", MAPS, 200, LIST());
	api_line(MAPS, "{'type':'BOOKMARK','object':{'metadata':{'resourceVersion':'77'}}}");
	api_answer("GET", MAPS, 200, "");
	assert_int_equal(api_find("GET", MAPS), -1); /* not at once */
	api_wait(RETRY_BASE_MS);
	unsigned i = api_get("GET", MAPS);
	assert_non_null(strstr(api.call[i].path, "&resourceVersion=77"));
	api_end(i, KCLIENT_RESET, 0, "");
	api_wait(RETRY_CAP_MS);
	assert_non_null(strstr(api.call[api_get("GET", MAPS)].path, "&resourceVersion=77"));
}

static void too_old_is_listed_again(void **state)
{
	(void)state;
	api_answer("GET", MAPS, 200, LIST(MAP("4")));
	api_answer("GET", MAPS, 410, "{}");
	api_wait(RETRY_BASE_MS);
	assert_non_null(strstr(api.call[api_get("GET", MAPS)].path, "limit=50"));
	api_answer("GET", MAPS, 200, LIST());
	assert_int_equal(a.t.item[0].seen, 0);                    /* it was deleted meanwhile */
	api_line(MAPS, "{'type':'ERROR','object':{'code':410}}"); /* in the stream */
	api_wait(RETRY_BASE_MS);
	assert_non_null(strstr(api.call[api_get("GET", MAPS)].path, "limit=50"));
}

static void a_server_that_was_put_back_is_listed_again(void **state)
{
	(void)state;
	api_answer("GET", MAPS, 200, LIST(MAP("4")));
	a.t.item[0].revision = 500; /* from a time that is no more */
	api_answer("GET", MAPS, 504, "{'message':'Too large resource version: 500, current: 40'}");
	api_wait(RETRY_BASE_MS);
	api_answer("GET", MAPS, 200, LIST(MAP("40")));
	assert_int_equal(a.t.item[0].seen, 40);
}

static void a_list_that_is_older_than_our_apply_is_no_news(void **state)
{
	(void)state;
	a.t.item[0].state = ITEM_DONE;
	a.t.item[0].revision = a.t.item[0].seen = 500; /* applied while the first list was under way */
	a.t.item[0].owned = 7;
	api_answer("GET", MAPS, 200, LIST(MAP("4")));
	assert_int_equal(a.t.item[0].state, ITEM_DONE);
	assert_int_equal(a.t.item[0].seen, 500);
}

static void rubbish_in_a_stream_ends_it(void **state)
{
	(void)state;
	api_answer("GET", MAPS, 200, LIST());
	api_line(MAPS, "{'type':");
	assert_int_equal(api_find("GET", MAPS), -1);
	api_wait(RETRY_CAP_MS);
	assert_non_null(strstr(api.call[api_get("GET", MAPS)].path, "watch=true"));
}

static void rubbish_for_a_list_is_asked_for_again(void **state)
{
	(void)state;
	api_answer("GET", MAPS, 200, "rubbish");
	api_wait(RETRY_CAP_MS);
	api_answer("GET", MAPS, 200, "{}");
	api_wait(RETRY_CAP_MS);
	api_answer("GET", MAPS, 200, LIST());
	assert_non_null(strstr(api.call[api_get("GET", MAPS)].path, "watch=true"));
}

static void pages_that_are_too_large_become_smaller(void **state)
{
	(void)state;
	api_end(api_get("GET", MAPS), KCLIENT_TOO_LARGE, 200, "");
	api_wait(RETRY_CAP_MS);
	assert_non_null(strstr(api.call[api_get("GET", MAPS)].path, "limit=25"));
}

static void a_silent_stream_says_nothing_about_the_server(void **state)
{
	(void)state;
	api_answer("GET", MAPS, 200, LIST());
	api_end(api_get("GET", MAPS), KCLIENT_TIMEOUT, 200, "");
	assert_true(api_link.up);
	api_wait(RETRY_CAP_MS);
	api_end(api_get("GET", MAPS), KCLIENT_REFUSED, 0, "");
	assert_false(api_link.up);
}

static void those_that_wait_are_kicked(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 12; i++) {
		api_end(api_get("GET", MAPS), KCLIENT_REFUSED, 0, "");
		api_wait(RETRY_CAP_MS + 1);
	}
	api_end(api_get("GET", MAPS), KCLIENT_REFUSED, 0, "");
	streams_kick(&s);
	api_wait(0);
	assert_true(api_find("GET", MAPS) >= 0);
}

static void a_closed_link_ends_all_and_a_new_one_lists_anew(void **state)
{
	(void)state;
	api_answer("GET", MAPS, 200, LIST());
	streams_close(&s);
	assert_int_equal(api_open_calls(), 0);
	streams_kick(&s);
	api_wait(RETRY_CAP_MS);
	assert_int_equal(api_open_calls(), 0);
	streams_open(&s);
	assert_int_equal(api_open_calls(), 3);
	assert_non_null(strstr(api.call[api_get("GET", MAPS)].path, "limit=50"));
}

static void a_full_client_is_waited_for(void **state)
{
	(void)state;
	streams_close(&s);
	api.no_room = true;
	streams_open(&s);
	assert_int_equal(api_open_calls(), 0);
	api.no_room = false;
	api_wait(RETRY_CAP_MS);
	assert_int_equal(api_open_calls(), 3);
}

#define NODES "/api/v1/nodes?"
#define NODE(name, status)                                                                                             \
	"{'metadata':{'name':'" name "','resourceVersion':'5'},'status':{'conditions':[{'type':'Ready',"               \
	"'status':'" status "'}]}}"

static void what_a_node_said_before_this_boot_does_not_count(void **state)
{
	(void)state;
	s.doubts = on_doubts;
	doubtful = true;
	api_answer("GET", NODES, 200, LIST(NODE("a", "True") "," NODE("b", "False")));
	assert_int_equal(nodes_all, 2);
	assert_int_equal(nodes_ready, 0);
	assert_int_equal(nodes_stale, 1);
	s.believe = true; /* it has waited long enough */
	streams_tell_nodes(&s);
	assert_int_equal(nodes_ready, 1);
	assert_int_equal(nodes_stale, 0);
	s.believe = doubtful = false;
	api_line(NODES, "{'type':'MODIFIED','object':" NODE("a", "True") "}");
	assert_int_equal(nodes_ready, 1);
	assert_int_equal(nodes_stale, 0);
}

static void nodes_are_counted(void **state)
{
	(void)state;
	api_answer("GET", NODES, 200, LIST(NODE("one", "False")));
	assert_int_equal(nodes_all, 1);
	assert_int_equal(nodes_ready, 0);
	api_line(NODES, "{'type':'MODIFIED','object':" NODE("one", "True") "}");
	assert_int_equal(nodes_ready, 1);
	api_line(NODES, "{'type':'ADDED','object':" NODE("two", "Unknown") "}");
	assert_int_equal(nodes_all, 2);
	assert_int_equal(nodes_ready, 1);
	api_line(NODES, "{'type':'DELETED','object':" NODE("one", "True") "}");
	assert_int_equal(nodes_all, 1);
	assert_int_equal(nodes_ready, 0);
	nodes_all = -1;
	streams_tell_nodes(&s);
	assert_int_equal(nodes_all, 1);
	streams_close(&s);
	streams_open(&s);
	nodes_all = -1;
	streams_tell_nodes(&s); /* not known yet */
	assert_int_equal(nodes_all, -1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(each_kind_is_listed_and_watched),
		TEST(strangers_are_noticed),
		TEST(places_are_left_for_others),
		TEST(a_stream_that_ends_goes_on_where_it_was),
		TEST(too_old_is_listed_again),
		TEST(a_server_that_was_put_back_is_listed_again),
		TEST(a_list_that_is_older_than_our_apply_is_no_news),
		TEST(rubbish_in_a_stream_ends_it),
		TEST(rubbish_for_a_list_is_asked_for_again),
		TEST(pages_that_are_too_large_become_smaller),
		TEST(a_silent_stream_says_nothing_about_the_server),
		TEST(those_that_wait_are_kicked),
		TEST(a_closed_link_ends_all_and_a_new_one_lists_anew),
		TEST(a_full_client_is_waited_for),
		TEST(nodes_are_counted),
		TEST(what_a_node_said_before_this_boot_does_not_count),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
