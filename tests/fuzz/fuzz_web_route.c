/* console/web_route over any path and query: whatever passes only reads, and only digits of a stranger reach PID 1.
 * Input: a line for the method (its first byte) and a body (any second byte), the path's line, the query's line. */
#include <string.h>

#include "base/str.h"
#include "console/web_route.h"
#include "fuzz/check.h"

/* Takes the next line of data, without its end. */
static void next_line(const uint8_t **data, size_t *size, char *text, size_t cap)
{
	size_t n = 0;
	while (n < *size && n < cap - 1 && (*data)[n] != '\n')
		n++;
	if (n > 0)
		memcpy(text, *data, n);
	text[n] = '\0';
	n += n < *size && (*data)[n] == '\n';
	*data += n;
	*size -= n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char how[16], path[256], query[128];
	struct web_match m;

	next_line(&data, &size, how, sizeof(how));
	next_line(&data, &size, path, sizeof(path));
	next_line(&data, &size, query, sizeof(query));
	static const char letters[] = "GHPU"; /* in the order of the enum; all else is WEB_OTHER */
	const char *letter = how[0] ? strchr(letters, how[0]) : NULL;
	enum web_method method = letter ? (enum web_method)(letter - letters) : WEB_OTHER;
	bool body = how[0] && how[1];
	web_route_match(method, path, query, body, &m);
	FUZZ_CHECK((m.status == 200) == (m.route != NULL));
	FUZZ_CHECK((m.status == 200) == (m.why == NULL));
	if (!m.route)
		return 0;
	FUZZ_CHECK(method != WEB_OTHER && body == (method >= WEB_POST) && str_eq(m.route->path, path) && m.argc <= 2);
	FUZZ_CHECK(m.route->method == (method == WEB_HEAD ? WEB_GET : method));
	unsigned own = m.route->command != NULL; /* words that are the route's */
	FUZZ_CHECK(m.argc <= own + 1);
	FUZZ_CHECK(m.argc == own || (m.argv[own][0] && !m.argv[own][strspn(m.argv[own], "0123456789")]));
	return 0;
}
