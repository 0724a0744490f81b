/* console/render: answers of PID 1 as text, at several widths, and whatever else comes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "console/text.h"
#include "rendered.h"

static const char services[] =
	"{\"services\":[{\"name\":\"web\",\"description\":\"HTTPS "
	"console\",\"state\":\"ready\",\"detail\":\"\",\"since_ms\":190000,"
	"\"restarts\":0,\"pid\":120,\"memory\":1258291},"
	"{\"name\":\"console-serial\",\"description\":\"Console on the serial line\",\"state\":\"backoff\","
	"\"detail\":\"exited with status 1 after 3 s; starts again in 4 "
	"s\",\"since_ms\":500,\"restarts\":5,\"pid\":0,\"memory\":0},"
	"{\"name\":\"cert\",\"description\":\"Certificate\",\"state\":\"done\",\"detail\":\"\",\"since_ms\":7200000,"
	"\"restarts\":1,"
	"\"pid\":0,\"memory\":0}]}";

static void services_table(void **state)
{
	(void)state;
	assert_string_equal(render("services", services, 79),
	                    "NAME            STATE      SINCE    MEMORY\n"
	                    "web             ready      3 min   1.1 MiB  HTTPS console\n"
	                    "console-serial  backoff      now         -  exited with status 1 after 3 s;\n"
	                    "                                            starts again in 4 s (5 restarts)\n"
	                    "cert            done         2 h         -  Certificate (1 restart)\n");
	assert_string_equal(
		render("services", services, 0),
		"NAME            STATE      SINCE    MEMORY\n"
		"web             ready      3 min   1.1 MiB  HTTPS console\n"
		"console-serial  backoff      now         -  exited with status 1 after 3 s; starts again in 4 s "
		"(5 restarts)\n"
		"cert            done         2 h         -  Certificate (1 restart)\n");
	assert_string_equal(render("services", "{\"services\":[]}", 79), "NAME  STATE    SINCE    MEMORY\n");
}

static void help_table(void **state)
{
	(void)state;
	assert_string_equal(
		render("help",
	               "{\"commands\":[{\"name\":\"help\",\"args\":\"\",\"help\":\"list the commands\"},"
	               "{\"name\":\"logs\",\"args\":\"NAME\",\"help\":\"the log of a service\"},"
	               "{\"name\":\"fact\",\"args\":\"NAME on|off|unknown [DETAIL]\",\"help\":\"set a fact\"}]}",
	               60),
		"  help                   list the commands\n"
		"  logs NAME [-f] [-n N]  the log of a service\n"
		"  fact NAME on|off|unknown [DETAIL]  set a fact\n");
	assert_string_equal(
		render("help",
	               "{\"commands\":[{\"name\":\"logs\",\"args\":\"NAME | pod/NAME [CONTAINER]\",\"help\":\"x\"}]}",
	               79),
		"    logs NAME | pod/NAME [CONTAINER] [-f] [-n N]  x\n" + 2);
}

static void facts_table(void **state)
{
	(void)state;
	assert_string_equal(
		render("facts",
	               "{\"facts\":[{\"name\":\"network-up\",\"value\":\"on\",\"detail\":\"eth0 "
	               "10.0.2.15/24\",\"age_ms\":"
	               "61000},{\"name\":\"root-intact\",\"value\":\"unknown\",\"detail\":\"\",\"age_ms\":3}]}",
	               79),
		"NAME         VALUE      SINCE\n"
		"network-up   on         1 min  eth0 10.0.2.15/24\n"
		"root-intact  unknown      now\n");
}

static void slots_table(void **state)
{
	(void)state;
	assert_string_equal(
		render("slots",
	               "{\"running\":\"a\",\"slots\":[{\"slot\":\"a\",\"running\":true,\"state\":\"good\",\"left\":0,"
	               "\"generation\":1,\"version\":\"0.1.0\"},{\"slot\":\"b\",\"running\":false,\"state\":\"trial\","
	               "\"left\":3,\"generation\":12,\"version\":\"unknown\"}]}",
	               80),
		"SLOT  VERSION  GENERATION  STATE\n"
		"a     0.1.0             1  good, running\n"
		"b     unknown          12  trial, 3 left\n");
}

static void events_list(void **state)
{
	static const char one[] = "{\"seq\":3,\"time\":\"2026-01-31T12:00:03Z\",\"ms\":3000,\"kind\":\"service\","
				  "\"name\":\"web\",\"text\":"
				  "\"backoff: exited with status 1 after a while and with a long reason\"}";
	static const char text[] = "12:00:03  service  web: backoff: exited with status 1 after\n"
				   "                   a while and with a long reason\n";
	char json[512];
	(void)state;
	assert_return_code(str_format(json, sizeof(json), "{\"oldest\":1,\"next\":4,\"events\":[%s]}", one), 0);
	assert_string_equal(render("events", json, 60), text);
	buf_reset(&b);
	assert_return_code(render_event(one, 60, &b), 0);
	assert_string_equal(data, text);
	buf_reset(&b);
	assert_return_code(render_event("{}", 60, &b), 0);
	assert_int_equal(render_event("[]", 60, &b), -1);
}

static void unknown_answers(void **state)
{
	(void)state;
	assert_string_equal(render("restart", "{\"message\":\"web: restart asked for\"}", 79),
	                    "web: restart asked for\n");
	assert_string_equal(
		render("disk",
	               "{\"name\":\"sda\",\"ok\":true,\"parts\":[{\"n\":1,\"size\":-2},{\"n\":2}],\"tags\":[\"a\",1.5],"
	               "\"none\":[],\"empty\":{},\"nil\":null,\"deep\":{\"x\":{\"y\":\"z\"}}}",
	               79),
		"name: sda\n"
		"ok: yes\n"
		"parts:\n"
		"  -\n"
		"    n: 1\n"
		"    size: -2\n"
		"  -\n"
		"    n: 2\n"
		"tags:\n"
		"  - a\n"
		"  - 1.5\n"
		"none: none\n"
		"empty: none\n"
		"nil: -\n"
		"deep:\n"
		"  x:\n"
		"    y: z\n");
	/* Known by name but not by content: shown as it is. */
	assert_string_equal(render("services", "{\"x\":1}", 79), "x: 1\n");
	assert_string_equal(render("x", "{\"text\":\"\\u001b[31m red \\u0007 \\n end\"}", 79),
	                    "text: ?[31m red ? end\n");
	assert_string_equal(render("x", "{}", 79), "");
}

