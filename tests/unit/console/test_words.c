/* console/words: splitting, options of logs, completion, the nearest command. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "console/words.h"

static struct vocabulary v;

static int setup(void **state)
{
	(void)state;
	memset(&v, 0, sizeof(v));
	vocabulary_commands(
		&v, "{\"commands\":[{\"name\":\"help\"},{\"name\":\"status\"},{\"name\":\"start\"},{\"name\":\"stop\"},"
		    "{\"name\":\"restart\"},{\"name\":\"logs\"},{\"name\":\"reboot\"}]}");
	vocabulary_services(
		&v, "{\"services\":[{\"name\":\"web\"},{\"name\":\"console-screen\"},{\"name\":\"console-serial\"},"
		    "{\"name\":\"Bad Name\"}]}");
	return 0;
}

static void splitting(void **state)
{
	struct words w;
	struct err e = {0};
	(void)state;
	assert_return_code(words_split(&w, "  fact  x on 'two words' a\"b c\"d '' ", &e), 0);
	assert_int_equal(w.argc, 6);
	assert_string_equal(w.argv[0], "fact");
	assert_string_equal(w.argv[3], "two words");
	assert_string_equal(w.argv[4], "ab cd");
	assert_string_equal(w.argv[5], "");
	assert_return_code(words_split(&w, "   ", &e), 0);
	assert_int_equal(w.argc, 0);
	assert_int_equal(words_split(&w, "a 'b", &e), -1);
	assert_string_equal(e.text, "a quote is not closed");
	assert_return_code(words_split(&w, "1 2 3 4 5 6 7 8 9", &e), 0);
	assert_int_equal(words_split(&w, "1 2 3 4 5 6 7 8 9 10", &e), -1);
	char line[WORDS_TEXT + 1];
	memset(line, 'a', WORDS_TEXT);
	line[WORDS_TEXT] = '\0';
	assert_int_equal(words_split(&w, line, &e), -1);
	line[WORDS_TEXT - 1] = '\0';
	assert_return_code(words_split(&w, line, &e), 0);
}

static int logs(const char *line, struct words_logs *l)
{
	struct words w;
	struct err e = {0};
	assert_return_code(words_split(&w, line, &e), 0);
	/* name is borrowed from w, which is gone on return: only compared inside. */
	int rc = words_logs(w.argc, w.argv, l, &e);
	if (rc)
		assert_non_null(strstr(e.text, "usage: logs NAME"));
	else
		assert_string_equal(l->name, "web");
	return rc;
}

static void logs_options(void **state)
{
	struct words_logs l;
	(void)state;
	assert_return_code(logs("logs web", &l), 0);
	assert_false(l.follow);
	assert_int_equal(l.lines, WORDS_LOGS_LINES);
	assert_return_code(logs("logs -n 5 web -f", &l), 0);
	assert_true(l.follow);
	assert_int_equal(l.lines, 5);
	static const char *const bad[] = {"logs",          "logs web x",        "logs -n",
	                                  "logs web -n x", "logs web -n 10001", "logs -x web"};
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_int_equal(logs(bad[i], &l), -1);
}

static void logs_of_pods(void **state)
{
	struct words w;
	struct words_logs l;
	struct err e = {0};
	const char *ask[3];
	(void)state;
	assert_return_code(words_split(&w, "logs -f pod/infra/x web -n 5", &e), 0);
	assert_return_code(words_logs(w.argc, w.argv, &l, &e), 0);
	assert_string_equal(l.name, "pod/infra/x");
	assert_string_equal(l.container, "web");
	assert_true(l.follow);
	assert_int_equal(l.lines, 5);
	assert_int_equal(words_logs_ask(&l, ask), 3);
	assert_string_equal(ask[0], "logs");
	assert_string_equal(ask[1], "pod/infra/x");
	assert_string_equal(ask[2], "web");
	assert_return_code(words_split(&w, "logs pod/x", &e), 0);
	assert_return_code(words_logs(w.argc, w.argv, &l, &e), 0);
	assert_null(l.container);
	assert_int_equal(words_logs_ask(&l, ask), 2);
	assert_return_code(words_split(&w, "logs pod/x a b", &e), 0);
	assert_int_equal(words_logs(w.argc, w.argv, &l, &e), -1);
}

