/* init/update/order.c: words to orders, orders to records and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "update/order.h"

#define SUM "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static struct err e;
static struct order o;

/* Words divided by blanks. */
static int parse(const char *text)
{
	static char copy[2048];
	const char *argv[16];
	unsigned argc = 0;

	(void)snprintf(copy, sizeof(copy), "%s", text);
	for (char *p = strtok(copy, " "); p && argc < COUNT_OF(argv); p = strtok(NULL, " "))
		argv[argc++] = p;
	return order_parse(&o, argc, argv, &e);
}

static void words_are_orders(void **state)
{
	static const struct {
		const char *words;
		struct order want;
	} cases[] = {
		{"update", {.verb = ORDER_STATUS}},
		{"update pause", {.verb = ORDER_PAUSE}},
		{"update resume", {.verb = ORDER_RESUME}},
		{"update cancel", {.verb = ORDER_CANCEL}},
		{"update check", {.verb = ORDER_CHECK}},
		{"update install", {.verb = ORDER_INSTALL, .kind = ORDER_CHANNEL}},
		{"update install --restart", {.verb = ORDER_INSTALL, .kind = ORDER_CHANNEL, .restart = true}},
		{"update install usb --snapshot",
	         {.verb = ORDER_INSTALL, .kind = ORDER_USB, .source = "usb", .snapshot = true}},
		{"update show usb", {.verb = ORDER_SHOW, .kind = ORDER_USB, .source = "usb"}},
		{"update show http://a/b", {.verb = ORDER_SHOW, .kind = ORDER_URL, .source = "http://a/b"}},
		{"update install https://a/b?c=d",
	         {.verb = ORDER_INSTALL, .kind = ORDER_URL, .source = "https://a/b?c=d"}},
		{"update upload 12345",
	         {.verb = ORDER_UPLOAD, .kind = ORDER_PIPE, .source = "an upload", .size = 12345}},
		{"update upload 500 12000000000",
	         {.verb = ORDER_PART, .kind = ORDER_PIPE, .source = "an upload", .size = 500, .from = 12000000000}},
		{"update install upload:12345 --restart",
	         {.verb = ORDER_INSTALL,
	          .kind = ORDER_PARTS,
	          .source = "upload:12345",
	          .size = 12345,
	          .restart = true}},
		{"update install /data/x --again",
	         {.verb = ORDER_INSTALL, .kind = ORDER_FILE, .source = "/data/x", .again = true}},
		{"update install /data/a/..b/x.hearth --restart --older",
	         {.verb = ORDER_INSTALL,
	          .kind = ORDER_FILE,
	          .source = "/data/a/..b/x.hearth",
	          .older = true,
	          .restart = true}},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		assert_int_equal(parse(cases[i].words), 0);
		assert_int_equal(o.verb, cases[i].want.verb);
		assert_int_equal(o.kind, cases[i].want.kind);
		assert_string_equal(o.source, cases[i].want.source);
		assert_int_equal(o.size, cases[i].want.size);
		assert_int_equal(o.from, cases[i].want.from);
		assert_int_equal(o.again, cases[i].want.again);
		assert_int_equal(o.older, cases[i].want.older);
		assert_int_equal(o.restart, cases[i].want.restart);
		assert_int_equal(o.snapshot, cases[i].want.snapshot);
		assert_false(o.paused);
	}
}

