/* The table of sessions; see owner_sessions.h. Runs in the owner role. Never sees a token, never reads a clock. */
#include "console/owner_sessions.h"

#include <stddef.h>
#include <string.h>

void owner_sessions_init(struct owner_sessions *s, struct owner_limits limits)
{
	memset(s, 0, sizeof(*s));
	s->limits = limits;
}

static bool same(const uint8_t *a, const uint8_t *b)
{
	volatile unsigned differ = 0;
	for (size_t i = 0; i < OWNER_DIGEST; i++)
		differ |= (unsigned)(a[i] ^ b[i]);
	return differ == 0;
}

static void expire(struct owner_sessions *s, uint64_t now)
{
	for (unsigned i = 0; i < OWNER_SESSIONS; i++) {
		if (s->slot[i].used &&
		    (now - s->slot[i].last >= s->limits.idle_ms || now - s->slot[i].born >= s->limits.whole_ms))
			memset(&s->slot[i], 0, sizeof(s->slot[i]));
	}
}

static int find(const struct owner_sessions *s, const uint8_t digest[OWNER_DIGEST])
{
	int found = -1;
	for (int i = 0; i < OWNER_SESSIONS; i++) {
		bool is = same(s->slot[i].digest, digest);
		if (is && s->slot[i].used)
			found = i;
	}
	return found;
}

void owner_sessions_add(struct owner_sessions *s, const uint8_t digest[OWNER_DIGEST], uint64_t now)
{
	unsigned at = 0;
	expire(s, now);
	for (unsigned i = 1; i < OWNER_SESSIONS && s->slot[at].used; i++) {
		if (!s->slot[i].used || s->slot[i].last < s->slot[at].last)
			at = i;
	}
	s->slot[at].used = true;
	s->slot[at].born = s->slot[at].last = now;
	memcpy(s->slot[at].digest, digest, OWNER_DIGEST);
}

bool owner_sessions_use(struct owner_sessions *s, const uint8_t digest[OWNER_DIGEST], uint64_t now)
{
	expire(s, now);
	int i = find(s, digest);
	if (i < 0)
		return false;
	s->slot[i].last = now;
	return true;
}

void owner_sessions_end(struct owner_sessions *s, const uint8_t digest[OWNER_DIGEST])
{
	int i = find(s, digest);
	if (i >= 0)
		memset(&s->slot[i], 0, sizeof(s->slot[i]));
}

unsigned owner_sessions_clear(struct owner_sessions *s)
{
	unsigned n = 0;
	for (unsigned i = 0; i < OWNER_SESSIONS; i++)
		n += s->slot[i].used;
	memset(s->slot, 0, sizeof(s->slot));
	return n;
}
