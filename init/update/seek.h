/* Looks for updates where the settings say (update.url): when a person asks, and by itself with update.automatic.
 *
 * A look is: what does PID 1 know (network, clock, trial), then the index (update/conduct, ORDER_CHECK), then perhaps
 * an install of what it offers. By itself it looks soon after the start and every SEEK_EVERY_MS, more or less, installs
 * when update.window is open, and restarts into what is ready when it is open, too; a window has UTC times. What was
 * given up on this box before (update/memory) it leaves alone; a person need not. */
#ifndef HEARTH_UPDATE_SEEK_H
#define HEARTH_UPDATE_SEEK_H

#include <stdbool.h>
#include <stdint.h>

#include "core/settings_file.h"
#include "loop/loop.h"
#include "update/conduct.h"
#include "update/window.h"

#define SEEK_FIRST_MS  60000                   /* after the start; and at most SEEK_CHANCE_MS more */
#define SEEK_EVERY_MS  (UINT64_C(6) * 3600000) /* between two looks; idem */
#define SEEK_CHANCE_MS 1800000                 /* so that not all boxes come at once */
#define SEEK_RETRY_MS  3600000                 /* after a look that failed */
#define SEEK_SOON_MS   60000                   /* no network yet, or an install under way */
#define SEEK_LATER_MS  600000                  /* the clock, or a trial */
#define SEEK_WAIT_MS   60000                   /* for an index, when nobody waits for it */

/* What PID 1 knows. */
struct seek_world {
	bool network, synced, trial;
};

struct seek_hooks {
	/* PID 1 is to be asked; seek_world follows, later and once. */
	void (*ask)(void *arg);
	/* As struct conduct_hooks has them. */
	void (*decided)(const struct err *e, void *arg);
	void (*restart)(const char *version, void *arg);
	void *arg;
};

enum seek_step { SEEK_QUIET, SEEK_WORLD, SEEK_INDEX };

struct seek {
	struct loop *loop;
	struct conduct *conduct;
	struct seek_hooks hooks;
	enum seek_step step;
	struct order order; /* a person's; verb ORDER_STATUS: nobody asked */
	bool offered;       /* the last look found something, and it was not tried since */
	uint64_t due;       /* clock_ms of the next look */
	struct loop_timer timer, wait;
	struct settings settings;
	struct settings_room room;
};

void seek_init(struct seek *s, struct loop *l, struct conduct *c, const struct seek_hooks *h);
/* Behind conduct_begin. */
void seek_begin(struct seek *s);
/* ORDER_CHECK, ORDER_INSTALL from ORDER_CHANNEL: 0: begun, `decided` follows; -1: it cannot be. */
MUST_CHECK int seek_order(struct seek *s, const struct order *o, struct err *e);
/* The answer to `ask`; NULL: there was none. */
void seek_world(struct seek *s, const struct seek_world *w);
/* Of the conductor's `decided`: true when it was about a look whose end is not reached yet, or that nobody waits for.
 */
bool seek_decided(struct seek *s, const struct err *e);
void seek_fini(struct seek *s);

/* Pure: what is to be done by itself. */
enum seek_act { SEEK_NOTHING, SEEK_CHECK, SEEK_INSTALL, SEEK_RESTART };
struct seek_view {
	bool automatic; /* and there is a channel */
	struct seek_world world;
	enum update_state state;
	bool offered;
	uint64_t due_ms; /* until the next look */
	int64_t wall;
	struct window window;
};
/* *wait_ms: when to ask again, if it is nothing. */
enum seek_act seek_plan(const struct seek_view *v, uint64_t *wait_ms);

#endif
