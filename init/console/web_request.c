/* The heads of requests, read out of the library; see web_request.h. Runs in the web role. */
#include "console/web_request.h"

#include <libwebsockets.h>
#include <string.h>

#include "base/str.h"

#define COOKIES_MAX 2048

enum web_method web_request_method(struct lws *wsi)
{
	static const struct {
		enum lws_token_indexes token;
		enum web_method method;
	} rows[] = {{WSI_TOKEN_GET_URI, WEB_GET},
	            {WSI_TOKEN_HEAD_URI, WEB_HEAD},
	            {WSI_TOKEN_POST_URI, WEB_POST},
	            {WSI_TOKEN_PUT_URI, WEB_PUT}};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (lws_hdr_total_length(wsi, rows[i].token))
			return rows[i].method;
	}
	return WEB_OTHER;
}

bool web_request_has_body(struct lws *wsi)
{
	char length[4];
	if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING))
		return true;
	if (!lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH))
		return false;
	return lws_hdr_copy(wsi, length, sizeof(length), WSI_TOKEN_HTTP_CONTENT_LENGTH) < 0 || !str_eq(length, "0");
}

void web_request_query(struct lws *wsi, char *query, size_t cap)
{
	query[0] = '\0';
	if (!lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_URI_ARGS))
		return;
	if (lws_hdr_fragment_length(wsi, WSI_TOKEN_HTTP_URI_ARGS, 1) > 0 ||
	    lws_hdr_copy_fragment(wsi, query, (int)cap, WSI_TOKEN_HTTP_URI_ARGS, 0) <= 0)
		memcpy(query, "=", 2);
}

bool web_request_keeps(struct lws *wsi)
{
	char version[12], connection[16];
	if (lws_hdr_copy(wsi, version, sizeof(version), WSI_TOKEN_HTTP) < 0 || !str_starts(version, "HTTP/1.1"))
		return false;
	if (!lws_hdr_total_length(wsi, WSI_TOKEN_CONNECTION))
		return true;
	return lws_hdr_copy(wsi, connection, sizeof(connection), WSI_TOKEN_CONNECTION) > 0 &&
	       strcasecmp(connection, "keep-alive") == 0;
}

/* One that the library has no number for. Too long is as good as none. */
static void get_custom(struct lws *wsi, const char *name, char *dst, size_t cap)
{
	int n = lws_hdr_custom_copy(wsi, dst, (int)cap, name, (int)strlen(name));
	dst[n > 0 ? n : 0] = '\0';
}

static void get(struct lws *wsi, enum lws_token_indexes token, char *dst, size_t cap)
{
	if (lws_hdr_copy(wsi, dst, (int)cap, token) < 0)
		dst[0] = '\0';
}

bool web_request_is_ours(struct lws *wsi)
{
	char origin[300], host[300], site[32];
	bool has_origin = lws_hdr_total_length(wsi, WSI_TOKEN_ORIGIN) > 0;
	get(wsi, WSI_TOKEN_ORIGIN, origin, sizeof(origin));
	get_custom(wsi, "sec-fetch-site:", site, sizeof(site));
	get(wsi, WSI_TOKEN_HOST, host, sizeof(host));
	return (origin[0] || !has_origin) && web_guard_origin(origin, host, site);
}

bool web_request_is_json(struct lws *wsi)
{
	char type[64];
	get(wsi, WSI_TOKEN_HTTP_CONTENT_TYPE, type, sizeof(type));
	type[strcspn(type, ";")] = '\0';
	return str_eq(type, "application/json");
}

bool web_request_length(struct lws *wsi, uint64_t max, uint64_t *length)
{
	char text[24];
	get(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH, text, sizeof(text));
	return !lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) && web_guard_length(text, max, length);
}

void web_request_session(struct lws *wsi, char token[WEB_TOKEN + 1], char csrf[WEB_TOKEN + 1])
{
	char cookies[COOKIES_MAX];
	get(wsi, WSI_TOKEN_HTTP_COOKIE, cookies, sizeof(cookies));
	(void)web_guard_cookie(cookies, token);
	get_custom(wsi, WEB_CSRF_HEADER, csrf, WEB_TOKEN + 1);
	if (!web_guard_is_token(csrf))
		csrf[0] = '\0';
	explicit_bzero(cookies, sizeof(cookies));
}
