/* The table of waits; see owner_locks.h. Runs in the owner role. Never reads a clock. */
#include "console/owner_locks.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/str.h"

void owner_locks_init(struct owner_locks *l, uint64_t now)
{
	memset(l, 0, sizeof(*l));
	l->left = OWNER_START;
	l->refilled = now;
}

/* The part of an address that stands for one household. */
static void household(const char *address, char out[OWNER_ADDRESS])
{
	struct in6_addr a;
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	if (strchr(address, ':') && inet_pton(AF_INET6, address, &a) == 1 &&
	    memcmp(a.s6_addr, mapped, sizeof(mapped)) != 0) {
		memset(a.s6_addr + 8, 0, 8);
		if (inet_ntop(AF_INET6, &a, out, OWNER_ADDRESS))
			return;
	}
	if (str_copy(out, OWNER_ADDRESS, address[0] ? address : "?") < 0)
		memcpy(out, "?", 2);
}

static struct owner_lock *find(struct owner_locks *l, const char *name, uint64_t now)
{
	for (size_t i = 0; i < OWNER_ADDRESSES; i++) {
		struct owner_lock *s = &l->slot[i];
		if (!str_eq(s->address, name))
			continue;
		if (now - s->last >= OWNER_QUIET_MS)
			s->failures = 0;
		return s;
	}
	return NULL;
}

/* One from which the owner has logged in has a place of its own, also within a household. */
static struct owner_lock *find_known(struct owner_locks *l, const char *address, uint64_t now)
{
	struct owner_lock *s = address[0] ? find(l, address, now) : NULL;
	return s && s->known ? s : NULL;
}

static struct owner_lock *find_any(struct owner_locks *l, const char *address, uint64_t now)
{
	char name[OWNER_ADDRESS];
	struct owner_lock *s = find_known(l, address, now);
	if (s)
		return s;
	household(address, name);
	return find(l, name, now);
}

/* Does a go before b? Free ones, then those of strangers, then the longest quiet. */
static bool goes_first(const struct owner_lock *a, const struct owner_lock *b)
{
	if (!a->address[0] || !b->address[0])
		return !a->address[0] && b->address[0];
	return a->known != b->known ? b->known : a->last < b->last;
}

static struct owner_lock *make(struct owner_locks *l, const char *name)
{
	struct owner_lock *s = &l->slot[0];
	for (size_t i = 1; i < OWNER_ADDRESSES; i++) {
		if (goes_first(&l->slot[i], s))
			s = &l->slot[i];
	}
	memset(s, 0, sizeof(*s));
	memcpy(s->address, name, strlen(name));
	return s;
}

static struct owner_lock *find_or_make(struct owner_locks *l, const char *address, uint64_t now)
{
	char name[OWNER_ADDRESS];
	struct owner_lock *s = find_any(l, address, now);
	household(address, name);
	return s ? s : make(l, name);
}

static void refill(struct owner_locks *l, uint64_t now)
{
	uint64_t n = (now - l->refilled) / OWNER_REFILL_MS;
	l->refilled += n * OWNER_REFILL_MS;
	l->left = n < OWNER_BURST - l->left ? l->left + (unsigned)n : OWNER_BURST;
}

uint64_t owner_locks_wait(struct owner_locks *l, const char *address, uint64_t now)
{
	const struct owner_lock *s = find_any(l, address, now);
	uint64_t own = s && s->until > now ? s->until - now : 0;
	refill(l, now);
	if (l->left > 0 || (s && s->known))
		return own;
	uint64_t common = l->refilled + OWNER_REFILL_MS - now;
	return own > common ? own : common;
}

uint64_t owner_locks_fail(struct owner_locks *l, const char *address, uint64_t now)
{
	struct owner_lock *s = find_or_make(l, address, now);
	uint64_t wait = OWNER_WAIT_MS;
	refill(l, now);
	if (!s->known && l->left > 0)
		l->left--;
	s->failures++;
	s->last = now;
	for (unsigned i = OWNER_FREE + 1; i < s->failures && wait < OWNER_WAIT_MOST_MS; i++)
		wait *= 2;
	if (wait > OWNER_WAIT_MOST_MS)
		wait = OWNER_WAIT_MOST_MS;
	s->until = s->failures > OWNER_FREE ? now + wait : 0;
	return owner_locks_wait(l, address, now);
}

void owner_locks_pass(struct owner_locks *l, const char *address, uint64_t now)
{
	char name[OWNER_ADDRESS];
	struct owner_lock *s = find_known(l, address, now);
	if (str_copy(name, sizeof(name), address[0] ? address : "?") < 0)
		memcpy(name, "?", 2);
	s = s ? s : find(l, name, now);
	s = s ? s : make(l, name);
	s->failures = 0;
	s->until = 0;
	s->last = now;
	s->known = true;
}

void owner_locks_forgive(struct owner_locks *l, uint64_t now)
{
	l->left = OWNER_BURST;
	l->refilled = now;
	for (size_t i = 0; i < OWNER_ADDRESSES; i++) {
		l->slot[i].failures = 0;
		l->slot[i].until = 0;
	}
}
