/* init/kube/sender.c: the engine's steps as requests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kube/inventory.h"
#include "unit/kube/box.h"

static int setup(void **state)
{
	(void)state;
	if (box_setup(&api_quiet,
	              BOX_MAP("a") "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d, namespace: ns}\n"
	                           "---\napiVersion: x.dev/v1\nkind: Thing\nmetadata: {name: t}\n") < 0)
		return -1;
	api_start();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return box_teardown();
}

static enum apply_sent ask(unsigned flight, unsigned item, enum apply_step step, const char *uid)
{
	const struct apply_call c = {flight, item, step, uid};
	return sender_send(&box_sender, &c, &api_err);
}

#define MAP "/api/v1/namespaces/ns/configmaps/a"

static void steps_become_requests(void **state)
{
	(void)state;
	assert_int_equal(ask(0, 0, APPLY_PATCH, ""), APPLY_ON_ITS_WAY);
	unsigned i = api_get("PATCH", MAP);
	assert_string_equal(api.call[i].path, MAP "?fieldManager=hearth");
	assert_string_equal(api.call[i].type, "application/apply-patch+yaml");
	assert_string_equal(api.call[i].body,
	                    "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"labels\":{\"" INVENTORY_LABEL
	                    "\":\"" INVENTORY_ID "\"},\"name\":\"a\",\"namespace\":\"ns\"}}");
	assert_string_equal(api.call[i].accept, "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1");
	assert_int_equal(ask(1, 0, APPLY_TAKE, ""), APPLY_ON_ITS_WAY);
	(void)api_get("PATCH", MAP "?fieldManager=hearth&force=true");
	assert_int_equal(ask(2, 0, APPLY_OWNER, ""), APPLY_ON_ITS_WAY);
	i = api_get("GET", MAP);
	assert_null(api.call[i].body);
	api_drop(i);
	assert_int_equal(ask(3, 0, APPLY_DELETE, "u-1"), APPLY_ON_ITS_WAY);
	i = api_get("DELETE", MAP);
	assert_string_equal(api.call[i].body, "{\"kind\":\"DeleteOptions\",\"apiVersion\":\"v1\",\"propagationPolicy\":"
	                                      "\"Background\",\"preconditions\":{\"uid\":\"u-1\"}}");
	assert_int_equal(ask(4, 1, APPLY_PATCH, ""), APPLY_ON_ITS_WAY);
	i = api_get("PATCH", "/apis/apps/v1/namespaces/ns/deployments/d");
	assert_string_equal(api.call[i].accept, "application/json");
}

static void answers_reach_the_engine(void **state)
{
	(void)state;
	apply_open(&box_a);
	(void)apply_run(&box_a);
	api_answer("PATCH", MAP, 201, "{'metadata':{'name':'a','resourceVersion':'9'}}");
	assert_int_equal(box_a.t.item[0].revision, 9);
	api_answer("PATCH", "/apis/apps", 422, "{'message':'no good'}");
	assert_string_equal(box_a.t.item[1].problem, "no good");
}

static void rubbish_for_an_answer_is_tried_again(void **state)
{
	(void)state;
	apply_open(&box_a);
	(void)apply_run(&box_a);
	api_answer("PATCH", MAP, 200, "<html>");
	assert_int_equal(box_a.t.item[0].state, ITEM_DUE);
	assert_non_null(box_a.t.item[0].problem);
}

static void a_kind_that_is_not_served_is_looked_up_again(void **state)
{
	(void)state;
	assert_int_equal(ask(0, 2, APPLY_PATCH, ""), APPLY_CANNOT);
	api_wait(LINK_KINDS_MS);
	assert_true(api_find("GET", "/apis") >= 0);
}

static void places_are_left_for_others(void **state)
{
	(void)state;
	api.no_room = true;
	assert_int_equal(ask(0, 0, APPLY_PATCH, ""), APPLY_NO_ROOM);
	api.no_room = false;
	api.taken = API_CALLS - SENDER_KEEP;
	assert_int_equal(ask(0, 0, APPLY_PATCH, ""), APPLY_NO_ROOM);
	api.taken--;
	assert_int_equal(ask(0, 0, APPLY_PATCH, ""), APPLY_ON_ITS_WAY);
}

static void a_manifest_that_is_gone_is_said(void **state)
{
	(void)state;
	unlink(box_file);
	assert_int_equal(ask(0, 0, APPLY_PATCH, ""), APPLY_CANNOT);
	assert_int_not_equal(api_err.text[0], '\0');
	assert_int_equal(api_open_calls(), 0);
}

static void closing_ends_all(void **state)
{
	(void)state;
	apply_open(&box_a);
	(void)apply_run(&box_a);
	assert_int_equal(api_open_calls(), 2);
	sender_close(&box_sender);
	assert_int_equal(api_open_calls(), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(steps_become_requests),
		TEST(answers_reach_the_engine),
		TEST(rubbish_for_an_answer_is_tried_again),
		TEST(a_kind_that_is_not_served_is_looked_up_again),
		TEST(places_are_left_for_others),
		TEST(a_manifest_that_is_gone_is_said),
		TEST(closing_ends_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
