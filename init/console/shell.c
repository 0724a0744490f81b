/* A console session from its first line to its last: boot progress, events, keys. Runs in the console role. Never
 * blocks. */
#include "console/shell.h"

#include <string.h>

#include "base/clock.h"
#include "base/ready.h"
#include "base/str.h"
#include "console/commands.h"
#include "console/fields.h"

#define AGAIN_MS 30000 /* dumb terminal: the same waiting row again after so long */

/* --- boot progress ---------------------------------------------------------------------------- */

static void refresh(struct session *s);

static void on_poll(struct loop *l, void *arg)
{
	(void)l;
	refresh(arg);
}

/* Booting is over, or somebody wants the prompt now. */
static void leave_boot(struct session *s)
{
	loop_cancel(s->loop, &s->poll);
	s->stopping = false;
	s->waiting[0] = '\0';
	view_waiting(&s->view, "");
	commands_status(s);
}

/* A terminal that cannot draw over a row gets a new one when the reason changes, and again now and then. */
static void waiting_dumb(struct session *s)
{
	const char *time = strstr(s->waiting, "  ");
	size_t n = time ? (size_t)(time - s->waiting) : strlen(s->waiting);
	bool same = strlen(s->waited) == n && !memcmp(s->waited, s->waiting, n);
	if (!n || (same && clock_ms() - s->waited_ms < AGAIN_MS))
		return;
	memcpy(s->waited, s->waiting, n);
	s->waited[n] = '\0';
	s->waited_ms = clock_ms();
	struct buf b = session_note_buf(s);
	buf_addf(&b, "%s\n", s->waiting);
	session_note(s, s->note);
}

static void introduce(struct session *s, const char *status)
{
	yyjson_doc *doc = fields_read(status);
	yyjson_val *root = yyjson_doc_get_root(doc);
	struct buf b = session_note_buf(s);
	buf_addf(&b, "Hearth %s is starting; Enter gives a prompt at any time\n", field_str(root, "version"));
	yyjson_doc_free(doc);
	s->introduced = true;
	session_note(s, s->note);
}

static void progress(struct session *s, const char *status)
{
	struct buf lines, waiting;
	buf_init(&lines, s->lines, sizeof(s->lines));
	buf_init(&waiting, s->waiting, sizeof(s->waiting));
	if (progress_update(&s->progress, status, session_width(s), &lines, &waiting))
		return;
	if (s->progress.booting && s->mode == SESSION_BOOT && !s->introduced)
		introduce(s, status);
	view_note(&s->view, s->lines);
	if (s->mode != SESSION_BOOT || s->stopping)
		return;
	if (!s->progress.booting) {
		leave_boot(s);
		return;
	}
	if (s->tty->dumb)
		waiting_dumb(s);
	else
		view_waiting(&s->view, s->waiting);
	loop_after(s->loop, &s->poll, SESSION_POLL_MS, on_poll, s);
}

static void on_refresh(const struct proto_reply *r, void *arg)
{
	struct session *s = arg;
	s->refreshing = false;
	if (r && r->kind == PROTO_OK)
		progress(s, r->text);
	if (r && r->kind == PROTO_OK)
		ready_say("console"); /* there is something to see, and keys are read */
	if (r && s->refresh_again)
		refresh(s);
}

static void refresh(struct session *s)
{
	static const char *const words[] = {"status"};
	struct err e;
	s->refresh_again = s->refreshing;
	if (s->refreshing)
		return;
	s->refreshing = client_call(&s->client, COUNT_OF(words), words, on_refresh, s, &e) != 0;
	/* Behind with answers: the next event or the poll asks again. */
	if (!s->refreshing && s->mode == SESSION_BOOT)
		loop_after(s->loop, &s->poll, SESSION_POLL_MS, on_poll, s);
}

/* --- events ------------------------------------------------------------------------------------ */

static void on_event(const char *json, void *arg)
{
	struct session *s = arg;
	struct buf b = session_note_buf(s);
	enum notice_result what = notice_event(&s->notices, json, clock_ms(), session_width(s), &b);
	if (what == NOTICE_STATUS)
		refresh(s);
	if (s->mode == SESSION_EVENTS)
		commands_event(s, json);
	else if (what == NOTICE_LINE || what == NOTICE_STOPPING)
		session_note(s, s->note);
	if (what == NOTICE_STOPPING) {
		s->stopping = true;
		if (session_takes_lines(s))
			session_to_prompt(s);
	}
}

/* --- keys ------------------------------------------------------------------------------------- */

static void complete(struct session *s)
{
	struct line *l = &s->view.line;
	char add_text[LIMIT_NAME * 2], list_text[LIMIT_SERVICES * (LIMIT_NAME + 2)], echo[LINE_OUTPUT];
	struct buf add, list, out;
	if (s->mode != SESSION_PROMPT)
		return;
	buf_init(&add, add_text, sizeof(add_text));
	buf_init(&list, list_text, sizeof(list_text));
	buf_init(&out, echo, sizeof(echo));
	vocabulary_complete(&s->vocabulary, l->text, l->cursor, &add, &list);
	if (list.len)
		session_say(s, NULL, list_text);
	line_insert(l, add_text, &out);
	view_echo(&s->view, &out);
}

static void line_done(struct session *s)
{
	char text[LINE_TEXT];
	bool asked = s->mode == SESSION_ASK;
	memcpy(text, s->view.line.text, sizeof(text));
	line_reset(&s->view.line);
	view_prompt(&s->view, false);
	if (asked)
		commands_confirm(s, text);
	else
		commands_run(s, text);
}

