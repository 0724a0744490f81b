/* The one-time code as text; see owner_code.h. Runs in the owner role. Never reads randomness itself. */
#include "console/owner_code.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"

/* Crockford's base 32: no I, L, O, U. */
static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

_Static_assert(sizeof(alphabet) == 33, "five bits a character");

void owner_code_make(struct owner_code *c, const uint8_t random[OWNER_CODE_LEN])
{
	for (size_t i = 0; i < OWNER_CODE_LEN; i++)
		c->text[i] = alphabet[random[i] & 31];
	c->text[OWNER_CODE_LEN] = '\0';
}

/* The character of the alphabet that is meant, or '\0'. */
static char meant(char typed)
{
	static const char alias[][2] = {{'O', '0'}, {'I', '1'}, {'L', '1'}};
	if (typed >= 'a' && typed <= 'z')
		typed = (char)(typed - 'a' + 'A');
	for (size_t i = 0; i < COUNT_OF(alias); i++) {
		if (typed == alias[i][0])
			return alias[i][1];
	}
	return typed != '\0' && strchr(alphabet, typed) ? typed : '\0';
}

int owner_code_parse(struct owner_code *c, const char *typed, struct err *e)
{
	size_t n = 0;
	for (; *typed; typed++) {
		if (*typed == ' ' || *typed == '-')
			continue;
		char m = meant(*typed);
		if (m == '\0' || n == OWNER_CODE_LEN)
			return err_set(e, EINVAL, "not a code: %d letters and digits", OWNER_CODE_LEN);
		c->text[n++] = m;
	}
	c->text[n] = '\0';
	return n == OWNER_CODE_LEN ? 0 : err_set(e, EINVAL, "not a code: %d letters and digits", OWNER_CODE_LEN);
}

void owner_code_show(const struct owner_code *c, char out[OWNER_CODE_SHOWN])
{
	memcpy(out, c->text, 4);
	out[4] = '-';
	memcpy(out + 5, c->text + 4, 5);
}

bool owner_code_equal(const struct owner_code *a, const struct owner_code *b)
{
	volatile unsigned differ = 0;
	for (size_t i = 0; i < OWNER_CODE_LEN; i++)
		differ |= (unsigned)(a->text[i] ^ b->text[i]);
	return differ == 0;
}
