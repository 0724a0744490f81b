/* Messages over real socket pairs and a real listening socket; hostile peers speak raw sendmsg. */
#include "loop/chan.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake/sys.h"

static struct err e;
static unsigned fds_before;
static char dir[32], path[64];
static int c[2];

static int setup(void **state)
{
	(void)state;
	fake_reset();
	fds_before = fake_open_fds();
	memcpy(dir, "/tmp/chan.XXXXXX", sizeof("/tmp/chan.XXXXXX"));
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/control", dir);
	return chan_pair(c, &e);
}

static int teardown(void **state)
{
	(void)state;
	fake_reset();
	for (int i = 0; i < 2; i++) {
		if (c[i] >= 0)
			close(c[i]);
	}
	unlink(path);
	rmdir(dir);
	return fake_open_fds() == fds_before ? 0 : -1;
}

static void close_end(int i)
{
	close(c[i]);
	c[i] = -1;
}

/* Sends `count` copies of fd 0 with a message of len bytes, as no chan_send would. */
static void send_raw(int to, size_t len, int count)
{
	char text[] = "hello";
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(8 * sizeof(int))] = {0};
	struct iovec part = {text, len};
	struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control};
	m.msg_controllen = CMSG_SPACE((size_t)count * sizeof(int));
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);
	*h = (struct cmsghdr){CMSG_LEN((size_t)count * sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	for (int i = 0; i < count; i++)
		memcpy(CMSG_DATA(h) + (size_t)i * sizeof(int), &null, sizeof(int));
	assert_int_equal(sendmsg(to, &m, 0), len);
	close(null);
}

static void messages_keep_their_bounds(void **state)
{
	(void)state;
	char text[16] = "";
	assert_int_equal(chan_send(c[0], "one", 3, -1, &e), 0);
	assert_int_equal(chan_send(c[0], "three", 5, -1, &e), 0);
	assert_int_equal(chan_recv(c[1], text, sizeof(text), NULL, &e), 3);
	assert_memory_equal(text, "one", 3);
	assert_int_equal(chan_recv(c[1], text, sizeof(text), NULL, &e), 5);
	assert_memory_equal(text, "three", 5);
	assert_int_equal(chan_recv(c[1], text, sizeof(text), NULL, &e), -1);
	assert_int_equal(e.code, EAGAIN);
	close_end(0);
	assert_int_equal(chan_recv(c[1], text, sizeof(text), NULL, &e), 0);
}

static void a_longer_message_is_an_error(void **state)
{
	(void)state;
	char text[4];
	int fd;
	assert_int_equal(chan_send(c[0], "four", 4, -1, &e), 0);
	assert_int_equal(chan_send(c[0], "fives", 5, -1, &e), 0);
	assert_int_equal(chan_send(c[0], "fives", 5, c[0], &e), 0);
	assert_int_equal(chan_recv(c[1], text, sizeof(text), NULL, &e), 4);
	assert_int_equal(chan_recv(c[1], text, sizeof(text), NULL, &e), -1);
	assert_int_equal(e.code, EMSGSIZE);
	assert_int_equal(chan_recv(c[1], text, sizeof(text), &fd, &e), -1);
	assert_int_equal(e.code, EMSGSIZE);
	assert_int_equal(fd, -1);
}

static void a_descriptor_travels(void **state)
{
	(void)state;
	char text[16];
	int p[2], fd = 77;
	assert_int_equal(pipe(p), 0);
	assert_int_equal(chan_send(c[0], "pipe x", 6, p[0], &e), 0);
	close(p[0]);
	assert_int_equal(chan_recv(c[1], text, sizeof(text), &fd, &e), 6);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(write(p[1], "!", 1), 1);
	assert_int_equal(read(fd, text, 1), 1);
	close(fd);
	close(p[1]);
	assert_int_equal(chan_send(c[0], "none", 4, -1, &e), 0);
	assert_int_equal(chan_recv(c[1], text, sizeof(text), &fd, &e), 4);
	assert_int_equal(fd, -1);
}

static void a_surprise_descriptor_is_dropped(void **state)
{
	(void)state;
	char text[16];
	unsigned before = fake_open_fds();
	for (int count = 1; count <= 8; count++) {
		send_raw(c[0], 5, count);
		assert_int_equal(chan_recv(c[1], text, sizeof(text), NULL, &e), 5);
		assert_int_equal(fake_open_fds(), before);
	}
}

static void more_than_one_descriptor_is_an_error(void **state)
{
	(void)state;
	char text[16];
	unsigned before = fake_open_fds();
	for (int count = 2; count <= 8; count++) {
		int fd = 77;
		send_raw(c[0], 5, count);
		assert_int_equal(chan_recv(c[1], text, sizeof(text), &fd, &e), -1);
		assert_int_equal(e.code, EPROTO);
		assert_int_equal(fd, -1);
		assert_int_equal(fake_open_fds(), before);
	}
}

static void a_descriptor_that_finds_no_room_is_an_error(void **state)
{
	(void)state;
	char text[16];
	int fd = 77, next = dup(c[0]);
	struct rlimit r, tight;
	close(next); /* the lowest free number */
	assert_int_equal(chan_send(c[0], "x", 1, c[0], &e), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &r), 0);
	tight = r;
	tight.rlim_cur = (rlim_t)next;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
	ssize_t n = chan_recv(c[1], text, sizeof(text), &fd, &e);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &r), 0);
	assert_int_equal(n, -1);
	assert_int_equal(e.code, EPROTO);
	assert_int_equal(fd, -1);
}

