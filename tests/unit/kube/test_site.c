/* init/kube/site.c */
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

#include "base/paths.h"
#include "base/str.h"
#include "fake/sys.h"
#include "kube/site.h"

static struct settings s;
static struct err e;

static int setup(void **state)
{
	(void)state;
	fake_reset();
	err_clear(&e);
	settings_default(&s);
	s.sites = 3;
	s.site[0] = (struct settings_value){"domain", "home.arpa"};
	s.site[1] = (struct settings_value){"n", "42"};
	s.site[2] = (struct settings_value){"empty", ""};
	return 0;
}

/* The text with all pieces replaced, as yamljson does it. */
static const char *fill(const char *text)
{
	static char filled[512];
	struct yamljson_piece p;
	struct buf b;
	size_t len = strlen(text);
	int rc;

	buf_init(&b, filled, sizeof(filled));
	while ((rc = site_find(text, len, &p, &s, &e)) > 0) {
		buf_add_n(&b, text, p.at);
		buf_add_n(&b, p.value, p.value_len);
		text += p.at + p.len;
		len -= p.at + p.len;
	}
	buf_add(&b, text);
	return rc == 0 ? filled : e.text;
}

static void fills_in_what_is_the_sites(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{"", ""},
		{"plain", "plain"},
		{"${site.domain}", "home.arpa"},
		{"https://app.${site.domain}/${site.n}${site.n}", "https://app.home.arpa/4242"},
		{"${DOMAIN} $site.domain ${sites.domain} ${ site.domain}",
	         "${DOMAIN} $site.domain ${sites.domain} ${ site.domain}"},
		{"$${site.domain} ${site.n}", "$${site.domain} 42"},
		{"$$${site.none}", "$$${site.none}"},
		{"${site.n}${x}${site.n}$", "42${x}42$"},
		{"$ {site.n} {site.n} ${site", "$ {site.n} {site.n} ${site"},
		{"sum(rate(x[5m])) ${__rate_interval} ${datasource}",
	         "sum(rate(x[5m])) ${__rate_interval} ${datasource}"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_string_equal(fill(rows[i].text), rows[i].want);
}

static void says_what_is_missing(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{"a ${site.mail}", "${site.mail} is not set; set site.mail in the settings"},
		{"${site.empty}", "${site.empty} is not set; set site.empty in the settings"},
		{"${site.doma}", "${site.doma} is not set; set site.doma in the settings"},
		{"${site.}", "${site.} is no variable; write ${site.NAME} in small letters, digits, '-'"},
		{"${site.Domain}", "${site.Domain} is no variable; write ${site.NAME} in"},
		{"${site.do main}", "${site.do main} is no variable"},
		{"${site.domain:-x}", "${site.domain:-x} is no variable"},
		{"${site.domain", "${site.domain is no variable"},
		{"${site.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}", "${site.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa} is no variable"},
		{"${site.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA}",
	         "${site.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA... is no variable"},
	};
	struct yamljson_piece p;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (!str_starts(fill(rows[i].text), rows[i].want))
			assert_string_equal(e.text, rows[i].want);
		/* Where it stands. */
		assert_int_equal(site_find(rows[i].text, strlen(rows[i].text), &p, &s, &e), -1);
		assert_int_equal(p.at, strcspn(rows[i].text, "$"));
	}
}

static void a_name_ends_with_the_text(void **state)
{
	struct yamljson_piece p;

	(void)state;
	assert_int_equal(site_find("${site.n}", 8, &p, &s, &e), -1);
	assert_int_equal(site_find("${site.n}", 6, &p, &s, &e), 0);
	assert_int_equal(site_find("x${site.n\0}", 11, &p, &s, &e), -1);
}

/* ---- the settings ---- */

static const char *shipped, *own;

static int open_settings(const char *path, int flags, mode_t mode)
{
	const char *text = str_eq(path, PATH_SETTINGS_DEFAULT) ? shipped : str_eq(path, PATH_RUN_SETTINGS) ? own : NULL;
	int fds[2];

	(void)flags;
	(void)mode;
	if (!text) {
		errno = ENOENT;
		return -1;
	}
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], text, strlen(text)), strlen(text));
	close(fds[1]);
	return fds[0];
}

static void the_boxs_values_stand_over_the_shipped_ones(void **state)
{
	(void)state;
	fake_open = open_settings;
	shipped = "site: {domain: a.example, extra: x}\n";
	own = "site: {domain: b.example}\n";
	assert_int_equal(site_load(&s, &e), 0);
	assert_string_equal(settings_site(&s, "domain", 6), "b.example");
	assert_string_equal(settings_site(&s, "extra", 5), "x");
	own = NULL;
	assert_int_equal(site_load(&s, &e), 0);
	assert_string_equal(settings_site(&s, "domain", 6), "a.example");
}

static void a_broken_file_is_an_error(void **state)
{
	(void)state;
	fake_open = open_settings;
	shipped = "site: {domain: a.example}\n";
	own = "site: {domain: 'b c'}\n";
	assert_int_equal(site_load(&s, &e), -1);
	assert_true(str_starts(e.text, PATH_STATE_SETTINGS ":1: site.domain: 'b c' is none"));
	shipped = "sites: {}\n";
	assert_int_equal(site_load(&s, &e), -1);
	assert_true(str_starts(e.text, PATH_SETTINGS_DEFAULT ":1: unknown key 'sites'; did you mean 'site'?"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(fills_in_what_is_the_sites, setup),
		cmocka_unit_test_setup(says_what_is_missing, setup),
		cmocka_unit_test_setup(a_name_ends_with_the_text, setup),
		cmocka_unit_test_setup(the_boxs_values_stand_over_the_shipped_ones, setup),
		cmocka_unit_test_setup(a_broken_file_is_an_error, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
