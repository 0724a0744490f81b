/* What a typed line means: its words, what Tab can complete, and which command was probably meant.
 * Pure. The commands come from PID 1's `help`, the service names from `services`, those of copies from `snapshots`;
 * only what the console does itself
 * (`clear`, the options of `logs`) is known here. */
#ifndef HEARTH_CONSOLE_WORDS_H
#define HEARTH_CONSOLE_WORDS_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"

#define WORDS_MAX      9 /* a command and its arguments (COMMAND_ARGS of core/command.h) */
#define WORDS_TEXT     256
#define WORDS_COMMANDS 56
#define WORDS_COPIES   32

struct words {
	unsigned argc;
	const char *argv[WORDS_MAX]; /* into text */
	char text[WORDS_TEXT];
};

/* Splits at blanks; '...' and "..." keep blanks. An empty line gives argc 0. */
MUST_CHECK int words_split(struct words *w, const char *line, struct err *e);

/* Arguments of `logs NAME [-f] [-n N]` and `logs pod/NAME [CONTAINER] [-f] [-n N]`. */
struct words_logs {
	const char *name;      /* borrowed */
	const char *container; /* borrowed; NULL: none named */
	bool follow;
	unsigned lines;
};

#define WORDS_LOGS_LINES 20
#define WORDS_LOGS_MOST  10000

/* argv[0] is "logs". */
MUST_CHECK int words_logs(unsigned argc, const char *const *argv, struct words_logs *out, struct err *e);
/* The words to ask PID 1 for the log's path; returns how many. */
unsigned words_logs_ask(const struct words_logs *logs, const char *words[3]);
/* The path of a pod's log comes from the kube role, which runs as a user of its own: only what lies where such logs are
 * is opened. */
bool words_logs_may_open(const struct words_logs *logs, const char *path);
/* `events -f`, in any order with nothing else. */
bool words_follow_events(unsigned argc, const char *const *argv);

struct vocabulary {
	char command[WORDS_COMMANDS][LIMIT_NAME];
	unsigned commands;
	char service[LIMIT_SERVICES][LIMIT_NAME];
	unsigned services;
	char copy[WORDS_COPIES][LIMIT_NAME]; /* of volumes; longer names are typed */
	unsigned copies;
};

/* Takes the names out of an answer, in place of those known before; an answer that is no answer changes nothing. */
void vocabulary_commands(struct vocabulary *v, const char *help_json);
void vocabulary_services(struct vocabulary *v, const char *services_json);
void vocabulary_copies(struct vocabulary *v, const char *snapshots_json);
bool vocabulary_has_command(const struct vocabulary *v, const char *name);
/* The nearest command, or NULL when nothing is near. */
const char *vocabulary_nearest(const struct vocabulary *v, const char *name);
/* Completes the word that ends at line[cursor]. `add` gets what can be typed for sure (a blank too when the word is
 * then whole); `list` gets the candidates, separated by two blanks, when there are several and nothing to add. */
void vocabulary_complete(const struct vocabulary *v, const char *line, unsigned cursor, struct buf *add,
                         struct buf *list);

#endif
