/* The table of connections and their deadlines. Runs in the web role. Never talks to anyone, never reads a clock. */
#include "console/web_conn.h"

#include <string.h>

#include "base/str.h"

/* How long a connection may stay in a phase, ms; 0: for ever. */
static const unsigned limit_ms[WEB_PHASES] = {
	[WEB_ASKING] = 10000,    /* a handshake over a bad line takes 2 s */
	[WEB_READING] = 10000,   /* WEB_BODY bytes */
	[WEB_IDLE] = 15000,      /* the page asks every 2 s */
	[WEB_WORKING] = 30000,   /* web_link gives up before: this is only the net below it */
	[WEB_SENDING] = 30000,   /* 32 KiB at a modem's speed */
	[WEB_UPLOADING] = 20000, /* for WEB_UPLOAD_STEP: a network that is lost is soon noticed */
	[WEB_STALLED] = 600000,  /* a disk that flushes what it has */
	[WEB_STREAMING] = 45000, /* three signs of life not taken */
	[WEB_LINGERING] = 2000,  /* so that a refusal arrives before the connection is reset */
};

struct web_conn *web_conns_take(struct web_conns *t, uint64_t now)
{
	for (size_t i = 0; i < COUNT_OF(t->slot); i++) {
		struct web_conn *c = &t->slot[i];
		if (c->phase != WEB_FREE)
			continue;
		memset(c, 0, sizeof(*c));
		web_conn_set(c, WEB_ASKING, now);
		return c;
	}
	return NULL;
}

void web_conn_free(struct web_conn *c)
{
	web_reply_drop(&c->reply);
	web_conn_wipe(c);
	c->wsi = NULL;
	c->phase = WEB_FREE;
}

void web_conn_wipe(struct web_conn *c)
{
	explicit_bzero(c->token, sizeof(c->token));
	explicit_bzero(c->csrf, sizeof(c->csrf));
	explicit_bzero(c->more, sizeof(c->more));
	explicit_bzero(c->body, sizeof(c->body));
	c->body_len = 0;
}

void web_conn_set(struct web_conn *c, enum web_phase phase, uint64_t now)
{
	c->phase = phase;
	c->since = now;
}

static struct web_conn *oldest(struct web_conns *t, enum web_phase phase)
{
	struct web_conn *found = NULL;
	for (size_t i = 0; i < COUNT_OF(t->slot); i++) {
		struct web_conn *c = &t->slot[i];
		if (c->phase == phase && (!found || c->since < found->since))
			found = c;
	}
	return found;
}

struct web_conn *web_conns_spare(struct web_conns *t, uint64_t now)
{
	static const enum web_phase order[] = {WEB_IDLE, WEB_LINGERING, WEB_ASKING, WEB_READING};
	struct web_conn *c = NULL;
	for (size_t i = 0; !c && i < COUNT_OF(order); i++)
		c = oldest(t, order[i]);
	if (!c)
		c = oldest(t, WEB_SENDING);
	return c && c->phase == WEB_SENDING && now - c->since < WEB_TAKES_MS ? NULL : c;
}

unsigned web_conns_count(const struct web_conns *t, enum web_phase phase)
{
	unsigned n = 0;
	for (size_t i = 0; i < COUNT_OF(t->slot); i++)
		n += t->slot[i].phase == phase;
	return n;
}

bool web_conns_busy(const struct web_conns *t)
{
	static const bool owed[WEB_PHASES] = {
		[WEB_READING] = true, [WEB_WORKING] = true, [WEB_SENDING] = true, [WEB_LINGERING] = true};
	for (size_t i = 0; i < COUNT_OF(t->slot); i++)
		if (owed[t->slot[i].phase])
			return true;
	return false;
}

static uint64_t due(const struct web_conn *c)
{
	return limit_ms[c->phase] ? c->since + limit_ms[c->phase] : UINT64_MAX;
}

uint64_t web_conns_due(const struct web_conns *t)
{
	uint64_t first = UINT64_MAX;
	for (size_t i = 0; i < COUNT_OF(t->slot); i++)
		if (due(&t->slot[i]) < first)
			first = due(&t->slot[i]);
	return first;
}

struct web_conn *web_conns_overdue(struct web_conns *t, uint64_t now)
{
	for (size_t i = 0; i < COUNT_OF(t->slot); i++)
		if (due(&t->slot[i]) <= now)
			return &t->slot[i];
	return NULL;
}
