/* Who has to wait before the next try to log in. Pure; time is given.
 *
 * - An address has OWNER_FREE wrong tries; after that each one doubles its wait, from 2 s up to 15 minutes. A right one
 *   clears it; so does an hour without a try.
 * - All addresses together have OWNER_BURST wrong tries, then one every OWNER_REFILL_MS: somebody with many addresses
 *   gets no further than that. An address from which the owner has logged in before is not held up by what others do.
 * - Addresses of IPv6 count by /64, which is what one household gets; but the very address from which the owner has
 *   logged in counts by itself, for a stranger in the household would hold up everybody else.
 * - The table has OWNER_ADDRESSES places; a new address takes that of the one that was quiet for longest, and the
 *   owner's only when all are. What an attacker wins by making the table forget is bounded by the common count.
 * - Whoever stands at the box forgives all waits with a reset of the login.
 *
 * It is memory of the owner role, which reads no byte from outside itself: the web role may crash as often as somebody
 * makes it, and nothing is forgiven. After a restart of the owner role the common count begins nearly used up
 * (OWNER_START), so that a restart wins little either. */
#ifndef HEARTH_CONSOLE_OWNER_LOCKS_H
#define HEARTH_CONSOLE_OWNER_LOCKS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define OWNER_ADDRESSES    32
#define OWNER_ADDRESS      46 /* INET6_ADDRSTRLEN */
#define OWNER_FREE         3
#define OWNER_WAIT_MS      2000
#define OWNER_WAIT_MOST_MS (15 * 60000ULL)
#define OWNER_QUIET_MS     3600000
#define OWNER_BURST        30
#define OWNER_START        6
#define OWNER_REFILL_MS    20000

struct owner_locks {
	unsigned left; /* of the common tries */
	uint64_t refilled;
	struct owner_lock {
		char address[OWNER_ADDRESS]; /* "": free */
		unsigned failures;           /* in a row */
		bool known;                  /* the owner has logged in from here */
		uint64_t last, until;        /* ms: the last try; no try before */
	} slot[OWNER_ADDRESSES];
};

void owner_locks_init(struct owner_locks *l, uint64_t now);
/* How long the address has to wait yet, ms; 0: it may try. Any text is an address. */
uint64_t owner_locks_wait(struct owner_locks *l, const char *address, uint64_t now);
/* A wrong try; how long it has to wait now. */
uint64_t owner_locks_fail(struct owner_locks *l, const char *address, uint64_t now);
/* A right one. */
void owner_locks_pass(struct owner_locks *l, const char *address, uint64_t now);
/* Nobody has to wait. Whom the owner has come from is still known. */
void owner_locks_forgive(struct owner_locks *l, uint64_t now);

#endif