static void edit(struct session *s, enum key key, char text)
{
	char data[LINE_OUTPUT];
	struct buf out;
	buf_init(&out, data, sizeof(data));
	enum line_result r = line_key(&s->view.line, key, text, &out);
	view_echo(&s->view, &out);
	if (r == LINE_DONE)
		line_done(s);
	else if (r == LINE_TAB)
		complete(s);
	else if (r == LINE_CLEAR)
		view_clear(&s->view);
	else if (r == LINE_INTERRUPT)
		session_to_prompt(s);
}

static void on_drain(struct loop *l, void *arg)
{
	struct session *s = arg;
	(void)l;
	while (s->ahead_len && session_takes_lines(s)) {
		enum key key = (enum key)s->ahead[0].key;
		char text = s->ahead[0].text;
		memmove(s->ahead, s->ahead + 1, --s->ahead_len * sizeof(s->ahead[0]));
		edit(s, key, text);
	}
}

static void interrupt(struct session *s)
{
	s->ahead_len = 0;
	loop_cancel(s->loop, &s->slow);
	loop_cancel(s->loop, &s->look);
	tail_close(&s->tail);
	s->partial_len = 0;
	if (s->call) {
		client_cancel(&s->client, s->call);
		s->call = 0;
		session_finish_with(s, "^C: not waiting any longer; PID 1 may still do it");
		return;
	}
	view_cut(&s->view);
	buf_add(view_page(&s->view), "^C\n");
	session_finish(s);
}

/* Keys while no line is edited. */
static void other_key(struct session *s, enum key key, char text)
{
	bool following = s->mode == SESSION_EVENTS || (s->mode == SESSION_LOG && s->logs.follow);
	if (s->mode == SESSION_BOOT) {
		if ((key == KEY_ENTER || key == KEY_INTERRUPT) && client_is_up(&s->client))
			leave_boot(s);
	} else if (key == KEY_INTERRUPT || (following && key == KEY_EOF)) {
		interrupt(s);
	} else if (following) {
		if (key == KEY_ENTER)
			session_note(s, "\n");
	} else if (s->ahead_len < SESSION_AHEAD) {
		s->ahead[s->ahead_len].key = (unsigned char)key;
		s->ahead[s->ahead_len++].text = text;
	}
}

static void on_input(const unsigned char *data, size_t n, void *arg)
{
	struct session *s = arg;
	for (size_t i = 0; i < n; i++) {
		enum key key = keys_feed(&s->keys, data[i]);
		if (key == KEY_NONE)
			continue;
		/* Keys typed ahead come first. */
		if (session_takes_lines(s) && !s->ahead_len)
			edit(s, key, s->keys.text);
		else
			other_key(s, key, s->keys.text);
	}
}

/* --- terminal and connection ------------------------------------------------------------------ */

static void on_room(void *arg)
{
	struct session *s = arg;
	view_room(&s->view);
	if (view_busy(&s->view))
		return;
	if (s->mode == SESSION_LOG)
		commands_room(s);
	else if (s->mode == SESSION_PRINT)
		session_to_prompt(s);
}

static void on_gone(void *arg)
{
	struct session *s = arg;
	loop_quit(s->loop);
}

static void on_help(const struct proto_reply *r, void *arg)
{
	struct session *s = arg;
	if (r && r->kind == PROTO_OK)
		vocabulary_commands(&s->vocabulary, r->text);
}

static void on_services(const struct proto_reply *r, void *arg)
{
	struct session *s = arg;
	if (r && r->kind == PROTO_OK)
		vocabulary_services(&s->vocabulary, r->text);
}

static void on_up(void *arg)
{
	static const char *const help[] = {"help"}, *const services[] = {"services"};
	struct session *s = arg;
	struct err e;
	if (s->mode == SESSION_BOOT)
		view_waiting(&s->view, "");
	if (s->was_up)
		session_note(s, "connected to PID 1 again\n");
	s->was_up = true;
	refresh(s); /* first: it is what a person waits for */
	/* Only for completion: a console works without. */
	(void)client_call(&s->client, 1, help, on_help, s, &e);
	(void)client_call(&s->client, 1, services, on_services, s, &e);
}

static void on_down(const char *why, void *arg)
{
	struct session *s = arg;
	s->waiting[0] = '\0';
	session_say(s, "connection to PID 1 lost, connecting again", why);
}

void shell_resize(struct session *s)
{
	tty_resize(s->tty);
	line_width(&s->view.line, session_width(s));
	s->view.stale = true;
	view_room(&s->view);
}

void shell_init(struct session *s, struct loop *l, struct tty *t, const char *path)
{
	memset(s, 0, sizeof(*s));
	s->loop = l;
	s->tty = t;
	s->on_drain = on_drain;
	s->tail.fd = -1;
	view_init(&s->view, t);
	keys_init(&s->keys);
	progress_init(&s->progress);
	notice_init(&s->notices);
	tty_hooks(t, &(struct tty_hooks){on_input, on_room, on_gone, s});
	client_init(&s->client, l, path, &(struct client_hooks){on_up, on_down, on_event, s});
	session_expect(s);
}

void shell_fini(struct session *s)
{
	loop_cancel(s->loop, &s->poll);
	loop_cancel(s->loop, &s->slow);
	loop_cancel(s->loop, &s->look);
	loop_cancel(s->loop, &s->drain);
	tail_close(&s->tail);
	client_fini(&s->client);
	view_prompt(&s->view, false);
	view_waiting(&s->view, "");
}
