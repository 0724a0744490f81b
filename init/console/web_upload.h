/* The body of an upload on its way to who takes it: a pipe, and as little memory as a pipe needs.
 *
 * The seam: `update upload SIZE` goes to PID 1 as the owner's command with the pipe's read end, and from there to the
 * update role. What it gets is a source without ranges: exactly SIZE bytes and then the end. An end before that means
 * that the sender broke off. It may read as slowly as it likes: nothing more is read from the network meanwhile
 * (WEB_STALLED bounds it). When it closes its end, the upload ends, too; why, it says by `update`, as for any other
 * source. It answers the command as soon as it has taken the pipe; that the bytes are a bundle it says later.
 *
 * A part of an upload (`update upload SIZE FROM`) is the same, but that its end may be followed by another try.
 *
 * Knows no HTTP and no library. One at a time. */
#ifndef HEARTH_CONSOLE_WEB_UPLOAD_H
#define HEARTH_CONSOLE_WEB_UPLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "loop/loop.h"

#define WEB_UPLOAD_HELD 40960         /* what comes before the sender heeds that it should wait */
#define WEB_UPLOAD_MOST (16ULL << 30) /* bytes of one; the slot's size is the update role's to know */

enum web_upload_state {
	WEB_UPLOAD_MORE, /* more may come */
	WEB_UPLOAD_WAIT, /* no more now: `ready` will be called */
	WEB_UPLOAD_DONE, /* all of it has gone through */
	WEB_UPLOAD_GONE, /* nobody reads any more, or more came than was said */
};

/* Something changed while it waited. Not called from inside of the functions below. */
typedef void web_upload_fn(enum web_upload_state now, void *arg);

struct web_upload {
	struct loop *loop;
	int fd;        /* write end; -1: none under way */
	uint64_t left; /* bytes that have not come yet */
	bool watched, paused;
	web_upload_fn *ready;
	void *arg;
	size_t held, sent; /* held[sent ..] is to be written */
	char data[WEB_UPLOAD_HELD];
};

void web_upload_init(struct web_upload *u, struct loop *loop);
bool web_upload_busy(const struct web_upload *u);
/* Returns the read end, close-on-exec, the caller's; or -1. Nothing is passed on before web_upload_open. */
MUST_CHECK int web_upload_begin(struct web_upload *u, uint64_t size, web_upload_fn *ready, void *arg, struct err *e);
/* The reader has it: what has come meanwhile goes on. */
enum web_upload_state web_upload_open(struct web_upload *u);
enum web_upload_state web_upload_feed(struct web_upload *u, const void *data, size_t len);
/* Whatever has not gone through never will: the reader sees the end. */
void web_upload_end(struct web_upload *u);

#endif
