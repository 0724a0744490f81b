/* A console session: its state and what every part of it does: lines above the prompt, asking PID 1, the way back to
 * the prompt. What typed lines do is console/commands, what happens by itself is console/shell.
 *
 * Modes:
 *   boot     the box is starting: progress lines, and a row that says what it waits for. Ends when PID 1 says that
 *            booting is over, or when somebody presses Enter. Comes again, without a waiting row, when shutdown begins:
 *            PID 1 then writes on the terminal itself, and no prompt is in its way.
 *   prompt   the line editor waits for a command.
 *   ask      the line editor waits for yes or no (reboot, poweroff, halt).
 *   wait     a command is with PID 1.
 *   print    an answer is on its way to the terminal.
 *   log      `logs NAME -f`, until Ctrl-C.
 *   events   `events -f`, until Ctrl-C.
 *
 * Keys that arrive while a command runs are kept (SESSION_AHEAD of them) and taken after it; Ctrl-C is seen at once. */
#ifndef HEARTH_CONSOLE_SESSION_H
#define HEARTH_CONSOLE_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "console/client.h"
#include "console/notice.h"
#include "console/progress.h"
#include "console/tail.h"
#include "console/tty.h"
#include "console/view.h"
#include "console/words.h"

#define SESSION_AHEAD   512
#define SESSION_SLOW_MS 2000 /* an answer later than this is "waiting for PID 1" */
#define SESSION_POLL_MS 1000 /* status while booting */
#define SESSION_TAIL_MS 300  /* looking at a followed log */

enum session_mode {
	SESSION_BOOT,
	SESSION_PROMPT,
	SESSION_ASK,
	SESSION_WAIT,
	SESSION_PRINT,
	SESSION_LOG,
	SESSION_EVENTS
};

struct session {
	struct loop *loop;
	struct tty *tty;
	struct view view;
	struct client client;
	struct keys keys;
	struct vocabulary vocabulary;
	struct progress progress;
	struct notices notices;
	enum session_mode mode;
	bool introduced;         /* boot: the first line was written */
	bool stopping;           /* shutdown has begun, and nobody asked for a prompt since */
	bool was_up;             /* was connected before */
	bool refreshing;         /* a status for the progress lines is under way */
	bool refresh_again;      /* ... and out of date already */
	struct loop_timer poll;  /* boot: next status */
	struct loop_timer slow;  /* PID 1 takes long */
	struct loop_timer look;  /* at a followed log */
	struct loop_timer drain; /* keys typed ahead */
	loop_timer_fn *on_drain; /* set by console/shell */
	struct words words;      /* the command under way */
	uint32_t call;           /* its request, 0: none */
	uint64_t next_event;     /* events -f: number of the first one not shown */
	struct words_logs logs;
	struct tail tail;
	char partial[1024]; /* unfinished last line of the log */
	size_t partial_len;
	char waiting[LINE_WIDTH * 4]; /* boot: the waiting row */
	char waited[LINE_WIDTH * 4];  /* boot, dumb terminal: the one written last, without its time */
	uint64_t waited_ms;           /* ... and when */
	struct {
		unsigned char key;
		char text;
	} ahead[SESSION_AHEAD];
	size_t ahead_len;
	char status[LIMIT_REPLY + 1]; /* first half of the status screen */
	char note[4096];              /* one message */
	char lines[16384];            /* news of one status: all problems at once fit */
};

/* Columns to use. */
unsigned session_width(const struct session *s);
/* An empty buffer over s->note. */
struct buf session_note_buf(struct session *s);
/* Whole lines above the prompt; in boot mode the waiting row comes back below them. */
void session_note(struct session *s, const char *lines);
/* "prefix: why" as a note; prefix may be NULL. */
void session_say(struct session *s, const char *prefix, const char *why);
/* A line is being edited. */
bool session_takes_lines(const struct session *s);
/* The prompt, on an empty line (or none while stopping); keys typed ahead are taken next. */
void session_to_prompt(struct session *s);
/* The page is complete: out with it, and then the prompt. */
void session_finish(struct session *s);
/* The same with one more message. */
void session_finish_with(struct session *s, const char *why);
/* Sends a command to PID 1 and waits in mode `wait`; fn is given s. When it cannot be sent, says so and ends. */
void session_ask(struct session *s, unsigned argc, const char *const *argv, client_reply_fn *fn);
/* When nothing has come from PID 1 after SESSION_SLOW_MS, that is said. */
void session_expect(struct session *s);
/* First thing in every fn of session_ask. True: go on with the answer. False: it was none, that has been said. */
bool session_answered(struct session *s, const struct proto_reply *r);

#endif
