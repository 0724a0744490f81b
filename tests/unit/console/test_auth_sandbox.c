/* init/console/auth_sandbox.c: limits and filter are recorded. The process in it: tests/scenario/web/cage.py. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <cmocka.h>

#include "base/str.h"
#include "console/auth_sandbox.h"
#include "console/owner_record.h"
#include "fake/sys.h"
#include "unit/core/filter.h"

static struct err e;
static rlim_t limit[RLIM_NLIMITS];

static int note_setrlimit(int what, const struct rlimit *r)
{
	assert_int_equal(r->rlim_cur, r->rlim_max);
	limit[what] = r->rlim_max;
	return 0;
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	fake_setrlimit = note_setrlimit;
	fake_prctl = filter_prctl;
	filter_len = 0;
	for (size_t i = 0; i < COUNT_OF(limit); i++)
		limit[i] = RLIM_INFINITY;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_reset();
	return 0;
}

static void nothing_to_open_or_to_start(void **state)
{
	static const int none[] = {RLIMIT_NOFILE, RLIMIT_FSIZE, RLIMIT_NPROC, RLIMIT_CORE};

	(void)state;
	assert_int_equal(auth_sandbox_enter(&e), 0);
	for (size_t i = 0; i < COUNT_OF(none); i++)
		assert_int_equal(limit[none[i]], 0);
	assert_true(limit[RLIMIT_CPU] <= 60);
	assert_in_range(limit[RLIMIT_DATA] >> 10, OWNER_MEMORY + 1024, OWNER_MEMORY + 65536);
}

/* Each step that fails is an error, and the filter is never set after one. */
static void never_half_in(void **state)
{
	unsigned n = 1;

	(void)state;
	for (;; n++) {
		fake_fail_at(n, EPERM);
		filter_len = 0;
		int rc = auth_sandbox_enter(&e);
		if (!fake_fired())
			break;
		assert_int_equal(rc, -1);
		assert_int_equal(filter_len, 0);
	}
	assert_true(n > 8);
}

static void three_descriptors_one_way_each(void **state)
{
	static const struct {
		int nr, fd;
	} open[] = {{SYS_read, AUTH_PASSWORD},
	            {SYS_write, AUTH_LOG},
	            {SYS_recvmsg, AUTH_CHANNEL},
	            {SYS_sendmsg, AUTH_CHANNEL}};

	(void)state;
	assert_int_equal(auth_sandbox_enter(&e), 0);
	for (size_t i = 0; i < COUNT_OF(open); i++) {
		for (int fd = 0; fd < 8; fd++)
			assert_int_equal(filter_allows(open[i].nr, (uint64_t)fd, 0, 0, 0), fd == open[i].fd);
	}
}

static void the_filter_is_tight(void **state)
{
	static const int deadly[] = {SYS_open,   SYS_openat,   SYS_execve, SYS_clone,      SYS_socket,   SYS_connect,
	                             SYS_ptrace, SYS_kill,     SYS_tgkill, SYS_setrlimit,  SYS_prctl,    SYS_ioctl,
	                             SYS_fcntl,  SYS_recvfrom, SYS_sendto, SYS_setsockopt, SYS_shutdown, SYS_dup2};

	(void)state;
	assert_int_equal(auth_sandbox_enter(&e), 0);
	for (size_t i = 0; i < COUNT_OF(deadly); i++) {
		for (int fd = 0; fd < 8; fd++)
			assert_false(filter_allows(deadly[i], (uint64_t)fd, 0, 0, 0));
	}
	assert_true(filter_count(AUTH_CHANNEL, 0, 0, 0) < 20);
	assert_true(filter_allows(SYS_mmap, 0, 4096, PROT_READ | PROT_WRITE, 0));
	assert_false(filter_allows(SYS_mmap, 0, 4096, PROT_EXEC, 0));
	assert_false(filter_allows(SYS_mprotect, 0, 4096, PROT_READ | PROT_EXEC, 0));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(nothing_to_open_or_to_start),
		T(never_half_in),
		T(three_descriptors_one_way_each),
		T(the_filter_is_tight),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
