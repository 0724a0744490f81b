/* The line editor: a pure state machine from keys to an edited line and the bytes that show it.
 *
 * It draws with carriage return, backspace, blanks and printable characters alone, so it works on every terminal,
 * a paper one included. The line never leaves its row: prompt and text together take `width` columns at most; a
 * longer text scrolls sideways ("<" and ">" stand at the cut ends).
 *
 * Output goes to the caller's buffer (LINE_OUTPUT bytes are always enough for one call). `shown` says whether the
 * line is on the terminal now: the owner takes it away (line_hide) to print something above it and puts it back
 * (line_show). Keys are taken while it is hidden too; nothing is drawn then. */
#ifndef HEARTH_CONSOLE_LINE_H
#define HEARTH_CONSOLE_LINE_H

#include <stdbool.h>

#include "base/buf.h"
#include "console/keys.h"

#define LINE_TEXT    256 /* bytes of a line, terminator included */
#define LINE_HISTORY 32  /* remembered lines */
#define LINE_WIDTH   200 /* more columns of a wider terminal are not used */
#define LINE_PROMPT  40
#define LINE_OUTPUT  2048

enum line_result {
	LINE_EDITED,    /* goes on */
	LINE_DONE,      /* Enter: line->text is the line; call line_reset after use */
	LINE_TAB,       /* completion is asked for */
	LINE_INTERRUPT, /* Ctrl-C: line->text was given up; call line_reset */
	LINE_EOF,       /* Ctrl-D on an empty line */
	LINE_CLEAR      /* Ctrl-L: clear the screen, then line_show */
};

struct line {
	char text[LINE_TEXT];
	unsigned length, cursor;
	char prompt[LINE_PROMPT];
	unsigned width;
	unsigned scroll; /* first byte of text on the row */
	bool shown;
	unsigned drawn; /* columns drawn on the row */
	unsigned at;    /* column of the terminal's cursor */
	bool remember;  /* Enter puts the line into the history */
	char history[LINE_HISTORY][LINE_TEXT];
	unsigned past;         /* lines in history, the newest first */
	unsigned back;         /* how far Up went: 0 = the line being typed */
	char typed[LINE_TEXT]; /* the line being typed while Up shows another */
};

void line_init(struct line *l, unsigned width);
/* Takes effect when the line is drawn next. A prompt that is too long is cut. remember: see above. */
void line_prompt(struct line *l, const char *prompt, bool remember);
void line_width(struct line *l, unsigned width);
enum line_result line_key(struct line *l, enum key key, char text, struct buf *out);
/* Puts text in at the cursor, as if typed. */
void line_insert(struct line *l, const char *text, struct buf *out);
void line_show(struct line *l, struct buf *out);
void line_hide(struct line *l, struct buf *out);
/* The row stays as it is, the cursor goes to a new one; the line counts as hidden. */
void line_leave(struct line *l, struct buf *out);
/* An empty line again; draws nothing. */
void line_reset(struct line *l);

#endif
