/* init/core/cage.c: users, and filters with conditions, run on recorded programs. */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>

#include <cmocka.h>

#include "base/str.h"
#include "core/cage.h"
#include "fake/sys.h"

static struct err e;
static struct sock_filter filter[1024];
static unsigned filter_len;

static int note_prctl(int op, unsigned long a, unsigned long b, unsigned long c, unsigned long d)
{
	(void)a;
	(void)c;
	(void)d;
	if (op != PR_SET_SECCOMP)
		return 0;
	const struct sock_fprog *prog = (const struct sock_fprog *)(uintptr_t)b;
	assert_true(prog->len <= COUNT_OF(filter));
	memcpy(filter, prog->filter, prog->len * sizeof(filter[0]));
	filter_len = prog->len;
	return 0;
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	fake_prctl = note_prctl;
	filter_len = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_reset();
	return 0;
}

/* Classic BPF, as much of it as the filter uses (linux/filter.h). */
static bool allows(int nr, uint64_t arg1, uint64_t arg2)
{
	const struct seccomp_data d = {.nr = nr, .arch = AUDIT_ARCH_X86_64, .args = {~0ull, arg1, arg2, ~0ull}};
	uint32_t acc = 0;
	for (unsigned pc = 0; pc < filter_len; pc++) {
		const struct sock_filter *f = &filter[pc];
		if (f->code == (BPF_LD | BPF_W | BPF_ABS))
			memcpy(&acc, (const char *)&d + f->k, 4);
		else if (f->code == (BPF_JMP | BPF_JEQ | BPF_K))
			pc += acc == f->k ? f->jt : f->jf;
		else if (f->code == (BPF_JMP | BPF_JSET | BPF_K))
			pc += acc & f->k ? f->jt : f->jf;
		else if (f->code == (BPF_RET | BPF_K))
			return f->k == SECCOMP_RET_ALLOW;
		else
			fail_msg("unknown instruction %x", f->code);
	}
	fail_msg("ran off the end");
	return false;
}

static void conditions_hold(void **state)
{
	static const uint16_t plain[] = {10};
	static const struct cage_call with[] = {{11, 1, 3, 0}, {12, 2, 0, 4}, {13, 2, 1, 4}};
	const struct cage_filter f = {plain, COUNT_OF(plain), with, COUNT_OF(with)};

	(void)state;
	assert_int_equal(cage_close(&f, &e), 0);
	assert_true(allows(10, 0, 0));
	assert_true(allows(10, ~0ull, ~0ull));
	assert_false(allows(9, 0, 0));
	assert_false(allows(14, 0, 0));
	assert_true(allows(11, 4, 3));
	assert_true(allows(11, 0, 0));
	assert_false(allows(11, 1, 0));
	assert_false(allows(11, 2, 0));
	assert_true(allows(12, 0, 4));
	assert_true(allows(12, 0, 7));
	assert_false(allows(12, 4, 3));
	assert_true(allows(13, 0, 4));
	assert_false(allows(13, 0, 5));
	assert_false(allows(13, 0, 0));
}

static void too_many_rows_are_an_error(void **state)
{
	static const uint16_t plain[CAGE_CALLS];
	static const struct cage_call with[1];

	(void)state;
	assert_int_equal(cage_close(&(struct cage_filter){plain, CAGE_CALLS - 1, with, 1}, &e), 0);
	assert_int_equal(cage_close(&(struct cage_filter){plain, CAGE_CALLS, with, 1}, &e), -1);
}

static void each_step_may_fail(void **state)
{
	const struct cage_filter f = {0};
	unsigned n = 1;

	(void)state;
	for (;; n++) {
		fake_fail_at(n, EPERM);
		int rc = cage_close(&f, &e);
		if (!fake_fired())
			break;
		assert_int_equal(rc, -1);
	}
	assert_int_equal(n, 4);
}

/* ---- /etc/passwd ---- */

static void finds_the_user(void **state)
{
	static const struct {
		const char *text;
		unsigned uid, gid; /* 0: refused */
	} cases[] = {
		{"web:x:900:901:c:/:/bin/false\n", 900, 901},
		{"web:x:900:901", 900, 901},
		{"root:x:0:0::/:\nwebmaster:x:1:1:\nweb:x:2:3:\n", 2, 3},
		{"\n\nweb::4294967294:1:\n", 4294967294u, 1},
		{"", 0, 0},
		{"web", 0, 0},
		{"web:", 0, 0},
		{"web:x", 0, 0},
		{"web:x:900", 0, 0},
		{"web:x:900\n:901:\n", 0, 0},
		{"web:x:0:901:\n", 0, 0},
		{"web:x:900:0:\n", 0, 0},
		{"web:x:-1:901:\n", 0, 0},
		{"web:x:4294967295:901:\n", 0, 0},
		{"web:x:99999999999999999999:1:\n", 0, 0},
		{"web:x::1:\n", 0, 0},
		{"xweb:x:900:901:\n", 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		uid_t uid = 0;
		gid_t gid = 0;
		int rc = cage_user(cases[i].text, "web", &uid, &gid, &e);
		assert_int_equal(rc, cases[i].uid ? 0 : -1);
		if (cases[i].uid) {
			assert_int_equal(uid, cases[i].uid);
			assert_int_equal(gid, cases[i].gid);
		}
	}
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(conditions_hold),
		T(too_many_rows_are_an_error),
		T(each_step_may_fail),
		T(finds_the_user),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
