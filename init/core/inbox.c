/* The control channel as a role sees it; see inbox.h. Tells asks from replies and knows no command. */
#include "core/inbox.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/sys.h"
#include "loop/chan.h"

#define PER_TURN 16 /* messages, then others in the loop get their turn */

void inbox_answer(struct inbox *in, uint32_t id, enum proto_kind kind, const char *text, size_t len)
{
	struct err e = {0};
	len = proto_answer(in->frame, id, kind, text, len);
	if (chan_send(in->chan, in->frame, len, -1, &e) < 0)
		log_warnx(in->room, "an answer: %s", e.text);
	explicit_bzero(in->frame, len);
}

void inbox_refuse(struct inbox *in, uint32_t id, const char *why)
{
	inbox_answer(in, id, PROTO_ERROR, why, strlen(why));
}

int inbox_request(struct inbox *in, uint32_t id, unsigned argc, const char *const *argv, int fd, struct err *e)
{
	char msg[LIMIT_REQUEST];
	if (in->chan < 0)
		return err_set(e, ENOTCONN, "there is no PID 1 to ask");
	int len = proto_request(msg, sizeof(msg), id, argc, argv, e);
	return len < 0 ? -1 : chan_send(in->chan, msg, (size_t)len, fd, e);
}

static void take_ask(struct inbox *in, size_t n, int fd)
{
	struct inbox_ask a = {.words = in->data + PROTO_REPLY_HEAD, .len = n - PROTO_REPLY_HEAD, .fd = fd};
	memcpy(&a.id, in->data, sizeof(a.id));
	a.argc = proto_words(a.words, a.len, a.argv, INBOX_WORDS);
	if (a.argc == 0)
		inbox_refuse(in, a.id, "malformed");
	else if (a.argc > INBOX_WORDS)
		inbox_refuse(in, a.id, "too many words");
	else
		in->hooks.ask(&a, in->hooks.arg);
}

static void take(struct inbox *in, size_t n, int fd)
{
	struct proto_reply r;
	struct err e = {0};
	if (proto_is_ask(in->data, n))
		take_ask(in, n, fd);
	else if (proto_parse(in->data, n, &r, &e) < 0)
		log_warnx(in->room, "channel to PID 1: %s", e.text);
	else if (!(in->hooks.reply && in->hooks.reply(&r, in->hooks.arg)) && r.kind == PROTO_ERROR)
		log_warnx(in->room, "PID 1 refused: %s", r.text);
	explicit_bzero(in->data, n);
}

/* True when there may be more. */
static bool receive(struct inbox *in)
{
	struct err e = {0};
	int fd = -1;
	ssize_t n = chan_recv(in->chan, in->data, sizeof(in->data) - 1, &fd, &e);
	if (n > 0)
		take(in, (size_t)n, fd);
	if (fd >= 0)
		sys_close(fd);
	if (n > 0 || (n < 0 && e.code == EAGAIN))
		return n > 0;
	log_warnx(in->room, "channel to PID 1: %s", n < 0 ? e.text : "ended");
	if (n < 0 && (e.code == EPROTO || e.code == EMSGSIZE))
		return true; /* one message that is none */
	loop_del(in->loop, in->chan);
	loop_quit(in->loop);
	return false;
}

static void on_channel(struct loop *l, int fd, uint32_t events, void *arg)
{
	(void)l;
	(void)fd;
	(void)events;
	for (int i = 0; i < PER_TURN; i++) {
		if (!receive(arg))
			return;
	}
}

int inbox_init(struct inbox *in, struct loop *l, int chan, const char *room, const struct inbox_hooks *h, struct err *e)
{
	in->loop = l;
	in->chan = chan;
	in->room = room;
	in->hooks = *h;
	return chan < 0 ? 0 : loop_add(l, chan, EPOLLIN, on_channel, in, e);
}

void inbox_fini(struct inbox *in)
{
	if (in->loop && in->chan >= 0)
		loop_del(in->loop, in->chan);
}
