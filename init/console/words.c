/* Words of a typed line, completion, "did you mean". Runs in the console and ctl roles. Pure. */
#include "console/words.h"

#include <errno.h>
#include <string.h>

#include "base/paths.h"
#include "base/str.h"
#include "console/fields.h"

#define POD  "pod/" /* what the name of a pod begins with in `logs` */
#define NEAR 2      /* edits between what was typed and what was probably meant */

/* Commands of the console itself. */
static const char *const own_commands[] = {"clear"};
/* Commands whose first argument is a service. */
static const char *const take_service[] = {"start", "stop", "restart", "logs"};
/* The command whose first argument is one of these, and the second a copy of a volume. */
#define TAKES_COPY "snapshots"
static const char copy_words[][LIMIT_NAME] = {"cancel", "remove", "restore", "take"};

/* Copies one word from *line to dst (unquoted) and moves *line behind it; -1 when a quote does not end. */
static int take_word(const char **line, char **dst)
{
	char quote = 0;
	const char *p = *line;
	for (; *p && (quote || *p != ' '); p++) {
		if (quote ? *p == quote : (*p == '\'' || *p == '"'))
			quote = quote ? 0 : *p;
		else
			*(*dst)++ = *p;
	}
	*(*dst)++ = '\0';
	*line = p;
	return quote ? -1 : 0;
}

int words_split(struct words *w, const char *line, struct err *e)
{
	char *dst = w->text;
	w->argc = 0;
	/* A word is never longer than its source and its blank pays for the terminator. */
	if (strlen(line) >= sizeof(w->text))
		return err_set(e, E2BIG, "the line is too long");
	for (;;) {
		while (*line == ' ')
			line++;
		if (!*line)
			return 0;
		if (w->argc == WORDS_MAX)
			return err_set(e, E2BIG, "more than %d words", WORDS_MAX);
		w->argv[w->argc++] = dst;
		if (take_word(&line, &dst))
			return err_set(e, EINVAL, "a quote is not closed");
	}
}

static int usage_logs(struct err *e)
{
	return err_set(e, EINVAL, "usage: logs NAME | pod/NAME [CONTAINER] [-f] [-n N], N up to %d", WORDS_LOGS_MOST);
}

int words_logs(unsigned argc, const char *const *argv, struct words_logs *out, struct err *e)
{
	*out = (struct words_logs){.lines = WORDS_LOGS_LINES};
	for (unsigned i = 1; i < argc; i++) {
		uint64_t n;
		if (str_eq(argv[i], "-f")) {
			out->follow = true;
		} else if (str_eq(argv[i], "-n")) {
			if (++i >= argc || str_u64(argv[i], WORDS_LOGS_MOST, &n))
				return usage_logs(e);
			out->lines = (unsigned)n;
		} else if (argv[i][0] == '-' || out->container || (out->name && !str_starts(out->name, POD))) {
			return usage_logs(e);
		} else if (out->name) {
			out->container = argv[i];
		} else {
			out->name = argv[i];
		}
	}
	return out->name ? 0 : usage_logs(e);
}

unsigned words_logs_ask(const struct words_logs *logs, const char *words[3])
{
	words[0] = "logs";
	words[1] = logs->name;
	words[2] = logs->container;
	return logs->container ? 3 : 2;
}

bool words_logs_may_open(const struct words_logs *logs, const char *path)
{
	return !str_starts(logs->name, POD) || (str_starts(path, PATH_POD_LOGS "/") && !strstr(path, "/../"));
}

bool words_follow_events(unsigned argc, const char *const *argv)
{
	return argc == 2 && str_eq(argv[0], "events") && str_eq(argv[1], "-f");
}

