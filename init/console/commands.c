/* What typed lines do. Runs in the console role. Never blocks; long output waits for the terminal. */
#include "console/commands.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "console/fields.h"
#include "console/kubeconfig.h"
#include "console/render.h"
#include "console/status.h"
#include "console/text.h"

#define LOG_CHUNK 4096

static void on_answer(const struct proto_reply *r, void *arg)
{
	struct session *s = arg;
	if (session_answered(s, r)) {
		if (str_eq(s->words.argv[0], "services"))
			vocabulary_services(&s->vocabulary, r->text);
		if (str_eq(s->words.argv[0], "snapshots"))
			vocabulary_copies(&s->vocabulary, r->text);
		if (render_answer(s->words.argv[0], r->text, session_width(s), view_page(&s->view)))
			buf_add(view_page(&s->view), "PID 1 answered something that is no JSON object\n");
		if (str_eq(s->words.argv[0], "help"))
			buf_add(view_page(&s->view),
			        "\n  clear clears the screen, Tab completes, Up brings back earlier "
			        "lines,\n  Ctrl-C ends -f.\n");
		session_finish(s);
	}
}

/* --- status ----------------------------------------------------------------------------------- */

static void on_status_services(const struct proto_reply *r, void *arg)
{
	struct session *s = arg;
	if (session_answered(s, r)) {
		vocabulary_services(&s->vocabulary, r->text);
		if (status_render_text(s->status, r->text, session_width(s), view_page(&s->view)))
			buf_add(view_page(&s->view), "PID 1 answered something that is no JSON object\n");
		session_finish(s);
	}
}

static void on_status(const struct proto_reply *r, void *arg)
{
	static const char *const words[] = {"services"};
	struct session *s = arg;
	if (session_answered(s, r) && !str_copy(s->status, sizeof(s->status), r->text))
		session_ask(s, COUNT_OF(words), words, on_status_services);
}

void commands_status(struct session *s)
{
	static const char *const words[] = {"status"};
	session_ask(s, COUNT_OF(words), words, on_status);
}

/* --- logs ------------------------------------------------------------------------------------- */

static void log_flush_partial(struct session *s)
{
	text_fold(view_page(&s->view), s->partial, s->partial_len, session_width(s));
	s->partial_len = 0;
}

static void log_lines(struct session *s, const char *data, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (data[i] != '\n')
			s->partial[s->partial_len++] = data[i];
		if (data[i] == '\n' || s->partial_len == sizeof(s->partial))
			log_flush_partial(s);
	}
}

static void log_end(struct session *s)
{
	loop_cancel(s->loop, &s->look);
	tail_close(&s->tail);
	if (s->partial_len)
		log_flush_partial(s);
	session_finish(s);
}

static void on_look(struct loop *l, void *arg);

/* As much of the log as the terminal takes. True: go on at once. */
static bool log_step(struct session *s)
{
	char data[LOG_CHUNK];
	struct err e = {0};
	size_t cap = sizeof(data);
	off_t left = s->tail.end - s->tail.at;
	if (!s->logs.follow && left < (off_t)cap)
		cap = left > 0 ? (size_t)left : 0;
	ssize_t n = cap ? tail_read(&s->tail, data, cap, &e) : 0;
	if (n > 0) {
		log_lines(s, data, (size_t)n);
		view_flush(&s->view);
		return !view_busy(&s->view);
	}
	if (n < 0)
		render_message(NULL, e.text, session_width(s), view_page(&s->view));
	if (n < 0 || !s->logs.follow)
		log_end(s);
	else
		loop_after(s->loop, &s->look, SESSION_TAIL_MS, on_look, s);
	return false;
}

static void on_look(struct loop *l, void *arg)
{
	struct session *s = arg;
	(void)l;
	if (s->mode != SESSION_LOG || view_busy(&s->view))
		return;
	/* A long log must not keep keys waiting: one chunk per round of the loop. */
	if (log_step(s))
		loop_after(s->loop, &s->look, 0, on_look, s);
}

void commands_room(struct session *s)
{
	loop_after(s->loop, &s->look, 0, on_look, s);
}

static void on_logs(const struct proto_reply *r, void *arg)
{
	struct session *s = arg;
	struct err e = {0};
	if (!session_answered(s, r))
		return;
	yyjson_doc *doc = fields_read(r->text);
	const char *path = field_str(yyjson_doc_get_root(doc), "path");
	int rc = words_logs_may_open(&s->logs, path) ? tail_open(&s->tail, path, s->logs.lines, &e)
	                                             : err_set(&e, EINVAL, "'%s' is not the path of a log", path);
	yyjson_doc_free(doc);
	s->partial_len = 0;
	if (rc) {
		session_finish_with(s, e.text);
		return;
	}
	if (!s->tail.end)
		session_say(s, s->logs.name, "nothing has been logged yet");
	s->mode = SESSION_LOG;
	loop_after(s->loop, &s->look, 0, on_look, s);
}

/* --- events ----------------------------------------------------------------------------------- */

static void on_events(const struct proto_reply *r, void *arg)
{
	struct session *s = arg;
	if (!session_answered(s, r))
		return;
	yyjson_doc *doc = fields_read(r->text);
	s->next_event = field_u64(yyjson_doc_get_root(doc), "next");
	yyjson_doc_free(doc);
	(void)render_answer("events", r->text, session_width(s), view_page(&s->view));
	s->mode = SESSION_EVENTS;
	view_flush(&s->view);
}

