/* The line editor. Runs in the console role. Pure: no descriptors, no allocation. */
#include "console/line.h"

#include <string.h>

#include "base/str.h"

#define MIN_WIDTH 16

void line_width(struct line *l, unsigned width)
{
	if (width < MIN_WIDTH)
		width = MIN_WIDTH;
	l->width = width > LINE_WIDTH ? LINE_WIDTH : width;
	l->scroll = 0;
}

void line_prompt(struct line *l, const char *prompt, bool remember)
{
	size_t n = strlen(prompt);
	if (n >= sizeof(l->prompt))
		n = sizeof(l->prompt) - 1;
	memcpy(l->prompt, prompt, n);
	l->prompt[n] = '\0';
	l->remember = remember;
}

void line_reset(struct line *l)
{
	l->text[0] = '\0';
	l->length = l->cursor = l->scroll = l->back = 0;
}

void line_init(struct line *l, unsigned width)
{
	memset(l, 0, sizeof(*l));
	line_width(l, width);
	line_prompt(l, "> ", true);
}

/* --- drawing ---------------------------------------------------------------------------------- */

/* Columns for the text: one is kept free behind it for the cursor. At least 8, whatever the prompt takes. */
static unsigned room(const struct line *l)
{
	unsigned prompt = (unsigned)strlen(l->prompt);
	return l->width > prompt + 9 ? l->width - prompt - 1 : 8;
}

static unsigned prompt_columns(const struct line *l)
{
	unsigned prompt = (unsigned)strlen(l->prompt);
	return l->width > prompt + 9 ? prompt : l->width - 9;
}

static void go_left(struct buf *out, unsigned n)
{
	for (; n; n--)
		buf_add_char(out, '\b');
}

/* Moves `scroll` so that the cursor is on the row, not under a mark of a cut end. */
static void follow_cursor(struct line *l)
{
	unsigned space = room(l);
	if (l->length < space) {
		l->scroll = 0;
		return;
	}
	if (l->cursor < l->scroll + 1)
		l->scroll = l->cursor > space / 2 ? l->cursor - space / 2 : 0;
	if (l->cursor + 2 > l->scroll + space)
		l->scroll = l->cursor + 2 - space + space / 4;
	if (l->scroll + space > l->length + 1)
		l->scroll = l->length + 1 - space;
}

/* The part of the text that the row shows. */
static unsigned visible(struct line *l, char *row)
{
	follow_cursor(l);
	unsigned n = l->length - l->scroll, space = room(l);
	bool more = n > space;
	n = more ? space : n;
	memcpy(row, l->text + l->scroll, n);
	if (l->scroll && n)
		row[0] = '<';
	if (more)
		row[n - 1] = '>';
	return n;
}

static void draw(struct line *l, struct buf *out)
{
	char row[LINE_WIDTH];
	unsigned n = visible(l, row), start = prompt_columns(l);
	buf_add_char(out, '\r');
	buf_add_n(out, l->prompt, start);
	buf_add_n(out, row, n);
	unsigned end = start + n;
	unsigned left_over = l->drawn > end ? l->drawn - end : 0;
	for (unsigned i = 0; i < left_over; i++)
		buf_add_char(out, ' ');
	l->at = start + l->cursor - l->scroll;
	go_left(out, end + left_over - l->at);
	l->drawn = end;
}

static void redraw(struct line *l, struct buf *out)
{
	if (l->shown)
		draw(l, out);
}

void line_show(struct line *l, struct buf *out)
{
	l->shown = true;
	draw(l, out);
}

void line_hide(struct line *l, struct buf *out)
{
	if (!l->shown)
		return;
	buf_add_char(out, '\r');
	for (unsigned i = 0; i < l->drawn; i++)
		buf_add_char(out, ' ');
	buf_add_char(out, '\r');
	l->shown = false;
	l->drawn = l->at = 0;
}

void line_leave(struct line *l, struct buf *out)
{
	if (l->shown) {
		l->cursor = l->length;
		draw(l, out);
		buf_add_char(out, '\n');
	}
	l->shown = false;
	l->drawn = l->at = 0;
}

/* --- editing ---------------------------------------------------------------------------------- */

static void move_to(struct line *l, unsigned cursor, struct buf *out)
{
	unsigned before = l->scroll, from = l->cursor;
	l->cursor = cursor;
	follow_cursor(l);
	if (!l->shown)
		return;
	/* The common case, one to the left, is one byte. */
	if (l->scroll == before && from == cursor + 1) {
		buf_add_char(out, '\b');
		l->at--;
		return;
	}
	draw(l, out);
}

static void remove_range(struct line *l, unsigned from, unsigned to, struct buf *out)
{
	if (from == to)
		return;
	memmove(l->text + from, l->text + to, l->length - to + 1);
	l->length -= to - from;
	l->cursor = from;
	redraw(l, out);
}

