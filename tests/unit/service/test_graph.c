/* service/graph: links, cycles, the queue. What follows from them is in test_table. */
#include "unit/service/box.h"

#include "service/graph.h"

static void the_queue_holds_each_once(void **state)
{
	(void)state;
	box_add("a", "");
	box_add("b", "");
	box_load();
	for (int round = 0; round < 3 * LIMIT_SERVICES; round++) { /* around the ring */
		graph_queue(box_get("b"));
		graph_queue(box_get("a"));
		graph_queue(box_get("b"));
		assert_ptr_equal(graph_pop(&box.services), box_get("b"));
		assert_ptr_equal(graph_pop(&box.services), box_get("a"));
		assert_null(graph_pop(&box.services));
	}
}

static void names(void **state)
{
	(void)state;
	box_add("network", "");
	box_add("a", "");
	box_load();
	assert_string_equal(graph_nearest(&box.services, "netwrk"), "network");
	assert_null(graph_nearest(&box.services, "b")); /* everything is near a name of one letter */
	assert_null(graph_nearest(&box.services, "storage"));
	assert_null(graph_find(&box.services, "net"));
}

static void two_cycles_are_told_apart(void **state)
{
	(void)state;
	box_add("a", "requires: [b]\n");
	box_add("b", "requires: [a]\n");
	box_add("c", "after: [d]\n");
	box_add("d", "after: [c]\n");
	box_add("e", "requires: [a, f]\nafter: [f]\n");
	box_add("f", "");
	assert_int_equal(box_load(), 4);
	assert_non_null(strstr(box.problems, "/b.yaml:3: these need each other: a -> b -> a; "));
	assert_non_null(strstr(box.problems, "/d.yaml:3: these need each other: c -> d -> c; "));
	assert_false(box_get("e")->refused);
	/* Once more gives the same, not twice as much. */
	assert_int_equal(services_link(&box.services, NULL, NULL), 4);
	assert_int_equal(box_get("e")->links, 3);
}

/* As many services as there may be in one chain, and the chain closed. */
static void a_long_cycle_needs_no_stack(void **state)
{
	char name[16], more[64];
	(void)state;

	for (int i = 0; i < LIMIT_SERVICES; i++) {
		snprintf(name, sizeof(name), "s%03d", i);
		snprintf(more, sizeof(more), "requires: [s%03d]\n", (i + 1) % LIMIT_SERVICES);
		box_add(name, more);
	}
	assert_int_equal(box_load(), LIMIT_SERVICES);
	assert_non_null(strstr(box.problems, "s000 -> s001 -> "));
	assert_non_null(strstr(box.problems, "...\n"));
}

static void keep_spreads(void **state)
{
	(void)state;
	box_add("a", "");
	box_add("b", "requires: [a]\n");
	box_add("c", "requires: [b]\nafter: [d]\nkeep: true\n");
	box_add("d", "");
	box_load();
	assert_true(box_get("a")->keep && box_get("b")->keep && box_get("c")->keep);
	assert_false(box_get("d")->keep);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, box_setup, box_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_queue_holds_each_once),   TEST(names),        TEST(two_cycles_are_told_apart),
		TEST(a_long_cycle_needs_no_stack), TEST(keep_spreads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
