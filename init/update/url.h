/* The URLs of updates: a strict subset of RFC 3986, checked before libcurl sees one. Pure.
 *
 * Taken: http://HOST[:PORT]/PATH[?QUERY] and https, HOST a name, an IPv4 address or [IPv6]. Refused: other schemes,
 * user names and passwords, fragments, bytes outside of printable ASCII, spaces, quotes, '<' '>' '\' '^' '`' '{' '|'
 * '}',
 * '%' without two hex digits, "." and ".." as a part of the path (also as %2e), encoded NUL, and encoded '/' and '\' in
 * the path. */
#ifndef HEARTH_UPDATE_URL_H
#define HEARTH_UPDATE_URL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define URL_MAX 1024 /* bytes, the end included; a redirect to a store with a signed query takes 800 */

/* 0, or -1 with a sentence (EINVAL; EPROTONOSUPPORT: another scheme). */
MUST_CHECK int url_check(const char *url, struct err *e);
/* A reference within an index: "name", "folder/name" (beside the index), or a whole URL. "/path" and "//host" are
 * refused: they only ever are a surprise. */
MUST_CHECK int url_check_reference(const char *ref, struct err *e);
/* The reference as seen from the URL `base`: its query goes, and what stands behind its last '/'. Both are checked. A
 * base of https with a whole http:// reference is allowed: see update/channel. */
MUST_CHECK int url_join(char dst[URL_MAX], const char *base, const char *ref, struct err *e);
/* "index.yaml" beside its "index.yaml.sig": the suffix goes behind the path, before a query. */
MUST_CHECK int url_suffix(char dst[URL_MAX], const char *url, const char *suffix, struct err *e);
bool url_is_https(const char *url);
/* "https://host:port", for messages: no path, no query, which may hold a secret. */
void url_site(const char *url, char *dst, size_t cap);

#endif
