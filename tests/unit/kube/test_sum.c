/* init/kube/sum.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "kube/sum.h"

static struct manifest_object objects[] = {
	{.group = "apps", .kind = "Deployment", .namespace = "a", .name = "one", .app = "web"},
	{.group = "", .kind = "Service", .namespace = "a", .name = "two", .app = "web"},
	{.group = "", .kind = "ConfigMap", .namespace = "b", .name = "three", .app = "db"},
};
static const struct manifest m = {.object = objects, .count = 3};
static struct apply a;
static struct err e;
static char text[200];

static int setup(void **state)
{
	(void)state;
	memset(&a, 0, sizeof(a));
	if (items_init(&a.t, &m, &e) < 0)
		return -1;
	for (unsigned i = 0; i < 3; i++) {
		a.t.item[i].state = ITEM_DONE;
		a.t.item[i].revision = a.t.item[i].seen = 5;
		a.t.item[i].health = HEALTH_CURRENT;
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	items_free(&a.t);
	return 0;
}

static void expect(int app, enum sum_verdict v, unsigned applied, unsigned ready, const char *sentence)
{
	struct buf b;
	struct sum s = sum_of(&a, app);
	buf_init(&b, text, sizeof(text));
	sum_text(&a, app, &s, &b);
	assert_string_equal(sum_name(s.verdict), sum_name(v));
	assert_int_equal(s.applied, applied);
	assert_int_equal(s.ready, ready);
	assert_string_equal(text, sentence);
}

static void the_worst_object_speaks(void **state)
{
	(void)state;
	expect(0, SUM_HEALTHY, 2, 2, "2 objects");
	expect(-1, SUM_HEALTHY, 3, 3, "3 objects");
	a.t.item[1].health = HEALTH_IN_PROGRESS;
	items_say(&a.t.item[1].why, "wait for it");
	expect(0, SUM_PROGRESSING, 2, 1, "1/2; Service a/two: wait for it");
	a.t.item[0].health = HEALTH_FAILED;
	expect(0, SUM_DEGRADED, 2, 0, "0/2; Deployment a/one: not there yet");
	items_say(&a.t.item[1].problem, "refused");
	expect(0, SUM_FAILED, 1, 0, "0/2; Service a/two: refused");
	expect(1, SUM_HEALTHY, 1, 1, "1 objects");
	expect(-1, SUM_FAILED, 2, 1, "1/3; Service a/two: refused");
}

static void paused_apps_say_so_and_count_for_themselves_only(void **state)
{
	(void)state;
	a.t.app[0].paused = true;
	items_say(&a.t.item[0].problem, "x");
	expect(-1, SUM_HEALTHY, 1, 1, "1 objects");
	expect(0, SUM_FAILED, 1, 1, "paused; 1/2; Deployment a/one: x");
	items_say(&a.t.item[0].problem, "");
	a.t.item[0].revision = 0; /* after a restart it is not applied, only seen */
	expect(0, SUM_HEALTHY, 1, 2, "paused; 2 objects");
}

static void what_has_not_come_is_in_progress(void **state)
{
	(void)state;
	a.t.item[2] = (struct item){.app = 1};
	expect(1, SUM_PROGRESSING, 0, 0, "0/1; ConfigMap b/three: its wave has not come yet");
	a.t.item[2].state = ITEM_DUE;
	expect(1, SUM_PROGRESSING, 0, 0, "0/1; ConfigMap b/three: not there yet");
	a.t.item[2].state = ITEM_OVER;
	expect(1, SUM_HEALTHY, 1, 1, "1 objects");
}

