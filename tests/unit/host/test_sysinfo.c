/* Figures about the machine: the parsers, and files that are missing. */
#include "host/sysinfo.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "fake/sys.h"

static int setup(void **state)
{
	(void)state;
	fake_reset();
	return 0;
}

static int no_open(const char *path, int flags, mode_t mode)
{
	(void)path;
	(void)flags;
	(void)mode;
	errno = ENOENT;
	return -1;
}

static int fake_disk(const char *path, struct statvfs *st)
{
	assert_string_equal(path, "/data");
	memset(st, 0, sizeof(*st));
	st->f_frsize = 4096;
	st->f_blocks = 1000;
	st->f_bavail = 250;
	return 0;
}

static void test_meminfo(void **state)
{
	struct sysinfo_memory m;
	(void)state;
	sysinfo_meminfo("MemTotal:        2014512 kB\nMemFree: 1 kB\nMemAvailable:    1500000 kB\n", &m);
	assert_int_equal(m.total, 2014512ull * 1024);
	assert_int_equal(m.available, 1500000ull * 1024);
	sysinfo_meminfo("nothing of it", &m);
	assert_int_equal(m.total, 0);
	sysinfo_meminfo("MemTotal:", &m);
	assert_int_equal(m.total, 0);
}

static void test_cpu_list(void **state)
{
	static const struct {
		const char *text;
		unsigned cpus;
	} cases[] = {{"0\n", 1}, {"0-3\n", 4}, {"0-3,5\n", 5}, {"0-1,4-7,9", 7},
	             {"", 0},    {"x", 0},     {"5-1", 0},     {"0-99999999999999999999", 0}};
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_int_equal(sysinfo_cpu_list(cases[i].text), cases[i].cpus);
}

static void test_this_machine(void **state)
{
	struct sysinfo_memory m;
	char load[SYSINFO_LOAD];
	(void)state;
	sysinfo_memory(&m);
	assert_true(m.total > m.available && m.available > 0);
	sysinfo_load(load);
	assert_non_null(strchr(load, '.'));
	assert_true(sysinfo_cpus() >= 1);
}

static void test_missing_files(void **state)
{
	struct sysinfo_memory m;
	char load[SYSINFO_LOAD];
	(void)state;
	fake_open = no_open;
	sysinfo_memory(&m);
	assert_int_equal(m.total, 0);
	sysinfo_load(load);
	assert_string_equal(load, "");
	assert_int_equal(sysinfo_cpus(), 0);
	assert_int_equal(sysinfo_number("/nowhere"), 0);
	fake_reset();
}

static void test_disk(void **state)
{
	uint64_t total, available;
	struct err e;
	(void)state;
	fake_statvfs = fake_disk;
	assert_int_equal(sysinfo_disk("/data", &total, &available, &e), 0);
	assert_int_equal(total, 4096000);
	assert_int_equal(available, 1024000);
	fake_reset();
	assert_int_equal(sysinfo_disk("/nowhere-at-all", &total, &available, &e), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_meminfo, setup),      cmocka_unit_test_setup(test_cpu_list, setup),
		cmocka_unit_test_setup(test_this_machine, setup), cmocka_unit_test_setup(test_missing_files, setup),
		cmocka_unit_test_setup(test_disk, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