static void insert_char(struct line *l, char c, struct buf *out)
{
	if (l->length + 1 >= sizeof(l->text))
		return;
	memmove(l->text + l->cursor + 1, l->text + l->cursor, l->length - l->cursor + 1);
	l->text[l->cursor++] = c;
	l->length++;
	/* Typing at the end of a line that fits: echo the character, nothing else. */
	if (l->shown && l->cursor == l->length && l->scroll == 0 && l->length < room(l)) {
		buf_add_char(out, c);
		l->at++;
		l->drawn++;
		return;
	}
	redraw(l, out);
}

void line_insert(struct line *l, const char *text, struct buf *out)
{
	for (; *text; text++)
		if (*text >= 0x20 && *text < 0x7f)
			insert_char(l, *text, out);
}

static unsigned word_left(const struct line *l)
{
	unsigned i = l->cursor;
	while (i && l->text[i - 1] == ' ')
		i--;
	while (i && l->text[i - 1] != ' ')
		i--;
	return i;
}

static unsigned word_right(const struct line *l)
{
	unsigned i = l->cursor;
	while (i < l->length && l->text[i] == ' ')
		i++;
	while (i < l->length && l->text[i] != ' ')
		i++;
	return i;
}

/* --- history ---------------------------------------------------------------------------------- */

static void set_text(struct line *l, const char *text)
{
	/* Lines of the history were lines of this editor: they fit. */
	if (str_copy(l->text, sizeof(l->text), text))
		l->text[0] = '\0';
	l->length = l->cursor = (unsigned)strlen(l->text);
}

static void history_go(struct line *l, unsigned back, struct buf *out)
{
	if (l->back == 0)
		memcpy(l->typed, l->text, sizeof(l->typed));
	l->back = back;
	set_text(l, back ? l->history[back - 1] : l->typed);
	redraw(l, out);
}

static void history_add(struct line *l)
{
	if (!l->remember || !l->length || (l->past && str_eq(l->history[0], l->text)))
		return;
	if (l->past < LINE_HISTORY)
		l->past++;
	memmove(l->history[1], l->history[0], sizeof(l->history[0]) * (l->past - 1));
	memcpy(l->history[0], l->text, sizeof(l->history[0]));
}

static void up(struct line *l, struct buf *out)
{
	if (l->remember && l->back < l->past)
		history_go(l, l->back + 1, out);
}

static void down(struct line *l, struct buf *out)
{
	if (l->back)
		history_go(l, l->back - 1, out);
}

/* --- keys ------------------------------------------------------------------------------------- */

static enum line_result interrupt(struct line *l, struct buf *out)
{
	if (l->shown)
		buf_add(out, "^C");
	l->drawn = l->at = 0;
	l->shown = false;
	buf_add_char(out, '\n');
	return LINE_INTERRUPT;
}

static enum line_result enter(struct line *l, struct buf *out)
{
	history_add(l);
	line_leave(l, out);
	return LINE_DONE;
}

static enum line_result end_of_file(struct line *l, struct buf *out)
{
	if (!l->length)
		return LINE_EOF;
	if (l->cursor < l->length)
		remove_range(l, l->cursor, l->cursor + 1, out);
	return LINE_EDITED;
}

enum line_result line_key(struct line *l, enum key key, char text, struct buf *out)
{
	switch (key) {
	case KEY_TEXT:
		insert_char(l, text, out);
		break;
	case KEY_ENTER:
		return enter(l, out);
	case KEY_TAB:
		return LINE_TAB;
	case KEY_CLEAR:
		return LINE_CLEAR;
	case KEY_INTERRUPT:
		return interrupt(l, out);
	case KEY_EOF:
		return end_of_file(l, out);
	case KEY_BACKSPACE:
		remove_range(l, l->cursor ? l->cursor - 1 : 0, l->cursor, out);
		break;
	case KEY_DELETE:
		if (l->cursor < l->length)
			remove_range(l, l->cursor, l->cursor + 1, out);
		break;
	case KEY_KILL_END:
		remove_range(l, l->cursor, l->length, out);
		break;
	case KEY_KILL_START:
		remove_range(l, 0, l->cursor, out);
		break;
	case KEY_KILL_WORD:
		remove_range(l, word_left(l), l->cursor, out);
		break;
	case KEY_LEFT:
		move_to(l, l->cursor ? l->cursor - 1 : 0, out);
		break;
	case KEY_RIGHT:
		move_to(l, l->cursor < l->length ? l->cursor + 1 : l->length, out);
		break;
	case KEY_WORD_LEFT:
		move_to(l, word_left(l), out);
		break;
	case KEY_WORD_RIGHT:
		move_to(l, word_right(l), out);
		break;
	case KEY_HOME:
		move_to(l, 0, out);
		break;
	case KEY_END:
		move_to(l, l->length, out);
		break;
	case KEY_UP:
		up(l, out);
		break;
	case KEY_DOWN:
		down(l, out);
		break;
	case KEY_NONE:
		break;
	}
	return LINE_EDITED;
}
