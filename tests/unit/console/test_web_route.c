/* init/console/web_route.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "console/web_route.h"

static struct web_match m;

static int match(enum web_method method, const char *path, const char *query, bool body)
{
	web_route_match(method, path, query, body, &m);
	assert_true((m.status == 200) == (m.route != NULL));
	assert_true((m.status == 200) == (m.why == NULL));
	return m.status;
}

/* Each row of GET answers GET and HEAD, no body, and no query that is not its own. */
static void every_row_that_reads(void **state)
{
	(void)state;
	for (const struct web_route *r = web_route_table(); r->path; r++) {
		if (r->method != WEB_GET)
			continue;
		assert_int_equal(match(WEB_GET, r->path, "", false), 200);
		assert_ptr_equal(m.route, r);
		assert_int_equal(m.argc, r->command ? 1 : 0);
		if (r->command)
			assert_string_equal(m.argv[0], r->command);
		assert_true(!r->command || r->timeout_ms > 0);
		assert_int_equal(match(WEB_HEAD, r->path, "", false), 200);
		assert_ptr_equal(m.route, r);
		assert_int_equal(match(WEB_OTHER, r->path, "", false), 405);
		assert_int_equal(match(WEB_OTHER, r->path, "", true), 405);
		assert_int_equal(match(WEB_PUT, r->path, "", true), 405);
		assert_int_equal(match(WEB_GET, r->path, "", true), 413);
		assert_int_equal(match(WEB_GET, r->path, "x=1", false), 400);
		assert_int_equal(match(WEB_GET, r->path, "from=1", false), r->query ? 200 : 400);
	}
}

/* No row of GET changes anything; the others take their own method alone, with a body and no query that is not their
 * own. */
static void every_row_that_changes(void **state)
{
	unsigned rows = 0;

	(void)state;
	for (const struct web_route *r = web_route_table(); r->path; r++) {
		bool changes =
			r->kind == WEB_LOGIN || r->kind == WEB_LOGOUT || r->kind == WEB_ACT || r->kind == WEB_UPLOAD;
		assert_int_equal(r->method != WEB_GET, changes);
		if (!changes)
			continue;
		rows++;
		assert_null(r->command);
		assert_int_equal(match(r->method, r->path, "", true), 200);
		assert_ptr_equal(m.route, r);
		assert_int_equal(match(r->method, r->path, "", false), 411);
		assert_int_equal(match(r->method, r->path, "from=x", true), 400);
		assert_int_equal(match(r->method, r->path, "from=1", true), r->query ? 200 : 400);
		assert_true(!r->query || (m.argc == 1 && str_eq(m.argv[0], "1")));
		assert_int_equal(match(r->method == WEB_PUT ? WEB_POST : WEB_PUT, r->path, "", true), 405);
		assert_int_equal(match(WEB_OTHER, r->path, "", true), 405);
	}
	assert_int_equal(rows, 5);
}

static void what_is_allowed_instead(void **state)
{
	static const struct {
		const char *path, *allow;
	} rows[] = {{"/", "GET, HEAD"},
	            {"/api/v1/session", "GET, HEAD, POST"},
	            {"/api/v1/command", "POST"},
	            {"/api/v1/update/upload", "PUT"}};
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_int_equal(match(WEB_OTHER, rows[i].path, "", false), 405);
		assert_string_equal(m.allow, rows[i].allow);
	}
	assert_int_equal(match(WEB_GET, "/nothing", "", false), 404);
	assert_string_equal(m.allow, "");
}

static void numbers_alone_pass(void **state)
{
	static const char *const bad[] = {
		"=",      "from",    "from=", "from=-1", "from=+1", "from=1 ", "from= 1",
		"from=x", "from=1x", "fro=1", "from==1", "from=-f", "fromm=1", "from=18446744073709551616"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_int_equal(match(WEB_GET, "/api/v1/events", bad[i], false), 400);
	assert_int_equal(match(WEB_GET, "/api/v1/events", "from=18446744073709551615", false), 200);
	assert_int_equal(m.argc, 2);
	assert_string_equal(m.argv[0], "events");
	assert_string_equal(m.argv[1], "18446744073709551615");
}

static void unknown_paths(void **state)
{
	static const char *const bad[] = {
		"", "//", "/api", "/api/v1/status/", "/api/v1/STATUS", "/api/v1/status\n", "*", "/index.html"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_int_equal(match(WEB_GET, bad[i], "", false), 404);
	assert_int_equal(match(WEB_OTHER, "/x", "x", true), 404);
}

static void errors_are_json(void **state)
{
	char text[64];
	struct buf b;

	(void)state;
	buf_init(&b, text, sizeof(text));
	web_route_error(&b, "a \"quoted\"\n line");
	assert_true(buf_ok(&b));
	assert_string_equal(text, "{\"error\":\"a \\\"quoted\\\"\\n line\"}\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_that_reads),    cmocka_unit_test(every_row_that_changes),
		cmocka_unit_test(what_is_allowed_instead), cmocka_unit_test(numbers_alone_pass),
		cmocka_unit_test(unknown_paths),           cmocka_unit_test(errors_are_json),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
