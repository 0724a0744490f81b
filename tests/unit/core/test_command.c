/* init/core/command.c */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "core/command.h"

static struct commands cs;
static char data[1024];
static struct buf out;
static struct json j;
static struct err e;
static struct request last;
static unsigned calls;

static int answer(const struct request *rq, struct json *to, void *arg, struct err *err)
{
	(void)err;
	calls++;
	last = *rq;
	json_open_object(to, NULL);
	json_string(to, "message", arg ? arg : "ok");
	json_close_object(to);
	return 0;
}

static int refuse(const struct request *rq, struct json *to, void *arg, struct err *err)
{
	(void)to;
	(void)arg;
	return err_set(err, ENOENT, "no service '%s'", rq->argc > 0 ? rq->argv[0] : "");
}

static int flood(const struct request *rq, struct json *to, void *arg, struct err *err)
{
	(void)rq;
	(void)arg;
	(void)err;
	json_open_list(to, NULL);
	for (unsigned i = 0; i < sizeof(data); i++)
		json_int(to, NULL, i);
	json_close_list(to);
	return 0;
}

static char hello[] = "hello";
static const struct command rows[] = {
	{"status", "", "show the box", PEER_LOCAL | PEER_WEB, 0, 0, answer, hello},
	{"restart", "NAME", "restart a service", PEER_LOCAL, 1, 1, answer, NULL},
	{"fact", "NAME on|off|unknown [DETAIL]", "set a fact", PEER_LOCAL, 2, 3, answer, NULL},
	{"many", "WORD...", "take all", PEER_LOCAL, 0, COMMAND_ARGS, answer, NULL},
	{"refuse", "NAME", "say no", PEER_LOCAL, 1, 1, refuse, NULL},
	{"flood", "", "say too much", PEER_LOCAL, 0, 0, flood, NULL},
	{0},
};

static int setup(void **state)
{
	(void)state;
	commands_init(&cs);
	calls = 0;
	return commands_register(&cs, rows, &e);
}

static int run_n(enum peer peer, const char *msg, size_t len)
{
	buf_init(&out, data, sizeof(data));
	json_init(&j, &out);
	err_clear(&e);
	return command_run(&cs, peer, msg, len, &j, &e);
}

/* A message from a string literal with \0 between the words; its own NUL ends the last one. */
#define RUN(peer, literal) run_n(peer, literal, sizeof(literal))

static void calls_the_function(void **state)
{
	(void)state;
	assert_int_equal(RUN(PEER_WEB, "status"), 0);
	assert_string_equal(data, "{\"message\":\"hello\"}");
	assert_int_equal(last.argc, 0);
	assert_int_equal(last.peer, PEER_WEB);
	assert_int_equal(RUN(PEER_LOCAL, "fact\0network-up\0on\0eth0 10.0.2.15"), 0);
	assert_int_equal(last.argc, 3);
	assert_string_equal(last.argv[0], "network-up");
	assert_string_equal(last.argv[2], "eth0 10.0.2.15");
	assert_int_equal(RUN(PEER_LOCAL, "fact\0network-up\0off\0"), 0); /* an empty detail */
	assert_string_equal(last.argv[2], "");
	assert_int_equal(RUN(PEER_LOCAL, "many\0001\0002\0003\0004\0005\0006\0007\0008\0009\00010"), 0);
	assert_int_equal(last.argc, COMMAND_ARGS);
	assert_string_equal(last.argv[COMMAND_ARGS - 1], "10");
}

static void refuses(void **state)
{
	static const struct {
		enum peer peer;
		const char *msg, *want;
		int code;
	} table[] = {
		{PEER_LOCAL, "stauts", "unknown command 'stauts'; did you mean 'status'?", ENOENT},
		{PEER_LOCAL, "xyzzy", "unknown command 'xyzzy'; 'help' lists them", ENOENT},
		{PEER_WEB, "restrt", "unknown command 'restrt'; 'help' lists them", ENOENT},
		{PEER_WEB, "restart", "restart: not allowed from here; 'help' lists what is", EPERM},
		{PEER_LOCAL, "restart", "restart: too few words; usage: restart NAME", EINVAL},
		{PEER_LOCAL, "fact", "fact: too few words; usage: fact NAME on|off|unknown [DETAIL]", EINVAL},
		{PEER_LOCAL, "sta\ntus", "a control character in a word; remove it", EINVAL},
		{PEER_LOCAL, "status\x7f", "a control character in a word; remove it", EINVAL},
		{PEER_LOCAL, "", "not a request; write a command, 'help' lists them", EPROTO},
		{PEER_LOCAL, "flood", "flood: the answer does not fit", EMSGSIZE},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(table); i++) {
		assert_int_equal(run_n(table[i].peer, table[i].msg, strlen(table[i].msg) + 1), -1);
		assert_string_equal(e.text, table[i].want);
		assert_int_equal(e.code, table[i].code);
	}
	assert_int_equal(RUN(PEER_LOCAL, "status\0x"), -1);
	assert_string_equal(e.text, "status: too many words; usage: status");
	assert_int_equal(RUN(PEER_LOCAL, "refuse\0web"), -1);
	assert_string_equal(e.text, "refuse: no service 'web'");
	assert_int_equal(RUN(PEER_LOCAL, "many\0001\0002\0003\0004\0005\0006\0007\0008\0009\00010\00011"), -1);
	assert_string_equal(e.text, "more than 10 words behind a command; 'help' lists what each takes");
	assert_int_equal(calls, 0);
}

