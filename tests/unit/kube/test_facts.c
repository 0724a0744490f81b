/* init/kube/facts.c: names of apps as names of facts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "kube/facts.h"

static void apps_have_names_that_facts_may_have(void **state)
{
	char name[LIMIT_NAME];
	(void)state;
	facts_app_name("web.Site_2", name);
	assert_string_equal(name, "app-web--ite-2");
	facts_app_name("a-name-that-is-longer-than-a-fact-may-be", name);
	assert_int_equal(strlen(name), LIMIT_NAME - 1);
	assert_true(str_is_name(name));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(apps_have_names_that_facts_may_have),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
