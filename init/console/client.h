/* The console's connection to PID 1 (PATH_CONTROL): requests without waiting, events, and a connection that is made
 * again whenever it is lost. Requests under way when it is lost end with a NULL reply. There is no deadline for an
 * answer: who waits shows that and may cancel. */
#ifndef HEARTH_CONSOLE_CLIENT_H
#define HEARTH_CONSOLE_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"
#include "core/proto.h"
#include "loop/loop.h"

#define CLIENT_CALLS        8
#define CLIENT_RETRY_MIN_MS 100
#define CLIENT_RETRY_MAX_MS 2000

/* r: PROTO_OK or PROTO_ERROR, its text valid during the call; NULL: the connection was lost. */
typedef void client_reply_fn(const struct proto_reply *r, void *arg);

struct client_hooks {
	void (*on_up)(void *arg);                    /* connected; events follow from now on */
	void (*on_down)(const char *why, void *arg); /* lost; not called while it was never up */
	void (*on_event)(const char *json, void *arg);
	void *arg;
};

struct client {
	struct loop *loop;
	const char *path;
	int chan; /* -1: not connected */
	struct client_hooks hooks;
	struct loop_timer retry;
	unsigned delay_ms;
	uint32_t last_id;
	uint32_t follow_id;
	struct {
		uint32_t id; /* 0: free */
		client_reply_fn *fn;
		void *arg;
	} call[CLIENT_CALLS];
	char data[LIMIT_REPLY + 1];
};

/* Starts to connect from the loop. path must outlive the client. */
void client_init(struct client *c, struct loop *l, const char *path, const struct client_hooks *hooks);
void client_fini(struct client *c);
bool client_is_up(const struct client *c);
/* fn is called once, later. Returns the number of the request for client_cancel, or 0 with e. */
uint32_t client_call(struct client *c, unsigned argc, const char *const *argv, client_reply_fn *fn, void *arg,
                     struct err *e);
/* The reply will be dropped. Unknown numbers are ignored. */
void client_cancel(struct client *c, uint32_t id);

#endif
