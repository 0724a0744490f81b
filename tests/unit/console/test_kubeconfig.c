/* console/kubeconfig: the file as it is, with the box's address; whatever else stands in its place. */
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

#include "base/limits.h"
#include "base/paths.h"
#include "base/str.h"
#include "console/kubeconfig.h"
#include "fake/sys.h"

#define ANSWER(address) "{\"path\":\"" PATH_KUBECONFIG "\",\"address\":\"" address "\"}"

static char folder[64], file[80], data[2 * LIMIT_FILE];
static struct buf out;
static struct err e;

static int open_here(const char *path, int flags, mode_t mode)
{
	return open(str_eq(path, PATH_KUBECONFIG) ? file : path, flags, mode);
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	assert_return_code(str_copy(folder, sizeof(folder), "/tmp/hearth-kubeconfig-XXXXXX"), 0);
	assert_non_null(mkdtemp(folder));
	assert_return_code(str_format(file, sizeof(file), "%s/k3s.yaml", folder), 0);
	fake_open = open_here;
	buf_init(&out, data, sizeof(data));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_reset();
	(void)unlink(file);
	return rmdir(folder);
}

static void put(const char *text, size_t n)
{
	FILE *f = fopen(file, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

static const char *rendered(const char *text, const char *address)
{
	buf_reset(&out);
	kubeconfig_render(text, strlen(text), address, &out);
	return data;
}

static void the_server(void **state)
{
	static const char yaml[] = "- cluster:\n    server: https://127.0.0.1:6443\n  name: default\n";
	static const char json[] = "{\n  \"cluster\": {\n    \"server\": \"https://127.0.0.1:6443\"\n  }\n}\n";
	(void)state;
	assert_string_equal(rendered(yaml, ""), yaml);
	assert_string_equal(rendered(yaml, "10.0.2.15\n"), yaml);
	assert_string_equal(rendered(yaml, "box.lan/x"), yaml);
	assert_string_equal(rendered(yaml, "10.0.2.15"),
	                    "- cluster:\n    tls-server-name: 127.0.0.1\n    server: https://10.0.2.15:6443\n"
	                    "  name: default\n");
	assert_string_equal(rendered(yaml, "fd00::15"),
	                    "- cluster:\n    tls-server-name: 127.0.0.1\n    server: https://[fd00::15]:6443\n"
	                    "  name: default\n");
	assert_string_equal(rendered(json, ""), json);
	assert_string_equal(rendered(json, "10.0.2.15"),
	                    "{\n  \"cluster\": {\n    \"tls-server-name\": \"127.0.0.1\",\n"
	                    "    \"server\": \"https://10.0.2.15:6443\"\n  }\n}\n");
}

static void other_lines(void **state)
{
	static const char *const same[] = {"",
	                                   "\n\n",
	                                   "server: https://127.0.0.10:6443\n",
	                                   "server:\nhttps://127.0.0.1:1\n",
	                                   "xserver: https://127.0.0.1:1\n",
	                                   "server: https://10.41.0.1:6443\n"};
	(void)state;
	for (size_t i = 0; i < COUNT_OF(same); i++)
		assert_string_equal(rendered(same[i], "10.0.2.15"), same[i]);
	assert_string_equal(rendered("no end", "10.0.2.15"), "no end\n");
	assert_string_equal(rendered("red \033[31m", ""), "red ?[31m\n");
}

static void printed(void **state)
{
	(void)state;
	put("a: 1\n", 5);
	buf_add(&out, "before\n");
	assert_return_code(kubeconfig_print(ANSWER("10.0.2.15"), &out, &e), 0);
	assert_string_equal(data, "before\na: 1\n");
	assert_int_equal(out.len, strlen(data));
}

static void refused(const char *answer, const char *why)
{
	buf_reset(&out);
	buf_add(&out, "before\n");
	assert_int_equal(kubeconfig_print(answer, &out, &e), -1);
	assert_string_equal(e.text, why);
	assert_string_equal(data, "before\n");
	assert_true(buf_ok(&out));
}

static void not_yet(void **state)
{
	static const char why[] = "kubeconfig: the cluster has not come up yet; `services` shows k3s";
	(void)state;
	refused(ANSWER(""), why);
	put("", 0);
	refused(ANSWER(""), why);
}

static void only_that_path(void **state)
{
	(void)state;
	put("a: 1\n", 5);
	refused("{\"path\":\"/etc/shadow\"}", "kubeconfig: '/etc/shadow' is not its path");
	refused("{}", "kubeconfig: '' is not its path");
	refused("[", "kubeconfig: '' is not its path");
}

static void only_a_regular_file(void **state)
{
	static const char why[] = "kubeconfig: " PATH_KUBECONFIG " is no regular file";
	(void)state;
	assert_return_code(symlink("/etc/hostname", file), errno);
	refused(ANSWER(""), why);
	assert_return_code(unlink(file), errno);
	assert_return_code(mkfifo(file, 0600), errno);
	refused(ANSWER(""), why);
	assert_return_code(unlink(file), errno);
	assert_return_code(mkdir(file, 0700), errno);
	refused(ANSWER(""), why);
	assert_return_code(rmdir(file), errno);
}

static void bounds(void **state)
{
	static char text[LIMIT_FILE + 1];
	char small[32];
	(void)state;
	memset(text, 'A', sizeof(text));
	put(text, LIMIT_FILE);
	assert_return_code(kubeconfig_print(ANSWER(""), &out, &e), 0);
	assert_int_equal(out.len, LIMIT_FILE + 1);
	put(text, LIMIT_FILE + 1);
	refused(ANSWER(""), "kubeconfig: " PATH_KUBECONFIG " is larger than 65536 bytes");
	put(text, 100);
	buf_init(&out, small, sizeof(small));
	assert_int_equal(kubeconfig_print(ANSWER(""), &out, &e), -1);
	assert_string_equal(e.text, "kubeconfig: too long to show");
	assert_string_equal(small, "");
	assert_true(buf_ok(&out));
}

static void torture(void **state)
{
	(void)state;
	put("a: 1\n", 5);
	unsigned fds = fake_open_fds();
	for (unsigned n = 1;; n++) {
		buf_reset(&out);
		fake_fail_at(n, EIO);
		int rc = kubeconfig_print(ANSWER(""), &out, &e);
		bool fired = fake_fired();
		fake_fail_at(0, 0);
		assert_int_equal(fake_open_fds(), fds);
		if (!fired) {
			assert_int_equal(rc, 0);
			break;
		}
		if (rc) {
			assert_string_equal(data, "");
			assert_non_null(strstr(e.text, "kubeconfig: "));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(the_server),     T(other_lines),         T(printed), T(not_yet),
		T(only_that_path), T(only_a_regular_file), T(bounds),  T(torture),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
