/* boot/check: `hearth check` over good and bad files. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "boot/check.h"
#include "fake/sys.h"

static char dir[64];
static char said[4096]; /* stdout and stderr of the last run */

static void put(const char *file, const char *text)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static int run(const char *arg1, const char *arg2)
{
	char name[] = "check", a[256] = "", b[256] = "", path[128];
	char *argv[] = {name, arg1 ? a : NULL, arg2 ? b : NULL, NULL};
	int out = dup(1), err = dup(2);

	if (arg1)
		snprintf(a, sizeof(a), "%s%s", arg1[0] == '-' ? "" : dir, arg1);
	if (arg2)
		snprintf(b, sizeof(b), "%s%s", dir, arg2);
	snprintf(path, sizeof(path), "%.60s.out", dir);
	fflush(stdout);
	FILE *f = fopen(path, "w+");
	assert_non_null(f);
	dup2(fileno(f), 1);
	dup2(fileno(f), 2);
	int rc = check_main(1 + (arg1 != NULL) + (arg2 != NULL), argv);
	fflush(stdout);
	dup2(out, 1);
	dup2(err, 2);
	close(out);
	close(err);
	rewind(f);
	said[fread(said, 1, sizeof(said) - 1, f)] = '\0';
	fclose(f);
	unlink(path);
	return rc;
}

static void says(const char *text)
{
	if (!strstr(said, text))
		fail_msg("'%s' is not in:\n%s", text, said);
}

static int setup(void **state)
{
	char path[128];
	static const char *const folders[] = {"etc", "etc/hearth", "etc/hearth/services", "more"};
	(void)state;

	fake_reset();
	strcpy(dir, "/tmp/hearth-check-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	for (size_t i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, folders[i]);
		if (mkdir(path, 0755) < 0)
			return -1;
	}
	put("etc/passwd", "web:x:200:200::/:\n");
	put("etc/hearth/services/web.yaml", "name: web\ncommand: [/bin/web]\nuser: web\nrequires: [log]\n");
	put("etc/hearth/services/log.yaml", "name: log\ncommand: [/bin/log]\n");
	put("etc/hearth/settings.yaml", "hostname: box\n");
	return 0;
}

static int teardown(void **state)
{
	char command[96];
	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static void a_good_image(void **state)
{
	(void)state;
	assert_int_equal(run("", NULL), 0);
	says("3 files are good\n");
	assert_int_equal(run("/etc/hearth/services", "/etc/hearth/settings.yaml"), 0);
	says("3 files are good\n");
	assert_int_equal(run("/etc/hearth/services/web.yaml", NULL), 0); /* alone: its needs are not looked up */
	says("1 files are good\n");
}

static void what_is_wrong_is_named(void **state)
{
	(void)state;
	put("etc/hearth/services/bad.yaml", "name: bad\ncomand: [/bin/web]\n");
	put("etc/hearth/settings.yaml", "hostnme: box\n");
	put("more/x.yaml", "name: x\ncommand: [/x]\nafter: [wob]\n");
	assert_int_equal(run("", "/more"), 1);
	says("/etc/hearth/services/bad.yaml:2: unknown key 'comand'; did you mean 'command'?\n");
	says("/etc/hearth/settings.yaml:1: ");
	says("/more/x.yaml:3: after: there is no service 'wob'; did you mean 'web'?\n");
	says("3 of 5 files are wrong\n");
	assert_int_equal(run("/etc/hearth/services/bad.yaml", NULL), 1);
	assert_int_equal(run("/etc/hearth/settings.yaml", NULL), 1);
	assert_int_equal(run("/nothing", NULL), 1);
	says("/nothing: No such file or directory\n");
}

static void usage(void **state)
{
	(void)state;
	assert_int_equal(run("-x", NULL), 2);
	says("usage: hearth check [FILE|FOLDER...]\n");
}

static int none_open(const char *path, int flags, mode_t mode)
{
	(void)path;
	(void)flags;
	(void)mode;
	errno = ENOENT;
	return -1;
}

static int none_stat(const char *path, struct stat *st)
{
	(void)path;
	(void)st;
	errno = ENOENT;
	return -1;
}

static void without_words_this_box_is_meant(void **state)
{
	(void)state;
	fake_open = none_open;
	fake_stat = none_stat;
	assert_int_equal(run(NULL, NULL), 0);
	says("0 files are good\n");
	fake_reset();
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_good_image),
		TEST(what_is_wrong_is_named),
		TEST(usage),
		TEST(without_words_this_box_is_meant),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
