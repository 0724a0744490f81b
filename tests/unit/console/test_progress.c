/* console/progress: a boot told from one status after the other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "console/progress.h"

static struct progress p;
static char lines[8192], waiting[512];

static int setup(void **state)
{
	(void)state;
	progress_init(&p);
	return 0;
}

static void update(const char *json)
{
	struct buf l, w;
	buf_init(&l, lines, sizeof(lines));
	buf_init(&w, waiting, sizeof(waiting));
	assert_return_code(progress_update(&p, json, 79, &l, &w), 0);
}

static void a_boot(void **state)
{
	(void)state;
	update("{\"system\":\"booting\",\"stages\":[{\"name\":\"mounts\",\"state\":\"done\",\"ms\":3},{\"name\":"
	       "\"network\",\"state\":"
	       "\"waiting\"}],\"waiting\":\"\",\"problems\":[]}");
	assert_string_equal(lines, "[ ok ] mounts\n");
	assert_string_equal(waiting, "");
	assert_true(p.booting);
	update("{\"system\":\"booting\",\"stages\":[{\"name\":\"mounts\",\"state\":\"done\",\"ms\":3},{\"name\":"
	       "\"network\",\"state\":"
	       "\"running\",\"ms\":12345}],\"waiting\":\"network: waiting for an address (eth0: no "
	       "cable)\",\"problems\":[]}");
	assert_string_equal(lines, "");
	assert_string_equal(waiting, "[ .. ] network: waiting for an address (eth0: no cable)  12 s");
	update("{\"system\":\"booting\",\"stages\":[{\"name\":\"mounts\",\"state\":\"done\"},{\"name\":\"network\","
	       "\"state\":\"failed\","
	       "\"detail\":\"no network-up within 30 s; still waiting for it, which is a sentence longer than a "
	       "row\"}],"
	       "\"problems\":[\"/state/services/x.yaml:3: unknown key 'comand'; did you mean 'command' or something "
	       "else?\"]}");
	assert_string_equal(lines, "[fail] network: no network-up within 30 s; still waiting for it, which is a\n"
	                           "       sentence longer than a row\n"
	                           "problem: /state/services/x.yaml:3: unknown key 'comand'; did you mean 'command'\n"
	                           "  or something else?\n");
	/* The end, and the stage that had failed heals; the problem is not told again. */
	update("{\"system\":\"running\",\"stages\":[{\"name\":\"mounts\",\"state\":\"done\"},{\"name\":\"network\","
	       "\"state\":\"done\","
	       "\"detail\":\"eth0 10.0.2.15/24\",\"ms\":40000}],\"waiting\":\"x\","
	       "\"problems\":[\"/state/services/x.yaml:3: unknown key 'comand'; did you mean 'command' or something "
	       "else?\"]}");
	assert_string_equal(lines, "[ ok ] network: eth0 10.0.2.15/24 (40 s)\n");
	assert_string_equal(waiting, "");
	assert_false(p.booting);
}

static void a_console_that_comes_late(void **state)
{
	static const char json[] =
		"{\"system\":\"degraded\",\"stages\":[{\"name\":\"mounts\",\"state\":\"done\"},{\"name\":\"network\","
		"\"state\":\"failed\"}],\"problems\":[\"old\"%s]}";
	char text[512];
	(void)state;
	assert_return_code(str_format(text, sizeof(text), json, ""), 0);
	update(text);
	assert_string_equal(lines, "");
	assert_return_code(str_format(text, sizeof(text), json, ",\"new\""), 0);
	update(text);
	assert_string_equal(lines, "problem: new\n");
}

static void the_waiting_row_is_one_row(void **state)
{
	(void)state;
	update("{\"system\":\"booting\",\"stages\":[{\"name\":\"network\",\"state\":\"running\",\"ms\":65000}],"
	       "\"waiting\":"
	       "\"network: waiting for an address (eth0: no answer from a DHCP server yet)\"}");
	assert_string_equal(waiting, "[ .. ] network: an address (eth0: no answer from a DHCP server yet)  1 min");
	for (unsigned ms = 5; ms < 70000; ms += 30000) {
		char json[512];
		assert_return_code(
			str_format(json, sizeof(json),
		                   "{\"system\":\"booting\",\"stages\":[{\"name\":\"network\",\"state\":\"running\","
		                   "\"ms\":%u}],\"waiting\":\"network: waiting for an address and for a lot of other "
		                   "things that nobody can write in one row of a terminal\"}",
		                   ms),
			0);
		update(json);
		/* The same row whatever the time. */
		assert_true(
			str_starts(waiting, "[ .. ] network: an address and for a lot of other things that nobody..."));
		assert_true(strlen(waiting) <= 79);
	}
	/* Without a sentence of PID 1 the stage's name has to do. */
	update("{\"system\":\"booting\",\"stages\":[{\"name\":\"network\",\"state\":\"running\",\"ms\":5}]}");
	assert_string_equal(waiting, "[ .. ] network");
}

static void many_and_broken(void **state)
{
	struct buf l, w;
	(void)state;
	update("{\"system\":\"booting\"}");
	for (int i = 0; i < 3 * PROGRESS_PROBLEMS; i++) {
		char json[256];
		assert_return_code(
			str_format(json, sizeof(json),
		                   "{\"system\":\"booting\",\"stages\":[{\"name\":\"s%d\",\"state\":\"done\"}],"
		                   "\"problems\":[\"p%d\"]}",
		                   i, i),
			0);
		update(json);
		assert_non_null(strstr(lines, "problem: p"));
	}
	buf_init(&l, lines, sizeof(lines));
	buf_init(&w, waiting, sizeof(waiting));
	assert_int_equal(progress_update(&p, "[]", 79, &l, &w), -1);
	update("{\"system\":\"booting\",\"stages\":[1,null,{}],\"problems\":[3,{}]}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_boot, setup),
		cmocka_unit_test_setup(a_console_that_comes_late, setup),
		cmocka_unit_test_setup(the_waiting_row_is_one_row, setup),
		cmocka_unit_test_setup(many_and_broken, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
