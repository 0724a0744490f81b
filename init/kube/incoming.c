/* A growing buffer for answers, and lines out of it. Runs in the kube role. Never holds more than one line of a stream
 * and what came with it. */
#include "kube/incoming.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_BYTES 4096 /* grows by doubling from here */

static bool grow(struct incoming *in, size_t n)
{
	size_t need = in->len + n + INCOMING_PAD;
	size_t cap = in->cap > 0 ? in->cap : FIRST_BYTES;

	if (need <= in->cap)
		return true;
	while (cap < need)
		cap *= 2;
	char *p = realloc(in->data, cap);
	if (!p)
		return false;
	in->data = p;
	in->cap = cap;
	return true;
}

static bool append(struct incoming *in, const char *p, size_t n)
{
	if (!grow(in, n))
		return false;
	memcpy(in->data + in->len, p, n);
	in->len += n;
	memset(in->data + in->len, 0, INCOMING_PAD);
	return true;
}

enum incoming_result incoming_body(struct incoming *in, const char *p, size_t n)
{
	if (n > in->max - in->len)
		return INCOMING_TOO_LARGE;
	return append(in, p, n) ? INCOMING_OK : INCOMING_MEMORY;
}

/* The n bytes at `at`, with zeros behind them while they are looked at. */
static bool give(struct incoming *in, size_t at, size_t n, incoming_line_fn *fn, void *arg)
{
	char behind[INCOMING_PAD];

	if (n == 0)
		return true;
	memcpy(behind, in->data + at + n, INCOMING_PAD);
	memset(in->data + at + n, 0, INCOMING_PAD);
	bool more = fn(in->data + at, n, arg);
	memcpy(in->data + at + n, behind, INCOMING_PAD);
	return more;
}

/* What is behind the last whole line comes to the front. */
static void keep_from(struct incoming *in, size_t at)
{
	in->len -= at;
	in->seen = in->len;
	if (in->len > 0)
		memmove(in->data, in->data + at, in->len + INCOMING_PAD);
	else
		incoming_free(in);
}

enum incoming_result incoming_lines(struct incoming *in, const char *p, size_t n, incoming_line_fn *fn, void *arg)
{
	size_t at = 0, look = in->seen;
	const char *nl;

	if (!append(in, p, n))
		return INCOMING_MEMORY;
	while ((nl = memchr(in->data + look, '\n', in->len - look))) {
		size_t len = (size_t)(nl - in->data) - at;
		if (len > in->max)
			return INCOMING_TOO_LARGE;
		if (!give(in, at, len, fn, arg))
			return INCOMING_STOPPED;
		at = look = at + len + 1;
	}
	if (in->len - at > in->max)
		return INCOMING_TOO_LARGE;
	keep_from(in, at);
	return INCOMING_OK;
}

void incoming_rest(struct incoming *in, incoming_line_fn *fn, void *arg)
{
	(void)give(in, 0, in->len, fn, arg);
	incoming_free(in);
}

void incoming_free(struct incoming *in)
{
	free(in->data);
	in->data = NULL;
	in->len = in->cap = in->seen = 0;
}
