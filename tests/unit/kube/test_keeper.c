/* init/kube/keeper.c: the books before and after applying. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kube/keeper.h"
#include "unit/kube/box.h"

static struct keeper k;
static unsigned claims;
static char ended[LIMIT_DETAIL];

static void on_claimed(void *arg)
{
	(void)arg;
	claims++;
}

static void on_paused(const struct err *e, void *arg)
{
	(void)arg;
	assert_int_equal(str_copy(ended, sizeof(ended), e ? e->text : "written"), 0);
}

static int setup(void **state)
{
	(void)state;
	memset(&k, 0, sizeof(k));
	claims = 0;
	ended[0] = '\0';
	if (box_setup(&api_quiet, BOX_MAP("a") BOX_APP("web") "---\n" BOX_MAP("b") BOX_APP("db")) < 0 ||
	    keeper_init(&k, &api_link, &box_a, &api_err) < 0)
		return -1;
	k.claimed = on_claimed;
	k.changed = api_no_news;
	assert_int_equal(str_copy(k.history.path, sizeof(k.history.path), "/nowhere/history"), 0);
	api_start();
	keeper_open(&k);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	keeper_fini(&k);
	return box_teardown();
}

#define PARENT "/api/v1/namespaces/kube-system/configmaps/hearth-platform"
#define MAPS   "/api/v1/configmaps?"

static void claim(const char *parent)
{
	api_answer("GET", PARENT, parent ? 200 : 404, parent ? parent : "{}");
	api_answer("PATCH", PARENT, 200, "{'metadata':{}}");
}

static void all_applied(void)
{
	box_a.first = 0;
	box_a.end = box_m.count;
	for (unsigned i = 0; i < box_m.count; i++) {
		box_a.t.item[i].state = ITEM_DONE;
		box_a.t.item[i].revision = 5;
	}
}

#define MEMBER(name)                                                                                                   \
	"{'metadata':{'name':'" name                                                                                   \
	"','namespace':'ns','uid':'u','labels':{'applyset.kubernetes.io/part-of':'" INVENTORY_ID "'}}}"

static void the_parent_is_written_before_anything_is_applied(void **state)
{
	(void)state;
	assert_int_equal(claims, 0);
	api_answer("GET", PARENT, 404, "{}");
	assert_int_equal(claims, 0);
	unsigned i = api_get("PATCH", PARENT "?fieldManager=hearth&force=true");
	assert_non_null(strstr(api.call[i].body, "contains-group-kinds\":\"ConfigMap\""));
	api_answer("PATCH", PARENT, 201, "{'metadata':{}}");
	assert_int_equal(claims, 1);
}

static void kinds_of_the_last_run_stay_until_they_are_pruned(void **state)
{
	(void)state;
	api_answer("GET", PARENT, 200,
	           "{'metadata':{'annotations':{'applyset.kubernetes.io/contains-group-kinds':'Secret,Gone.x.dev'}}}");
	unsigned i = api_get("PATCH", PARENT);
	assert_non_null(strstr(api.call[i].body, "contains-group-kinds\":\"ConfigMap,Gone.x.dev,Secret\""));
	api_answer("PATCH", PARENT, 200, "{'metadata':{}}");
	keeper_look(&k);
	assert_int_equal(api_open_calls(), 0); /* not complete */
	all_applied();
	keeper_look(&k);
	api_answer("GET", MAPS, 200, "{'items':[" MEMBER("a") "," MEMBER("b") "]}");
	api_wait(0);
	api_answer("GET", "/api/v1/secrets?", 200, "{'items':[" MEMBER("old") "]}");
	api_wait(0); /* Gone.x.dev is not served any more */
	api_answer("GET", MAPS, 200, "{'items':[" MEMBER("a") "," MEMBER("b") "]}");
	api_wait(0);
	api_answer("GET", "/api/v1/secrets?", 200, "{'items':[" MEMBER("old") "]}");
	api_wait(0);
	i = api_get("DELETE", "/api/v1/namespaces/ns/secrets/old");
	assert_non_null(strstr(api.call[i].body, "\"uid\":\"u\""));
	api_answer("DELETE", "/api/v1/namespaces/ns/secrets/old", 200, "{}");
	api_wait(0);
	i = api_get("PATCH", PARENT);
	assert_non_null(strstr(api.call[i].body, "contains-group-kinds\":\"ConfigMap\""));
	api_answer("PATCH", PARENT, 200, "{'metadata':{}}");
	assert_int_equal(k.phase, KEEPER_SYNCED);
	assert_true(k.synced);
	assert_int_equal(k.history.count, 1);
	assert_string_equal(k.history.entry[0].revision, box_m.revision);
	assert_int_equal(api_open_calls(), 0);
}

static void what_cannot_be_listed_keeps_the_inventory_wide(void **state)
{
	(void)state;
	claim("{'metadata':{'annotations':{'applyset.kubernetes.io/contains-group-kinds':'Secret'}}}");
	all_applied();
	keeper_look(&k);
	api_answer("GET", MAPS, 200, "{'items':[]}");
	api_wait(0);
	for (unsigned i = 0; i <= KEEPER_TRIES; i++) {
		api_answer("GET", "/api/v1/secrets?", 500, "{}");
		api_wait(RETRY_CAP_MS);
	}
	unsigned i = api_get("PATCH", PARENT);
	assert_non_null(strstr(api.call[i].body, "contains-group-kinds\":\"ConfigMap,Secret\""));
	api_answer("PATCH", PARENT, 200, "{'metadata':{}}");
	assert_true(k.synced);
	api_wait(KEEPER_PRUNE_MS); /* then once more */
	assert_true(api_find("GET", PARENT) >= 0);
}

