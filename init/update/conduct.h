/* The conductor of an update: takes orders, runs the worker, does what needs root's rights, keeps the record that lets
 * an install go on after a restart of the role or of the box.
 *
 * One worker at a time, for an install or for a look at a bundle or at a channel's index. What the worker says is not
 * believed, for it has met the network: the manifest's signature is checked here once more, and so is the kernel's sum,
 * when the worker is dead, before the kernel gets its boot entry. That kernel knows the root hash, so what the worker
 * has put into the slot either is what was signed or does not boot. Whether a bundle may go in is decided here, too. A
 * worker that dies is started again, a few times; an install that fails leaves the target without a boot entry and the
 * running slot as it was. An upload has no record and no second try: what has come through its pipe is gone, so the end
 * of the worker or of the role is the end of it. One in parts is as good as a URL: who sends it is asked for each. */
#ifndef HEARTH_UPDATE_CONDUCT_H
#define HEARTH_UPDATE_CONDUCT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/names.h"
#include "core/teller.h"
#include "loop/child.h"
#include "loop/loop.h"
#include "update/msg.h"
#include "update/offer.h"
#include "update/order.h"
#include "update/place.h"
#include "update/state.h"

#define CONDUCT_DEATHS   3    /* of workers in one install, then it has failed */
#define CONDUCT_AGAIN_MS 2000 /* until the next one */

struct conduct;

struct conduct_hooks {
	/* The order is decided: e is NULL when an install has begun to write or a look has its manifest; code EAGAIN:
	 * an install goes on, but its source does not answer. Once for each order that was begun. */
	void (*decided)(const struct err *e, void *arg);
	/* Whose manifest is it? As signature_check, with the keys of this system. */
	int (*signer)(const void *text, size_t len, const uint8_t *sig, size_t sig_len, void *arg, struct err *e);
	/* Everything is on the disk: which apps are healthy? conduct_arm is to be called with the answer. */
	void (*arming)(void *arg);
	/* The box is to be restarted now. */
	void (*restart)(const char *version, void *arg);
	void *arg;
};

struct conduct_options {
	const char *self; /* the program */
	const char *keys; /* folder */
	const char *ca;   /* NULL: the worker's own */
	const char *user; /* of the worker; "": stay what we are (tests) */
	struct place_stand_in stand_in;
	bool soon; /* update/seek begins at once (tests) */
};

struct conduct {
	struct loop *loop;
	struct teller *teller;
	struct conduct_options options;
	struct conduct_hooks hooks;

	enum update_state state;
	struct order order;       /* of the install under way, or the last one */
	char why[ERR_TEXT];       /* it failed, or waits */
	char armed[VERSION_TEXT]; /* it failed, and changed nothing: this one waits for a restart as before; "": none */
	uint64_t since;           /* clock_ms of the state's beginning */

	bool looking;                /* the worker only looks */
	char look_why[LIMIT_DETAIL]; /* its source does not answer */
	bool undecided;              /* an order has not been answered */
	bool known;                  /* m, bundle, fetch are those of the order */
	struct update_manifest m;
	uint64_t bundle, fetch; /* bytes; fetch 0: not known */
	struct msg_want want;   /* the part that is asked for; length 0: none */
	struct msg_progress progress;
	struct msg_done done;
	bool synced;        /* the caller's, for an index: the clock is right */
	struct offer offer; /* of the last index that was believed */

	struct place place;
	struct child worker;
	int chan; /* to the worker, -1: none */
	unsigned deaths;
	bool arming; /* all is done, and the worker about to end */
	bool due;    /* the next worker waits for the end of the last one, which may be stuck in a write */
	struct order next;
	struct loop_timer again;
};

void conduct_init(struct conduct *c, struct loop *l, struct teller *t, const struct conduct_options *o,
                  const struct conduct_hooks *h);
/* An install that was under way when the role or the box ended goes on. */
void conduct_begin(struct conduct *c);
/* ORDER_INSTALL, ORDER_SHOW, ORDER_CHECK: 0: begun, `decided` follows. Others: 0: done, or for ORDER_UPLOAD: the pipe
 * is taken, and how it goes on is in conduct_text. An install of parts is no more than begun: its manifest has to come
 * first. -1: refused, nothing has changed. fd: what came with the order, the caller's; an upload needs the read end of
 * its pipe, and so does each part. */
MUST_CHECK int conduct_order(struct conduct *c, const struct order *o, int fd, struct err *e);
/* The end of `arming`. */
void conduct_arm(struct conduct *c, const struct names *healthy);
/* Nobody waits for the look any more. */
void conduct_stop_look(struct conduct *c);
/* One sentence for people: how it stands. In conduct_text.c. */
void conduct_text(const struct conduct *c, struct buf *b);
/* Ends the worker; the record stays. */
void conduct_fini(struct conduct *c);

#endif
