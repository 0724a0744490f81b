/* Messages between the update role and its worker: sent whole, checked when they come in. */
#include "update/msg.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "loop/chan.h"

static const struct {
	const char *name;
	size_t size;
} kinds[] = {[MSG_NONE] = {"", 0},
#define X(name, type) [MSG_##name] = {#name, offsetof(struct msg, type) + sizeof(struct msg_##type)},
             MSG_LIST(X)
#undef X
};

const char *msg_phase_name(uint32_t phase)
{
	static const char *const names[] = {
#define X(name, text) text,
		MSG_PHASES(X)
#undef X
	};
	return phase < COUNT_OF(names) ? names[phase] : "";
}

unsigned msg_per_cent(const struct msg_progress *p)
{
	return p->total > 0 ? (unsigned)(p->done * 100 / p->total) : 0;
}

int msg_send(int chan, const struct msg *m, int fd, struct err *e)
{
	if (m->kind == MSG_NONE || m->kind >= COUNT_OF(kinds))
		return err_set(e, EINVAL, "no message of kind %u", (unsigned)m->kind);
	return chan_send(chan, m, kinds[m->kind].size, fd, e);
}

static bool is_ended(const char *text, size_t cap)
{
	return memchr(text, '\0', cap) != NULL;
}

static bool is_whole(const struct msg *m)
{
	switch (m->kind) {
	case MSG_MANIFEST:
		return m->manifest.text_len <= sizeof(m->manifest.text) &&
		       m->manifest.sig_len <= sizeof(m->manifest.sig);
	case MSG_INDEX:
		return m->index.text_len <= CHANNEL_MAX && m->index.sig_len <= CHANNEL_SIG_MAX;
	case MSG_PROGRESS:
		return m->progress.phase < MSG_PHASE_COUNT;
	case MSG_WAITING:
		return is_ended(m->waiting.why, sizeof(m->waiting.why));
	case MSG_FAILED:
		return is_ended(m->failed.why, sizeof(m->failed.why));
	default:
		return true;
	}
}

int msg_check(const struct msg *m, size_t n, struct err *e)
{
	if (n < sizeof(m->kind) || m->kind == MSG_NONE || m->kind >= COUNT_OF(kinds))
		return err_set(e, EPROTO, "a message of %zu bytes that is none of ours", n);
	if (n != kinds[m->kind].size)
		return err_set(e, EPROTO, "%s with %zu bytes instead of %zu", kinds[m->kind].name, n,
		               kinds[m->kind].size);
	return is_whole(m) ? 0 : err_set(e, EPROTO, "%s with a broken field", kinds[m->kind].name);
}

/* What a server has said stands in it, and a terminal would act on some of that. */
static void make_plain(char *text)
{
	for (; *text; text++) {
		if (*text < ' ' || *text > '~')
			*text = '?';
	}
}

int msg_recv(int chan, struct msg *m, int *fd, struct err *e)
{
	ssize_t n = chan_recv(chan, m, sizeof(*m), fd, e);
	if (n <= 0)
		return (int)n;
	if (msg_check(m, (size_t)n, e) < 0)
		return -1;
	if (m->kind == MSG_WAITING)
		make_plain(m->waiting.why);
	else if (m->kind == MSG_FAILED)
		make_plain(m->failed.why);
	return 1;
}
