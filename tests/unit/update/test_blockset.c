/* The set of blocks: what is in it, and the runs of what is not. */
#include "update/blockset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct blockset s;
static struct err e;

/* A set from a picture: '#' is in it, '.' is not. */
static void draw(const char *picture)
{
	assert_int_equal(blockset_init(&s, strlen(picture), &e), 0);
	for (uint64_t i = 0; picture[i]; i++) {
		if (picture[i] == '#')
			blockset_add(&s, i);
	}
}

/* All runs as "first+count first+count". */
static const char *runs(const char *picture, uint64_t gap, uint64_t max)
{
	static char text[256];
	size_t len = 0;
	struct run r;

	draw(picture);
	text[0] = '\0';
	for (uint64_t from = 0; blockset_missing(&s, from, gap, max, &r); from = r.first + r.count) {
		assert_true(r.count > 0);
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%d+%d", len ? " " : "", (int)r.first,
		                        (int)r.count);
	}
	blockset_fini(&s);
	return text;
}

static void a_block_counts_once(void **state)
{
	(void)state;
	assert_int_equal(blockset_init(&s, 17, &e), 0);
	assert_int_equal(s.count, 0);
	blockset_add(&s, 16);
	blockset_add(&s, 16);
	blockset_add(&s, 7);
	assert_int_equal(s.count, 2);
	for (uint64_t i = 0; i < 17; i++)
		assert_int_equal(blockset_has(&s, i), i == 7 || i == 16);
	blockset_fini(&s);
}

static void runs_of_what_is_missing(void **state)
{
	(void)state;
	assert_string_equal(runs("........", 0, 0), "0+8");
	assert_string_equal(runs("########", 0, 0), "");
	assert_string_equal(runs("", 0, 0), "");
	assert_string_equal(runs(".", 0, 0), "0+1");
	assert_string_equal(runs("#.", 5, 0), "1+1");
	assert_string_equal(runs("##..#...#", 0, 0), "2+2 5+3");
	assert_string_equal(runs(".#.##.###.####", 0, 0), "0+1 2+1 5+1 9+1");
}

static void gaps_are_bridged(void **state)
{
	(void)state;
	assert_string_equal(runs(".#.##.###.####", 1, 0), "0+3 5+1 9+1");
	assert_string_equal(runs(".#.##.###.####", 2, 0), "0+6 9+1");
	assert_string_equal(runs(".#.##.###.####", 3, 0), "0+10"); /* the end is no gap */
	assert_string_equal(runs("####.", 100, 0), "4+1");
}

static void runs_have_a_longest(void **state)
{
	(void)state;
	assert_string_equal(runs("........", 0, 3), "0+3 3+3 6+2");
	assert_string_equal(runs("........", 0, 8), "0+8");
	assert_string_equal(runs("........", 0, 100), "0+8");
	assert_string_equal(runs(".#.#.#.#", 1, 4), "0+3 4+3"); /* never ends in a gap */
	assert_string_equal(runs("....", 0, 1), "0+1 1+1 2+1 3+1");
}

static void a_set_is_copied(void **state)
{
	struct blockset other;

	(void)state;
	draw("#.#.#.#.#");
	assert_int_equal(blockset_init(&other, 9, &e), 0);
	blockset_add(&other, 1);
	blockset_copy(&other, &s);
	assert_int_equal(other.count, 5);
	assert_false(blockset_has(&other, 1));
	assert_true(blockset_has(&other, 8));
	blockset_fini(&other);
	blockset_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_block_counts_once), cmocka_unit_test(runs_of_what_is_missing),
		cmocka_unit_test(gaps_are_bridged),    cmocka_unit_test(runs_have_a_longest),
		cmocka_unit_test(a_set_is_copied),
	};

	return cmocka_run_group_tests_name("blockset", tests, NULL, NULL);
}
