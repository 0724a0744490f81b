/* The one thing of PID 1's main that can be tried in a process that is not PID 1; the scenarios run the rest. */
#include "boot/init.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/exit.h"

static void test_only_as_pid_1(void **state)
{
	char name[] = "init";
	char *argv[] = {name, NULL};
	(void)state;
	assert_int_not_equal(getpid(), 1);
	assert_int_equal(init_main(1, argv), EXIT_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_only_as_pid_1)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
