/* URLs of updates: what is taken of RFC 3986, and joining. Everybody in the update room. */
#include "update/url.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"

#define DIGITS "0123456789"
#define ALNUM  DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define HEX    DIGITS "abcdefABCDEF"
#define PATH   ALNUM "-._~!$&'()*+,;=:@%/"
#define SHOWN  120 /* bytes of a URL in a message */
#define PORTS  65535
#define LABEL  63
#define HOST   253

static int refuse(struct err *e, const char *url, int code, const char *why)
{
	/* What may be a password stays out of a log. */
	if (strchr(url, '@'))
		return err_set(e, code, "the URL is refused: %s", why);
	int len = (int)strcspn(url, "?"); /* nor what a query may hold */
	return err_set(e, code, "the URL '%.*s' is refused: %s", len < SHOWN ? len : SHOWN, url, why);
}

static size_t scheme_length(const char *url)
{
	if (str_starts(url, "https://"))
		return strlen("https://");
	return str_starts(url, "http://") ? strlen("http://") : 0;
}

static bool is_name(const char *s, size_t n)
{
	size_t label = 0;

	for (size_t i = 0; i < n; i++) {
		if (s[i] == '.' && label == 0)
			return false;
		label = s[i] == '.' ? 0 : label + 1;
		if (label > LABEL || !strchr(ALNUM "-._", s[i]))
			return false;
	}
	return n > 0 && n <= HOST && label > 0 && s[0] != '-';
}

/* HOST[:PORT], n bytes. What an address in brackets means is left to libcurl. */
static bool is_authority(const char *s, size_t n)
{
	const char *end = s + n;
	size_t host = strcspn(s, ":/?#");
	char port[6];
	uint64_t number;

	if (s[0] == '[') {
		host = 1 + strspn(s + 1, HEX ":.");
		if (s[host] != ']' || host < 3)
			return false;
		host++;
	} else if (!is_name(s, host < n ? host : n)) {
		return false;
	}
	if (host >= n)
		return host == n;
	return s[host] == ':' &&
	       str_format(port, sizeof(port), "%.*s", (int)(end - s - (int)host - 1), s + host + 1) == 0 &&
	       str_u64(port, PORTS, &number) == 0 && number > 0;
}

/* The byte that "%XX" stands for, -1: it is not that. */
static int decode(const char *s)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	const char *high = s[1] ? strchr(digits, s[1]) : NULL;
	const char *low = high && s[2] ? strchr(digits, s[2]) : NULL;

	return low ? (int)((high - digits) % 16 * 16 + (low - digits) % 16) : -1;
}

/* NULL, or why the text in front of `end` is no path, or no query. */
static const char *bad_text(const char *s, const char *end, bool query)
{
	for (; s < end; s++) {
		int byte = *s == '%' ? decode(s) : *s;
		if (!strchr(PATH, *s) && !(query && *s == '?'))
			return "a byte in it must be written as %XX";
		if (byte < 0)
			return "behind '%' stand two hex digits";
		if (byte == 0)
			return "%00 has no place in it";
		if (!query && *s == '%' && (byte == '/' || byte == '\\'))
			return "%2f and %5c have no place in its path";
	}
	return NULL;
}

/* Dots only, one or two, however they are written: "." ".." "%2e." */
static bool is_dots(const char *s, size_t n)
{
	size_t dots = 0;

	for (size_t i = 0; i < n; dots++) {
		if (s[i] == '.')
			i++;
		else if (s[i] == '%' && n - i >= 3 && decode(s + i) == '.')
			i += 3;
		else
			return false;
	}
	return dots == 1 || dots == 2;
}

/* NULL, or why PATH[?QUERY] is refused. */
static const char *bad_path(const char *s)
{
	const char *query = s + strcspn(s, "?");
	const char *why = bad_text(s, query, false);

	if (!why && *query)
		why = bad_text(query + 1, query + strlen(query), true);
	for (const char *p = s; !why && p < query;) {
		size_t n = strcspn(p, "/?");
		if (is_dots(p, n))
			why = "'.' and '..' have no place in its path";
		p += n + (p + n < query);
	}
	return why;
}

int url_check(const char *url, struct err *e)
{
	size_t scheme = scheme_length(url);

	if (scheme == 0)
		return refuse(e, url, EPROTONOSUPPORT, "it begins with neither https:// nor http://");
	if (strlen(url) >= URL_MAX)
		return refuse(e, url, EINVAL, "it is too long");
	const char *authority = url + scheme;
	size_t n = strcspn(authority, "/?");
	if (memchr(authority, '@', n))
		return refuse(e, url, EINVAL, "it has a user name in it");
	if (!is_authority(authority, n))
		return refuse(e, url, EINVAL, "there is no host in it, or a strange one");
	if (authority[n] != '/')
		return refuse(e, url, EINVAL, "there is no path in it");
	const char *why = bad_path(authority + n);
	return why ? refuse(e, url, EINVAL, why) : 0;
}

int url_check_reference(const char *ref, struct err *e)
{
	const char *why = NULL;

	if (scheme_length(ref) > 0)
		return url_check(ref, e);
	/* A scheme is what stands before a ':' that comes before any '/'. */
	if (ref[strcspn(ref, ":/?")] == ':')
		return refuse(e, ref, EPROTONOSUPPORT, "use https, http, or a name beside the index");
	if (ref[0] == '\0' || ref[0] == '/' || ref[0] == '?')
		return refuse(e, ref, EINVAL, "use a name beside the index, or a whole URL");
	if (strlen(ref) >= URL_MAX)
		return refuse(e, ref, EINVAL, "it is too long");
	why = bad_path(ref);
	return why ? refuse(e, ref, EINVAL, why) : 0;
}

int url_join(char dst[URL_MAX], const char *base, const char *ref, struct err *e)
{
	if (url_check(base, e) < 0 || url_check_reference(ref, e) < 0)
		return -1;
	size_t folder = strcspn(base, "?");
	while (base[folder - 1] != '/')
		folder--;
	if (scheme_length(ref) > 0)
		folder = 0;
	if (str_format(dst, URL_MAX, "%.*s%s", (int)folder, base, ref) < 0)
		return refuse(e, ref, EINVAL, "it is too long with the one it stands in");
	return 0;
}

int url_suffix(char dst[URL_MAX], const char *url, const char *suffix, struct err *e)
{
	size_t path = strcspn(url, "?");

	if (url_check(url, e) < 0)
		return -1;
	if (str_format(dst, URL_MAX, "%.*s%s%s", (int)path, url, suffix, url + path) < 0)
		return refuse(e, url, EINVAL, "it is too long");
	return 0;
}

bool url_is_https(const char *url)
{
	return str_starts(url, "https://");
}

void url_site(const char *url, char *dst, size_t cap)
{
	struct buf b;
	size_t scheme = scheme_length(url), n = strcspn(url + scheme, "/?#");
	const char *at = memchr(url + scheme, '@', n);

	buf_init(&b, dst, cap);
	if (at) /* nothing that was checked */
		buf_add(&b, "?");
	else
		buf_add_n(&b, url, scheme + n);
}
