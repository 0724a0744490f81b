/* init/update/channel.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "base/buf.h"
#include "base/str.h"
#include "update/channel.h"

#define HASH "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define HEAD "format: 1\nchannel: stable\nserial: 42\nissued: 1795564800\nexpires: 1798156800\n"
#define VERSION(v, min, board, more)                                                                                   \
	"  - {version: " v ", minimum: " min ", board: " board ", url: hearth-" v ".hearth, size: 4096,\n"             \
	"     manifest-sha256: " HASH ", released: 1795564800" more "}\n"
#define GOOD HEAD "versions:\n" VERSION("0.2.0", "0.1.0", "x86-64-efi", ", withdrawn: false")

static struct channel c;
static struct yaml y;
static struct err e;
static unsigned checks;
static bool signature_good;

static int on_check(const void *text, size_t len, const void *sig, size_t sig_len, void *arg, struct err *why)
{
	assert_ptr_equal(arg, &checks);
	(void)len;
	assert_non_null(text);
	assert_string_equal(sig, "signature");
	assert_int_equal(sig_len, 9);
	checks++;
	return signature_good ? 0 : err_set(why, EBADMSG, "signed by nobody we know");
}

static int take_n(const char *text, size_t len)
{
	struct channel_text t = {
		.file = "http://h/index.yaml", .text = text, .len = len, .sig = "signature", .sig_len = 9};

	err_clear(&e);
	return channel_read(&c, &y, &t, on_check, &checks, &e);
}

static int take(const char *text)
{
	return take_n(text, strlen(text));
}

static int setup(void **state)
{
	(void)state;
	memset(&c, 0, sizeof(c));
	checks = 0;
	signature_good = true;
	return 0;
}

static void an_index(void **state)
{
	(void)state;
	assert_int_equal(take(GOOD), 0);
	assert_int_equal(checks, 1);
	assert_string_equal(c.name, "stable");
	assert_int_equal(c.serial, 42);
	assert_int_equal(c.issued, 1795564800);
	assert_int_equal(c.expires, 1798156800);
	assert_int_equal(c.versions, 1);
	assert_string_equal(c.version[0].version, "0.2.0");
	assert_string_equal(c.version[0].minimum, "0.1.0");
	assert_string_equal(c.version[0].board, "x86-64-efi");
	assert_string_equal(c.version[0].url, "hearth-0.2.0.hearth");
	assert_int_equal(c.version[0].size, 4096);
	assert_int_equal(c.version[0].manifest_sha256[0], 0);
	assert_int_equal(c.version[0].manifest_sha256[31], 0xff);
	assert_int_equal(c.version[0].released, 1795564800);
	assert_false(c.version[0].withdrawn);
	assert_int_equal(take(HEAD "versions:\n" VERSION("0.3", "0.3", "x", ", withdrawn: true")), 0);
	assert_true(c.version[0].withdrawn);
}

/* Not a byte is parsed of what nobody has signed, and what is not taken changes nothing. */
static void the_signature_comes_first(void **state)
{
	(void)state;
	assert_int_equal(take(GOOD), 0);
	signature_good = false;
	assert_int_equal(take("{{{"), -1);
	assert_int_equal(e.code, EBADMSG);
	assert_string_equal(e.text, "http://h/index.yaml: signed by nobody we know");
	assert_int_equal(c.serial, 42);
}

static void too_large(void **state)
{
	static char text[CHANNEL_MAX + 2];

	(void)state;
	memset(text, '\n', sizeof(text));
	memcpy(text, GOOD, strlen(GOOD));
	assert_int_equal(take_n(text, CHANNEL_MAX), 0);
	assert_int_equal(take_n(text, CHANNEL_MAX + 1), -1);
	assert_int_equal(checks, 1);
}

/* The good index with one text in it replaced. */
static const char *with(const char *old, const char *fresh)
{
	static char text[8192];
	const char *at = strstr(GOOD, old);

	assert_non_null(at);
	(void)snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - GOOD), GOOD, fresh, at + strlen(old));
	return text;
}

