/* The one-time code of the first login: eight characters of 32 that nobody takes for another, 40 bits. With the tries
 * that console/owner_locks lets pass (some four thousand a day, from everywhere together), guessing for ten years finds
 * it with a chance of one in seventy thousand. Pure. */
#ifndef HEARTH_CONSOLE_OWNER_CODE_H
#define HEARTH_CONSOLE_OWNER_CODE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define OWNER_CODE_LEN   8
#define OWNER_CODE_SHOWN (OWNER_CODE_LEN + 2) /* "XXXX-XXXX" and its end */

struct owner_code {
	char text[OWNER_CODE_LEN + 1];
};

/* random: from the kernel; every bit pattern makes a code, each as often as every other. */
void owner_code_make(struct owner_code *c, const uint8_t random[OWNER_CODE_LEN]);
/* As typed: small letters, blanks and dashes are no matter, and O is 0, I and L are 1. */
MUST_CHECK int owner_code_parse(struct owner_code *c, const char *typed, struct err *e);
/* As people read it. */
void owner_code_show(const struct owner_code *c, char out[OWNER_CODE_SHOWN]);
/* In a time that says nothing about where they differ. */
bool owner_code_equal(const struct owner_code *a, const struct owner_code *b);

#endif
