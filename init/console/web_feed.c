/* The ring of event texts behind /api/v1/events/stream. Runs in the web role. Never allocates. */
#include "console/web_feed.h"

#include <string.h>

#include "base/limits.h"

#define PREFIX "data: "
#define SUFFIX "\n\n"

/* Worst case of one event: every byte of its sentence as \u00XX, beside some 200 bytes of keys and numbers. */
_Static_assert(WEB_FEED_TEXT >= 6 * (LIMIT_DETAIL + LIMIT_NAME) + 200 + sizeof(PREFIX SUFFIX), "an event must fit");

void web_feed_init(struct web_feed *f)
{
	f->next = 1;
}

bool web_feed_add(struct web_feed *f, const char *json, size_t len)
{
	if (len > WEB_FEED_TEXT - sizeof(PREFIX SUFFIX))
		return false;
	char *p = f->ring[f->next % WEB_FEED_EVENTS].text;
	size_t n = sizeof(PREFIX) - 1;
	memcpy(p, PREFIX, n);
	for (size_t i = 0; i < len; i++)
		p[n++] = json[i] == '\n' || json[i] == '\r' ? ' ' : json[i];
	memcpy(p + n, SUFFIX, sizeof(SUFFIX));
	f->ring[f->next % WEB_FEED_EVENTS].len = n + sizeof(SUFFIX) - 1;
	f->next++;
	return true;
}

int web_feed_get(const struct web_feed *f, uint64_t seq, const char **text, size_t *len)
{
	if (seq >= f->next)
		return 0;
	if (f->next - seq > WEB_FEED_EVENTS)
		return -1;
	*text = f->ring[seq % WEB_FEED_EVENTS].text;
	*len = f->ring[seq % WEB_FEED_EVENTS].len;
	return 1;
}
