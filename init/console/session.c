/* What a console session is made of. Runs in the console role. Never blocks; asks PID 1, never does anything to the
 * box itself. */
#include "console/session.h"

#include "console/render.h"

#define PROMPT "hearth> "

unsigned session_width(const struct session *s)
{
	return tty_width(s->tty);
}

struct buf session_note_buf(struct session *s)
{
	struct buf b;
	buf_init(&b, s->note, sizeof(s->note));
	return b;
}

/* A line above the prompt; in boot mode the waiting row comes back below it. */
void session_note(struct session *s, const char *lines)
{
	view_note(&s->view, lines);
	if (s->mode == SESSION_BOOT && !s->tty->dumb)
		view_waiting(&s->view, s->waiting);
}

void session_say(struct session *s, const char *prefix, const char *why)
{
	struct buf b = session_note_buf(s);
	render_message(prefix, why, session_width(s), &b);
	session_note(s, s->note);
}

bool session_takes_lines(const struct session *s)
{
	return s->mode == SESSION_PROMPT || s->mode == SESSION_ASK;
}

/* --- the way back to the prompt --------------------------------------------------------------- */

void session_to_prompt(struct session *s)
{
	if (s->stopping) {
		s->mode = SESSION_BOOT;
		view_prompt(&s->view, false);
		return;
	}
	s->mode = SESSION_PROMPT;
	line_reset(&s->view.line);
	line_prompt(&s->view.line, PROMPT, true);
	view_prompt(&s->view, true);
	if (s->ahead_len)
		loop_after(s->loop, &s->drain, 0, s->on_drain, s);
}

/* The page is complete: out with it, and then the prompt. */
void session_finish(struct session *s)
{
	s->mode = SESSION_PRINT;
	view_flush(&s->view);
	if (!view_busy(&s->view))
		session_to_prompt(s);
}

void session_finish_with(struct session *s, const char *why)
{
	render_message(NULL, why, session_width(s), view_page(&s->view));
	session_finish(s);
}

/* --- asking PID 1 ----------------------------------------------------------------------------- */

static void on_slow(struct loop *l, void *arg)
{
	struct session *s = arg;
	(void)l;
	if (s->mode == SESSION_WAIT)
		session_note(s, "waiting for PID 1 ... (Ctrl-C gives up)\n");
	else if (s->mode == SESSION_BOOT && !s->progress.known)
		view_waiting(&s->view, "[ .. ] waiting for PID 1 ...");
}

void session_expect(struct session *s)
{
	loop_after(s->loop, &s->slow, SESSION_SLOW_MS, on_slow, s);
}

void session_ask(struct session *s, unsigned argc, const char *const *argv, client_reply_fn *fn)
{
	struct err e = {0};
	s->call = client_call(&s->client, argc, argv, fn, s, &e);
	if (!s->call) {
		session_finish_with(s, e.text);
		return;
	}
	s->mode = SESSION_WAIT;
	session_expect(s);
}

/* What every answer to the command under way has in common; true when it is good. */
bool session_answered(struct session *s, const struct proto_reply *r)
{
	s->call = 0;
	loop_cancel(s->loop, &s->slow);
	if (!r)
		session_finish_with(s, "the connection to PID 1 was lost before it answered");
	else if (r->kind == PROTO_ERROR)
		session_finish_with(s, r->text);
	return r && r->kind == PROTO_OK;
}