static void not_an_answer(void **state)
{
	(void)state;
	buf_init(&b, data, sizeof(data));
	assert_int_equal(render_answer("help", "", 79, &b), -1);
	assert_int_equal(render_answer("help", "[]", 79, &b), -1);
	assert_int_equal(render_answer("help", "{\"commands\":[", 79, &b), -1);
	assert_int_equal(b.len, 0);
}

static void wrong_types(void **state)
{
	static const char *const json[] = {
		"{\"services\":3}",
		"{\"services\":{\"a\":1}}",
		"{\"services\":[1,\"x\",[],{\"name\":7}]}",
		"{\"facts\":[null]}",
		"{\"slots\":[null,{\"slot\":1,\"running\":\"x\"}]}",
		"{\"events\":\"x\"}",
		"{\"commands\":[[[[]]]]}",
		"{\"system\":1,\"memory\":2,\"disks\":3,\"interfaces\":[4],\"problems\":[5],\"stages\":6}",
	};
	static const char *const command[] = {"services", "facts", "events", "help", "status", "slots"};
	(void)state;
	for (size_t i = 0; i < COUNT_OF(json); i++)
		for (size_t c = 0; c < COUNT_OF(command); c++)
			(void)render(command[c], json[i], 0);
}

static void deep_nesting(void **state)
{
	char json[2100] = "{\"a\":";
	(void)state;
	memset(json + 5, '[', 1000);
	memset(json + 1005, ']', 1000);
	json[2005] = '}';
	json[2006] = '\0';
	assert_non_null(strstr(render("x", json, 79), "...\n"));
}

static void messages(void **state)
{
	(void)state;
	buf_init(&b, data, sizeof(data));
	render_message("web", "no such service; did you mean 'webb'?", 24, &b);
	assert_string_equal(data, "web: no such service;\n  did you mean 'webb'?\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(services_table), cmocka_unit_test(help_table),  cmocka_unit_test(facts_table),
		cmocka_unit_test(slots_table),    cmocka_unit_test(events_list), cmocka_unit_test(unknown_answers),
		cmocka_unit_test(not_an_answer),  cmocka_unit_test(wrong_types), cmocka_unit_test(deep_nesting),
		cmocka_unit_test(messages),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
