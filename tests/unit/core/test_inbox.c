/* init/core/inbox.c against the other end of a real channel. */
#include "core/inbox.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/str.h"
#include "fake/sys.h"
#include "loop/chan.h"

static struct loop loop;
static struct inbox inbox;
static struct err e;
static int fds[2]; /* ours is 0, PID 1's is 1 */

static char heard[1024]; /* what the hooks were told */
static struct buf trace;
static bool known; /* what the hook of replies says */
static int kept = -1;

static void on_ask(const struct inbox_ask *a, void *arg)
{
	assert_ptr_equal(arg, &loop);
	buf_addf(&trace, "ask %u:", (unsigned)a->id);
	size_t len = 0;
	for (unsigned i = 0; i < a->argc; i++) {
		buf_addf(&trace, " %s", a->argv[i]);
		assert_ptr_equal(a->argv[i], a->words + len);
		len += strlen(a->argv[i]) + 1;
	}
	assert_int_equal(a->len, len);
	buf_addf(&trace, "%s; ", a->fd >= 0 ? " +" : "");
	kept = a->fd >= 0 ? dup(a->fd) : -1;
	inbox_answer(&inbox, a->id, PROTO_OK, a->argv[0], strlen(a->argv[0]));
}

static bool on_reply(const struct proto_reply *r, void *arg)
{
	assert_ptr_equal(arg, &loop);
	buf_addf(&trace, "reply %u %d %s; ", (unsigned)r->id, (int)r->kind, r->text);
	return known;
}

static int setup(void **state)
{
	static const struct inbox_hooks hooks = {on_ask, on_reply, &loop};
	(void)state;
	fake_reset();
	fake_epoll_wait = fake_epoll_now;
	buf_init(&trace, heard, sizeof(heard));
	memset(&loop, 0, sizeof(loop));
	memset(&inbox, 0, sizeof(inbox));
	if (loop_init(&loop, &e) || chan_pair(fds, &e))
		return -1;
	return inbox_init(&inbox, &loop, fds[0], "test", &hooks, &e);
}

static int teardown(void **state)
{
	(void)state;
	inbox_fini(&inbox);
	close(fds[0]);
	close(fds[1]);
	if (kept >= 0)
		close(kept);
	kept = -1;
	loop_fini(&loop);
	fake_reset();
	return 0;
}

static void say(const void *data, size_t len, int fd)
{
	assert_int_equal(chan_send(fds[1], data, len, fd, &e), 0);
}

/* words: with their ends, but for the last one's. */
static void ask(uint32_t id, const char *words, size_t len, int fd)
{
	char msg[LIMIT_REQUEST + 8];
	int n = proto_ask(msg, sizeof(msg), id, words, len, &e);
	assert_true(n > 0);
	say(msg, (size_t)n, fd);
}

#define ASK(id, words, fd) ask((id), (words), sizeof(words), (fd))

static void turn(void)
{
	assert_int_equal(loop_step(&loop, &e), 0);
}

/* The next thing that the role has sent: "ID KIND TEXT", or "". */
static const char *sent(void)
{
	static char data[LIMIT_REPLY + 1], text[LIMIT_REPLY + 32];
	struct proto_reply r;
	ssize_t n = chan_recv(fds[1], data, LIMIT_REPLY, NULL, &e);
	if (n < 0)
		return "";
	assert_int_equal(proto_parse(data, (size_t)n, &r, &e), 0);
	assert_int_equal(str_format(text, sizeof(text), "%u %d %s", (unsigned)r.id, (int)r.kind, r.text), 0);
	return text;
}

static void asks_and_replies_are_told_apart(void **state)
{
	static const char reply[] = {9, 0, 0, 0, PROTO_OK, 'w', 'e', 'l', 'l'};

	(void)state;
	known = true;
	ASK(7, "apps\0diff\0web", -1);
	say(reply, sizeof(reply), -1);
	turn();
	assert_string_equal(heard, "ask 7: apps diff web; reply 9 1 well; ");
	assert_string_equal(sent(), "7 1 apps");
	assert_string_equal(sent(), "");
	for (size_t i = 0; i < 64; i++)
		assert_int_equal(inbox.data[i], 0); /* wiped, and so is what went */
	assert_int_equal(inbox.frame[5], 0);
}

