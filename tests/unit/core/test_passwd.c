/* Users of a passwd(5) file: found, not found, and lines that are broken. */
#include "core/passwd.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "fake/sys.h"

static struct err e;

static void whole_lines(void **state)
{
	static const struct {
		const char *text;
		unsigned uid, gid;
	} rows[] = {
		{"web:x:900:901:c:/:/bin/false\n", 900, 901},
		{"web:x:900:901", 900, 901},
		{"web:x:900:901\n", 900, 901},
		{"root:x:0:0::/:\nwebmaster:x:1:1:\nweb:x:2:3:\n", 2, 3},
		{"\n\nweb::4294967294:1:\n", 4294967294u, 1},
		{"web:x:0:0:\n", 0, 0}, /* who may be root is the caller's */
	};
	struct passwd_user u;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_int_equal(passwd_find(rows[i].text, "web", &u, &e), 0);
		assert_int_equal(u.uid, rows[i].uid);
		assert_int_equal(u.gid, rows[i].gid);
	}
}

static void anything_else(void **state)
{
	static const struct {
		const char *text;
		int code;
	} rows[] = {
		{"", ENOENT},
		{"web", ENOENT},
		{"xweb:x:900:901:\n", ENOENT},
		{"webs:x:900:901:\n", ENOENT},
		{"web:", EINVAL},
		{"web:x", EINVAL},
		{"web:x:900", EINVAL},
		{"web:x:900\n:901:\n", EINVAL},
		{"web:x::1:\n", EINVAL},
		{"web:x:-1:901:\n", EINVAL},
		{"web:x:4294967295:901:\n", EINVAL}, /* "no change" to setresuid: stays root */
		{"web:x:900:4294967295:\n", EINVAL},
		{"web:x:99999999999999999999:1:\n", EINVAL},
	};
	struct passwd_user u;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_int_equal(passwd_find(rows[i].text, "web", &u, &e), -1);
		assert_int_equal(e.code, rows[i].code);
		assert_non_null(strstr(e.text, "'web' in /etc/passwd"));
	}
}

static void the_file(void **state)
{
	struct passwd_user u;

	(void)state;
	assert_int_equal(passwd_user("root", &u, &e), 0);
	assert_int_equal(u.uid, 0);
	assert_int_equal(passwd_user("no-such-user-here", &u, &e), -1);
	assert_int_equal(passwd_read("/nowhere/passwd", "root", &u, &e), -1);
	assert_non_null(strstr(e.text, "/nowhere/passwd"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_lines),
		cmocka_unit_test(anything_else),
		cmocka_unit_test(the_file),
	};
	return cmocka_run_group_tests_name("passwd", tests, NULL, NULL);
}
