/* init/kube/applied.c, in a folder of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/str.h"
#include "fake/sys.h"
#include "kube/applied.h"

static char folder[64], path[96], text[1024];
static struct manifest_object objects[3];
static const struct manifest m = {.object = objects, .count = 3};
static struct items t;
static struct err e;

static int setup(void **state)
{
	(void)state;
	fake_reset();
	memcpy(folder, "/tmp/hearth-applied-XXXXXX", 27);
	for (unsigned i = 0; i < 3; i++) {
		objects[i] = (struct manifest_object){.group = "",
		                                      .kind = "ConfigMap",
		                                      .namespace = "ns",
		                                      .name = &"abc"[i],
		                                      .app = "x",
		                                      .hash = i + 1};
	}
	if (!mkdtemp(folder) || items_init(&t, &m, &e) < 0)
		return -1;
	return str_format(path, sizeof(path), "%s/applied", folder);
}

static int teardown(void **state)
{
	(void)state;
	fake_reset();
	items_free(&t);
	(void)unlink(path);
	return rmdir(folder);
}

static void read_again(void)
{
	items_free(&t);
	assert_int_equal(items_init(&t, &m, &e), 0);
	assert_int_equal(applied_read(path, &t, &e), 0);
}

static void write_two(void)
{
	t.item[0].state = t.item[1].state = t.item[2].state = ITEM_DONE;
	t.item[0].owned = 0xdeadbeef;
	t.item[1].owned = 7;
	t.item[2].state = ITEM_DUE; /* somebody has just changed it */
	t.item[2].owned = 9;
	assert_int_equal(applied_write(path, &t, &e), 0);
}

static void what_was_applied_is_known_to_the_next_run(void **state)
{
	(void)state;
	write_two();
	read_again();
	assert_true(t.item[0].known && t.item[1].known);
	assert_int_equal(t.item[0].owned, 0xdeadbeef);
	assert_int_equal(t.item[1].owned, 7);
	assert_false(t.item[2].known);
}

static void a_job_that_is_over_stays_over(void **state)
{
	(void)state;
	objects[0].kind = "Job";
	t.item[0].state = t.item[1].state = ITEM_OVER;
	t.item[0].owned = t.item[1].owned = 7;
	assert_int_equal(applied_write(path, &t, &e), 0);
	read_again();
	assert_int_equal(t.item[0].state, ITEM_OVER);
	assert_int_equal(t.item[1].state, ITEM_WAITING); /* no Job: nothing is left out for good */
	assert_false(t.item[0].known || t.item[1].known);
	objects[0].hash = 77; /* another Job of this name */
	read_again();
	assert_int_equal(t.item[0].state, ITEM_WAITING);
}

static void another_body_is_not_known(void **state)
{
	(void)state;
	write_two();
	objects[0].hash = 77;
	read_again();
	assert_false(t.item[0].known);
	assert_true(t.item[1].known);
}

static void other_places_in_the_table_are_found(void **state)
{
	(void)state;
	write_two();
	objects[0].hash = 2;
	objects[1].hash = 77;
	objects[2].hash = 1;
	read_again();
	assert_true(t.item[0].known && t.item[2].known && !t.item[1].known);
	assert_int_equal(t.item[2].owned, 0xdeadbeef);
}

static void no_file_and_rubbish_know_nothing(void **state)
{
	static const char *const tails[] = {"",
	                                    "x",
	                                    "00000000000000000000000000000001 0000000",
	                                    "00000000000000000000000000000001 0000000x\n",
	                                    "00000000000000000000000000000001x00000007\n",
	                                    "00000000000000000000000000000001 00000000\n",
	                                    "00000000000000000000000000000001 000000070"};
	(void)state;
	read_again();
	assert_false(t.item[0].known);
	write_two();
	struct buf b;
	buf_init(&b, text, sizeof(text));
	assert_int_equal(file_read(path, &b, &e), 0);
	char *lines = strchr(text, '\n') + 1;
	for (size_t i = 0; i < COUNT_OF(tails); i++) {
		assert_int_equal(str_copy(lines, 200, tails[i]), 0);
		assert_int_equal(file_replace(path, text, strlen(text), 0644, &e), 0);
		read_again();
		assert_false(t.item[0].known);
	}
	text[0] = 'A'; /* written by another version */
	assert_int_equal(str_copy(lines, 200, "00000000000000000000000000000001 00000007\n"), 0);
	assert_int_equal(file_replace(path, text, strlen(text), 0644, &e), 0);
	read_again();
	assert_false(t.item[0].known);
}

static void a_folder_that_is_not_there_is_an_error_to_write(void **state)
{
	(void)state;
	assert_int_equal(applied_write("/nowhere/at/all", &t, &e), -1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_was_applied_is_known_to_the_next_run),
		TEST(a_job_that_is_over_stays_over),
		TEST(another_body_is_not_known),
		TEST(other_places_in_the_table_are_found),
		TEST(no_file_and_rubbish_know_nothing),
		TEST(a_folder_that_is_not_there_is_an_error_to_write),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
