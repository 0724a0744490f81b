/* init/core/settings.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/str.h"
#include "core/settings.h"
#include "fake/sys.h"

static struct yaml y;
static struct settings s;
static struct err e;

static int parse(const char *text)
{
	err_clear(&e);
	return settings_parse(&s, &y, "s.yaml", text, strlen(text), &e);
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	memset(&s, 0, sizeof(s));
	settings_default(&s);
	return 0;
}

static void keys_replace_and_others_stay(void **state)
{
	(void)state;
	assert_int_equal(parse("hostname: attic-2\n"), 0);
	assert_string_equal(s.hostname, "attic-2");
	assert_int_equal(s.time_servers, 2);
	assert_int_equal(parse("time-servers: [10.0.0.1, 'fd00::1', ntp.example.org, NTP-1]\n"), 0);
	assert_string_equal(s.hostname, "attic-2");
	assert_int_equal(s.time_servers, 4);
	assert_string_equal(s.time_server[0], "10.0.0.1");
	assert_string_equal(s.time_server[1], "fd00::1");
	assert_string_equal(s.time_server[3], "NTP-1");
	assert_int_equal(parse("time-servers: []\nhostname: \"\"\n"), 0);
	assert_int_equal(s.time_servers, 0);
	assert_string_equal(s.time_server[0], "");
	assert_string_equal(s.hostname, "");
}

static void an_empty_file_changes_nothing(void **state)
{
	struct settings before = s;

	(void)state;
	assert_int_equal(parse(""), 0);
	assert_memory_equal(&s, &before, sizeof(s));
}

#define LABEL63 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg"

#define VALUE64  "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggg"
#define VALUE256 VALUE64 VALUE64 VALUE64 VALUE64

static const char *site(const char *name)
{
	return settings_site(&s, name, strlen(name));
}

static void values_of_the_site_replace_one_by_one(void **state)
{
	(void)state;
	assert_int_equal(parse("site:\n  domain: example.org\n  movies: 'x'\n  lb-range: 10.0.0.1-10.0.0.9\n"), 0);
	assert_string_equal(site("domain"), "example.org");
	assert_string_equal(site("timezone"), "UTC");
	assert_string_equal(site("movies"), "x");
	assert_int_equal(s.sites, 5);
	assert_int_equal(parse("site: {domain: '', movies: " VALUE256 ", lb-range: 192.168.1.240/28}\n"), 0);
	assert_string_equal(site("domain"), "");
	assert_string_equal(site("movies"), VALUE256);
	assert_string_equal(site("lb-range"), "192.168.1.240/28");
	assert_int_equal(s.sites, 5);
	assert_int_equal(parse("site: {email: a.b@c.d, timezone: America/Port-au-Prince}\nhostname: x\n"), 0);
	assert_int_equal(parse("site:\n"), 0);
	assert_int_equal(parse("site: {}\n"), 0);
	assert_string_equal(site("email"), "a.b@c.d");
	assert_string_equal(site("none"), "");
	assert_string_equal(settings_site(&s, "domains", 6), "");
	assert_string_equal(settings_site(&s, "movies!", 6), VALUE256);
}

static void parts_of_other_files(void **state)
{
	(void)state;
	assert_true(s.watchdog);
	assert_int_equal(parse("watchdog: false\nupdate: {automatic: true}\n"), 0);
	assert_false(s.watchdog);
	assert_true(s.update.automatic);
	assert_int_equal(s.update.health, HEALTH_SERVICES | HEALTH_NODE | HEALTH_APPS);
	assert_int_equal(parse("watchdog: on\n"), -1);
	assert_string_equal(e.text, "s.yaml:1: watchdog: 'on' is neither true nor false");
	assert_int_equal(parse("update: {url: 'x'}\nwatchdog: true\n"), -1);
	assert_false(s.watchdog);
}

static void values_of_the_site_have_an_end(void **state)
{
	char text[2048];
	struct buf b;
	struct settings before;

	(void)state;
	buf_init(&b, text, sizeof(text));
	buf_add(&b, "site:\n");
	for (unsigned i = s.sites; i < SETTINGS_SITE; i++)
		buf_addf(&b, "  n%u: x\n", i);
	assert_int_equal(parse(text), 0);
	assert_int_equal(s.sites, SETTINGS_SITE);
	before = s;
	assert_int_equal(parse("site:\n  domain: a\n  more: x\n"), -1);
	assert_string_equal(e.text, "s.yaml:3: more than 32 values of the site; remove some");
	assert_memory_equal(&s, &before, sizeof(s));
}

static void refuses(void **state)
{
	static const struct {
		const char *text, *want; /* want: beginning of the message */
	} rows[] = {
		{"hostname: Attic\n", "s.yaml:1: hostname 'Attic' is none; use 1 to 63 small letters"},
		{"hostname: -a\n", "s.yaml:1: hostname '-a' is none"},
		{"hostname: a-\n", "s.yaml:1: hostname 'a-' is none"},
		{"hostname: a.b\n", "s.yaml:1: hostname 'a.b' is none"},
		{"hostname: a_b\n", "s.yaml:1: hostname 'a_b' is none"},
		{"hostname: \"a b\"\n", "s.yaml:1: hostname 'a b' is none"},
		{"hostname: h\xC3\xBC\n", "s.yaml:1: hostname 'h\xC3\xBC' is none"},
		{"hostname: " LABEL63 "h\n", "s.yaml:1: hostname '" LABEL63 "h' is none"},
		{"hostname: [a]\n", "s.yaml:1: hostname '' is none"},
		{"\ntime-servers: ntp.se\n", "s.yaml:2: time-servers is not a list; write [NAME, NAME]"},
		{"time-servers: {a: b}\n", "s.yaml:1: time-servers is not a list"},
		{"time-servers:\n- a\n- -x\n", "s.yaml:3: time server '-x' is none; use a host name or an IP address"},
		{"time-servers: ['']\n", "s.yaml:1: time server '' is none"},
		{"time-servers: [[a]]\n", "s.yaml:1: time server '' is none"},
		{"time-servers: [a..b]\n", "s.yaml:1: time server 'a..b' is none"},
		{"time-servers: [.a]\n", "s.yaml:1: time server '.a' is none"},
		{"time-servers: [a.]\n", "s.yaml:1: time server 'a.' is none"},
		{"time-servers: [a.-b]\n", "s.yaml:1: time server 'a.-b' is none"},
		{"time-servers: ['a;b']\n", "s.yaml:1: time server 'a;b' is none"},
		{"time-servers: [1.2.3]\n", "s.yaml:1: time server '1.2.3' is none"},
		{"time-servers: [1.2.3.256]\n", "s.yaml:1: time server '1.2.3.256' is none"},
		{"time-servers: ['fe80::g']\n", "s.yaml:1: time server 'fe80::g' is none"},
		{"time-servers: ['a:123']\n", "s.yaml:1: time server 'a:123' is none"},
		{"time-servers: [" LABEL63 "h.org]\n", "s.yaml:1: time server '" LABEL63 "h' is none"},
		{"time-servers: [" LABEL63 "." LABEL63 "." LABEL63 "." LABEL63 "]\n", "s.yaml:1: time server 'aaaa"},
		{"time-servers: [a, b, a]\n", "s.yaml:1: time server 'a' stands here twice; keep one"},
		{"time-servers: [a, b, c, d, e]\n", "s.yaml:1: more than 4 time servers; keep the nearest ones"},
		{"hostnam: a\n", "s.yaml:1: unknown key 'hostnam'; did you mean 'hostname'?"},
		{"hostname: a\nhostname: b\n", "s.yaml:2: key 'hostname' stands here and on line 1; keep one"},
		{"- a\n", "s.yaml:1: not a mapping; write 'key: value' lines"},
		{"site: x\n", "s.yaml:1: site is not a mapping; write 'NAME: value' lines below it"},
		{"site: [x]\n", "s.yaml:1: site is not a mapping"},
		{"site:\n  Domain: a\n",
	         "s.yaml:2: site: 'Domain' is no name; use up to 31 small letters, digits and '-'"},
		{"site: {a_b: c}\n", "s.yaml:1: site: 'a_b' is no name"},
		{"site:\n  a: [b]\n", "s.yaml:2: site.a is not text; write one value"},
		{"site: {a: \"b\\nc\"}\n", "s.yaml:1: site.a is no single line of up to 256 bytes; shorten it"},
		{"site: {a: " VALUE256 "x}\n", "s.yaml:1: site.a is no single line"},
		{"site: {domain: Home.arpa}\n",
	         "s.yaml:1: site.domain: 'Home.arpa' is none; use a domain name such as"},
		{"site: {domain: a b}\n", "s.yaml:1: site.domain: 'a b' is none"},
		{"site: {email: me}\n", "s.yaml:1: site.email: 'me' is none; use an address such as me@example.org"},
		{"site: {email: '@a.b'}\n", "s.yaml:1: site.email: '@a.b' is none"},
		{"site: {email: a b@c.d}\n", "s.yaml:1: site.email: 'a b@c.d' is none"},
		{"site: {timezone: /etc/x}\n", "s.yaml:1: site.timezone: '/etc/x' is none; use a name such as Europe"},
		{"site: {lb-range: 192.168.1.240}\n", "s.yaml:1: site.lb-range: '192.168.1.240' is none; use IPv4"},
		{"site: {lb-range: 192.168.1.240/33}\n", "s.yaml:1: site.lb-range: "},
		{"site: {lb-range: 192.168.1.9-192.168.1.8}\n", "s.yaml:1: site.lb-range: "},
		{"site: {lb-range: 192.168.1.9-}\n", "s.yaml:1: site.lb-range: "},
	};
	struct settings before = s;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_int_equal(parse(rows[i].text), -1);
		if (!str_starts(e.text, rows[i].want))
			assert_string_equal(e.text, rows[i].want);
		assert_memory_equal(&s, &before, sizeof(s));
	}
}

