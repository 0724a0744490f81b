/* A list of names as text. Pure; opens nothing. */
#include "core/names.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"

int names_add(struct names *all, const char *name, struct err *e)
{
	if (!str_is_name(name))
		return err_set(e, EINVAL, "names: a line is no name");
	if (all->count == NAMES_MAX)
		return err_set(e, E2BIG, "names: more than %d", NAMES_MAX);
	return str_copy(all->name[all->count++], LIMIT_NAME, name); /* fits: str_is_name */
}

int names_parse(struct names *all, const char *text, size_t len, struct err *e)
{
	char name[LIMIT_NAME];

	memset(all, 0, sizeof(*all));
	for (size_t at = 0; at < len;) {
		const char *end = memchr(text + at, '\n', len - at);
		size_t n = end ? (size_t)(end - text) - at : len - at;
		if (!end)
			return err_set(e, EINVAL, "names: the last line is cut");
		if (n >= sizeof(name))
			return err_set(e, EINVAL, "names: a line is no name");
		memcpy(name, text + at, n);
		name[n] = '\0';
		/* A NUL ends it too early; names have none. */
		if (strlen(name) != n)
			return err_set(e, EINVAL, "names: not a text");
		if (names_add(all, name, e) < 0)
			return -1;
		at += n + 1;
	}
	return 0;
}

int names_format(const struct names *all, struct buf *b, struct err *e)
{
	for (unsigned i = 0; i < all->count; i++)
		buf_addf(b, "%s\n", all->name[i]);
	return buf_ok(b) ? 0 : err_set(e, ENOSPC, "names: do not fit");
}