static void values_are_checked(void **state)
{
	static const struct {
		const char *old, *fresh, *why;
	} rows[] = {
		{"format: 1", "format: 2", ":1: format '2' is not known here"},
		{"format: 1", "format: 1\ncolour: red", ":2: unknown key 'colour'"},
		{"format: 1\n", "", "key 'format' is missing"},
		{"stable", "Stable", ":2: channel 'Stable' is none"},
		{"stable", "[a]", ":2: channel '' is none"},
		{"stable", "a-name-that-is-longer-than-any-of-ours", ":2: channel"},
		{"serial: 42", "serial: 0", ":3: serial '0' is none"},
		{"serial: 42", "serial: -1", ":3: serial"},
		{"serial: 42", "serial: 9223372036854775808", ":3: serial"},
		{"serial: 42\n", "", "key 'serial' is missing"},
		{"issued: 1795564800", "issued: 2026-11-25", ":4: issued"},
		{"expires: 1798156800", "expires: 99999999999999", ":5: expires"},
		{"expires: 1798156800", "expires: 1795564800", ":1: expires is not after issued"},
		{"expires: 1798156800", "expires: 1830124801", "more than 400 days"},
		{"version: 0.2.0", "version: 0.2.0-rc1", ":7: version '0.2.0-rc1' is none"},
		{"version: 0.2.0", "version: [0, 2]", ":7: version '' is none"},
		{"minimum: 0.1.0", "minimum: 01", ":7: minimum '01' is none"},
		{"minimum: 0.1.0", "minimum: 0.2.1", ":7: version 0.2.0 has a minimum above itself"},
		{"minimum: 0.1.0, ", "", "key 'minimum' is missing"},
		{"x86-64-efi", "''", ":7: board '' is none"},
		{"url: hearth-0.2.0.hearth", "url: ../x", ":7: url: the URL '../x' is refused"},
		{"url: hearth-0.2.0.hearth", "url: file:///x", ":7: url: the URL 'file:///x' is refused"},
		{"url: hearth-0.2.0.hearth", "url: 'http://me:secret@h/x'", ":7: url: the URL is refused"},
		{"url: hearth-0.2.0.hearth", "url: {}", ":7: url: write one text"},
		{"size: 4096", "size: 0", ":7: size '0' is none"},
		{"size: 4096", "size: 17179869185", ":7: size"},
		{"size: 4096", "size: 4K", ":7: size"},
		{"00112233", "0011223", ":8: manifest-sha256 is none"},
		{"00112233", "001122334", ":8: manifest-sha256 is none"},
		{"00112233", "00112G33", ":8: manifest-sha256 is none"},
		{"aabbccdd", "AABBCCDD", ":8: manifest-sha256 is none"},
		{"released: 1795564800", "released: 0", ":8: released '0' is none"},
		{"withdrawn: false", "withdrawn: no", ":8: withdrawn 'no' is none"},
		{"withdrawn: false", "withdrawn: false, mirror: x", "unknown key 'mirror'"},
		{"withdrawn: false", "withdrawn: false, size: 1", "size"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (take(with(rows[i].old, rows[i].fresh)) == 0 || !strstr(e.text, rows[i].why))
			fail_msg("%s -> %s: %s", rows[i].old, rows[i].fresh, e.text);
		assert_int_equal(e.code, EINVAL);
		assert_true(str_starts(e.text, "http://h/index.yaml:"));
		assert_int_equal(c.serial, 0);
	}
	assert_int_equal(take(with("expires: 1798156800", "expires: 1830124800")), 0);
}

static void the_list_of_versions(void **state)
{
	static const char *const bad[] = {
		HEAD,
		HEAD "versions:\n",
		HEAD "versions: []\n",
		HEAD "versions: 1\n",
		HEAD "versions: [1]\n",
		HEAD "versions:\n" VERSION("0.2.0", "0.1", "x", "") VERSION("0.2", "0.1", "x", ""),
	};
	static char text[32768];
	struct buf b;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_int_equal(take(bad[i]), -1);
	assert_non_null(strstr(e.text, ":9: version 0.2 stands here twice for x; keep one"));
	/* The same version for two boards is none twice. */
	assert_int_equal(take(HEAD "versions:\n" VERSION("0.2.0", "0.1", "x", "") VERSION("0.2", "0.1", "y", "")), 0);
	for (unsigned n = CHANNEL_VERSIONS; n <= CHANNEL_VERSIONS + 1; n++) {
		buf_init(&b, text, sizeof(text));
		buf_add(&b, HEAD "versions:\n");
		for (unsigned i = 0; i < n; i++)
			buf_addf(&b, VERSION("1.%u", "1", "x", ""), i, i);
		assert_int_equal(take(text), n == CHANNEL_VERSIONS ? 0 : -1);
	}
	assert_non_null(strstr(e.text, "more than 32 versions"));
	assert_int_equal(c.versions, 32);
}

/* A format that is not known yet may look like anything: its number is what to complain about. */
static void a_later_format_is_named(void **state)
{
	(void)state;
	assert_int_equal(take("editions: {}\nformat: 2\n"), -1);
	assert_non_null(strstr(e.text, ":2: format '2' is not known here; this system reads format 1"));
	assert_int_equal(take("- 1\n"), -1);
	assert_int_equal(take(""), -1);
}

static void expect_fresh(int64_t wall, bool synced, uint64_t last, int code, const char *why)
{
	struct channel_now now = {.wall = wall, .synced = synced, .last_serial = last};

	err_clear(&e);
	assert_int_equal(channel_fresh(&c, &now, &e), code ? -1 : 0);
	assert_int_equal(e.code, code);
	if (why && !strstr(e.text, why))
		fail_msg("%s", e.text);
}

static void how_old_it_is(void **state)
{
	int64_t issued = 1795564800, expires = 1798156800;

	(void)state;
	assert_int_equal(take(GOOD), 0);
	expect_fresh(issued, true, 0, 0, NULL);
	expect_fresh(issued, true, 42, 0, NULL);
	expect_fresh(issued, true, 43, EEXIST, "channel stable goes back: edition 42, but 43 was seen already");
	expect_fresh(expires - 1, true, 41, 0, NULL);
	expect_fresh(expires, true, 41, ESTALE,
	             "channel stable has expired at 2026-12-25T00:00:00Z (now 2026-12-25T00:00:00Z)");
	expect_fresh(expires, false, 41, ESTALE, "not synchronised");
	expect_fresh(issued - CHANNEL_SLACK, true, 0, 0, NULL);
	expect_fresh(issued - CHANNEL_SLACK, false, 0, 0, NULL);
	expect_fresh(issued - CHANNEL_SLACK - 1, true, 0, EINVAL,
	             "from the future: issued 2026-11-25T00:00:00Z, now 2026-11-23T23:59:59Z");
	expect_fresh(issued - CHANNEL_SLACK - 1, false, 0, EAGAIN, "is not synchronised");
	expect_fresh(0, false, 0, EAGAIN, "the clock (1970-01-01T00:00:00Z)");
	/* Going back is going back, whatever the time. */
	expect_fresh(0, false, 43, EEXIST, NULL);
}

static void choose(const char *running, const char *board, const char *take_it, const char *newest, const char *text)
{
	struct channel_choice o;

	assert_int_equal(channel_choose(&c, running, board, &o, &e), 0);
	assert_string_equal(o.take ? o.take->version : "", take_it);
	assert_string_equal(o.newest ? o.newest->version : "", newest);
	assert_string_equal(o.text, text);
	assert_int_equal(o.withdrawn, strstr(text, "withdrawn") != NULL);
}

static void what_to_take(void **state)
{
	struct channel_choice o;

	(void)state;
	assert_int_equal(
		take(HEAD "versions:\n" VERSION("0.3.0", "0.2.0", "x", "") VERSION("0.10.0", "0.3.0", "x", "") VERSION(
			"0.2.1", "0.1.0", "x", "") VERSION("0.2.0", "0.1.0", "x", ", withdrawn: true")
	                     VERSION("0.11.0", "0.1.0", "x", ", withdrawn: true") VERSION("9", "0.1.0", "y", "")),
		0);
	choose("0.3.0", "x", "0.10.0", "0.10.0", "0.10.0 can be installed");
	choose("0.4", "x", "0.10.0", "0.10.0", "0.10.0 can be installed");
	choose("0.2.5", "x", "0.3.0", "0.10.0", "0.3.0, on the way to 0.10.0, which needs at least 0.3.0");
	choose("0.1.0", "x", "0.2.1", "0.10.0", "0.2.1, on the way to 0.10.0, which needs at least 0.3.0");
	choose("0.0.9", "x", "", "0.10.0", "0.10.0 needs at least 0.3.0, and no version here leads there from 0.0.9");
	choose("0.10", "x", "", "", "nothing newer than 0.10");
	choose("1.0", "x", "", "", "nothing newer than 1.0");
	choose("0.2.0", "x", "0.3.0", "0.10.0",
	       "0.2.0 was withdrawn; 0.3.0, on the way to 0.10.0, which needs at least 0.3.0");
	choose("0.11.0", "x", "", "", "0.11.0 was withdrawn; nothing newer than 0.11.0");
	choose("0.2.0", "y", "9", "9", "9 can be installed");
	choose("0.1.0", "z", "", "", "nothing newer than 0.1.0");
	assert_int_equal(channel_choose(&c, "dev", "x", &o, &e), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(an_index, setup),
		cmocka_unit_test_setup(the_signature_comes_first, setup),
		cmocka_unit_test_setup(too_large, setup),
		cmocka_unit_test_setup(values_are_checked, setup),
		cmocka_unit_test_setup(the_list_of_versions, setup),
		cmocka_unit_test_setup(a_later_format_is_named, setup),
		cmocka_unit_test_setup(how_old_it_is, setup),
		cmocka_unit_test_setup(what_to_take, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
