/* init/core/proto.c */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "core/proto.h"
#include "fake/sys.h"
#include "loop/chan.h"

static char data[LIMIT_REPLY + 1];
static struct proto_reply r;
static struct err e;
static int fds[2];

static int setup(void **state)
{
	(void)state;
	fake_reset();
	err_clear(&e);
	memset(&r, 0, sizeof(r));
	return chan_pair(fds, &e);
}

static int teardown(void **state)
{
	(void)state;
	close(fds[0]);
	if (fds[1] >= 0)
		close(fds[1]);
	fake_reset();
	return 0;
}

static void packs_a_request(void **state)
{
	static const char *const argv[] = {"fact", "a", ""};
	char msg[LIMIT_REQUEST];
	uint32_t id;

	(void)state;
	assert_int_equal(proto_request(msg, sizeof(msg), 0x01020304, 3, argv, &e), 4 + 5 + 2 + 1);
	memcpy(&id, msg, sizeof(id));
	assert_int_equal(id, 0x01020304);
	assert_memory_equal(msg + 4, "fact\0a\0", 8);
	/* An exact fit, and one byte less. */
	assert_int_equal(proto_request(msg, 12, 1, 3, argv, &e), 12);
	assert_int_equal(proto_request(msg, 11, 1, 3, argv, &e), -1);
	assert_string_equal(e.text, "the request is longer than 11 bytes; shorten it");
	assert_int_equal(proto_request(msg, 3, 1, 3, argv, &e), -1);
	assert_int_equal(proto_request(msg, sizeof(msg), 1, 0, argv, &e), -1);
	assert_int_equal(proto_request(msg, sizeof(msg), 1, 1, argv + 2, &e), -1);
}

static void a_request_has_a_limit_whatever_the_buffer(void **state)
{
	static char word[LIMIT_REQUEST], msg[2 * LIMIT_REQUEST];
	const char *const argv[] = {word};

	(void)state;
	memset(word, 'x', LIMIT_REQUEST - 5);
	assert_int_equal(proto_request(msg, sizeof(msg), 1, 1, argv, &e), LIMIT_REQUEST);
	word[LIMIT_REQUEST - 5] = 'x';
	assert_int_equal(proto_request(msg, sizeof(msg), 1, 1, argv, &e), -1);
}

static size_t reply(uint32_t id, uint8_t kind, const char *text)
{
	memcpy(data, &id, sizeof(id));
	data[4] = (char)kind;
	memcpy(data + PROTO_REPLY_HEAD, text, strlen(text));
	return PROTO_REPLY_HEAD + strlen(text);
}

static void splits_a_reply(void **state)
{
	(void)state;
	size_t n = reply(77, PROTO_EVENT, "{}");
	data[n] = 'x';
	assert_int_equal(proto_parse(data, n, &r, &e), 0);
	assert_int_equal(r.id, 77);
	assert_int_equal(r.kind, PROTO_EVENT);
	assert_int_equal(r.len, 2);
	assert_string_equal(r.text, "{}");
	assert_int_equal(proto_parse(data, reply(1, PROTO_ERROR, ""), &r, &e), 0);
	assert_string_equal(r.text, "");
}

static void refuses_bad_replies(void **state)
{
	(void)state;
	for (size_t n = 0; n < PROTO_REPLY_HEAD; n++)
		assert_int_equal(proto_parse(data, n, &r, &e), -1);
	assert_int_equal(proto_parse(data, reply(1, 0, "{}"), &r, &e), -1);
	assert_int_equal(proto_parse(data, reply(1, 4, "{}"), &r, &e), -1);
	assert_int_equal(proto_parse(data, reply(1, 255, "{}"), &r, &e), -1);
	assert_int_equal(proto_parse(data, reply(1, PROTO_OK, "{}") + 1, &r, &e), -1); /* a NUL in the text */
	memset(data, PROTO_OK, LIMIT_REPLY);
	assert_int_equal(proto_parse(data, LIMIT_REPLY, &r, &e), 0);
	assert_int_equal(proto_parse(data, LIMIT_REPLY + 1, &r, &e), -1);
}

