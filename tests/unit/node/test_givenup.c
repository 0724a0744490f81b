/* Which slot was given up without a word of its own. What is written then is the storage role's test. */
#include "node/givenup.h"

#include "base/str.h"
#include "box.h"

static struct bootenv b;
static struct ends all;

static void entries(const char *mine, const char *other)
{
	b.count = 0;
	if (*mine)
		assert_int_equal(bootenv_parse(&b.entry[b.count++], mine), 0);
	if (*other)
		assert_int_equal(bootenv_parse(&b.entry[b.count++], other), 0);
}

static void ended(const char *slot, int64_t time, const char *version)
{
	struct end n = {.kind = END_POWER_LOSS, .time = time};

	assert_int_equal(str_copy(n.slot, sizeof(n.slot), slot), 0);
	assert_int_equal(str_copy(n.version, sizeof(n.version), version), 0);
	ends_add(&all, &n);
}

static bool found(void)
{
	const struct givenup_install in = {"0.2.0", 1000};
	const struct bootenv_entry *en = givenup_find(&b, 'a', &in, &all);

	assert_true(en == NULL || en->slot == 'b');
	return en != NULL;
}

static void by_its_entry(void **state)
{
	static const struct {
		const char *mine, *other;
		bool given_up;
	} rows[] = {
		{"hearth-0001-a.efi", "hearth-0002-b+0-3.efi", true},
		{"hearth-0001-a.efi", "hearth-0002-b+2-1.efi", true}, /* its image did not start: the loader went on */
		{"hearth-0001-a.efi", "hearth-0002-b+0-1.efi", true}, /* its root was refused: stage 1 marked it */
		{"hearth-0001-a.efi", "hearth-0002-b+3.efi", false},  /* armed, not tried yet */
		{"hearth-0001-a.efi", "hearth-0002-b.efi", false},
		{"hearth-0003-a.efi", "hearth-0002-b+0-3.efi", false}, /* a later choice than that */
		{"hearth-0001-a.efi", "", false},
		{"", "hearth-0002-b+0-3.efi", false},
	};

	(void)state;
	all.count = 0;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		entries(rows[i].mine, rows[i].other);
		assert_int_equal(found(), rows[i].given_up);
	}
}

static void a_run_that_has_told_is_known(void **state)
{
	(void)state;
	all.count = 0;
	entries("hearth-0001-a.efi", "hearth-0002-b+0-3.efi");
	ended("a", 1200, "0.1.0");
	ended("b", 900, "0.0.9"); /* what was in that slot before */
	assert_true(found());
	ended("b", 1100, "");
	assert_false(found());
	all.count = 0;
	ended("b", 5, "0.2.0"); /* its clock was behind */
	assert_false(found());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_its_entry),
		cmocka_unit_test(a_run_that_has_told_is_known),
	};
	return cmocka_run_group_tests_name("givenup", tests, NULL, NULL);
}