static void messages_must_be_whole(void **state)
{
	static char big[LIMIT_REQUEST + 1];

	(void)state;
	assert_int_equal(run_n(PEER_LOCAL, "", 0), -1);
	assert_int_equal(run_n(PEER_LOCAL, "status", 6), -1); /* not terminated */
	assert_int_equal(run_n(PEER_LOCAL, "\0status", 8), -1);
	memset(big, 'x', sizeof(big));
	big[LIMIT_REQUEST] = '\0';
	assert_int_equal(run_n(PEER_LOCAL, big, sizeof(big)), -1);
	assert_int_equal(e.code, EPROTO);
	big[LIMIT_REQUEST - 1] = '\0';
	assert_int_equal(run_n(PEER_LOCAL, big, LIMIT_REQUEST), -1);
	assert_int_equal(e.code, ENOENT);
	assert_true(strlen(e.text) < 100);
}

static int later(const struct request *rq, struct json *to, void *arg, struct err *why)
{
	(void)rq;
	(void)to;
	(void)arg;
	(void)why;
	return COMMAND_LATER;
}

/* It writes nothing, which would be no answer otherwise. */
static void an_answer_may_come_later(void **state)
{
	static const struct command row[] = {{"slow", "", "h", PEER_KUBE, 0, 0, later, NULL}, {0}};

	(void)state;
	assert_int_equal(commands_register(&cs, row, &e), 0);
	assert_int_equal(RUN(PEER_KUBE, "slow"), COMMAND_LATER);
	assert_int_equal(RUN(PEER_LOCAL, "slow"), -1);
}

static void help_lists_what_the_peer_may(void **state)
{
	(void)state;
	assert_int_equal(RUN(PEER_WEB, "help"), 0);
	assert_string_equal(data, "{\"commands\":["
	                          "{\"name\":\"help\",\"args\":\"\",\"help\":\"list the commands\"},"
	                          "{\"name\":\"status\",\"args\":\"\",\"help\":\"show the box\"}]}");
	assert_int_equal(RUN(PEER_LOCAL, "help"), 0);
	assert_non_null(strstr(data, "\"restart\",\"args\":\"NAME\""));
}

static void unsound_rows_are_refused(void **state)
{
	static const struct command bad[][2] = {
		{{"Upper", "", "h", PEER_LOCAL, 0, 0, answer, NULL}, {0}},
		{{"x", NULL, "h", PEER_LOCAL, 0, 0, answer, NULL}, {0}},
		{{"x", "", NULL, PEER_LOCAL, 0, 0, answer, NULL}, {0}},
		{{"x", "", "h", 0, 0, 0, answer, NULL}, {0}},
		{{"x", "", "h", PEER_LOCAL, 2, 1, answer, NULL}, {0}},
		{{"x", "", "h", PEER_LOCAL, 0, COMMAND_ARGS + 1, answer, NULL}, {0}},
		{{"x", "", "h", PEER_LOCAL, 0, 0, NULL, NULL}, {0}},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		assert_int_equal(commands_register(&cs, bad[i], &e), -1);
		assert_int_equal(e.code, EINVAL);
	}
	assert_int_equal(commands_register(&cs, rows, &e), -1);
	assert_string_equal(e.text, "command status: registered twice");
}

static void the_table_is_bounded(void **state)
{
	static struct command row[COMMAND_TABLE][2];
	static char name[COMMAND_TABLE][8];

	(void)state;
	commands_init(&cs);
	for (unsigned i = 0; i < COMMAND_TABLE; i++) {
		assert_int_equal(str_format(name[i], sizeof(name[i]), "c%u", i), 0);
		row[i][0] = (struct command){name[i], "", "h", PEER_LOCAL, 0, 0, answer, NULL};
		/* "help" has one place. */
		assert_int_equal(commands_register(&cs, row[i], &e), i < COMMAND_TABLE - 1 ? 0 : -1);
	}
	assert_int_equal(e.code, ENOSPC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(calls_the_function, setup),
		cmocka_unit_test_setup(refuses, setup),
		cmocka_unit_test_setup(messages_must_be_whole, setup),
		cmocka_unit_test_setup(an_answer_may_come_later, setup),
		cmocka_unit_test_setup(help_lists_what_the_peer_may, setup),
		cmocka_unit_test_setup(unsound_rows_are_refused, setup),
		cmocka_unit_test_setup(the_table_is_bounded, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