static void an_empty_message_reads_as_the_end(void **state)
{
	(void)state;
	char text[16];
	int fd;
	unsigned before = fake_open_fds();
	assert_int_equal(chan_send(c[0], "", 0, -1, &e), -1);
	assert_int_equal(e.code, EINVAL);
	send_raw(c[0], 0, 1);
	assert_int_equal(chan_recv(c[1], text, sizeof(text), &fd, &e), 0);
	assert_int_equal(fd, -1);
	assert_int_equal(fake_open_fds(), before);
}

static void a_slow_peer_gives_eagain(void **state)
{
	(void)state;
	char big[4096] = "";
	int rc = 0;
	for (int i = 0; i < 10000 && rc == 0; i++)
		rc = chan_send(c[0], big, sizeof(big), -1, &e);
	assert_int_equal(rc, -1);
	assert_int_equal(e.code, EAGAIN);
}

static void a_gone_peer_is_an_error_and_no_signal(void **state)
{
	(void)state;
	close_end(1);
	assert_int_equal(chan_send(c[0], "x", 1, -1, &e), -1);
	assert_int_equal(e.code, EPIPE);
	assert_string_equal(e.text, "send: Broken pipe");
}

static void both_ends_are_close_on_exec_and_do_not_block(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(fcntl(c[i], F_GETFD), FD_CLOEXEC);
		assert_true(fcntl(c[i], F_GETFL) & O_NONBLOCK);
	}
}

static void listen_accept_connect(void **state)
{
	(void)state;
	struct stat st;
	char text[16];
	int s = chan_listen(path, 0600, &e);
	assert_true(s >= 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode, S_IFSOCK | 0600);
	assert_int_equal(chan_accept(s, &e), -1);
	assert_int_equal(e.code, EAGAIN);
	int a = chan_connect(path, &e);
	assert_true(a >= 0);
	int b = chan_accept(s, &e);
	assert_true(b >= 0);
	assert_int_equal(fcntl(b, F_GETFD), FD_CLOEXEC);
	assert_true(fcntl(b, F_GETFL) & O_NONBLOCK);
	assert_int_equal(chan_send(a, "hi", 2, -1, &e), 0);
	assert_int_equal(chan_recv(b, text, sizeof(text), NULL, &e), 2);
	close(a);
	close(b);
	close(s);
	/* What an earlier listener left behind is in nobody's way. */
	s = chan_listen(path, 0666, &e);
	assert_true(s >= 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode, S_IFSOCK | 0666);
	close(s);
	assert_int_equal(chan_connect(path, &e), -1);
	assert_int_equal(e.code, ECONNREFUSED);
}

