/* Layout of a console's terminal. Runs in the console role. Never blocks: all output goes through console/tty. */
#include "console/view.h"

#include <string.h>

#include "base/str.h"
#include "console/text.h"

void view_init(struct view *v, struct tty *t)
{
	memset(v, 0, sizeof(*v));
	v->tty = t;
	buf_init(&v->page, v->page_data, sizeof(v->page_data));
	line_init(&v->line, tty_width(t));
}

bool view_busy(const struct view *v)
{
	return v->page_at < v->page.len;
}

static void send(struct view *v, const struct buf *b)
{
	if (b->len && !tty_write(v->tty, b->data, b->len))
		v->stale = true;
}

/* Takes the last row away, whatever it is. */
static void lift(struct view *v)
{
	char data[LINE_OUTPUT];
	struct buf b;
	buf_init(&b, data, sizeof(data));
	line_hide(&v->line, &b);
	if (v->waiting) {
		buf_add_char(&b, '\r');
		for (unsigned i = 0; i < v->waiting; i++)
			buf_add_char(&b, ' ');
		buf_add_char(&b, '\r');
		v->waiting = 0;
	}
	send(v, &b);
}

static void settle(struct view *v)
{
	char data[LINE_OUTPUT];
	struct buf b;
	if (!v->prompt || view_busy(v) || (v->line.shown && !v->stale))
		return;
	buf_init(&b, data, sizeof(data));
	v->stale = false;
	line_show(&v->line, &b);
	send(v, &b);
}

void view_note(struct view *v, const char *lines)
{
	size_t n = strlen(lines);
	if (!n)
		return;
	if (view_busy(v)) {
		/* Between the lines of an answer it could be read as part of it: behind it. */
		if (v->page.len + n + 1 < v->page.cap)
			buf_add_n(&v->page, lines, n);
		else
			v->lost++;
		return;
	}
	bool lifted = false;
	while (n) {
		const char *end = memchr(lines, '\n', n);
		size_t len = end ? (size_t)(end - lines) + 1 : n;
		/* Room for typing is kept: a note gives way, and the last row is not even touched for it. */
		bool fits = TTY_BACKLOG - tty_room(v->tty) + len <= VIEW_NOTES;
		if (fits && !lifted)
			lift(v);
		lifted = lifted || fits;
		if (!fits || !tty_write(v->tty, lines, len))
			v->lost++;
		lines += len;
		n -= len;
	}
	settle(v);
}

struct buf *view_page(struct view *v)
{
	if (v->page_at) {
		buf_drop(&v->page, v->page_at);
		v->page_at = 0;
	}
	return &v->page;
}

/* Hands on whole lines as far as there is room for them. */
static void pump(struct view *v)
{
	while (view_busy(v)) {
		const char *from = v->page.data + v->page_at;
		size_t left = v->page.len - v->page_at, room = tty_room(v->tty);
		size_t n = left < room ? left : room;
		while (n && n < left && from[n - 1] != '\n')
			n--;
		/* No line end within a whole backlog: then any place will do. */
		if (!n && room == TTY_BACKLOG)
			n = room;
		if (!n || !tty_write(v->tty, from, n))
			return;
		v->page_at += n;
	}
	v->page_at = 0;
	buf_reset(&v->page);
}

void view_flush(struct view *v)
{
	if (v->page.overflow)
		memcpy(v->page.data + v->page.len - 7, "\n(cut)\n", 7);
	if (view_busy(v))
		lift(v);
	pump(v);
	settle(v);
}

void view_cut(struct view *v)
{
	v->page_at = 0;
	buf_reset(&v->page);
}

void view_prompt(struct view *v, bool wanted)
{
	v->prompt = wanted;
	if (!wanted || v->waiting)
		lift(v);
	settle(v);
}

void view_waiting(struct view *v, const char *row)
{
	unsigned n = text_columns(row);
	size_t used = TTY_BACKLOG - tty_room(v->tty);
	if (v->prompt || view_busy(v) || used > VIEW_NOTES)
		return;
	char data[LINE_OUTPUT];
	struct buf b;
	buf_init(&b, data, sizeof(data));
	buf_add_char(&b, '\r');
	buf_add(&b, row);
	for (unsigned i = n; i < v->waiting; i++)
		buf_add_char(&b, ' ');
	if (n < v->waiting)
		buf_addf(&b, "\r%s", row);
	if (n || v->waiting)
		send(v, &b);
	v->waiting = n;
}

void view_clear(struct view *v)
{
	static const char ansi[] = "\033[H\033[2J";
	struct buf b;
	char empty[64];
	lift(v);
	buf_init(&b, empty, sizeof(empty));
	/* A dumb terminal cannot go back: a page of empty rows. */
	for (int i = 0; v->tty->dumb && i < 24; i++)
		buf_add_char(&b, '\n');
	if (!v->tty->dumb)
		buf_add(&b, ansi);
	send(v, &b);
	settle(v);
}

void view_echo(struct view *v, const struct buf *bytes)
{
	send(v, bytes);
}

void view_room(struct view *v)
{
	pump(v);
	if (v->lost && !view_busy(v)) {
		char text[64];
		unsigned lost = v->lost;
		v->lost = 0;
		if (!str_format(text, sizeof(text), "(%u lines were dropped: the terminal was too slow)\n", lost))
			view_note(v, text);
	}
	settle(v);
}