static void packs_an_ask(void **state)
{
	static char words[LIMIT_REQUEST], msg[LIMIT_REQUEST + 2];
	uint32_t id;

	(void)state;
	assert_int_equal(proto_ask(msg, sizeof(msg), 0x01020304, "apps\0x", 7, &e), 12);
	memcpy(&id, msg, sizeof(id));
	assert_int_equal(id, 0x01020304);
	assert_memory_equal(msg + 4, "\004apps\0x", 8);
	assert_int_equal(proto_ask(msg, 12, 1, "apps\0x", 7, &e), 12);
	assert_int_equal(proto_ask(msg, 11, 1, "apps\0x", 7, &e), -1);
	assert_int_equal(proto_ask(msg, 4, 1, "", 0, &e), -1);
	/* The longest request, which the id is a part of. */
	assert_int_equal(proto_ask(msg, sizeof(msg), 1, words, LIMIT_REQUEST - 4, &e), LIMIT_REQUEST + 1);
	assert_int_equal(proto_ask(msg, sizeof(msg), 1, words, LIMIT_REQUEST - 3, &e), -1);
}

static void words_of_an_ask(void **state)
{
	const char *words[2];

	(void)state;
	assert_int_equal(proto_words("apps\0x", 7, words, 2), 2);
	assert_string_equal(words[0], "apps");
	assert_string_equal(words[1], "x");
	assert_int_equal(proto_words("apps\0\0", 6, words, 2), 2);
	assert_string_equal(words[1], "");
	assert_int_equal(proto_words("a\0b\0c", 6, words, 2), 3);
	assert_int_equal(proto_words("a\0b\0c\0d\0e", 10, words, 2), 3);
	assert_int_equal(proto_words("", 0, words, 2), 0);
	assert_int_equal(proto_words("apps", 4, words, 2), 0);
}

static void answers_to_asks(void **state)
{
	static char frame[LIMIT_REPLY + 1], text[LIMIT_REPLY];

	(void)state;
	assert_int_equal(proto_answer(frame, 7, PROTO_ERROR, "no", 2), PROTO_REPLY_HEAD + 2);
	assert_false(proto_is_ask(frame, PROTO_REPLY_HEAD + 2));
	assert_int_equal(proto_parse(frame, PROTO_REPLY_HEAD + 2, &r, &e), 0);
	assert_int_equal(r.id, 7);
	assert_int_equal(r.kind, PROTO_ERROR);
	assert_string_equal(r.text, "no");
	memset(text, 'x', sizeof(text));
	assert_int_equal(proto_answer(frame, 7, PROTO_OK, text, sizeof(text)), LIMIT_REPLY);
	assert_int_equal(proto_ask(frame, sizeof(frame), 7, "apps", 5, &e), PROTO_REPLY_HEAD + 5);
	assert_true(proto_is_ask(frame, PROTO_REPLY_HEAD + 5));
	assert_false(proto_is_ask(frame, PROTO_REPLY_HEAD));
}

static void tells_replies_from_requests(void **state)
{
	(void)state;
	assert_true(proto_is_reply("\1\0\0\0\1", 5));
	assert_true(proto_is_reply("\1\0\0\0\2x", 6));
	assert_true(proto_is_reply("\1\0\0\0\037x", 6));
	assert_false(proto_is_reply("\1\0\0\0fact", 9));
	assert_false(proto_is_reply("\1\0\0\0 x", 6));
	assert_false(proto_is_reply("\1\0\0\0\377x", 6));
	assert_false(proto_is_reply("\1\0\0\0\1", 4));
}

static const char *const status[] = {"status"};

/* The far end answers before the call is made, with the number that the hand-stopped clock gives. */
static void answer(uint32_t id, uint8_t kind, const char *text)
{
	size_t n = reply(id, kind, text);

	assert_int_equal(chan_send(fds[1], data, n, -1, &e), 0);
}

static void a_call_gets_its_own_answer(void **state)
{
	char msg[LIMIT_REQUEST];

	(void)state;
	fake_clock_ms = 5000;
	answer(4000, PROTO_OK, "{\"late\":1}"); /* to an earlier call, given up */
	answer(5000, PROTO_EVENT, "{}");
	answer(5000, PROTO_OK, "{\"mine\":1}");
	assert_int_equal(proto_call(fds[0], 1, status, data, sizeof(data), 1000, &r, &e), 0);
	assert_int_equal(r.kind, PROTO_OK);
	assert_string_equal(r.text, "{\"mine\":1}");
	assert_int_equal(chan_recv(fds[1], msg, sizeof(msg), NULL, &e), 4 + 7);
	assert_memory_equal(msg + 4, "status", 7);
}

static void an_error_is_an_answer(void **state)
{
	(void)state;
	fake_clock_ms = 5000;
	answer(5000, PROTO_ERROR, "no");
	assert_int_equal(proto_call(fds[0], 1, status, data, sizeof(data), 1000, &r, &e), 0);
	assert_int_equal(r.kind, PROTO_ERROR);
	assert_string_equal(r.text, "no");
}

