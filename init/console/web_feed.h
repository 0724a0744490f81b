/* The last events as ready text for Server-Sent Events: a ring with one writer (the channel to PID 1) and many
 * readers (the open streams), each with its own cursor. A reader that falls behind by more than the ring is told
 * so and dropped by its owner: no reader can make the role remember more. */
#ifndef HEARTH_CONSOLE_WEB_FEED_H
#define HEARTH_CONSOLE_WEB_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WEB_FEED_EVENTS 32
/* An event is a name and one sentence, each at most LIMIT_*; escaped JSON of it fits, see web_feed.c. */
#define WEB_FEED_TEXT 1536

struct web_feed {
	uint64_t next; /* number of the next event; starts at 1, so a cursor of 0 means "not reading" */
	struct {
		size_t len;
		char text[WEB_FEED_TEXT];
	} ring[WEB_FEED_EVENTS];
};

void web_feed_init(struct web_feed *f);
/* Keeps "data: <json>\n\n". Line breaks inside are blanked, they would end the event early. False: too long, left out.
 */
bool web_feed_add(struct web_feed *f, const char *json, size_t len);
/* Text of event number `seq`: 1 and the text, 0 when it is not there yet, -1 when it is not kept any more. */
int web_feed_get(const struct web_feed *f, uint64_t seq, const char **text, size_t *len);

#endif
