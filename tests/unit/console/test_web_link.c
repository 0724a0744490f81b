/* init/console/web_link.c against the other end of a real channel, with a hand-advanced clock. */
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
#include "console/web_link.h"
#include "fake/sys.h"
#include "loop/chan.h"

static struct loop loop;
static struct web_link l;
static struct err e;
static int fds[2]; /* ours is 0, PID 1's is 1 */

static struct {
	int calls, events;
	enum web_end how;
	char text[64];
} got;

static int setup(void **state)
{
	(void)state;
	fake_reset();
	fake_clock_ms = 1000;
	memset(&loop, 0, sizeof(loop));
	memset(&got, 0, sizeof(got));
	if (loop_init(&loop, &e) || chan_pair(fds, &e))
		return -1;
	return web_link_init(&l, &loop, fds[0], &e);
}

static int teardown(void **state)
{
	(void)state;
	close(fds[0]);
	if (fds[1] >= 0)
		close(fds[1]);
	loop_fini(&loop);
	fake_reset();
	return 0;
}

static void on_end(enum web_end how, const char *text, size_t len, void *arg)
{
	(void)arg;
	got.calls++;
	got.how = how;
	assert_int_equal(strlen(text), len);
	assert_int_equal(str_copy(got.text, sizeof(got.text), text), 0);
}

static void on_event(const char *json, size_t len, void *arg)
{
	assert_ptr_equal(arg, &got);
	assert_int_equal(strlen(json), len);
	assert_int_equal(str_copy(got.text, sizeof(got.text), json), 0);
	got.events++;
}

static uint32_t ask(void)
{
	static const char *const words[] = {"events", "7"};
	const struct web_ask a = {2, words, 5000, on_end, NULL, -1};
	uint32_t id = 0;
	assert_int_equal(web_link_call(&l, &a, &id, &e), 0);
	assert_int_not_equal(id, 0);
	return id;
}

/* What PID 1 reads: its words, the id into *id. */
static void pid1_reads(uint32_t *id, const char *words, size_t len)
{
	char msg[LIMIT_REQUEST];
	ssize_t n = chan_recv(fds[1], msg, sizeof(msg), NULL, &e);
	assert_int_equal(n, 4 + len);
	memcpy(id, msg, 4);
	assert_memory_equal(msg + 4, words, len);
}

static void pid1_says(uint32_t id, enum proto_kind kind, const char *text)
{
	char msg[128];
	size_t n = strlen(text);
	memcpy(msg, &id, 4);
	msg[4] = (char)kind;
	memcpy(msg + PROTO_REPLY_HEAD, text, n);
	assert_int_equal(chan_send(fds[1], msg, PROTO_REPLY_HEAD + n, -1, &e), 0);
	assert_int_equal(loop_step(&loop, &e), 0);
}

static void nothing(struct loop *lp, void *arg)
{
	(void)lp;
	(void)arg;
}

/* Lets ms go by and everything that is due happen. */
static void wait_ms(int64_t ms)
{
	struct loop_timer t = {0};
	fake_clock_ms += ms;
	loop_after(&loop, &t, 0, nothing, NULL);
	assert_int_equal(loop_step(&loop, &e), 0);
	loop_cancel(&loop, &t);
}

static void asks_and_is_answered(void **state)
{
	uint32_t seen;

	(void)state;
	uint32_t id = ask();
	pid1_reads(&seen, "events\0007", 9);
	assert_int_equal(seen, id);
	pid1_says(id, PROTO_OK, "{}");
	assert_int_equal(got.calls, 1);
	assert_int_equal(got.how, WEB_END_OK);
	assert_string_equal(got.text, "{}");
	pid1_says(id, PROTO_OK, "{}"); /* twice: dropped */
	assert_int_equal(got.calls, 1);
	id = ask();
	pid1_says(id, PROTO_ERROR, "no such thing");
	assert_int_equal(got.how, WEB_END_ERROR);
	assert_string_equal(got.text, "no such thing");
}

static void gives_up_and_drops_the_late_answer(void **state)
{
	(void)state;
	uint32_t id = ask();
	wait_ms(4999);
	assert_int_equal(got.calls, 0);
	wait_ms(1);
	assert_int_equal(got.calls, 1);
	assert_int_equal(got.how, WEB_END_TIMEOUT);
	pid1_says(id, PROTO_OK, "{}");
	assert_int_equal(got.calls, 1);
}

