/* The site's values in manifests; see site.h. Runs in the kube role.
 * Never touches text that is not a variable of the site, to the byte. */
#include "kube/site.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "core/settings_file.h"

#define BEGIN      "${site."
#define NAME_SHOWN 40

int site_load(struct settings *s, struct err *e)
{
	struct settings_room *room = malloc(sizeof(*room));

	if (!room)
		return err_set(e, ENOMEM, "settings: out of memory");
	int rc = settings_load(s, room, e);
	free(room);
	return rc;
}

/* The first "${site." that no '$' makes plain text. */
static const char *find_begin(const char *text, size_t len)
{
	const char *from = text, *end = text + len;

	for (;;) {
		const char *p = memmem(from, (size_t)(end - from), BEGIN, strlen(BEGIN));
		if (!p || p == text || p[-1] != '$')
			return p;
		from = p + 1;
	}
}

int site_find(const char *text, size_t len, struct yamljson_piece *p, void *arg, struct err *e)
{
	const struct settings *s = arg;
	const char *begin = find_begin(text, len);
	char name[LIMIT_NAME];

	if (!begin)
		return 0;
	const char *from = begin + strlen(BEGIN), *end = text + len;
	const char *close = memchr(from, '}', (size_t)(end - from));
	size_t n = (size_t)((close ? close : end) - from);
	const char *rest = close ? "}" : "";
	p->at = (size_t)(begin - text);
	if (!close || str_format(name, sizeof(name), "%.*s", (int)(n < INT16_MAX ? n : INT16_MAX), from) < 0 ||
	    strlen(name) != n || !str_is_name(name))
		return err_set(e, EINVAL,
		               BEGIN "%.*s%s is no variable; write " BEGIN "NAME} in small letters, digits, '-'",
		               (int)(n < NAME_SHOWN ? n : NAME_SHOWN), from, n > NAME_SHOWN ? "..." : rest);
	p->value = settings_site(s, name, n);
	p->value_len = strlen(p->value);
	p->len = strlen(BEGIN) + n + 1;
	if (p->value_len == 0)
		return err_set(e, ENOENT, BEGIN "%s} is not set; set site.%s in the settings", name, name);
	return 1;
}
