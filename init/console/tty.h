/* The terminal of a console: raw input, size, and output that never blocks.
 *
 * Raw: no echo, no line mode, no signals from keys; output keeps the kernel's "\n" to CR LF; speed and framing stay as
 * the kernel set them. Any key ends a Ctrl-S stop. What the terminal does not take (flow control, a slow line) waits
 * in a bounded backlog. tty_fini gives the terminal back as it was found. */
#ifndef HEARTH_CONSOLE_TTY_H
#define HEARTH_CONSOLE_TTY_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/types.h>
#include <termios.h>

#include "base/err.h"
#include "loop/loop.h"

#define TTY_BACKLOG 8192
#define TTY_COLUMNS 80 /* when the terminal does not say; serial lines do not */

struct tty;
typedef void tty_read_fn(const unsigned char *data, size_t n, void *arg);
typedef void tty_room_fn(void *arg); /* the backlog became empty */
typedef void tty_gone_fn(void *arg); /* hung up */

struct tty_hooks {
	tty_read_fn *on_read;
	tty_room_fn *on_room;
	tty_gone_fn *on_gone;
	void *arg;
};

struct tty {
	int fd;
	struct loop *loop;
	struct tty_hooks hooks;
	bool raw;    /* `before` is to be restored */
	bool screen; /* a virtual terminal of the kernel (tty1) */
	bool dumb;   /* TERM says so: nothing but printable characters, CR, LF, BS */
	struct termios before;
	int flags; /* file status flags before */
	unsigned columns;
	char data[TTY_BACKLOG];
	size_t len;
};

/* fd: a terminal, open for reading and writing; stays the caller's. term: $TERM or NULL. */
MUST_CHECK int tty_init(struct tty *t, struct loop *l, int fd, const char *term, struct err *e);
void tty_hooks(struct tty *t, const struct tty_hooks *hooks);
void tty_fini(struct tty *t);
/* Queues all of it and writes what the terminal takes now; false: no room, nothing was queued. */
bool tty_write(struct tty *t, const char *data, size_t n);
size_t tty_room(const struct tty *t);
/* Asks the terminal for its size again (SIGWINCH); t->columns. */
void tty_resize(struct tty *t);
/* Columns to use: one less than the terminal has, so that no line wraps by itself. */
unsigned tty_width(const struct tty *t);

#endif
