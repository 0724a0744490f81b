/* init/core/teller.c against the other end of a real channel, with a hand-advanced clock. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "core/teller.h"
#include "fake/sys.h"
#include "loop/chan.h"

#define FACTS 12

static struct loop loop;
static struct teller f;
static struct teller_fact fact[FACTS];
static struct err e;
static int fds[2];

static int setup(void **state)
{
	(void)state;
	fake_reset();
	fake_clock_ms = 100000;
	memset(&loop, 0, sizeof(loop));
	if (loop_init(&loop, &e) || chan_pair(fds, &e))
		return -1;
	teller_init(&f, fact, FACTS);
	teller_open(&f, &loop, fds[0], "test");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	teller_fini(&f);
	close(fds[0]);
	close(fds[1]);
	loop_fini(&loop);
	fake_reset();
	return 0;
}

static void nothing(struct loop *l, void *arg)
{
	(void)l;
	(void)arg;
}

static void wait_ms(int64_t ms)
{
	struct loop_timer t = {0};
	fake_clock_ms += ms;
	loop_after(&loop, &t, 0, nothing, NULL);
	assert_int_equal(loop_step(&loop, &e), 0);
	loop_cancel(&loop, &t);
}

/* The next message, its words joined by '|'; "" when there is none. */
static const char *next(void)
{
	static char msg[LIMIT_REQUEST];
	ssize_t n = chan_recv(fds[1], msg, sizeof(msg), NULL, &e);
	if (n < 0)
		return "";
	for (ssize_t i = 4; i < n - 1; i++) {
		if (msg[i] == '\0')
			msg[i] = '|';
	}
	return msg + 4;
}

static void changes_are_told_once_and_together(void **state)
{
	(void)state;
	teller_set(&f, "kube-api", FACT_OFF, "waiting");
	teller_set(&f, "kube-api", FACT_ON, "there");
	teller_set(&f, "app-x", FACT_OFF, "");
	assert_string_equal(next(), "");
	wait_ms(TELLER_SOON_MS);
	assert_string_equal(next(), "fact|kube-api|on|there");
	assert_string_equal(next(), "fact|app-x|off");
	teller_set(&f, "kube-api", FACT_ON, "there");
	wait_ms(TELLER_EVERY_MS * 2);
	assert_string_equal(next(), "");
	teller_set(&f, "app-x", FACT_ON, "");
	wait_ms(TELLER_EVERY_MS * 2);
	assert_string_equal(next(), "fact|app-x|on"); /* and the others not again */
	assert_string_equal(next(), "");
}

static void they_do_not_come_more_often_than_that(void **state)
{
	(void)state;
	teller_set(&f, "kube-api", FACT_OFF, "1");
	wait_ms(TELLER_SOON_MS);
	assert_string_equal(next(), "fact|kube-api|off|1");
	teller_set(&f, "kube-api", FACT_OFF, "2");
	wait_ms(TELLER_EVERY_MS - 1);
	assert_string_equal(next(), "");
	wait_ms(1);
	assert_string_equal(next(), "fact|kube-api|off|2");
}

static void a_full_channel_loses_nothing(void **state)
{
	char text[100];
	unsigned sent = 0;
	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	while (chan_send(fds[0], text, sizeof(text), -1, &e) == 0)
		sent++;
	assert_int_equal(e.code, EAGAIN);
	teller_set(&f, "kube-api", FACT_ON, "there");
	wait_ms(TELLER_SOON_MS);
	for (unsigned i = 0; i < sent; i++)
		assert_true(str_starts(next(), "xxx"));
	assert_string_equal(next(), "");
	wait_ms(TELLER_EVERY_MS);
	assert_string_equal(next(), "fact|kube-api|on|there");
}

static void details_are_cut_and_cleaned(void **state)
{
	char text[300];
	(void)state;
	memset(text, 'y', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	text[3] = '\n';
	teller_set(&f, "kube-api", FACT_ON, text);
	wait_ms(TELLER_SOON_MS);
	const char *got = next();
	assert_true(str_starts(got, "fact|kube-api|on|yyy yyy"));
	assert_int_equal(strlen(got), strlen("fact|kube-api|on|") + LIMIT_DETAIL - 1);
}

static void the_table_is_bounded(void **state)
{
	char name[LIMIT_NAME];
	(void)state;
	for (unsigned i = 0; i < FACTS + 5; i++) {
		assert_int_equal(str_format(name, sizeof(name), "app-%u", i), 0);
		teller_set(&f, name, FACT_ON, "");
	}
	assert_int_equal(f.count, FACTS);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(changes_are_told_once_and_together),
		TEST(they_do_not_come_more_often_than_that),
		TEST(a_full_channel_loses_nothing),
		TEST(details_are_cut_and_cleaned),
		TEST(the_table_is_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
