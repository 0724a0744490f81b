/* init/kube/items.c; the rest of it is shown by test_apply.c, which cannot do without. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "kube/items.h"

static struct manifest_object objects[] = {
	{.group = "apps", .kind = "Deployment", .namespace = "a", .name = "x", .app = "web"},
	{.group = "", .kind = "Service", .namespace = "a", .name = "x", .app = "web"},
	{.group = "", .kind = "Service", .namespace = "b", .name = "x", .app = "db"},
};
static const struct manifest m = {.object = objects, .count = 3};
static struct items t;
static struct err e;

static int setup(void **state)
{
	(void)state;
	return items_init(&t, &m, &e);
}

static int teardown(void **state)
{
	(void)state;
	items_free(&t);
	return 0;
}

static void objects_and_apps_are_found(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct object_id id = items_id(&t, i);
		assert_int_equal(items_find(&t, &id), i);
	}
	assert_int_equal(items_find(&t, &(struct object_id){"apps", "Deployment", "b", "x"}), -1);
	assert_int_equal(t.apps, 2);
	assert_int_equal(items_find_app(&t, "web"), 0);
	assert_int_equal(items_find_app(&t, "db"), 1);
	assert_int_equal(items_find_app(&t, ""), -1);
	assert_int_equal(t.item[1].app, 0);
	assert_int_equal(t.item[2].app, 1);
}

static void sentences_are_replaced_cut_and_forgotten(void **state)
{
	char text[HEALTH_TEXT * 2];
	(void)state;
	items_say(&t.item[0].why, "one");
	items_say(&t.item[0].why, "two");
	assert_string_equal(t.item[0].why, "two");
	items_say(&t.item[0].why, "");
	assert_null(t.item[0].why);
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	items_say(&t.item[0].problem, text);
	assert_int_equal(strlen(t.item[0].problem), HEALTH_TEXT - 1);
}

static void applied_is_what_was_applied_and_has_no_problem(void **state)
{
	struct item it = {.state = ITEM_DUE};
	(void)state;
	assert_false(items_is_applied(&it));
	it.revision = 5;
	assert_true(items_is_applied(&it));
	it.problem = (char[]){"x"};
	assert_false(items_is_applied(&it));
	it.state = ITEM_OVER;
	assert_true(items_is_applied(&it));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(objects_and_apps_are_found, setup, teardown),
		cmocka_unit_test_setup_teardown(sentences_are_replaced_cut_and_forgotten, setup, teardown),
		cmocka_unit_test(applied_is_what_was_applied_and_has_no_problem),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
