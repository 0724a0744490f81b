/* init/update/url.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "base/str.h"
#include "update/url.h"

static struct err e;

static void whole_ones(void **state)
{
	static const char *const good[] = {
		"http://h/",
		"https://example.org/a/b.yaml",
		"http://10.0.0.1:8080/x",
		"https://[fd00::1]:8443/x?y=z",
		"https://[::1]/",
		"http://a_b.local/~me/(1)/x;y=1/a+b",
		"https://h/a%20b?sig=a%2Fb",
		"http://h/a..b/.c/...",
		"http://h/a?b?c=/../",
		"http://h//double",
		"http://h/a:b@c",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		if (url_check(good[i], &e) < 0)
			fail_msg("%s", e.text);
	}
}

static void refused(void **state)
{
	static const char *const bad[] = {
		"http:///x",      "http://",           "http://h",        "http://h?x",      "http://:80/",
		"http://h:/x",    "http://h:0/",       "http://h:65536/", "http://h:8a/",    "http://h:080000/",
		"http://u@h/",    "http://u:p@h/",     "http://h#f/",     "http://h/#f",     "http://h/x#f",
		"http://h/a b",   "http://h/\"",       "http://h/<",      "http://h/>",      "http://h/\\",
		"http://h/^",     "http://h/`",        "http://h/{",      "http://h/|",      "http://h/}",
		"http://h/\x7f",  "http://h/\xc3\xa4", "http://h/\n",     "http://h/\t",     "http://h/%",
		"http://h/%2",    "http://h/%2g",      "http://h/%00",    "http://h/a%2fb",  "http://h/a%5Cb",
		"http://h/.",     "http://h/..",       "http://h/../a",   "http://h/a/../b", "http://h/a/..",
		"http://h/a/./b", "http://h/%2e%2E/b", "http://h/.%2e",   "http://h/%2e",    "http://h/x?%0",
		"http://h/x? ",   "http://-h/",        "http://h..x/",    "http://.h/",      "http://h./",
		"http://h\\x/",   "http://[]/",        "http://[::1/",    "http://[::1]x/",  "http://[::1",
		"http://[::g]/",  "http://h%41/",      "http://[::1]:/",  "http://h:1:2/",
	};
	static const char *const schemes[] = {
		"",         "ftp://h/x", "file:///etc/passwd", "HTTP://h/",    "https:/h/x",
		"http//h/", "//h/x",     " http://h/",         "javascript:x", "httpx://h/"};
	char longer[URL_MAX + 16] = "http://h/";

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		if (url_check(bad[i], &e) == 0)
			fail_msg("taken: %s", bad[i]);
		assert_int_equal(e.code, EINVAL);
	}
	for (size_t i = 0; i < COUNT_OF(schemes); i++) {
		assert_int_equal(url_check(schemes[i], &e), -1);
		assert_int_equal(e.code, EPROTONOSUPPORT);
	}
	memset(longer + 9, 'x', URL_MAX - 10);
	assert_int_equal(url_check(longer, &e), 0);
	longer[URL_MAX - 1] = 'x';
	assert_int_equal(url_check(longer, &e), -1);
}

static void a_name_that_is_too_long(void **state)
{
	char url[512] = "http://";

	(void)state;
	memset(url + 7, 'x', 63);
	memcpy(url + 70, "/", 2);
	assert_int_equal(url_check(url, &e), 0);
	memcpy(url + 70, "x/", 3);
	assert_int_equal(url_check(url, &e), -1);
	for (unsigned i = 0; i < 254; i++)
		url[7 + i] = i % 2 ? '.' : 'x';
	memcpy(url + 7 + 253, "/", 2);
	assert_int_equal(url_check(url, &e), 0);
	memcpy(url + 7 + 253, ".x/", 4);
	assert_int_equal(url_check(url, &e), -1);
}

static void passwords_are_not_told(void **state)
{
	static const char *const urls[] = {"http://me:secret@h/", "ftp://me:secret@h/", "me:secret@h",
	                                   "http://h/ ?secret"};
	char site[64];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(urls); i++) {
		assert_int_equal(url_check(urls[i], &e), -1);
		assert_null(strstr(e.text, "secret"));
		url_site(urls[i], site, sizeof(site));
		assert_null(strstr(site, "secret"));
	}
}

static void references(void **state)
{
	static const char *const good[] = {"a.hearth", "0.2.0/a.hearth", "http://h/x", "https://h/x", "a?b=c", "a/b:c"};
	static const char *const bad[] = {"",    "/a",  "//h/a",        "?x",  "../a",    "a/../b",
	                                  "./a", "a b", "http://u@h/x", "a#b", "%2e%2e/a"};
	static const char *const schemes[] = {"ftp://h/x", "file:///x", "data:x", "a:b", "HTTP://h/x", ":"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++)
		assert_int_equal(url_check_reference(good[i], &e), 0);
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		if (url_check_reference(bad[i], &e) == 0)
			fail_msg("taken: %s", bad[i]);
		assert_int_equal(e.code, EINVAL);
	}
	for (size_t i = 0; i < COUNT_OF(schemes); i++) {
		assert_int_equal(url_check_reference(schemes[i], &e), -1);
		assert_int_equal(e.code, EPROTONOSUPPORT);
	}
}

static void joining(void **state)
{
	static const struct {
		const char *base, *ref, *want;
	} rows[] = {
		{"https://h/c/stable/index.yaml", "a.hearth", "https://h/c/stable/a.hearth"},
		{"https://h/c/", "a/b.hearth?x", "https://h/c/a/b.hearth?x"},
		{"https://h/index.yaml?token=a/b", "a", "https://h/a"},
		{"https://h/c/index.yaml", "http://i/a", "http://i/a"},
		{"http://h:81/c/index.yaml", "https://i/a", "https://i/a"},
	};
	char dst[URL_MAX], longest[URL_MAX] = "";

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_int_equal(url_join(dst, rows[i].base, rows[i].ref, &e), 0);
		assert_string_equal(dst, rows[i].want);
		assert_int_equal(url_check(dst, &e), 0);
	}
	assert_int_equal(url_join(dst, "ftp://h/x", "a", &e), -1);
	assert_int_equal(url_join(dst, "http://h/x", "../a", &e), -1);
	memset(longest, 'x', URL_MAX - 1);
	assert_int_equal(url_join(dst, "http://h/x", longest, &e), -1);
}

static void suffixes(void **state)
{
	char dst[URL_MAX];

	(void)state;
	assert_int_equal(url_suffix(dst, "http://h/index.yaml", ".sig", &e), 0);
	assert_string_equal(dst, "http://h/index.yaml.sig");
	assert_int_equal(url_suffix(dst, "http://h/index.yaml?a.b", ".sig", &e), 0);
	assert_string_equal(dst, "http://h/index.yaml.sig?a.b");
	assert_int_equal(url_suffix(dst, "file://h/index.yaml", ".sig", &e), -1);
}

static void sites(void **state)
{
	char site[16];

	(void)state;
	url_site("https://h:81/secret?token", site, sizeof(site));
	assert_string_equal(site, "https://h:81");
	url_site("https://a-very-long-name.example.org/", site, sizeof(site));
	assert_string_equal(site, "https://a-very-");
	assert_true(url_is_https("https://h/") && !url_is_https("http://h/"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_ones),
		cmocka_unit_test(refused),
		cmocka_unit_test(a_name_that_is_too_long),
		cmocka_unit_test(passwords_are_not_told),
		cmocka_unit_test(references),
		cmocka_unit_test(joining),
		cmocka_unit_test(suffixes),
		cmocka_unit_test(sites),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