static void others_are_refused(void **state)
{
	static const struct {
		const char *words, *says;
	} cases[] = {
		{"update bake", "'bake' is none of check, show"},
		{"update check usb", "too many"},
		{"update install --now", "'--now' is none of"},
		{"update show", "from where"},
		{"update upload", "how many bytes"},
		{"update upload 0", "no number of bytes"},
		{"update upload -1", "no number of bytes"},
		{"update upload 1M", "no number of bytes"},
		{"update upload 99999999999999", "no number of bytes"},
		{"update upload 5 --again", "no place in a file"},
		{"update upload 5 -1", "no place in a file"},
		{"update upload 0 5", "no number of bytes"},
		{"update upload 5 0 --again", "too many"},
		{"update show upload:5", "who has the file shows it"},
		{"update install upload:", "no number of bytes"},
		{"update install upload:0", "no number of bytes"},
		{"update install upload:5x", "no number of bytes"},
		{"update install an upload", "none of"},
		{"update pause now", "too many"},
		{"update show usb --again", "too many"},
		{"update install usb --again --older --restart --snapshot --again", "too many"},
		{"update install usb --paused", "'--paused' is none of"},
		{"update install usb again", "'again' is none of"},
		{"update install ftp://a/b", "none of http(s)"},
		{"update install HTTP://a/b", "none of http(s)"},
		{"update install /etc/passwd", "none of http(s)"},
		{"update install /data", "none of http(s)"},
		{"update install /data/", "none of http(s)"},
		{"update install /data/x/", "none of http(s)"},
		{"update install /data//x", "none of http(s)"},
		{"update install /data/./x", "none of http(s)"},
		{"update install /data/../x", "none of http(s)"},
		{"update install /data/x/..", "none of http(s)"},
		{"update install /database/x", "none of http(s)"},
		{"update install http://a/\x7f", "characters"},
	};
	char longest[ORDER_SOURCE + 64] = "update show http://";

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		assert_int_equal(parse(cases[i].words), -1);
		if (!strstr(e.text, cases[i].says))
			fail_msg("%s: %s", cases[i].words, e.text);
	}
	memset(longest + strlen(longest), 'x', ORDER_SOURCE - 1 - strlen("http://"));
	assert_int_equal(parse(longest), 0);
	strcat(longest, "x");
	assert_int_equal(parse(longest), -1);
}

static void a_record_says_the_same(void **state)
{
	static const char *const cases[] = {"update install usb", "update install http://a/b --older",
	                                    "update install /data/x --restart --again --older",
	                                    "update install upload:12345 --restart"};
	struct order again;
	char text[ORDER_RECORD];
	struct buf b;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases) * 4; i++) {
		assert_int_equal(parse(cases[i / 4]), 0);
		o.paused = i % 2;
		o.named = i % 4 > 1;
		for (size_t k = 0; o.named && k < sizeof(o.manifest); k++)
			o.manifest[k] = (uint8_t)(0xF0 + k);
		buf_init(&b, text, sizeof(text));
		order_record(&o, &b);
		assert_true(buf_ok(&b));
		assert_int_equal(order_read(&again, "job", text, b.len, &e), 0);
		assert_memory_equal(&again, &o, sizeof(o));
	}
}

static void other_records_are_refused(void **state)
{
	static const char *const cases[] = {
		"",
		"install usb",
		"usb\n",
		"install \n",
		"install ftp://x\n",
		"install /data/../x\n",
		"again\n",
		"install usb\nnow\n",
		"install usb\nagain\nagain\n",
		"install usb\n\n",
		"install usb\nagain",
		"install usb\ninstall usb\n",
		"show usb\n",
		"install an upload\n",
		"upload 5\n",
		"install http://a/b\nmanifest\n",
		"install http://a/b\nmanifest 00\n",
		"install http://a/b\nmanifest " SUM "0\n",
		"install http://a/b\nmanifest G" SUM "\n",
		"install http://a/b\nmanifest " SUM "\nmanifest " SUM "\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		if (order_read(&o, "job", cases[i], strlen(cases[i]), &e) == 0)
			fail_msg("taken: %s", cases[i]);
		assert_true(str_starts(e.text, "job:"));
	}
	assert_int_equal(order_read(&o, "job", "install usb\0x\n", 14, &e), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_orders),
		cmocka_unit_test(others_are_refused),
		cmocka_unit_test(a_record_says_the_same),
		cmocka_unit_test(other_records_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
