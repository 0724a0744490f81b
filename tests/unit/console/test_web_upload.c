/* init/console/web_upload.c over real pipes. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "console/web_upload.h"
#include "fake/sys.h"

#define CHUNK 16384

static struct loop l;
static struct web_upload u;
static struct err e;
static unsigned calls, open_before;
static enum web_upload_state last;
static char chunk[CHUNK], sink[1 << 17];

static void on_ready(enum web_upload_state now, void *arg)
{
	assert_ptr_equal(arg, &u);
	calls++;
	last = now;
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	fake_epoll_wait = fake_epoll_now;
	calls = 0;
	memset(&l, 0, sizeof(l));
	if (loop_init(&l, &e) < 0)
		return -1;
	web_upload_init(&u, &l);
	open_before = fake_open_fds();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	web_upload_end(&u);
	loop_fini(&l);
	fake_reset();
	return 0;
}

static int begin(uint64_t size)
{
	int fd = web_upload_begin(&u, size, on_ready, &u, &e);
	assert_true(fd >= 0);
	return fd;
}

static void small_and_at_once(void **state)
{
	(void)state;
	int fd = begin(5);
	assert_int_equal(web_upload_open(&u), WEB_UPLOAD_MORE);
	assert_int_equal(web_upload_feed(&u, "ab", 2), WEB_UPLOAD_MORE);
	assert_int_equal(web_upload_feed(&u, "cde", 3), WEB_UPLOAD_DONE);
	web_upload_end(&u);
	assert_int_equal(read(fd, sink, sizeof(sink)), 5);
	assert_memory_equal(sink, "abcde", 5);
	assert_int_equal(read(fd, sink, sizeof(sink)), 0);
	close(fd);
	assert_int_equal(fake_open_fds(), open_before);
}

static void nothing_before_the_reader_has_it(void **state)
{
	(void)state;
	int fd = begin(5);
	assert_true(web_upload_busy(&u));
	assert_int_equal(web_upload_begin(&u, 1, on_ready, &u, &e), -1);
	assert_int_equal(e.code, EBUSY);
	assert_int_equal(web_upload_feed(&u, "abcde", 5), WEB_UPLOAD_WAIT);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(read(fd, sink, 1), -1);
	assert_int_equal(web_upload_open(&u), WEB_UPLOAD_DONE);
	assert_int_equal(read(fd, sink, sizeof(sink)), 5);
	close(fd);
}

/* A pipe holds 64 KiB: the fifth chunk waits until the reader has made room, and nothing is lost on the way. */
static void a_slow_reader_holds_the_sender_up(void **state)
{
	enum web_upload_state now = WEB_UPLOAD_MORE;
	size_t fed = 0, got = 0;

	(void)state;
	int fd = begin(10 * CHUNK);
	assert_int_equal(web_upload_open(&u), WEB_UPLOAD_MORE);
	for (unsigned i = 0; i < 10 && now == WEB_UPLOAD_MORE; i++) {
		memset(chunk, 'a' + (int)i, sizeof(chunk));
		now = web_upload_feed(&u, chunk, sizeof(chunk));
		fed += sizeof(chunk);
	}
	assert_int_equal(now, WEB_UPLOAD_WAIT);
	assert_int_equal(fed, 5 * CHUNK);
	memset(chunk, 'f', sizeof(chunk));
	assert_int_equal(web_upload_feed(&u, chunk, sizeof(chunk)), WEB_UPLOAD_WAIT); /* was on its way already */
	fed += sizeof(chunk);
	assert_int_equal(loop_step(&l, &e), 0);
	assert_int_equal(calls, 0);
	for (unsigned i = 0; i < 20 && got < fed; i++) {
		ssize_t n = read(fd, sink + got, 10000);
		assert_true(n > 0);
		got += (size_t)n;
		assert_int_equal(loop_step(&l, &e), 0);
	}
	assert_int_equal(calls, 1);
	assert_int_equal(last, WEB_UPLOAD_MORE);
	assert_int_equal(got, fed);
	for (size_t i = 0; i < got; i++)
		assert_int_equal(sink[i], 'a' + (int)(i / CHUNK));
	close(fd);
}

static void the_end_of_the_reader(void **state)
{
	enum web_upload_state now = WEB_UPLOAD_MORE;

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	int fd = begin(10 * CHUNK);
	assert_int_equal(web_upload_open(&u), WEB_UPLOAD_MORE);
	while (now == WEB_UPLOAD_MORE)
		now = web_upload_feed(&u, chunk, sizeof(chunk));
	close(fd);
	assert_int_equal(loop_step(&l, &e), 0);
	assert_int_equal(calls, 1);
	assert_int_equal(last, WEB_UPLOAD_GONE);
	web_upload_end(&u);
	fd = begin(3);
	close(fd);
	assert_int_equal(web_upload_open(&u), WEB_UPLOAD_MORE);
	assert_int_equal(web_upload_feed(&u, "x", 1), WEB_UPLOAD_GONE);
}

static void more_than_was_said(void **state)
{
	(void)state;
	int fd = begin(3);
	assert_int_equal(web_upload_open(&u), WEB_UPLOAD_MORE);
	assert_int_equal(web_upload_feed(&u, "abcd", 4), WEB_UPLOAD_GONE);
	close(fd);
}

static void calls_that_fail(void **state)
{
	(void)state;
	for (unsigned n = 1;; n++) {
		fake_fail_at(n, EMFILE);
		int fd = web_upload_begin(&u, 3, on_ready, &u, &e);
		bool fired = fake_fired();
		fake_fail_at(0, 0);
		assert_int_equal(fd < 0, fired);
		if (fd >= 0)
			close(fd);
		web_upload_end(&u);
		assert_int_equal(fake_open_fds(), open_before);
		if (!fired)
			return;
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(small_and_at_once),
		TEST(nothing_before_the_reader_has_it),
		TEST(a_slow_reader_holds_the_sender_up),
		TEST(the_end_of_the_reader),
		TEST(more_than_was_said),
		TEST(calls_that_fail),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