/* NAMESPACE/CLAIM, as it can be typed without quotes. */
static bool is_copy(const char *s)
{
	return s[0] && s[strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-./:_")] == '\0';
}

/* Fills table[most] with the names in json's list `key`; returns how many, or `have` when json is no such answer. */
static unsigned take_names(const char *json, const char *key, char (*table)[LIMIT_NAME], unsigned most, unsigned have,
                           bool (*is_one)(const char *s))
{
	yyjson_doc *doc = fields_read(json);
	yyjson_val *list = yyjson_obj_get(yyjson_doc_get_root(doc), key), *v;
	size_t i, n;
	unsigned count = 0;
	if (!yyjson_is_arr(list)) {
		yyjson_doc_free(doc);
		return have;
	}
	yyjson_arr_foreach(list, i, n, v)
	{
		const char *name = field_str(v, "name");
		if (count < most && is_one(name) && !str_copy(table[count], LIMIT_NAME, name))
			count++;
	}
	yyjson_doc_free(doc);
	return count;
}

void vocabulary_commands(struct vocabulary *v, const char *help_json)
{
	unsigned room = WORDS_COMMANDS - COUNT_OF(own_commands);
	v->commands = take_names(help_json, "commands", v->command, room, v->commands, str_is_name);
	for (size_t i = 0; i < COUNT_OF(own_commands); i++)
		if (!vocabulary_has_command(v, own_commands[i]) &&
		    !str_copy(v->command[v->commands], LIMIT_NAME, own_commands[i]))
			v->commands++;
}

void vocabulary_services(struct vocabulary *v, const char *services_json)
{
	v->services = take_names(services_json, "services", v->service, LIMIT_SERVICES, v->services, str_is_name);
}

void vocabulary_copies(struct vocabulary *v, const char *snapshots_json)
{
	v->copies = take_names(snapshots_json, "snapshots", v->copy, WORDS_COPIES, v->copies, is_copy);
}

bool vocabulary_has_command(const struct vocabulary *v, const char *name)
{
	for (unsigned i = 0; i < v->commands; i++)
		if (str_eq(v->command[i], name))
			return true;
	return false;
}

const char *vocabulary_nearest(const struct vocabulary *v, const char *name)
{
	const char *best = NULL;
	unsigned least = NEAR + 1;
	for (unsigned i = 0; i < v->commands; i++) {
		unsigned d = str_distance(name, v->command[i], NEAR + 1);
		if (d < least && d < strlen(v->command[i])) {
			least = d;
			best = v->command[i];
		}
	}
	return best;
}

static bool is_word(const char *line, size_t n, const char *word)
{
	return strlen(word) == n && memcmp(word, line, n) == 0;
}

/* The table that the word may come from: commands for the first word, services for the second of some commands; what
 * can be done to copies, and their names. */
static const char (*candidates(const struct vocabulary *v, const char *line, unsigned word,
                               unsigned *count))[LIMIT_NAME]
{
	while (*line == ' ') {
		line++;
		if (word)
			word--;
	}
	const char *blank = memchr(line, ' ', word);
	*count = v->commands;
	if (!blank)
		return v->command;
	*count = 0;
	size_t n = (size_t)(blank - line);
	/* Options may stand before the name (logs -f web); a second name may not. */
	for (size_t i = 0; i < COUNT_OF(take_service); i++)
		if (is_word(line, n, take_service[i]))
			*count = v->services;
	if (!is_word(line, n, TAKES_COPY))
		return v->service;
	while (n < word && line[n] == ' ')
		n++;
	*count = n == word ? COUNT_OF(copy_words) : v->copies;
	return n == word ? copy_words : v->copy;
}

void vocabulary_complete(const struct vocabulary *v, const char *line, unsigned cursor, struct buf *add,
                         struct buf *list)
{
	unsigned start = cursor, count, found = 0;
	while (start && line[start - 1] != ' ')
		start--;
	size_t typed = cursor - start, common = 0;
	const char(*table)[LIMIT_NAME] = candidates(v, line, start, &count);
	const char *first = "";
	for (unsigned i = 0; i < count; i++) {
		if (strncmp(table[i], line + start, typed) != 0)
			continue;
		if (!found++) {
			first = table[i];
			common = strlen(first);
		}
		size_t same = typed;
		while (same < common && table[i][same] == first[same])
			same++;
		common = same;
		buf_addf(list, "%s%s", list->len ? "  " : "", table[i]);
	}
	if (found && common > typed)
		buf_add_n(add, first + typed, common - typed);
	if (found == 1)
		buf_add_char(add, ' ');
	if (found < 2 || add->len)
		buf_reset(list);
}
