/* The web role's end of the channel to PID 1: many requests under way at a time, told apart by id, each with its
 * own deadline. The owner of a request that no longer cares cancels it; the late reply is then dropped.
 * Events that PID 1 sends for the role's one `events -f` go to `on_event`. */
#ifndef HEARTH_CONSOLE_WEB_LINK_H
#define HEARTH_CONSOLE_WEB_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"
#include "core/proto.h"
#include "loop/loop.h"

#define WEB_CALLS 40 /* one per connection, the follower, and some to spare */

enum web_end {
	WEB_END_OK,     /* text is PID 1's JSON object */
	WEB_END_ERROR,  /* text is PID 1's sentence for a person */
	WEB_END_TIMEOUT /* no answer in time; text is "" */
};

/* text is valid during the call only. May start and cancel calls. */
typedef void web_end_fn(enum web_end how, const char *text, size_t len, void *arg);
typedef void web_event_fn(const char *json, size_t len, void *arg);

/* One question to PID 1. */
struct web_ask {
	unsigned argc;
	const char *const *argv;
	unsigned timeout_ms;
	web_end_fn *fn;
	void *arg;
	int fd; /* that goes with it, stays the caller's; -1: none */
};

struct web_link;

struct web_call {
	uint32_t id; /* 0: free */
	struct web_link *link;
	struct loop_timer timer;
	web_end_fn *fn;
	void *arg;
};

struct web_link {
	struct loop *loop;
	int chan;
	uint32_t last_id;
	uint32_t follow_id; /* 0: not following */
	struct loop_timer follow_timer;
	bool lost; /* the channel ended; the loop was told to quit */
	web_event_fn *on_event;
	void *arg;
	struct web_call call[WEB_CALLS];
	char data[LIMIT_REPLY + 1];
};

/* chan stays the caller's. When the channel ends, l->lost is set and the loop quits. */
MUST_CHECK int web_link_init(struct web_link *l, struct loop *loop, int chan, struct err *e);
/* Asks for all events from now on, again and again until PID 1 agrees. Once per link. */
void web_link_follow(struct web_link *l, web_event_fn *fn, void *arg);
/* Sends a command; ask->fn is called exactly once, later, unless cancelled. *id gets its number for web_link_cancel. */
MUST_CHECK int web_link_call(struct web_link *l, const struct web_ask *ask, uint32_t *id, struct err *e);
/* fn of that call will not be called. Unknown ids and 0 are ignored. */
void web_link_cancel(struct web_link *l, uint32_t id);

#endif