static void what_may_be_of_the_last_boot_is_in_progress(void **state)
{
	(void)state;
	a.t.unseen = true;
	expect(0, SUM_PROGRESSING, 2, 1, "1/2; Deployment a/one: its containers of this boot are not seen yet");
	expect(1, SUM_HEALTHY, 1, 1, "1 objects"); /* no pods, nothing to wait for */
	assert_string_equal(sum_item_name(&a, &a.t.item[0]), "progressing");
	assert_string_equal(sum_item_text(&a, &a.t.item[0]), "its containers of this boot are not seen yet");
	a.t.item[0].health = HEALTH_FAILED;
	items_say(&a.t.item[0].why, "no progress in time"); /* bad news are believed */
	expect(0, SUM_DEGRADED, 2, 1, "1/2; Deployment a/one: no progress in time");
	a.t.item[0].health = HEALTH_CURRENT;
	a.t.unseen = false;
	expect(0, SUM_HEALTHY, 2, 2, "2 objects");
}

static void expect_apps(bool healthy, const char *sentence)
{
	struct buf b;
	buf_init(&b, text, sizeof(text));
	assert_int_equal(sum_apps(&a, &b), healthy);
	assert_string_equal(text, sentence);
}

static void apps_are_counted(void **state)
{
	(void)state;
	expect_apps(true, "2 of 2 apps healthy");
	a.t.item[0].health = HEALTH_IN_PROGRESS;
	expect_apps(false, "1 of 2 apps healthy; waiting for web");
	a.t.item[2].health = HEALTH_IN_PROGRESS;
	expect_apps(false, "0 of 2 apps healthy; waiting for web, db");
	a.t.app[0].paused = true;
	expect_apps(false, "0 of 1 apps healthy, 1 paused; waiting for db");
	a.t.item[2].health = HEALTH_CURRENT;
	expect_apps(true, "1 of 1 apps healthy, 1 paused");
}

static void of_many_apps_the_first_are_named(void **state)
{
	static const char *const names[] = {"a", "b", "c", "d", "e"};
	(void)state;
	a.t.apps = 5;
	for (unsigned i = 0; i < 5; i++)
		a.t.app[i] = (struct item_app){.name = names[i]};
	for (unsigned i = 0; i < 3; i++) {
		a.t.item[i].app = (uint8_t)(i + 1);
		a.t.item[i].health = HEALTH_FAILED;
	}
	expect_apps(false, "2 of 5 apps healthy; waiting for b, c and 1 more");
	a.t.item[0].app = 0;
	expect_apps(false, "2 of 5 apps healthy; waiting for a, c and 1 more");
	a.t.app[0].paused = true;
	expect_apps(false, "2 of 4 apps healthy, 1 paused; waiting for c, d");
}

static void objects_have_one_word(void **state)
{
	struct item *it = &a.t.item[0];
	(void)state;
	assert_string_equal(sum_item_name(&a, it), "current");
	it->health = HEALTH_IN_PROGRESS;
	assert_string_equal(sum_item_name(&a, it), "progressing");
	it->drift = ITEM_CHANGED;
	assert_string_equal(sum_item_name(&a, it), "drifted");
	it->health = HEALTH_FAILED;
	assert_string_equal(sum_item_name(&a, it), "failed");
	*it = (struct item){.seen = 0};
	assert_string_equal(sum_item_name(&a, it), "missing");
	it->state = ITEM_OVER;
	assert_string_equal(sum_item_name(&a, it), "current");
	*it = (struct item){.seen = 7};
	assert_string_equal(sum_item_name(&a, it), "progressing");
	a.t.app[0].paused = true;
	it->health = HEALTH_CURRENT;
	assert_string_equal(sum_item_name(&a, it), "current");
	assert_string_equal(sum_item_text(&a, it), "");
	items_say(&it->why, "health");
	assert_string_equal(sum_item_text(&a, it), "health");
	items_say(&it->problem, "problem");
	assert_string_equal(sum_item_text(&a, it), "problem");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_worst_object_speaks),
		TEST(paused_apps_say_so_and_count_for_themselves_only),
		TEST(what_has_not_come_is_in_progress),
		TEST(what_may_be_of_the_last_boot_is_in_progress),
		TEST(apps_are_counted),
		TEST(of_many_apps_the_first_are_named),
		TEST(objects_have_one_word),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
