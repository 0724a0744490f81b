/* Cookies, origins, lengths; see web_guard.h. Runs in the web role. Pure. */
#include "console/web_guard.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/str.h"

#define ORIGIN "https://"

bool web_guard_is_token(const char *text)
{
	return strlen(text) == WEB_TOKEN && strspn(text, "0123456789abcdef") == WEB_TOKEN;
}

/* The value of one "NAME=VALUE" when the name is ours. */
static const char *ours(const char *pair)
{
	size_t n = strlen(WEB_COOKIE);
	return strncmp(pair, WEB_COOKIE, n) == 0 && pair[n] == '=' ? pair + n + 1 : NULL;
}

bool web_guard_cookie(const char *header, char token[WEB_TOKEN + 1])
{
	unsigned found = 0;
	token[0] = '\0';
	for (const char *p = header; *p;) {
		size_t n = strcspn(p, ";");
		const char *value = ours(p);
		size_t len = value ? n - (size_t)(value - p) : 0;
		found += value != NULL;
		if (value && len == WEB_TOKEN) {
			memcpy(token, value, len);
			token[len] = '\0';
		}
		p += n;
		p += strspn(p, "; ");
	}
	if (found == 1 && web_guard_is_token(token))
		return true;
	token[0] = '\0';
	return false;
}

bool web_guard_origin(const char *origin, const char *host, const char *site)
{
	if (site[0] && !str_eq(site, "same-origin"))
		return false;
	if (!origin[0])
		return true;
	return host[0] && str_starts(origin, ORIGIN) && str_eq(origin + strlen(ORIGIN), host);
}

bool web_guard_length(const char *text, uint64_t max, uint64_t *length)
{
	return str_u64(text, max, length) == 0 && *length > 0;
}

int web_guard_status(const char **text, int other)
{
	const char *t = *text;
	if (strspn(t, "0123456789") != 3 || t[3] != ' ' || t[0] < '4' || t[0] > '5')
		return other;
	*text = t + 4;
	return (t[0] - '0') * 100 + (t[1] - '0') * 10 + t[2] - '0';
}

void web_guard_address(const struct sockaddr *a, char *text, unsigned cap)
{
	static const char mapped[] = "::ffff:";
	struct sockaddr_in four;
	struct sockaddr_in6 six;
	const char *shown = NULL;
	if (a->sa_family == AF_INET) {
		memcpy(&four, a, sizeof(four));
		shown = inet_ntop(AF_INET, &four.sin_addr, text, cap);
	} else if (a->sa_family == AF_INET6) {
		memcpy(&six, a, sizeof(six));
		shown = inet_ntop(AF_INET6, &six.sin6_addr, text, cap);
	}
	if (!shown)
		memcpy(text, "?", 2);
	else if (str_starts(text, mapped) && strchr(text, '.'))
		memmove(text, text + strlen(mapped), strlen(text) - strlen(mapped) + 1);
}