static void a_bad_key_leaves_all_as_it_was(void **state)
{
	(void)state;
	assert_int_equal(parse("hostname: fine\ntime-servers: no\n"), -1);
	assert_string_equal(s.hostname, "");
	assert_int_equal(s.time_servers, 2);
}

static void the_longest_names_fit(void **state)
{
	(void)state;
	assert_int_equal(parse("hostname: " LABEL63 "\n"), 0);
	assert_string_equal(s.hostname, LABEL63);
	/* 3 labels of 63 and one of 61 with 3 dots: 253 bytes. */
	assert_int_equal(parse("time-servers: [" LABEL63 "." LABEL63 "." LABEL63
	                       ".aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffg]\n"),
	                 0);
	assert_int_equal(strlen(s.time_server[0]), 253);
}

/* The image's file says what the program would do without it. */
static void the_shipped_file_is_the_default(void **state)
{
	static char text[LIMIT_FILE];
	struct settings shipped;
	struct buf b;

	(void)state;
	buf_init(&b, text, sizeof(text));
	assert_int_equal(file_read("fs-overlay/etc/hearth/settings.yaml", &b, &e), 0);
	memset(&shipped, 0, sizeof(shipped));
	assert_true(str_copy(shipped.hostname, sizeof(shipped.hostname), "other") == 0);
	assert_int_equal(settings_parse(&shipped, &y, "settings.yaml", text, b.len, &e), 0);
	assert_string_equal(shipped.hostname, s.hostname);
	assert_int_equal(shipped.time_servers, s.time_servers);
	assert_memory_equal(shipped.time_server, s.time_server, sizeof(s.time_server));
	assert_int_equal(shipped.sites, s.sites);
	assert_memory_equal(shipped.site, s.site, sizeof(s.site));
	assert_int_equal(shipped.watchdog, s.watchdog);
	assert_memory_equal(&shipped.update, &s.update, sizeof(s.update));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(keys_replace_and_others_stay, setup),
		cmocka_unit_test_setup(an_empty_file_changes_nothing, setup),
		cmocka_unit_test_setup(values_of_the_site_replace_one_by_one, setup),
		cmocka_unit_test_setup(parts_of_other_files, setup),
		cmocka_unit_test_setup(values_of_the_site_have_an_end, setup),
		cmocka_unit_test_setup(refuses, setup),
		cmocka_unit_test_setup(a_bad_key_leaves_all_as_it_was, setup),
		cmocka_unit_test_setup(the_longest_names_fit, setup),
		cmocka_unit_test_setup(the_shipped_file_is_the_default, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
