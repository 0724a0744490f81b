/* Dotted numbers. Pure; whoever compares versions uses it.
 * Never takes a text that a person could read in two ways: no signs, blanks, empty or padded parts. */
#include "format/version.h"

#include <stddef.h>
#include <string.h>

#define DIGITS  "0123456789"
#define LONGEST 5 /* digits of a part */

int version_read(const char *text, struct version *v)
{
	struct version got = {{0}};

	for (unsigned i = 0; i < VERSION_PARTS; i++) {
		size_t n = strspn(text, DIGITS);
		if (n == 0 || n > LONGEST || (n > 1 && text[0] == '0'))
			return -1;
		for (size_t k = 0; k < n; k++)
			got.part[i] = got.part[i] * 10 + (unsigned)(text[k] - '0');
		text += n;
		if (*text == '\0') {
			*v = got;
			return 0;
		}
		if (*text++ != '.')
			return -1;
	}
	return -1;
}

int version_compare(const struct version *a, const struct version *b)
{
	for (unsigned i = 0; i < VERSION_PARTS; i++) {
		if (a->part[i] != b->part[i])
			return a->part[i] < b->part[i] ? -1 : 1;
	}
	return 0;
}
