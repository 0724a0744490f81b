/* init/console/web_guard.c */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "console/web_guard.h"

#define T16   "0123456789abcdef"
#define TOKEN T16 T16 T16 T16
#define C     "__Host-hearth="

static char token[WEB_TOKEN + 1];

static void cookies(void **state)
{
	static const char *const good[] = {C TOKEN, "a=b; " C TOKEN, C TOKEN "; x=" TOKEN, "a;b;;" C TOKEN ";",
	                                   "x__Host-hearth=1; " C TOKEN};
	static const char *const bad[] = {"",
	                                  ";",
	                                  C,
	                                  C TOKEN "0",
	                                  C T16,
	                                  "hearth=" TOKEN,
	                                  "__host-hearth=" TOKEN,
	                                  C TOKEN "; " C TOKEN,
	                                  C TOKEN "; " C,
	                                  "x=" C TOKEN,
	                                  C "\"" TOKEN "\"",
	                                  C T16 T16 T16 "0123456789abcdeF",
	                                  C T16 T16 T16 "0123456789abcde g"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		if (!web_guard_cookie(good[i], token))
			fail_msg("not found: %s", good[i]);
		assert_string_equal(token, TOKEN);
	}
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		if (web_guard_cookie(bad[i], token))
			fail_msg("taken: %s", bad[i]);
		assert_string_equal(token, "");
	}
}

static void origins(void **state)
{
	static const struct {
		const char *origin, *host, *site;
		bool good;
	} rows[] = {
		{"", "h", "", true},
		{"https://h", "h", "same-origin", true},
		{"https://h", "h", "", true},
		{"", "h", "same-origin", true},
		{"https://h:8443", "h:8443", "same-origin", true},
		{"https://[fd00::1]", "[fd00::1]", "", true},
		{"https://evil", "h", "", false},
		{"http://h", "h", "", false},
		{"null", "h", "", false},
		{"https://h.evil", "h", "", false},
		{"https://", "", "", false},
		{"https://h", "h", "cross-site", false},
		{"https://h", "h", "same-site", false},
		{"", "h", "none", false},
	};
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_int_equal(web_guard_origin(rows[i].origin, rows[i].host, rows[i].site), rows[i].good);
}

static void lengths_and_tokens(void **state)
{
	uint64_t n;

	(void)state;
	assert_true(web_guard_length("1", 10, &n) && n == 1);
	assert_true(web_guard_length("10", 10, &n) && n == 10);
	assert_false(web_guard_length("0", 10, &n) || web_guard_length("11", 10, &n) ||
	             web_guard_length("-1", 10, &n) || web_guard_length("", 10, &n) ||
	             web_guard_length("1,1", 10, &n) || web_guard_length(" 1", 10, &n));
	assert_true(web_guard_is_token(TOKEN));
	assert_false(web_guard_is_token("") || web_guard_is_token(T16) || web_guard_is_token(TOKEN "0"));
}

static void statuses(void **state)
{
	static const struct {
		const char *text, *rest;
		int status;
	} rows[] = {{"401 not logged in", "not logged in", 401},
	            {"599 x", "x", 599},
	            {"600 x", "600 x", 7},
	            {"399 x", "399 x", 7},
	            {"40 x", "40 x", 7},
	            {"4000 x", "4000 x", 7},
	            {"", "", 7},
	            {"401", "401", 7},
	            {"update: not running", "update: not running", 7}};
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const char *text = rows[i].text;
		assert_int_equal(web_guard_status(&text, 7), rows[i].status);
		assert_string_equal(text, rows[i].rest);
	}
}

static void addresses(void **state)
{
	struct sockaddr_in four = {.sin_family = AF_INET};
	struct sockaddr_in6 six = {.sin6_family = AF_INET6};
	struct sockaddr other = {.sa_family = AF_UNIX};
	char text[46];

	(void)state;
	four.sin_addr.s_addr = htonl(0x0a000202);
	web_guard_address((struct sockaddr *)&four, text, sizeof(text));
	assert_string_equal(text, "10.0.2.2");
	assert_int_equal(inet_pton(AF_INET6, "::ffff:10.0.2.2", &six.sin6_addr), 1);
	web_guard_address((struct sockaddr *)&six, text, sizeof(text));
	assert_string_equal(text, "10.0.2.2");
	assert_int_equal(inet_pton(AF_INET6, "fd00::1", &six.sin6_addr), 1);
	web_guard_address((struct sockaddr *)&six, text, sizeof(text));
	assert_string_equal(text, "fd00::1");
	web_guard_address(&other, text, sizeof(text));
	assert_string_equal(text, "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cookies),  cmocka_unit_test(origins),   cmocka_unit_test(lengths_and_tokens),
		cmocka_unit_test(statuses), cmocka_unit_test(addresses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