static void a_cancelled_call_is_silent(void **state)
{
	(void)state;
	uint32_t id = ask();
	web_link_cancel(&l, id);
	web_link_cancel(&l, id);
	web_link_cancel(&l, 0);
	pid1_says(id, PROTO_OK, "{}");
	wait_ms(6000);
	assert_int_equal(got.calls, 0);
}

static void many_at_once(void **state)
{
	static const char *const words[] = {"status"};
	const struct web_ask a = {1, words, 5000, on_end, NULL, -1};
	uint32_t id[WEB_CALLS], more;

	(void)state;
	for (size_t i = 0; i < WEB_CALLS; i++) {
		id[i] = ask();
		for (size_t k = 0; k < i; k++)
			assert_int_not_equal(id[i], id[k]);
	}
	assert_int_equal(web_link_call(&l, &a, &more, &e), -1);
	assert_int_equal(e.code, EBUSY);
	pid1_says(id[17], PROTO_OK, "{}");
	assert_int_equal(got.calls, 1);
	assert_int_equal(web_link_call(&l, &a, &more, &e), 0);
	wait_ms(5000);
	assert_int_equal(got.calls, 1 + WEB_CALLS);
}

static void ids_wrap_past_zero(void **state)
{
	(void)state;
	l.last_id = UINT32_MAX;
	assert_int_equal(ask(), 1);
}

static void follows_events(void **state)
{
	uint32_t id;

	(void)state;
	web_link_follow(&l, on_event, &got);
	pid1_reads(&id, "events\0-f", 10);
	pid1_says(id, PROTO_OK, "{\"next\":1}");
	pid1_says(id, PROTO_EVENT, "{\"seq\":1}");
	pid1_says(id + 1, PROTO_EVENT, "{\"seq\":2}"); /* of nobody */
	assert_int_equal(got.events, 1);
	assert_string_equal(got.text, "{\"seq\":1}");
	wait_ms(60000);
	assert_false(l.follow_timer.armed);
	assert_int_equal(chan_recv(fds[1], got.text, sizeof(got.text), NULL, &e), -1); /* asks no more */
}

static void follows_again_until_it_may(void **state)
{
	uint32_t id, again;

	(void)state;
	web_link_follow(&l, on_event, &got);
	pid1_reads(&id, "events\0-f", 10);
	pid1_says(id, PROTO_ERROR, "too many followers");
	pid1_says(id, PROTO_EVENT, "{}"); /* it said no */
	assert_int_equal(got.events, 0);
	wait_ms(4999);
	assert_int_equal(chan_recv(fds[1], got.text, sizeof(got.text), NULL, &e), -1);
	wait_ms(1);
	pid1_reads(&again, "events\0-f", 10);
	assert_int_not_equal(again, id);
	wait_ms(5000); /* no answer at all */
	wait_ms(5000);
	pid1_reads(&id, "events\0-f", 10);
	pid1_says(id, PROTO_OK, "{}");
	pid1_says(id, PROTO_EVENT, "{}");
	assert_int_equal(got.events, 1);
}

static void nonsense_is_dropped(void **state)
{
	(void)state;
	uint32_t id = ask();
	assert_int_equal(chan_send(fds[1], "xyz", 3, -1, &e), 0);
	assert_int_equal(loop_step(&loop, &e), 0);
	pid1_says(id, (enum proto_kind)9, "{}");
	assert_int_equal(got.calls, 0);
	pid1_says(id, PROTO_OK, "{}");
	assert_int_equal(got.calls, 1);
	assert_false(l.lost);
}

static void the_end_of_the_channel_ends_the_loop(void **state)
{
	(void)state;
	close(fds[1]);
	fds[1] = -1;
	assert_int_equal(loop_run(&loop, &e), 0);
	assert_true(l.lost);
}

static void a_channel_that_is_full_is_an_error(void **state)
{
	static const char *const words[] = {"status"};
	const struct web_ask a = {1, words, 5000, on_end, NULL, -1};
	uint32_t id;

	(void)state;
	fake_fail_at(1, EAGAIN);
	assert_int_equal(web_link_call(&l, &a, &id, &e), -1);
	assert_true(fake_fired());
	assert_true(str_starts(e.text, "asking PID 1"));
	for (size_t i = 0; i < WEB_CALLS; i++) /* no slot was lost */
		ask();
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(asks_and_is_answered),
		T(gives_up_and_drops_the_late_answer),
		T(a_cancelled_call_is_silent),
		T(many_at_once),
		T(ids_wrap_past_zero),
		T(follows_events),
		T(follows_again_until_it_may),
		T(nonsense_is_dropped),
		T(the_end_of_the_channel_ends_the_loop),
		T(a_channel_that_is_full_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
