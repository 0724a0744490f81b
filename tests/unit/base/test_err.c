/* Errors as values: codes, growing messages, and what happens when they get too long. */
#include "base/err.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct err e;

static int setup(void **state)
{
	(void)state;
	memset(&e, 'x', sizeof(e)); /* err_set needs no initialised error */
	return 0;
}

static void set_gives_code_and_text(void **state)
{
	(void)state;
	assert_int_equal(err_set(&e, EINVAL, "line %d: %s", 3, "no"), -1);
	assert_int_equal(e.code, EINVAL);
	assert_string_equal(e.text, "line 3: no");
	err_clear(&e);
	assert_int_equal(e.code, 0);
	assert_string_equal(e.text, "");
}

static void a_code_is_never_zero(void **state)
{
	(void)state;
	(void)err_set(&e, 0, "odd");
	assert_int_equal(e.code, EIO);
	errno = 0;
	(void)err_sys(&e, "odd");
	assert_int_equal(e.code, EIO);
	assert_string_equal(e.text, "odd: Input/output error");
}

static void sys_takes_errno(void **state)
{
	(void)state;
	errno = ENOENT;
	assert_int_equal(err_sys(&e, "open %s", "/x"), -1);
	assert_int_equal(e.code, ENOENT);
	assert_string_equal(e.text, "open /x: No such file or directory");
}

static void prefixes_go_in_front(void **state)
{
	(void)state;
	errno = EACCES;
	(void)err_sys(&e, "open %s", "/x");
	assert_int_equal(err_prefix(&e, "service %s", "web"), -1);
	assert_int_equal(err_prefix(&e, "boot"), -1);
	assert_string_equal(e.text, "boot: service web: open /x: Permission denied");
	assert_int_equal(e.code, EACCES);
}

static void an_argument_may_be_the_old_text(void **state)
{
	(void)state;
	(void)err_set(&e, EINVAL, "inner");
	(void)err_set(&e, e.code, "outer (%s)", e.text);
	assert_string_equal(e.text, "outer (inner)");
	(void)err_prefix(&e, "again %s", e.text);
	assert_string_equal(e.text, "again outer (inner): outer (inner)");
	errno = EIO;
	(void)err_sys(&e, "%s", e.text);
	assert_string_equal(e.text, "again outer (inner): outer (inner): Input/output error");
}

static void assert_cut(void)
{
	assert_int_equal(strlen(e.text), ERR_TEXT - 1);
	assert_string_equal(e.text + ERR_TEXT - 4, "...");
	assert_int_not_equal(e.text[ERR_TEXT - 5], '.');
}

static void a_long_message_ends_in_dots(void **state)
{
	(void)state;
	char text[2 * ERR_TEXT];
	memset(text, 'a', sizeof(text));
	text[ERR_TEXT - 1] = '\0'; /* just fits */
	(void)err_set(&e, EINVAL, "%s", text);
	assert_string_equal(e.text, text);
	(void)err_prefix(&e, "p");
	assert_cut();
	assert_memory_equal(e.text, "p: aaa", 6);
	text[ERR_TEXT - 1] = 'a';
	text[ERR_TEXT] = '\0'; /* one too many */
	(void)err_set(&e, EINVAL, "%s", text);
	assert_cut();
	(void)err_prefix(&e, "%s", text);
	assert_cut();
	errno = EIO;
	(void)err_sys(&e, "%s", text);
	assert_cut();
	text[ERR_TEXT - 2] = '\0'; /* fits alone, not with what follows */
	(void)err_sys(&e, "%s", text);
	assert_cut();
}

static void a_cut_message_stays_marked_under_prefixes(void **state)
{
	(void)state;
	char text[2 * ERR_TEXT];
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	(void)err_set(&e, EINVAL, "%s", text);
	for (int i = 0; i < 5; i++)
		(void)err_prefix(&e, "p%d", i);
	assert_cut();
	assert_memory_equal(e.text, "p4: p3: p2: p1: p0: aaa", 23);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(set_gives_code_and_text, setup),
		cmocka_unit_test_setup(a_code_is_never_zero, setup),
		cmocka_unit_test_setup(sys_takes_errno, setup),
		cmocka_unit_test_setup(prefixes_go_in_front, setup),
		cmocka_unit_test_setup(an_argument_may_be_the_old_text, setup),
		cmocka_unit_test_setup(a_long_message_ends_in_dots, setup),
		cmocka_unit_test_setup(a_cut_message_stays_marked_under_prefixes, setup),
	};
	return cmocka_run_group_tests_name("base/err", tests, NULL, NULL);
}
