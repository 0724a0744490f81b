/* The boot loader's word on tries: the variables as efivarfs gives them, and everything else. */
#include "boot/tries.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/paths.h"
#include "base/str.h"
#include "fake/sys.h"

static struct bootenv_entry en;
static struct err e;
static const char *counted, *entries; /* NULL: no such variable */

/* '|' ends a string, as the loader's list has it. */
static size_t variable(const char *text, uint8_t value[512])
{
	size_t n = 4;

	memset(value, 0, 512);
	value[0] = 6;
	for (const char *p = text; *p; p++, n += 2)
		value[n] = *p == '|' ? 0 : (uint8_t)*p;
	return n;
}

static int count(const char *text)
{
	uint8_t value[512];
	size_t n = variable(text, value);

	return tries_counted(&en, value, n);
}

static bool lists(char slot, const char *text)
{
	uint8_t value[512];
	size_t n = variable(text, value);

	return tries_lists(slot, value, n);
}

static void counted_entries(void **state)
{
	static const char *const none[] = {"",
	                                   "|",
	                                   "\\EFI\\Linux\\",
	                                   "\\EFI\\Linux\\debian+2-1.efi|",
	                                   "\\EFI\\Linux\\hearth-0007-b.efi|", /* not counted */
	                                   "\\EFI\\Linux\\hearth-0007-b+2-1.efi\\|",
	                                   "|\\EFI\\Linux\\hearth-0007-b+2-1.efi|"};
	uint8_t odd[] = {6, 0, 0, 0, 'h'};

	(void)state;
	assert_int_equal(count("\\EFI\\Linux\\hearth-0007-b+2-1.efi|"), 0);
	assert_true(en.slot == 'b' && en.generation == 7 && en.left == 2 && en.used == 1);
	assert_int_equal(count("\\EFI\\Linux\\hearth-0001-a+0-3.efi"), 0);
	assert_true(en.slot == 'a' && en.left == 0 && en.used == 3);
	assert_int_equal(count("hearth-0001-a+1.efi|"), 0);
	for (size_t i = 0; i < COUNT_OF(none); i++)
		assert_int_equal(count(none[i]), -1);
	for (size_t n = 0; n <= sizeof(odd); n++)
		assert_int_equal(tries_counted(&en, odd, n), -1);
}

static void the_list(void **state)
{
	(void)state;
	assert_true(lists('a', "hearth-0001-a.efi|hearth-0007-b.efi|auto-reboot-to-firmware-setup|"));
	assert_true(lists('b', "hearth-0001-a.efi|hearth-0007-b.efi|auto-reboot-to-firmware-setup|"));
	assert_true(lists('b', "debian.conf|hearth-0007-b.efi"));
	assert_false(lists('b', "hearth-0001-a.efi|auto-reboot-to-firmware-setup|"));
	assert_false(lists('b', "x-hearth-0007-b.efi|"));
	assert_false(lists('b', ""));
	assert_false(tries_lists('b', (const uint8_t *)"\6\0\0", 3));
}

static void which_start_is_a_trial(void **state)
{
	static const struct {
		const char *name;
		bool trial;
	} rows[] = {
		{"hearth-0007-b.efi", false},     {"hearth-0007-b+3.efi", true},
		{"hearth-0007-b+2-1.efi", true},  {"hearth-0007-b+0-3.efi", true}, /* the last try */
		{"hearth-0007-b+0-4.efi", false}, /* bad, and started all the same: all are */
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_int_equal(bootenv_parse(&en, rows[i].name), 0);
		assert_int_equal(tries_is_trial(&en), rows[i].trial);
	}
}

static int efi_open(const char *path, int flags, mode_t mode)
{
	const char *text = str_eq(path, PATH_EFI_COUNTED) ? counted : str_eq(path, PATH_EFI_ENTRIES) ? entries : NULL;
	uint8_t value[512];
	int fds[2];

	(void)flags;
	(void)mode;
	errno = ENOENT;
	if (text == NULL)
		return -1;
	ssize_t n = (ssize_t)variable(text, value);
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], value, (size_t)n), n);
	close(fds[1]);
	return fds[0];
}

static void both_together(void **state)
{
	struct bootenv_entry started;
	unsigned left = 9;

	(void)state;
	fake_open = efi_open;
	assert_int_equal(bootenv_parse(&started, "hearth-0007-b.efi"), 0);
	counted = "\\EFI\\Linux\\hearth-0007-b+2-1.efi|";
	entries = "hearth-0001-a.efi|hearth-0007-b.efi|";
	assert_int_equal(tries_read(&started, &left, &e), 0);
	assert_int_equal(left, 2);
	entries = "hearth-0007-b.efi|"; /* as after flashing */
	assert_int_equal(tries_read(&started, &left, &e), -1);
	assert_string_equal(e.text, "the boot loader knows no slot a");
	entries = NULL;
	assert_int_equal(tries_read(&started, &left, &e), -1);
	entries = "hearth-0001-a.efi|hearth-0007-b.efi|";
	counted = "\\EFI\\Linux\\hearth-0008-b+2-1.efi|"; /* of another start */
	assert_int_equal(tries_read(&started, &left, &e), -1);
	assert_string_equal(e.text, "the boot loader counts no tries of slot b");
	counted = NULL;
	assert_int_equal(tries_read(&started, &left, &e), -1);
	fake_reset();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counted_entries),
		cmocka_unit_test(the_list),
		cmocka_unit_test(which_start_is_a_trial),
		cmocka_unit_test(both_together),
	};
	return cmocka_run_group_tests_name("tries", tests, NULL, NULL);
}
