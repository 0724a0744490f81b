/* A PID 1 that answers: every connection to the control socket ends here, each request is noted as a line of words
 * ("fact state-mounted on ...") and answered as pid1_answer says. */
#ifndef HEARTH_TESTS_NODE_PID1_H
#define HEARTH_TESTS_NODE_PID1_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/proto.h"
#include "fake/sys.h"

enum pid1_answer { PID1_YES, PID1_NO, PID1_HANGS_UP, PID1_ABSENT };
static enum pid1_answer pid1_answer;
static char pid1_heard[2048]; /* one request a line */
static unsigned pid1_requests;
static int pid1_end = -1; /* our end of the connection */

static int pid1_connect(int fd, const struct sockaddr *a, socklen_t n)
{
	int ends[2];

	(void)a;
	(void)n;
	if (pid1_answer == PID1_ABSENT) {
		errno = ECONNREFUSED;
		return -1;
	}
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	if (pid1_end >= 0)
		close(pid1_end);
	pid1_end = ends[1];
	assert_int_equal(dup2(ends[0], fd), fd);
	close(ends[0]);
	return 0;
}

static void pid1_note(const char *msg, size_t n)
{
	size_t at = strlen(pid1_heard);

	for (size_t i = 4; i < n && at + 2 < sizeof(pid1_heard); i++)
		pid1_heard[at++] = msg[i] ? msg[i] : i + 1 < n ? ' ' : '\n';
	pid1_heard[at] = '\0';
	pid1_requests++;
}

static ssize_t pid1_sendmsg(int fd, const struct msghdr *m, int flags)
{
	char msg[LIMIT_REQUEST], reply[64];
	ssize_t sent = sendmsg(fd, m, flags);
	ssize_t n = sent > 0 ? recv(pid1_end, msg, sizeof(msg), 0) : -1;

	if (n < 4)
		return sent;
	pid1_note(msg, (size_t)n);
	memcpy(reply, msg, 4);
	reply[4] = pid1_answer == PID1_NO ? PROTO_ERROR : PROTO_OK;
	int len = snprintf(reply + 5, sizeof(reply) - 5, pid1_answer == PID1_NO ? "no such fact" : "{}");
	if (pid1_answer != PID1_HANGS_UP)
		assert_true(send(pid1_end, reply, 5 + (size_t)len, 0) > 0);
	close(pid1_end);
	pid1_end = -1;
	return sent;
}

static void pid1_up(void)
{
	pid1_answer = PID1_YES;
	pid1_heard[0] = '\0';
	pid1_requests = 0;
	fake_connect = pid1_connect;
	fake_sendmsg = pid1_sendmsg;
}

#endif
