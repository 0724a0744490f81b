/* console/notice: what somebody at the prompt is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "console/notice.h"

static struct notices ns;
static char text[1024];

static int setup(void **state)
{
	(void)state;
	notice_init(&ns);
	return 0;
}

static enum notice_result tell(const char *kind, const char *name, const char *what, uint64_t ms)
{
	char json[512];
	struct buf b;
	buf_init(&b, text, sizeof(text));
	assert_return_code(str_format(json, sizeof(json),
	                              "{\"seq\":1,\"time\":\"2026-01-31T12:00:00Z\",\"kind\":\"%s\",\"name\":\"%s\","
	                              "\"text\":\"%s\"}",
	                              kind, name, what),
	                   0);
	return notice_event(&ns, json, ms, 79, &b);
}

static void kinds(void **state)
{
	(void)state;
	assert_int_equal(tell("stage", "network", "done", 0), NOTICE_STATUS);
	assert_int_equal(tell("problem", "", "x.yaml:3: no", 0), NOTICE_STATUS);
	assert_int_equal(tell("fact", "network-up", "on", 0), NOTICE_NONE);
	assert_int_equal(tell("new-kind", "x", "on", 0), NOTICE_NONE);
	assert_int_equal(tell("owner", "owner", "login from 10.0.2.2", 0), NOTICE_LINE);
	assert_string_equal(text, "12:00:00  owner    owner: login from 10.0.2.2\n");
	assert_int_equal(tell("system", "reboot", "asked for by a person", 0), NOTICE_LINE);
	assert_string_equal(text, "12:00:00  system   reboot: asked for by a person\n");
	assert_int_equal(tell("system", "system", "stopping: reboot asked for by a person", 0), NOTICE_STOPPING);
}

static void a_failure_and_its_end(void **state)
{
	(void)state;
	assert_int_equal(tell("service", "web", "starting", 0), NOTICE_NONE);
	assert_int_equal(tell("service", "web", "ready: running", 0), NOTICE_NONE);
	assert_int_equal(tell("service", "web", "backoff: exited with status 1", 1000), NOTICE_LINE);
	assert_int_equal(tell("service", "web", "waiting", 1100), NOTICE_NONE);
	assert_int_equal(tell("service", "web", "starting -> ready: running", 1200), NOTICE_LINE);
	assert_int_equal(tell("service", "web", "ready", 1300), NOTICE_NONE);
	assert_int_equal(tell("service", "other", "readyish", 1300), NOTICE_NONE);
	assert_int_equal(tell("service", "cert", "starting -> failed: status 1", 1300), NOTICE_LINE);
}

static unsigned crash_for(uint64_t from, uint64_t ms)
{
	unsigned told = 0;
	for (uint64_t t = from; t < from + ms; t += 1000) {
		told += tell("service", "web", "backoff: exited", t) == NOTICE_LINE;
		told += tell("service", "web", "ready", t + 100) == NOTICE_LINE;
	}
	return told;
}

static void crash_loops_get_quiet(void **state)
{
	(void)state;
	unsigned first = crash_for(1000, 600000), later = crash_for(601000, 3600000);
	assert_true(first >= 2 && first <= 16);
	assert_true(later <= 14);
	/* Final is said in any case. */
	assert_int_equal(tell("service", "web", "failed: gave up", 4300000), NOTICE_LINE);
	/* After a long calm it is news again. */
	assert_int_equal(tell("service", "web", "backoff: exited", 9000000), NOTICE_LINE);
	assert_int_equal(tell("service", "web", "backoff: exited", 9000000 + NOTICE_QUIET_MS), NOTICE_LINE);
}

static void many_services_and_garbage(void **state)
{
	struct buf b;
	(void)state;
	for (int i = 0; i < 3 * LIMIT_SERVICES; i++) {
		char name[16];
		assert_return_code(str_format(name, sizeof(name), "s%d", i), 0);
		assert_int_equal(tell("service", name, "failed", 0), NOTICE_LINE);
	}
	buf_init(&b, text, sizeof(text));
	assert_int_equal(notice_event(&ns, "no json", 0, 79, &b), NOTICE_NONE);
	assert_int_equal(notice_event(&ns, "{\"kind\":3}", 0, 79, &b), NOTICE_NONE);
	assert_int_equal(notice_event(&ns, "{\"kind\":\"service\",\"name\":[],\"text\":7}", 0, 79, &b), NOTICE_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(kinds, setup),
		cmocka_unit_test_setup(a_failure_and_its_end, setup),
		cmocka_unit_test_setup(crash_loops_get_quiet, setup),
		cmocka_unit_test_setup(many_services_and_garbage, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