static bool is_clean(const char *group, const char *kind, void *arg)
{
	(void)arg;
	return str_eq(group, "") && str_eq(kind, "ConfigMap");
}

static void kinds_without_strangers_are_not_listed(void **state)
{
	(void)state;
	k.clean = is_clean;
	claim(NULL);
	all_applied();
	keeper_look(&k);
	api_answer("PATCH", PARENT, 200, "{'metadata':{}}");
	assert_true(k.synced);
}

static void too_large_a_loss_is_refused_and_said(void **state)
{
	(void)state;
	claim(NULL);
	all_applied();
	keeper_look(&k);
	api_answer("GET", MAPS, 200, "{'items':[" MEMBER("a") "," MEMBER("x") "," MEMBER("y") "," MEMBER("z") "]}");
	api_wait(0);
	assert_int_equal(api_find("DELETE", "/"), -1);
	assert_non_null(strstr(k.problem, "3 of 5 objects left the set"));
	api_answer("PATCH", PARENT, 200, "{'metadata':{}}");
	assert_non_null(strstr(k.problem, "3 of 5 objects left the set")); /* still */
}

static void a_parent_of_another_tool_is_left_alone(void **state)
{
	(void)state;
	api_answer("GET", PARENT, 200, "{'metadata':{'annotations':{'applyset.kubernetes.io/tooling':'kubectl/v1'}}}");
	assert_int_equal(api_find("PATCH", PARENT), -1);
	assert_non_null(strstr(k.problem, "kubectl/v1"));
	api_wait(RETRY_CAP_MS);
	claim(NULL); /* a person took it away */
	assert_int_equal(claims, 1);
	assert_string_equal(k.problem, "");
}

static void the_parent_is_asked_for_until_it_comes(void **state)
{
	(void)state;
	api_end(api_get("GET", PARENT), KCLIENT_REFUSED, 0, "");
	api_wait(RETRY_CAP_MS);
	api_answer("GET", PARENT, 403, "{'message':'not yet'}");
	assert_string_equal(k.problem, "reading the inventory: not yet");
	api_wait(RETRY_CAP_MS);
	api_answer("GET", PARENT, 404, "{}");
	api_answer("PATCH", PARENT, 404, "{'message':'namespaces kube-system not found'}");
	assert_int_equal(claims, 0);
	api_wait(RETRY_CAP_MS);
	api_answer("PATCH", PARENT, 201, "{'metadata':{}}");
	assert_int_equal(claims, 1);
}

static void pauses_are_read_and_written(void **state)
{
	(void)state;
	claim("{'metadata':{'annotations':{'hearth.dev/paused':'db'}}}");
	assert_false(box_a.t.app[items_find_app(&box_a.t, "web")].paused);
	assert_true(box_a.t.app[items_find_app(&box_a.t, "db")].paused);
	assert_int_equal(keeper_pause(&k, "web", true, on_paused, NULL, &api_err), 0);
	assert_true(box_a.t.app[items_find_app(&box_a.t, "web")].paused);
	assert_int_equal(keeper_pause(&k, "db", false, on_paused, NULL, &api_err), -1); /* one at a time */
	unsigned i = api_get("PATCH", PARENT);
	assert_non_null(strstr(api.call[i].body, "\"hearth.dev/paused\":\"db,web\""));
	assert_string_equal(ended, "");
	api_answer("PATCH", PARENT, 200, "{'metadata':{}}");
	assert_string_equal(ended, "written");
	assert_int_equal(keeper_pause(&k, "db", false, on_paused, NULL, &api_err), 0);
	api_answer("PATCH", PARENT, 500, "{}");
	assert_non_null(strstr(ended, "not written down"));
	assert_false(box_a.t.app[items_find_app(&box_a.t, "db")].paused);
	assert_int_equal(keeper_pause(&k, "none", true, on_paused, NULL, &api_err), -1);
	assert_non_null(strstr(api_err.text, "no app 'none'"));
}

static void nothing_is_paused_without_a_connection(void **state)
{
	(void)state;
	assert_int_equal(keeper_pause(&k, "web", true, on_paused, NULL, &api_err), -1);
	claim(NULL);
	assert_int_equal(keeper_pause(&k, "web", true, on_paused, NULL, &api_err), 0);
	keeper_close(&k);
	assert_non_null(strstr(ended, "gone"));
	assert_int_equal(api_open_calls(), 0);
}

static void a_new_connection_begins_with_the_parent_again(void **state)
{
	(void)state;
	claim(NULL);
	all_applied();
	keeper_look(&k);
	assert_int_equal(k.phase, KEEPER_PRUNE);
	keeper_close(&k);
	assert_int_equal(api_open_calls(), 0);
	keeper_open(&k);
	claim(NULL);
	assert_int_equal(claims, 2);
	assert_int_equal(k.phase, KEEPER_PRUNE);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_parent_is_written_before_anything_is_applied),
		TEST(kinds_of_the_last_run_stay_until_they_are_pruned),
		TEST(what_cannot_be_listed_keeps_the_inventory_wide),
		TEST(kinds_without_strangers_are_not_listed),
		TEST(too_large_a_loss_is_refused_and_said),
		TEST(a_parent_of_another_tool_is_left_alone),
		TEST(the_parent_is_asked_for_until_it_comes),
		TEST(pauses_are_read_and_written),
		TEST(nothing_is_paused_without_a_connection),
		TEST(a_new_connection_begins_with_the_parent_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