static void what_is_no_ask_is_refused(void **state)
{
	static const char many[] = "1\0002\0003\0004\0005\0006\0007\0008\0009\00010\00011\00012";
	static const char frames[][8] = {{1, 0, 0, 0, 99, 'x'}, {1}, {1, 0, 0, 0, PROTO_ERROR, 'n'}};

	(void)state;
	known = false;
	ask(1, "apps", 4, -1); /* without its end */
	ask(2, many, sizeof(many), -1);
	for (size_t i = 0; i < COUNT_OF(frames); i++)
		say(frames[i], i == 1 ? 1 : 6, -1);
	turn();
	assert_string_equal(sent(), "1 2 malformed");
	assert_string_equal(sent(), "2 2 too many words");
	assert_string_equal(sent(), "");
	assert_string_equal(heard, "reply 1 2 n; ");
	assert_false(loop.quit);
}

/* Its hook may keep it by a descriptor of its own. */
static void a_descriptor_is_closed_behind_the_hook(void **state)
{
	int ends[2];

	(void)state;
	(void)signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(ends), 0);
	ASK(1, "upload", ends[0]);
	close(ends[0]);
	turn();
	assert_string_equal(heard, "ask 1: upload +; ");
	assert_int_equal(write(ends[1], "x", 1), 1);
	close(kept);
	kept = -1;
	assert_int_equal(write(ends[1], "x", 1), -1);
	assert_int_equal(errno, EPIPE);
	close(ends[1]);
}

static void others_get_their_turn(void **state)
{
	unsigned asked = 0;

	(void)state;
	for (uint32_t i = 1; i <= 17; i++)
		ASK(i, "a", -1);
	turn();
	for (const char *p = heard; (p = strstr(p, "ask")); p++)
		asked++;
	assert_int_equal(asked, 16);
	turn();
	assert_non_null(strstr(heard, "ask 17: a"));
}

static void the_end_of_the_channel_quits_the_loop(void **state)
{
	(void)state;
	shutdown(fds[1], SHUT_RDWR);
	turn();
	assert_true(loop.quit);
	assert_string_equal(heard, "");
}

static void a_long_answer_is_cut(void **state)
{
	static char text[LIMIT_REPLY + 100];
	const char *got;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	inbox_answer(&inbox, 3, PROTO_OK, text, strlen(text));
	got = sent();
	assert_true(str_starts(got, "3 1 xxx"));
	assert_int_equal(strlen(got), LIMIT_REPLY - PROTO_REPLY_HEAD + 4);
	fake_fail_at(1, EAGAIN); /* full: it is said in the log, and that is all */
	inbox_refuse(&inbox, 3, "no");
	assert_true(fake_fired());
	assert_string_equal(sent(), "");
}

static void requests_go_out(void **state)
{
	static const char *const argv[] = {"reboot", "why"};
	struct inbox none;
	struct inbox_hooks hooks = {on_ask, NULL, NULL};
	char msg[LIMIT_REQUEST];
	int fd;

	(void)state;
	assert_int_equal(inbox_request(&inbox, 5, 2, argv, fds[0], &e), 0);
	assert_int_equal(chan_recv(fds[1], msg, sizeof(msg), &fd, &e), 15);
	assert_memory_equal(msg, "\5\0\0\0reboot\0why", 15);
	assert_true(fd >= 0);
	close(fd);
	memset(&none, 0, sizeof(none));
	assert_int_equal(inbox_init(&none, &loop, -1, "test", &hooks, &e), 0);
	assert_int_equal(inbox_request(&none, 5, 2, argv, -1, &e), -1);
	assert_int_equal(e.code, ENOTCONN);
	inbox_fini(&none);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(asks_and_replies_are_told_apart),
		T(what_is_no_ask_is_refused),
		T(a_descriptor_is_closed_behind_the_hook),
		T(others_get_their_turn),
		T(the_end_of_the_channel_quits_the_loop),
		T(a_long_answer_is_cut),
		T(requests_go_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
