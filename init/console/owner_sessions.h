/* The owner's sessions, in memory: lost when the role ends, and then the owner logs in again. Tokens are not here, only
 * their digests: whoever reads this memory cannot act as the owner with what is found. Pure; time is given. */
#ifndef HEARTH_CONSOLE_OWNER_SESSIONS_H
#define HEARTH_CONSOLE_OWNER_SESSIONS_H

#include <stdbool.h>
#include <stdint.h>

#define OWNER_SESSIONS 8 /* a household's browsers; one more ends the one unused for longest */
#define OWNER_DIGEST   32

struct owner_limits {
	uint64_t idle_ms, whole_ms; /* a session ends when it is not used for so long; and after so long in any case */
};
#define OWNER_LIMITS ((struct owner_limits){30 * 60000ULL, 12 * 3600000ULL})

struct owner_sessions {
	struct owner_limits limits;
	struct {
		bool used;
		uint64_t born, last; /* ms */
		uint8_t digest[OWNER_DIGEST];
	} slot[OWNER_SESSIONS];
};

void owner_sessions_init(struct owner_sessions *s, struct owner_limits limits);
void owner_sessions_add(struct owner_sessions *s, const uint8_t digest[OWNER_DIGEST], uint64_t now);
/* Is it one? Then it was used now. Every slot is looked at in full, whatever it holds. */
bool owner_sessions_use(struct owner_sessions *s, const uint8_t digest[OWNER_DIGEST], uint64_t now);
void owner_sessions_end(struct owner_sessions *s, const uint8_t digest[OWNER_DIGEST]);
/* All of them; how many there were. */
unsigned owner_sessions_clear(struct owner_sessions *s);

#endif