static void logs_that_may_be_opened(void **state)
{
	struct words_logs pod = {.name = "pod/x"}, service = {.name = "web"};
	(void)state;
	assert_true(words_logs_may_open(&service, "/var/log/hearth/web.log"));
	assert_true(words_logs_may_open(&pod, "/var/log/pods/a_x_1/c/0.log"));
	assert_false(words_logs_may_open(&pod, "/var/log/hearth/web.log"));
	assert_false(words_logs_may_open(&pod, "/var/log/pods/../../state/tls/key.pem"));
	assert_false(words_logs_may_open(&pod, "/var/log/pods"));
	assert_false(words_logs_may_open(&pod, ""));
}

static void follow_events(void **state)
{
	static const char *const yes[] = {"events", "-f"}, *const no[] = {"events", "12"};
	(void)state;
	assert_true(words_follow_events(2, yes));
	assert_false(words_follow_events(2, no));
	assert_false(words_follow_events(1, yes));
}

static void assert_completes(const char *line, unsigned cursor, const char *add, const char *list)
{
	char a[128], l[512];
	struct buf ab, lb;
	buf_init(&ab, a, sizeof(a));
	buf_init(&lb, l, sizeof(l));
	vocabulary_complete(&v, line, cursor, &ab, &lb);
	assert_string_equal(a, add);
	assert_string_equal(l, list);
}

static void completion(void **state)
{
	(void)state;
	assert_completes("he", 2, "lp ", "");
	assert_completes("st", 2, "", "status  start  stop");
	assert_completes("sta", 3, "", "status  start");
	assert_completes("star", 4, "t ", "");
	assert_completes("cl", 2, "ear ", "");
	assert_completes("xyz", 3, "", "");
	assert_completes("", 0, "", "help  status  start  stop  restart  logs  reboot  clear");
	assert_completes("  re", 4, "", "restart  reboot");
	assert_completes("restart c", 9, "onsole-s", "");
	assert_completes("restart console-s", 17, "", "console-screen  console-serial");
	assert_completes("logs -f w", 9, "eb ", "");
	assert_completes("status w", 8, "", "");
	assert_completes("restart ", 8, "", "web  console-screen  console-serial");
	assert_completes("he x", 2, "lp ", ""); /* the word before the cursor counts */
	assert_completes("help", 0, "", "help  status  start  stop  restart  logs  reboot  clear");
}

static void copies_are_completed(void **state)
{
	static const char json[] = "{\"snapshots\":[{\"name\":\"utils/notes\"},{\"name\":\"utils/notes:newer\"},"
				   "{\"name\":\"htpc/films\"},{\"name\":\"no t\"},{\"name\":\"\"}]}";
	(void)state;
	assert_completes("snapshots restore ", 18, "", "");
	vocabulary_copies(&v, json);
	vocabulary_copies(&v, "{\"message\":\"x\"}");
	assert_int_equal(v.copies, 3);
	assert_completes("snapshots ", 10, "", "cancel  remove  restore  take");
	assert_completes("  snapshots  res", 16, "tore ", "");
	assert_completes("snapshots restore h", 19, "tpc/films ", "");
	assert_completes("snapshots remove u", 18, "tils/notes", "");
	assert_completes("snapshot h", 10, "", "");
	v.copies = 0;
}

static void vocabulary(void **state)
{
	(void)state;
	assert_true(vocabulary_has_command(&v, "clear"));
	assert_true(vocabulary_has_command(&v, "status"));
	assert_int_equal(v.services, 3);
	assert_string_equal(vocabulary_nearest(&v, "stauts"), "status");
	assert_string_equal(vocabulary_nearest(&v, "rebot"), "reboot");
	assert_null(vocabulary_nearest(&v, "xyzzy"));
	/* What is no answer changes nothing. */
	vocabulary_commands(&v, "{\"message\":\"x\"}");
	vocabulary_services(&v, "garbage");
	assert_true(vocabulary_has_command(&v, "status"));
	assert_int_equal(v.services, 3);
	vocabulary_services(&v, "{\"services\":[]}");
	assert_int_equal(v.services, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(splitting, setup),
		cmocka_unit_test_setup(logs_options, setup),
		cmocka_unit_test_setup(logs_of_pods, setup),
		cmocka_unit_test_setup(logs_that_may_be_opened, setup),
		cmocka_unit_test_setup(follow_events, setup),
		cmocka_unit_test_setup(completion, setup),
		cmocka_unit_test_setup(copies_are_completed, setup),
		cmocka_unit_test_setup(vocabulary, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
