/* Heads and bodies of HTTP answers. Runs in the web role. Puts nothing into a head that a stranger chose. */
#include "console/web_reply.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "console/web_asset.h"

/* On every answer. No HSTS: the certificate is self-signed, and a browser that was told to insist would lock a person
 * out of a box that got a new one. */
#define FIXED_HEADERS                                                                                                  \
	"Cache-Control: no-store\r\n"                                                                                  \
	"Content-Security-Policy: default-src 'none'; script-src " WEB_ASSET_SCRIPT_HASH                               \
	"; style-src " WEB_ASSET_STYLE_HASH "; connect-src 'self'; img-src 'self'; base-uri 'none'; "                  \
	"form-action 'none'; frame-ancestors 'none'\r\n"                                                               \
	"X-Content-Type-Options: nosniff\r\n"                                                                          \
	"X-Frame-Options: DENY\r\n"                                                                                    \
	"Referrer-Policy: no-referrer\r\n"                                                                             \
	"Cross-Origin-Opener-Policy: same-origin\r\n"                                                                  \
	"Cross-Origin-Resource-Policy: same-origin\r\n"

static const struct {
	int status;
	const char *reason;
	const char *more; /* headers of this status alone */
} statuses[] = {
	{200, "OK", ""},
	{400, "Bad Request", ""},
	{401, "Unauthorized", ""},
	{403, "Forbidden", ""},
	{404, "Not Found", ""},
	{405, "Method Not Allowed", ""},
	{409, "Conflict", ""},
	{411, "Length Required", ""},
	{413, "Content Too Large", ""},
	{415, "Unsupported Media Type", ""},
	{429, "Too Many Requests", ""},
	{500, "Internal Server Error", ""}, /* also for a status that is not in the table */
	{503, "Service Unavailable", "Retry-After: 2\r\n"},
};

static size_t find_status(int status)
{
	size_t unknown = 0;
	for (size_t i = 0; i < COUNT_OF(statuses); i++) {
		if (statuses[i].status == status)
			return i;
		if (statuses[i].status == 500)
			unknown = i;
	}
	return unknown;
}

int web_reply_start(struct web_reply *r, const struct web_top *top, struct err *e)
{
	struct buf b;
	size_t i = find_status(top->status);
	web_reply_drop(r);
	buf_init(&b, r->head, sizeof(r->head));
	buf_addf(&b, "HTTP/1.1 %d %s\r\n", statuses[i].status, statuses[i].reason);
	buf_addf(&b, "Content-Type: %s\r\n", top->type);
	if (!top->endless)
		buf_addf(&b, "Content-Length: %zu\r\n", top->len);
	buf_addf(&b, "Connection: %s\r\n", top->keep && !top->endless ? "keep-alive" : "close");
	buf_add(&b, statuses[i].more);
	buf_add(&b, top->more ? top->more : "");
	buf_add(&b, FIXED_HEADERS "\r\n");
	if (!buf_ok(&b))
		return err_set(e, EFBIG, "head of an answer: longer than %d bytes", WEB_HEAD_MAX);
	r->head_len = b.len;
	return 0;
}

void web_reply_borrow(struct web_reply *r, const char *body, size_t len)
{
	r->body = body;
	r->body_len = len;
}

int web_reply_copy(struct web_reply *r, const char *body, size_t len, struct err *e)
{
	r->owned = malloc(len ? len : 1);
	if (!r->owned)
		return err_set(e, ENOMEM, "no memory for an answer of %zu bytes", len);
	memcpy(r->owned, body, len);
	web_reply_borrow(r, r->owned, len);
	return 0;
}

size_t web_reply_take(struct web_reply *r, unsigned char *dst, size_t cap)
{
	size_t n = 0;
	while (n < cap && !web_reply_done(r)) {
		bool head = r->taken < r->head_len;
		const char *from = head ? r->head + r->taken : r->body + (r->taken - r->head_len);
		size_t left = (head ? r->head_len : r->head_len + r->body_len) - r->taken;
		size_t m = left < cap - n ? left : cap - n;
		memcpy(dst + n, from, m);
		n += m;
		r->taken += m;
	}
	return n;
}

bool web_reply_done(const struct web_reply *r)
{
	return r->taken >= r->head_len + r->body_len;
}

void web_reply_drop(struct web_reply *r)
{
	free(r->owned);
	r->owned = NULL;
	r->body = NULL;
	r->head_len = r->body_len = r->taken = 0;
}