static int polls;

static int poll_nothing(struct pollfd *p, nfds_t n, int timeout)
{
	(void)p;
	(void)n;
	polls++;
	if (polls == 1) {
		errno = EINTR; /* a signal is no reason to give up */
		return -1;
	}
	fake_clock_ms += timeout;
	return 0;
}

static void a_call_ends_in_time(void **state)
{
	(void)state;
	fake_clock_ms = 5000;
	fake_poll = poll_nothing;
	polls = 0;
	assert_int_equal(proto_call(fds[0], 1, status, data, sizeof(data), 300, &r, &e), -1);
	assert_int_equal(e.code, ETIMEDOUT);
	assert_string_equal(e.text, "status: no answer in time");
	assert_int_equal(polls, 2);
	assert_int_equal(fake_clock_ms, 5300);
}

static ssize_t sendmsg_full(int fd, const struct msghdr *m, int flags)
{
	(void)fd;
	(void)m;
	(void)flags;
	errno = EAGAIN;
	return -1;
}

static void a_peer_that_never_reads_is_given_up(void **state)
{
	(void)state;
	fake_clock_ms = 5000;
	fake_sendmsg = sendmsg_full;
	fake_poll = poll_nothing;
	polls = 0;
	assert_int_equal(proto_call(fds[0], 1, status, data, sizeof(data), 300, &r, &e), -1);
	assert_int_equal(e.code, ETIMEDOUT);
}

static void a_closed_peer_is_an_error(void **state)
{
	static char rest[LIMIT_REQUEST];

	(void)state;
	close(fds[1]);
	fds[1] = -1;
	assert_int_equal(proto_call(fds[0], 1, status, rest, sizeof(rest), 1000, &r, &e), -1);
	assert_true(e.code == EPIPE || e.code == ECONNRESET);
}

static void a_bad_answer_is_an_error(void **state)
{
	(void)state;
	answer(1, 9, "{}");
	assert_int_equal(proto_call(fds[0], 1, status, data, sizeof(data), 1000, &r, &e), -1);
	assert_int_equal(e.code, EPROTO);
	assert_int_equal(proto_call(fds[0], 1, status, data, PROTO_REPLY_HEAD, 1000, &r, &e), -1);
	assert_int_equal(e.code, EINVAL);
	assert_int_equal(proto_call(fds[0], 0, status, data, sizeof(data), 1000, &r, &e), -1);
}

static void every_failing_call_is_survived(void **state)
{
	unsigned before = fake_open_fds();
	bool fired = true;

	for (unsigned n = 1; fired; n++) {
		fake_reset();
		assert_int_equal(teardown(state), 0);
		assert_int_equal(setup(state), 0);
		fake_clock_ms = 5000;
		answer(5000, PROTO_OK, "{}");
		fake_fail_at(n, EIO);
		int rc = proto_call(fds[0], 1, status, data, sizeof(data), 1000, &r, &e);
		fired = fake_fired();
		assert_int_equal(rc, fired ? -1 : 0);
		assert_true(!fired || e.code == EIO);
		assert_true(n < 100);
	}
	fake_reset();
	assert_int_equal(fake_open_fds(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(packs_a_request, setup, teardown),
		cmocka_unit_test_setup_teardown(a_request_has_a_limit_whatever_the_buffer, setup, teardown),
		cmocka_unit_test_setup_teardown(splits_a_reply, setup, teardown),
		cmocka_unit_test_setup_teardown(refuses_bad_replies, setup, teardown),
		cmocka_unit_test_setup_teardown(packs_an_ask, setup, teardown),
		cmocka_unit_test_setup_teardown(words_of_an_ask, setup, teardown),
		cmocka_unit_test_setup_teardown(answers_to_asks, setup, teardown),
		cmocka_unit_test_setup_teardown(tells_replies_from_requests, setup, teardown),
		cmocka_unit_test_setup_teardown(a_call_gets_its_own_answer, setup, teardown),
		cmocka_unit_test_setup_teardown(an_error_is_an_answer, setup, teardown),
		cmocka_unit_test_setup_teardown(a_call_ends_in_time, setup, teardown),
		cmocka_unit_test_setup_teardown(a_peer_that_never_reads_is_given_up, setup, teardown),
		cmocka_unit_test_setup_teardown(a_closed_peer_is_an_error, setup, teardown),
		cmocka_unit_test_setup_teardown(a_bad_answer_is_an_error, setup, teardown),
		cmocka_unit_test_setup_teardown(every_failing_call_is_survived, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
