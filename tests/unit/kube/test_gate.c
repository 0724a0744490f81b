/* init/kube/gate.c: lists of pods over a client that the test answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/paths.h"
#include "kube/gate.h"
#include "unit/kube/api.h"

#define BEGAN 1767225600 /* 2026-01-01T00:00:00Z: when the socket was made */

static struct gate g;
static struct manifest_object objects[] = {
	{.group = "apps", .kind = "Deployment", .namespace = "infra", .name = "web"},
	{.group = "apps", .kind = "DaemonSet", .namespace = "infra", .name = "node"}};
static const struct manifest manifest = {.object = objects, .count = 2};
static struct items items;
static unsigned passed;
static int64_t made;

static void on_passed(void *arg)
{
	(void)arg;
	passed++;
}

static int socket_of_pid1(const char *path, struct stat *st)
{
	if (!str_eq(path, PATH_CONTROL))
		return stat(path, st);
	memset(st, 0, sizeof(*st));
	st->st_mtim.tv_sec = made;
	errno = ENOENT;
	return made > 0 ? 0 : -1;
}

static int setup(void **state)
{
	(void)state;
	passed = 0;
	made = BEGAN;
	if (api_setup(&api_quiet) < 0)
		return -1;
	fake_stat = socket_of_pid1;
	fake_clock_wall = BEGAN + 5000; /* the clock was set forward after the socket was made */
	for (unsigned i = 0; i < manifest.count; i++)
		objects[i].app = objects[i].version = "";
	if (items_init(&items, &manifest, &(struct err){0}) < 0)
		return -1;
	gate_init(&g, &api_link, &items, on_passed, NULL);
	api_start();
	gate_start(&g);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	gate_fini(&g);
	items_free(&items);
	return api_teardown();
}

#define PODS      "/api/v1/pods?fieldSelector=status.phase%3DRunning&limit="
#define POD(t)    "{'status':{'phase':'Running','containerStatuses':[{'state':{'running':{'startedAt':'" t "'}}}]}}"
#define OLD       POD("2025-12-31T23:59:59Z")
#define NEW       POD("2026-01-01T00:00:07Z")
#define LIST(x)   "{'metadata':{'resourceVersion':'5'},'items':[" x "]}"
#define PAGE(x)   "{'metadata':{'resourceVersion':'5','continue':'next'},'items':[" x "]}"
#define ANSWER(x) api_answer("GET", PODS, 200, x)

static void without_pods_there_is_nothing_to_wait_for(void **state)
{
	(void)state;
	assert_string_equal(api.call[api_get("GET", PODS "20")].path, PODS "20");
	ANSWER(LIST(""));
	assert_int_equal(passed, 1);
	api_wait(GATE_EVERY_MS * 10);
	assert_int_equal(api_open_calls(), 0);
	gate_stop(&g);
	gate_start(&g); /* it is never closed again */
	gate_node(&g);
	api_wait(GATE_LIMIT_MS);
	assert_int_equal(api_open_calls(), 0);
	assert_int_equal(passed, 1);
}

static void pods_of_this_boot_pass_at_once(void **state)
{
	(void)state;
	ANSWER(LIST(NEW "," NEW));
	assert_int_equal(passed, 1);
}

static void stale_pods_are_waited_for(void **state)
{
	(void)state;
	ANSWER(LIST(NEW "," OLD));
	assert_int_equal(api_open_calls(), 0); /* no busy loop */
	api_wait(GATE_EVERY_MS - 1);
	assert_int_equal(api_open_calls(), 0);
	api_wait(1);
	ANSWER(LIST(OLD));
	api_wait(GATE_EVERY_MS);
	ANSWER(LIST(NEW));
	assert_int_equal(passed, 0); /* what follows from them has not followed yet, perhaps */
	api_wait(GATE_AGAIN_MS);
	ANSWER(LIST(NEW));
	assert_int_equal(passed, 1);
}

#define READY "'conditions':[{'type':'Ready','status':'True'}]"
#define OF(kind, owner, labels, status)                                                                                \
	"{'metadata':{'namespace':'infra','labels':{" labels "},'ownerReferences':[{'kind':'" kind "','name':'" owner  \
	"'}]},'status':{'phase':'Running'," status "}}"
#define WEB(status) OF("ReplicaSet", "web-5d8f6b7c9", "'pod-template-hash':'5d8f6b7c9'", status)

/* The kubelet has said that nothing is ready, the controller has not looked. */
static void a_workload_that_tells_of_pods_that_are_not_there_is_waited_for(void **state)
{
	(void)state;
	items.item[0].claims = 2;
	items.item[1].claims = 1;
	ANSWER(LIST(WEB("'conditions':[{'type':'Ready','status':'False'}]")));
	assert_int_equal(passed, 0);
	api_wait(GATE_EVERY_MS);
	ANSWER(LIST(WEB(READY) "," OF("DaemonSet", "node", "", READY)));
	api_wait(GATE_EVERY_MS);
	assert_int_equal(passed, 0); /* one of two, and the last list does not count */
	ANSWER(LIST(WEB(READY) "," OF("DaemonSet", "node", "", READY) "," WEB(READY)));
	api_wait(GATE_AGAIN_MS);
	items.item[0].claims = 0; /* the controller has looked */
	ANSWER(LIST(OF("DaemonSet", "node", "", READY)));
	assert_int_equal(passed, 1);
}

