/* Takes lines of HTTP heads apart; see header.h. They come from outside. */
#include "format/header.h"

#include <string.h>
#include <strings.h>

#include "base/str.h"

bool header_is(const char *line, size_t len, const char *name, char *dst, size_t cap)
{
	size_t from = strlen(name);

	dst[0] = '\0';
	if (len <= from || strncasecmp(line, name, from) != 0 || line[from] != ':')
		return false;
	for (from++; from < len && (line[from] == ' ' || line[from] == '\t'); from++)
		;
	while (len > from && strchr("\r\n \t", line[len - 1]))
		len--;
	if (memchr(line + from, '\0', len - from) || str_format(dst, cap, "%.*s", (int)(len - from), line + from) < 0)
		dst[0] = '\0';
	return true;
}
