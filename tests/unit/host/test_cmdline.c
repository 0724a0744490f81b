/* The kernel's command line: the words that are ours, and everybody else's. */
#include "host/cmdline.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake/sys.h"

#define HASH "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define UUID "6f1d4c0e-1111-4222-8333-444455556666"

static struct cmdline c;
static struct err e;

static int parse(const char *text)
{
	return cmdline_parse(&c, text, strlen(text), &e);
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	memset(&e, 0, sizeof(e));
	return 0;
}

static void kubernetes_can_be_left_out(void **state)
{
	(void)state;
	assert_int_equal(parse("quiet"), 0);
	assert_false(c.no_kubernetes);
	assert_int_equal(parse("hearth.kubernetes=off"), 0);
	assert_true(c.no_kubernetes);
	assert_int_equal(parse("hearth.kubernetes=off hearth.kubernetes=on"), 0);
	assert_false(c.no_kubernetes);
	assert_int_equal(parse("hearth.kubernetes=no"), -1);
	assert_string_equal(e.text, "kernel command line: hearth.kubernetes=no: must be on or off");
}

static void words_for_a_box_in_trouble(void **state)
{
	(void)state;
	assert_int_equal(parse("quiet"), 0);
	assert_false(c.safe || c.hang);
	assert_int_equal(parse("quiet hearth.safe hearth.test=hang"), 0);
	assert_true(c.safe && c.hang && !c.hang_early);
	assert_int_equal(parse("hearth.test=hang-early"), 0);
	assert_true(c.hang_early && !c.hang);
	assert_int_equal(parse("hearth.safe=off"), -1);
	assert_string_equal(e.text, "kernel command line: hearth.safe=off: must be without a value");
	assert_false(c.safe);
	assert_int_equal(parse("hearth.test=stand"), -1);
}

static void the_words_of_a_slot(void **state)
{
	(void)state;
	assert_int_equal(parse("hearth.slot=a hearth.root=" UUID " hearth.roothash=" HASH " console=tty0 quiet\n"), 0);
	assert_true(c.has_root);
	assert_string_equal(c.slot, "a");
	assert_string_equal(c.uuid_text, UUID);
	assert_string_equal(c.roothash, HASH);
	assert_int_equal(c.uuid[0], 0x6f);
	assert_int_equal(c.uuid[15], 0x66);
}

static void what_is_missing_is_empty(void **state)
{
	(void)state;
	assert_int_equal(parse(""), 0);
	assert_false(c.has_root);
	assert_string_equal(c.slot, "");
	assert_int_equal(parse("hearth.root=" UUID), 0);
	assert_false(c.has_root);
	assert_int_equal(parse("hearth.roothash=" HASH), 0);
	assert_false(c.has_root);
}

static void the_last_word_counts(void **state)
{
	(void)state;
	assert_int_equal(parse("hearth.slot=a\thearth.slot=b"), 0);
	assert_string_equal(c.slot, "b");
}

static void other_words_are_ignored(void **state)
{
	char text[2048];

	(void)state;
	assert_int_equal(parse("root=/dev/sda xhearth.slot=z hearth.slots=z hearth.other=1 -- hearth"), 0);
	assert_string_equal(c.slot, "");
	/* Longer than any word of ours; a cut head must not turn into one. */
	memset(text, 'x', sizeof(text));
	memcpy(text, "console=", 8);
	assert_int_equal(cmdline_parse(&c, text, sizeof(text), &e), 0);
}

static void bad_values_are_errors(void **state)
{
	static const char *const bad[] = {
		"hearth.slot=c",
		"hearth.slot=",
		"hearth.root=6f1d4c0e-1111-4222-8333-44445555666",
		"hearth.root=6f1d4c0e-1111-4222-8333-4444555566667",
		"hearth.root=6F1D4C0E-1111-4222-8333-444455556666",
		"hearth.root=6f1d4c0e+1111-4222-8333-444455556666",
		"hearth.root=6f1d4c0e-1111-4222-8333-44445555666g",
		"hearth.roothash=" HASH "0",
		"hearth.roothash=0011",
		"hearth.roothash=x0112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(parse(bad[i]), -1);
		assert_int_equal(e.code, EINVAL);
		assert_non_null(strstr(e.text, "must be"));
	}
}

static int bytes_open(const char *path, int flags, mode_t mode)
{
	char file[] = "/tmp/hearth-test-cmdline-XXXXXX";

	(void)mode;
	assert_string_equal(path, "/proc/cmdline");
	int fd = mkostemp(file, flags & O_CLOEXEC);
	unlink(file);
	assert_true(write(fd, "quiet hearth.slot=b\n", 20) == 20);
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static void read_from_the_kernel(void **state)
{
	unsigned before = fake_open_fds();

	(void)state;
	fake_open = bytes_open;
	assert_int_equal(cmdline_read(&c, &e), 0);
	assert_string_equal(c.slot, "b");
	for (unsigned n = 1; n < 10; n++) {
		fake_fail_at(n, EIO);
		int rc = cmdline_read(&c, &e);
		assert_int_equal(rc, fake_fired() ? -1 : 0);
		if (!fake_fired())
			break;
	}
	fake_fail_at(0, 0);
	assert_int_equal(fake_open_fds(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(kubernetes_can_be_left_out, setup),
		cmocka_unit_test_setup(words_for_a_box_in_trouble, setup),
		cmocka_unit_test_setup(the_words_of_a_slot, setup),
		cmocka_unit_test_setup(what_is_missing_is_empty, setup),
		cmocka_unit_test_setup(the_last_word_counts, setup),
		cmocka_unit_test_setup(other_words_are_ignored, setup),
		cmocka_unit_test_setup(bad_values_are_errors, setup),
		cmocka_unit_test_setup(read_from_the_kernel, setup),
	};

	return cmocka_run_group_tests_name("cmdline", tests, NULL, NULL);
}