void commands_event(struct session *s, const char *json)
{
	yyjson_doc *doc = fields_read(json);
	uint64_t seq = field_u64(yyjson_doc_get_root(doc), "seq");
	yyjson_doc_free(doc);
	if (seq < s->next_event)
		return;
	s->next_event = seq + 1;
	struct buf b = session_note_buf(s);
	if (!render_event(json, session_width(s), &b))
		view_note(&s->view, s->note);
}

/* --- kubeconfig ------------------------------------------------------------------------------- */

static void on_kubeconfig(const struct proto_reply *r, void *arg)
{
	struct session *s = arg;
	struct err e = {0};
	if (!session_answered(s, r))
		return;
	if (kubeconfig_print(r->text, view_page(&s->view), &e))
		session_finish_with(s, e.text);
	else
		session_finish(s);
}

/* --- commands --------------------------------------------------------------------------------- */

static void run_logs(struct session *s)
{
	struct err e = {0};
	if (words_logs(s->words.argc, s->words.argv, &s->logs, &e)) {
		session_finish_with(s, e.text);
		return;
	}
	const char *words[3];
	session_ask(s, words_logs_ask(&s->logs, words), words, on_logs);
}

static void run_kubeconfig(struct session *s)
{
	session_ask(s, s->words.argc, s->words.argv, on_kubeconfig);
}

static void run_clear(struct session *s)
{
	view_clear(&s->view);
	session_to_prompt(s);
}

static const struct {
	const char *command, *word; /* word: the second one, NULL: any */
	const char *question;       /* fits LINE_PROMPT */
} confirmed[] = {{"owner", NULL, "Forget the password? [y/N] "},
                 {"reboot", NULL, "Reboot now? [y/N] "},
                 {"rollback", NULL, "Reboot into the other slot? [y/N] "},
                 {"poweroff", NULL, "Power off now? [y/N] "},
                 {"snapshots", "restore", "Put it back at the next start? [y/N] "},
                 {"snapshots", "remove", "Remove this copy for good? [y/N] "},
                 {"halt", NULL, "Halt now? [y/N] "}};

static bool is_confirmed(size_t i, const struct words *w)
{
	const char *word = confirmed[i].word;
	return str_eq(confirmed[i].command, w->argv[0]) && (!word || (w->argc == 3 && str_eq(word, w->argv[1])));
}

static void confirm(struct session *s)
{
	size_t i = 0;
	while (i + 1 < COUNT_OF(confirmed) && !is_confirmed(i, &s->words))
		i++;
	s->mode = SESSION_ASK;
	line_reset(&s->view.line);
	line_prompt(&s->view.line, confirmed[i].question, false);
	view_prompt(&s->view, true);
}

static void run_confirm(struct session *s)
{
	if (s->words.argc > 1) /* PID 1 will say that this is one too many */
		session_ask(s, s->words.argc, s->words.argv, on_answer);
	else
		confirm(s);
}

static void run_owner(struct session *s)
{
	if (s->words.argc == 2 && str_eq(s->words.argv[1], "reset"))
		confirm(s);
	else
		session_ask(s, s->words.argc, s->words.argv, on_answer);
}

static void run_snapshots(struct session *s)
{
	size_t i = 0;
	while (i < COUNT_OF(confirmed) && !is_confirmed(i, &s->words))
		i++;
	if (i < COUNT_OF(confirmed))
		confirm(s);
	else
		session_ask(s, s->words.argc, s->words.argv, on_answer);
}

static void run_events(struct session *s)
{
	static const char *const words[] = {"events"};
	if (words_follow_events(s->words.argc, s->words.argv))
		session_ask(s, COUNT_OF(words), words, on_events);
	else
		session_ask(s, s->words.argc, s->words.argv, on_answer);
}

static void run_status(struct session *s)
{
	if (s->words.argc == 1)
		commands_status(s);
	else
		session_ask(s, s->words.argc, s->words.argv, on_answer);
}

/* Commands with something of their own; all others go to PID 1 as they are. */
static const struct {
	const char *name;
	void (*run)(struct session *s);
} own[] = {
	{"clear", run_clear},           {"events", run_events},    {"halt", run_confirm},
	{"kubeconfig", run_kubeconfig}, {"logs", run_logs},        {"owner", run_owner},
	{"reboot", run_confirm},        {"rollback", run_confirm}, {"poweroff", run_confirm},
	{"snapshots", run_snapshots},   {"status", run_status},
};

static void unknown(struct session *s, const char *name)
{
	const char *nearest = vocabulary_nearest(&s->vocabulary, name);
	struct err e;
	if (nearest)
		err_set(&e, 0, "unknown command '%s'; did you mean '%s'?", name, nearest);
	else
		err_set(&e, 0, "unknown command '%s'; 'help' lists them", name);
	session_finish_with(s, e.text);
}

void commands_run(struct session *s, const char *line)
{
	struct err e = {0};
	struct words *w = &s->words;
	if (words_split(w, line, &e)) {
		session_finish_with(s, e.text);
		return;
	}
	if (!w->argc) {
		session_to_prompt(s);
		return;
	}
	for (size_t i = 0; i < COUNT_OF(own); i++)
		if (str_eq(own[i].name, w->argv[0])) {
			own[i].run(s);
			return;
		}
	/* Before the list of commands has come, PID 1 itself says what it does not know. */
	if (s->vocabulary.commands && !vocabulary_has_command(&s->vocabulary, w->argv[0]))
		unknown(s, w->argv[0]);
	else
		session_ask(s, w->argc, w->argv, on_answer);
}

void commands_confirm(struct session *s, const char *answer)
{
	if (str_eq(answer, "y") || str_eq(answer, "Y") || str_eq(answer, "yes"))
		session_ask(s, s->words.argc, s->words.argv, on_answer);
	else
		session_finish_with(s, "Nothing was done.");
}