static void pods_of_others_do_not_count(void **state)
{
	(void)state;
	items.item[0].claims = 1;
	ANSWER(LIST(
		OF("ReplicaSet", "web-5d8f6b7c9", "", READY) "," OF("StatefulSet", "web", "", READY) "," WEB("'x':1")));
	api_wait(GATE_EVERY_MS);
	assert_int_equal(passed, 0);
}

static void every_page_counts(void **state)
{
	(void)state;
	ANSWER(PAGE(OLD));
	assert_non_null(strstr(api.call[api_get("GET", PODS)].path, "limit=20&continue=next"));
	ANSWER(LIST(NEW));
	assert_int_equal(passed, 0);
	api_wait(GATE_EVERY_MS);
	ANSWER(PAGE(NEW));
	ANSWER(LIST(NEW));
	api_wait(GATE_EVERY_MS);
	ANSWER(PAGE(NEW));
	assert_int_equal(passed, 0);
	ANSWER(LIST(""));
	assert_int_equal(passed, 1);
}

static void failures_are_tried_again_from_the_beginning(void **state)
{
	(void)state;
	ANSWER(PAGE(NEW));
	api_answer("GET", PODS, 410, "{}");
	api_wait(GATE_EVERY_MS);
	assert_null(strstr(api.call[api_get("GET", PODS)].path, "continue"));
	api_end(api_get("GET", PODS), KCLIENT_RESET, 0, "");
	api_wait(GATE_EVERY_MS);
	ANSWER("{}");
	api_wait(GATE_EVERY_MS);
	ANSWER("no json");
	api_wait(GATE_EVERY_MS);
	api_end(api_get("GET", PODS), KCLIENT_TOO_LARGE, 200, "");
	api.no_room = true;
	api_wait(GATE_EVERY_MS);
	assert_int_equal(api_open_calls(), 0);
	api.no_room = false;
	api_wait(GATE_EVERY_MS);
	api_answer("GET", PODS "10", 200, LIST(""));
	assert_int_equal(passed, 1);
}

static void a_connection_that_goes_takes_its_list_along(void **state)
{
	(void)state;
	ANSWER(PAGE(NEW));
	gate_stop(&g);
	assert_int_equal(api_open_calls(), 0);
	api_wait(GATE_EVERY_MS * 2);
	assert_int_equal(api_open_calls(), 0);
	gate_start(&g);
	assert_null(strstr(api.call[api_get("GET", PODS)].path, "continue"));
}

static void a_node_is_doubted_until_it_passes(void **state)
{
	(void)state;
	yyjson_doc *doc =
		json_doc("{'status':{'conditions':[{'type':'Ready','lastHeartbeatTime':'2025-12-31T23:59:59Z'}]}}");
	assert_true(gate_doubts(&g, yyjson_doc_get_root(doc)));
	ANSWER(LIST(""));
	assert_false(gate_doubts(&g, yyjson_doc_get_root(doc)));
	yyjson_doc_free(doc);
}

static void a_strange_clock_holds_it_for_a_while_only(void **state)
{
	(void)state;
	gate_node(&g);
	ANSWER(LIST(OLD));
	for (int i = 1; i < GATE_LIMIT_MS / GATE_EVERY_MS; i++) {
		api_wait(GATE_EVERY_MS);
		gate_node(&g); /* told again and again; the first time counts */
		ANSWER(LIST(OLD));
		assert_int_equal(passed, 0);
	}
	api_wait(GATE_EVERY_MS);
	assert_int_equal(passed, 1);
	api_wait(GATE_EVERY_MS);
	assert_int_equal(api_open_calls(), 0);
}

/* Set back while it runs: what was started since then is of this boot all the same. */
static void a_clock_that_is_set_back_moves_the_beginning(void **state)
{
	(void)state;
	ANSWER(LIST(OLD));
	fake_clock_wall = BEGAN - 100;
	api_wait(GATE_EVERY_MS);
	ANSWER(LIST(OLD));
	api_wait(GATE_EVERY_MS);
	ANSWER(LIST(OLD));
	assert_int_equal(passed, 1);
}

static void without_the_socket_the_clocks_tell(void **state)
{
	void *none = NULL;
	(void)state;
	teardown(&none);
	assert_int_equal(setup(&none), 0);
	made = 0;
	fake_clock_wall = BEGAN + 1000;
	gate_fini(&g);
	gate_init(&g, &api_link, &items, on_passed, NULL); /* up since 1000 s */
	gate_start(&g);
	ANSWER(LIST(OLD));
	api_wait(GATE_EVERY_MS);
	assert_int_equal(passed, 0);
	ANSWER(LIST(NEW));
	api_wait(GATE_EVERY_MS);
	ANSWER(LIST(NEW));
	assert_int_equal(passed, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(without_pods_there_is_nothing_to_wait_for),
		TEST(pods_of_this_boot_pass_at_once),
		TEST(stale_pods_are_waited_for),
		TEST(a_workload_that_tells_of_pods_that_are_not_there_is_waited_for),
		TEST(pods_of_others_do_not_count),
		TEST(every_page_counts),
		TEST(failures_are_tried_again_from_the_beginning),
		TEST(a_connection_that_goes_takes_its_list_along),
		TEST(a_node_is_doubted_until_it_passes),
		TEST(a_strange_clock_holds_it_for_a_while_only),
		TEST(a_clock_that_is_set_back_moves_the_beginning),
		TEST(without_the_socket_the_clocks_tell),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
