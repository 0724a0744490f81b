/* libwebsockets on our loop: its descriptors are watched by loop/loop, its timers are one of ours. The library calls
 * in through its table of event loop operations (lws-eventlib-exports.h), as for any foreign loop; it never waits. */
#ifndef HEARTH_CONSOLE_WEB_PUMP_H
#define HEARTH_CONSOLE_WEB_PUMP_H

#include "loop/loop.h"

#define WEB_PUMP_FDS 40 /* WEB_CONNS and the library's own wake-up */

struct lws;
struct lws_context;
struct lws_plugin_evlib;

struct web_pump {
	struct loop *loop;
	struct lws_context *context; /* set by the owner when it exists */
	struct loop_timer timer;
	struct {
		int fd; /* -1: free */
		uint32_t events;
		struct lws *wsi;
	} watch[WEB_PUMP_FDS];
};

void web_pump_init(struct web_pump *p, struct loop *loop);
/* For lws_context_creation_info: event_lib_custom, with foreign_loops[0] = the pump. */
const struct lws_plugin_evlib *web_pump_ops(void);
/* Lets the library do what is due and sets the timer for what comes next. After every call into it from outside of
 * its own callbacks. */
void web_pump_kick(struct web_pump *p);

#endif
