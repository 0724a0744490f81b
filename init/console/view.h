/* What stands where on a console's terminal: finished text scrolls up, and the last row belongs to either the line
 * editor (a prompt) or a waiting line that is drawn over and over (boot progress). Everything else goes above it.
 *
 * Two kinds of text:
 *   notes   unasked-for lines. When the terminal does not keep up they are the first to be dropped, and their number is
 *           said once there is room.
 *   page    an answer somebody asked for, up to VIEW_PAGE bytes. It is never dropped; it goes out as the terminal takes
 *           it. `view_busy` until all of it is with the terminal; the prompt comes back after it. */
#ifndef HEARTH_CONSOLE_VIEW_H
#define HEARTH_CONSOLE_VIEW_H

#include <stdbool.h>

#include "base/buf.h"
#include "console/line.h"
#include "console/tty.h"

#define VIEW_PAGE  65536
#define VIEW_NOTES 6144 /* bytes of the backlog for notes; the rest is kept for typing and answers */

struct view {
	struct tty *tty;
	struct line line;
	bool prompt;      /* the prompt is wanted on the last row */
	bool stale;       /* something of the last row got lost: draw it anew */
	unsigned waiting; /* columns of the waiting line on the last row */
	unsigned lost;    /* lines of notes that were dropped and not yet counted out */
	struct buf page;
	size_t page_at;
	char page_data[VIEW_PAGE];
};

void view_init(struct view *v, struct tty *t);
/* Whole lines, cleaned already. */
void view_note(struct view *v, const char *lines);
/* To be filled with whole lines, then view_flush. Holds what the last flush could not yet hand on. */
struct buf *view_page(struct view *v);
void view_flush(struct view *v);
bool view_busy(const struct view *v);
/* Drops what is left of the page (somebody pressed Ctrl-C). */
void view_cut(struct view *v);
/* Wants or does not want the prompt. */
void view_prompt(struct view *v, bool wanted);
/* One row without line break, drawn over the one before; "" takes it away. Not while the prompt is wanted. */
void view_waiting(struct view *v, const char *row);
void view_clear(struct view *v);
/* Bytes that the line editor made. */
void view_echo(struct view *v, const struct buf *bytes);
/* The terminal has room again; the owner calls it from tty_hooks.on_room. */
void view_room(struct view *v);

#endif
