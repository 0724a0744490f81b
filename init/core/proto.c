/* Packing and splitting the frames of the control protocol, and one blocking call for clients.
 * PID 1 never calls proto_call: it waits. */
#include "core/proto.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/str.h"
#include "base/sys.h"
#include "loop/chan.h"

int proto_request(char *msg, size_t cap, uint32_t id, unsigned argc, const char *const *argv, struct err *e)
{
	size_t len = sizeof(id);

	if (cap > LIMIT_REQUEST)
		cap = LIMIT_REQUEST;
	if (argc == 0 || argv[0][0] == '\0')
		return err_set(e, EINVAL, "an empty request; write a command");
	if (cap < len)
		return err_set(e, E2BIG, "no room for a request");
	memcpy(msg, &id, sizeof(id));
	for (unsigned i = 0; i < argc; i++) {
		size_t n = strlen(argv[i]) + 1;
		if (n > cap - len)
			return err_set(e, E2BIG, "the request is longer than %zu bytes; shorten it", cap);
		memcpy(msg + len, argv[i], n);
		len += n;
	}
	return (int)len;
}

int proto_ask(char *msg, size_t cap, uint32_t id, const char *words, size_t len, struct err *e)
{
	if (len > LIMIT_REQUEST - sizeof(id) || cap < PROTO_REPLY_HEAD || len > cap - PROTO_REPLY_HEAD)
		return err_set(e, E2BIG, "no room for a request of %zu bytes", len);
	memcpy(msg, &id, sizeof(id));
	msg[sizeof(id)] = PROTO_ASK;
	memcpy(msg + PROTO_REPLY_HEAD, words, len);
	return (int)(PROTO_REPLY_HEAD + len);
}

bool proto_is_reply(const char *data, size_t len)
{
	return len >= PROTO_REPLY_HEAD && (uint8_t)data[sizeof(uint32_t)] < ' ';
}

bool proto_is_ask(const char *data, size_t len)
{
	return len > PROTO_REPLY_HEAD && data[sizeof(uint32_t)] == PROTO_ASK;
}

unsigned proto_words(const char *text, size_t n, const char **words, unsigned most)
{
	unsigned count = 0;

	if (n == 0 || text[n - 1] != '\0')
		return 0;
	for (size_t at = 0; at < n && count <= most; at += strlen(text + at) + 1) {
		if (count < most)
			words[count] = text + at;
		count++;
	}
	return count;
}

size_t proto_answer(char *frame, uint32_t id, enum proto_kind kind, const char *text, size_t len)
{
	if (len > LIMIT_REPLY - PROTO_REPLY_HEAD)
		len = LIMIT_REPLY - PROTO_REPLY_HEAD;
	memcpy(frame, &id, sizeof(id));
	frame[sizeof(id)] = (char)kind;
	memcpy(frame + PROTO_REPLY_HEAD, text, len);
	return PROTO_REPLY_HEAD + len;
}

int proto_parse(char *data, size_t len, struct proto_reply *r, struct err *e)
{
	if (len < PROTO_REPLY_HEAD || len > LIMIT_REPLY)
		return err_set(e, EPROTO, "a reply of %zu bytes", len);
	uint8_t kind = (uint8_t)data[sizeof(r->id)];
	if (kind < PROTO_OK || kind > PROTO_EVENT)
		return err_set(e, EPROTO, "a reply of the unknown kind %u", kind);
	if (memchr(data + PROTO_REPLY_HEAD, '\0', len - PROTO_REPLY_HEAD))
		return err_set(e, EPROTO, "a reply with a NUL byte");
	memcpy(&r->id, data, sizeof(r->id));
	r->kind = (enum proto_kind)kind;
	r->text = data + PROTO_REPLY_HEAD;
	r->len = len - PROTO_REPLY_HEAD;
	data[len] = '\0';
	return 0;
}

/* Waits until chan is ready for `events` or the deadline has passed (ETIMEDOUT). */
static int wait_for(int chan, short events, uint64_t deadline, struct err *e)
{
	for (;;) {
		uint64_t now = clock_ms();
		struct pollfd p = {.fd = chan, .events = events};
		if (now >= deadline)
			return err_set(e, ETIMEDOUT, "no answer in time");
		int n = sys_poll(&p, 1, (int)(deadline - now));
		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return err_sys(e, "wait for an answer");
	}
}

static int send_all(int chan, const char *msg, size_t len, uint64_t deadline, struct err *e)
{
	while (chan_send(chan, msg, len, -1, e) < 0) {
		if (e->code != EAGAIN || wait_for(chan, POLLOUT, deadline, e) < 0)
			return -1;
	}
	return 0;
}

/* One reply frame, whatever it answers. */
static int receive(int chan, struct buf *into, uint64_t deadline, struct proto_reply *r, struct err *e)
{
	ssize_t n;

	do {
		if (wait_for(chan, POLLIN, deadline, e) < 0)
			return -1;
		n = chan_recv(chan, into->data, into->cap - 1, NULL, e);
	} while (n < 0 && e->code == EAGAIN);
	if (n < 0)
		return -1;
	if (n == 0)
		return err_set(e, ECONNRESET, "the connection was closed");
	return proto_parse(into->data, (size_t)n, r, e);
}

/* A call is what it is: channel, words, room, patience, answer. */
/* NOLINTNEXTLINE(readability-function-size) */
int proto_call(int chan, unsigned argc, const char *const *argv, char *data, size_t cap, int timeout_ms,
               struct proto_reply *r, struct err *e)
{
	char msg[LIMIT_REQUEST];
	struct buf into = {.data = data, .cap = cap};
	uint64_t now = clock_ms();
	uint64_t deadline = now + (uint64_t)(timeout_ms > 0 ? timeout_ms : 0);
	/* A number that an earlier call on this channel, given up for time, did not have. */
	uint32_t id = (uint32_t)now;
	int len = proto_request(msg, sizeof(msg), id, argc, argv, e);

	if (len < 0)
		return -1;
	if (cap <= PROTO_REPLY_HEAD)
		return err_set(e, EINVAL, "no room for a reply");
	if (send_all(chan, msg, (size_t)len, deadline, e) < 0)
		return err_prefix(e, "%s", argv[0]);
	do {
		if (receive(chan, &into, deadline, r, e) < 0)
			return err_prefix(e, "%s", argv[0]);
	} while (r->id != id || r->kind == PROTO_EVENT);
	return 0;
}