static void a_path_that_is_too_long_is_refused(void **state)
{
	(void)state;
	char longer[sizeof(((struct sockaddr_un *)0)->sun_path) + 1];
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(chan_listen(longer, 0600, &e), -1);
	assert_int_equal(e.code, ENAMETOOLONG);
	assert_int_equal(chan_connect(longer, &e), -1);
	assert_int_equal(e.code, ENAMETOOLONG);
}

static bool half; /* a kernel that takes half a message does not exist, but the check does */

static ssize_t half_sendmsg(int fd, const struct msghdr *m, int flags)
{
	(void)fd;
	assert_true(flags & MSG_NOSIGNAL);
	half = true;
	return (ssize_t)m->msg_iov->iov_len / 2;
}

static void a_short_send_is_an_error(void **state)
{
	(void)state;
	fake_sendmsg = half_sendmsg;
	assert_int_equal(chan_send(c[0], "abcd", 4, -1, &e), -1);
	assert_true(half);
	assert_int_equal(e.code, EIO);
}

/* Everything once; 0 when all of it worked. */
static int tour(void)
{
	char text[16];
	int s = -1, a = -1, b = -1, got = -1, rc = -1, p[2] = {-1, -1};
	s = chan_listen(path, 0600, &e);
	if (s >= 0)
		a = chan_connect(path, &e);
	if (a >= 0)
		b = chan_accept(s, &e);
	if (b >= 0 && chan_pair(p, &e) == 0 && chan_send(a, "x", 1, p[0], &e) == 0)
		rc = chan_recv(b, text, sizeof(text), &got, &e) == 1 ? 0 : -1;
	const int all[] = {s, a, b, got, p[0], p[1]};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (all[i] >= 0)
			close(all[i]);
	}
	return rc;
}

static void torture_every_call(void **state)
{
	(void)state;
	unsigned n = 1, before = fake_open_fds();
	for (;; n++) {
		err_clear(&e);
		fake_fail_at(n, EIO);
		int rc = tour();
		bool hit = fake_fired();
		fake_fail_at(0, 0);
		assert_int_equal(fake_open_fds(), before);
		assert_int_equal(rc, hit ? -1 : 0);
		if (!hit)
			break;
		assert_int_equal(e.code, EIO);
		/* A listener that failed leaves no socket file behind. */
		if (n == 4 || n == 5)
			assert_int_equal(access(path, F_OK), -1);
		unlink(path);
	}
	assert_int_equal(n, 12); /* 5 to listen, 2 to connect, accept, pair, send, receive */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(messages_keep_their_bounds, setup, teardown),
		cmocka_unit_test_setup_teardown(a_longer_message_is_an_error, setup, teardown),
		cmocka_unit_test_setup_teardown(a_descriptor_travels, setup, teardown),
		cmocka_unit_test_setup_teardown(a_surprise_descriptor_is_dropped, setup, teardown),
		cmocka_unit_test_setup_teardown(more_than_one_descriptor_is_an_error, setup, teardown),
		cmocka_unit_test_setup_teardown(a_descriptor_that_finds_no_room_is_an_error, setup, teardown),
		cmocka_unit_test_setup_teardown(an_empty_message_reads_as_the_end, setup, teardown),
		cmocka_unit_test_setup_teardown(a_slow_peer_gives_eagain, setup, teardown),
		cmocka_unit_test_setup_teardown(a_gone_peer_is_an_error_and_no_signal, setup, teardown),
		cmocka_unit_test_setup_teardown(both_ends_are_close_on_exec_and_do_not_block, setup, teardown),
		cmocka_unit_test_setup_teardown(listen_accept_connect, setup, teardown),
		cmocka_unit_test_setup_teardown(a_path_that_is_too_long_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(a_short_send_is_an_error, setup, teardown),
		cmocka_unit_test_setup_teardown(torture_every_call, setup, teardown),
	};
	return cmocka_run_group_tests_name("loop/chan", tests, NULL, NULL);
}
