/* Checks which boot entries the confirm role may rename, and to what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/confirm.h"

static void expect_good(const char *entry, const char *slot, const char *want)
{
	char good[64] = "";
	assert_int_equal(confirm_name(entry, slot, good, sizeof(good)), 0);
	assert_string_equal(good, want);
}

static void counters_come_off(void **state)
{
	(void)state;
	expect_good("hearth-a+3.efi", "a", "hearth-a.efi");
	expect_good("hearth-a+2-1.efi", "a", "hearth-a.efi");
	expect_good("hearth-b+0-13.efi", "b", "hearth-b.efi");
}

static void other_entries_are_left_alone(void **state)
{
	static const char *const others[] = {
		"hearth-a.efi",   "hearth-b+3.efi",  "hearth-a+.efi",   "hearth-a+3",      "hearth-a+3.efi.new",
		"hearth-a+x.efi", "hearth-a+3-.efi", "hearth-a+-1.efi", "hearth-ab+3.efi", "",
	};
	char good[64];
	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_int_equal(confirm_name(others[i], "a", good, sizeof(good)), -1);
	assert_int_equal(confirm_name("hearth-+3.efi", "", good, sizeof(good)), -1);
	assert_int_equal(confirm_name("hearth-a+3.efi", "a", good, 4), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counters_come_off),
		cmocka_unit_test(other_entries_are_left_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
