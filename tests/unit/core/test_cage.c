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
#include <unistd.h>

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

static int one_user(const char *path, int flags, mode_t mode)
{
	static const char text[] = "root:x:0:0::/:\nweb:x:900:901::/:\nhalf:x:900:0::/:\n";
	int fds[2];

	(void)flags;
	(void)mode;
	assert_string_equal(path, "/etc/passwd");
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], text, strlen(text)), strlen(text));
	close(fds[1]);
	return fds[0];
}

static void root_is_no_user_of_a_cage(void **state)
{
	uid_t uid = 1;
	gid_t gid = 1;

	(void)state;
	fake_open = one_user;
	assert_int_equal(cage_find_user("root", &uid, &gid, &e), -1);
	assert_int_equal(cage_find_user("half", &uid, &gid, &e), -1);
	assert_non_null(strstr(e.text, "'half' of /etc/passwd is root"));
	assert_int_equal(cage_find_user("nobody", &uid, &gid, &e), -1);
	assert_true(uid == 1 && gid == 1);
	assert_int_equal(cage_find_user("web", &uid, &gid, &e), 0);
	assert_true(uid == 900 && gid == 901);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(conditions_hold),
		T(too_many_rows_are_an_error),
		T(each_step_may_fail),
		T(root_is_no_user_of_a_cage),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
