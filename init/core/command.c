/* The command table of PID 1: who may call what, and the checks before a call.
 * Never trusts a message: words, rights and counts are checked here, values by the command's own function. */
#include "core/command.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"

#define WORD_SHOWN   LIMIT_NAME /* characters of a word from the request in a message */
#define TYPO_CHANGES 2

static int help(const struct request *rq, struct json *out, void *arg, struct err *e)
{
	const struct commands *cs = arg;

	(void)e;
	json_open_object(out, NULL);
	json_open_list(out, "commands");
	for (unsigned i = 0; i < cs->count; i++) {
		const struct command *c = cs->row[i];
		if (!(c->peers & rq->peer))
			continue;
		json_open_object(out, NULL);
		json_string(out, "name", c->name);
		json_string(out, "args", c->args);
		json_string(out, "help", c->help);
		json_close_object(out);
	}
	json_close_list(out);
	json_close_object(out);
	return 0;
}

void commands_init(struct commands *cs)
{
	memset(cs, 0, sizeof(*cs));
	cs->help = (struct command){
		.name = "help",
		.args = "",
		.help = "list the commands",
		.peers = PEER_LOCAL | PEER_WEB,
		.fn = help,
		.arg = cs,
	};
	cs->row[cs->count++] = &cs->help;
}

static const struct command *find(const struct commands *cs, const char *name)
{
	for (unsigned i = 0; i < cs->count; i++) {
		if (str_eq(cs->row[i]->name, name))
			return cs->row[i];
	}
	return NULL;
}

static bool is_sound(const struct command *c)
{
	return str_is_name(c->name) && c->args && c->help && c->peers && c->fn && c->min <= c->max &&
	       c->max <= COMMAND_ARGS;
}

int commands_register(struct commands *cs, const struct command *rows, struct err *e)
{
	for (; rows->name; rows++) {
		if (!is_sound(rows))
			return err_set(e, EINVAL, "command %s: its row is not sound", rows->name);
		if (find(cs, rows->name))
			return err_set(e, EEXIST, "command %s: registered twice", rows->name);
		if (cs->count == COMMAND_TABLE)
			return err_set(e, ENOSPC, "command %s: the table is full with %d commands", rows->name,
			               COMMAND_TABLE);
		cs->row[cs->count++] = rows;
	}
	return 0;
}

/* Control characters have no place in a word: it may end up on a terminal, as a service's detail for one. */
static bool is_clean(const char *word)
{
	for (; *word; word++) {
		if ((unsigned char)*word < ' ' || *word == 0x7f)
			return false;
	}
	return true;
}

/* words[0] is the command's name; returns how many words, at least one, or -1. */
static int split(const char *msg, size_t len, const char *words[COMMAND_ARGS + 1], struct err *e)
{
	int n = 0;

	if (len == 0 || len > LIMIT_REQUEST || msg[len - 1] != '\0' || msg[0] == '\0')
		return err_set(e, EPROTO, "not a request; write a command, 'help' lists them");
	for (const char *p = msg; p < msg + len; p += strlen(p) + 1) {
		if (n == COMMAND_ARGS + 1)
			return err_set(e, E2BIG, "more than %d words behind a command; 'help' lists what each takes",
			               COMMAND_ARGS);
		if (!is_clean(p))
			return err_set(e, EINVAL, "a control character in a word; remove it");
		words[n++] = p;
	}
	return n;
}

static int unknown(const struct commands *cs, enum peer peer, const char *name, struct err *e)
{
	const char *nearest = NULL;
	unsigned best = TYPO_CHANGES + 1;

	for (unsigned i = 0; i < cs->count; i++) {
		const char *known = cs->row[i]->name;
		unsigned d = str_distance(name, known, best);
		if ((cs->row[i]->peers & peer) && d < best && d < strlen(known)) {
			best = d;
			nearest = known;
		}
	}
	if (nearest)
		return err_set(e, ENOENT, "unknown command '%.*s'; did you mean '%s'?", WORD_SHOWN, name, nearest);
	return err_set(e, ENOENT, "unknown command '%.*s'; 'help' lists them", WORD_SHOWN, name);
}

static int check(const struct command *c, const struct request *rq, struct err *e)
{
	if (!(c->peers & rq->peer))
		return err_set(e, EPERM, "%s: not allowed from here; 'help' lists what is", c->name);
	if (rq->argc < c->min || rq->argc > c->max)
		return err_set(e, EINVAL, "%s: too %s words; usage: %s%s%s", c->name,
		               rq->argc < c->min ? "few" : "many", c->name, c->args[0] ? " " : "", c->args);
	return 0;
}

int command_run(struct commands *cs, enum peer peer, const char *msg, size_t len, struct json *out, struct err *e)
{
	const char *words[COMMAND_ARGS + 1] = {msg};
	struct request rq = {.peer = peer};
	int n = split(msg, len, words, e);

	if (n < 0)
		return -1;
	rq.argc = (unsigned)n - 1;
	memcpy(rq.argv, words + 1, rq.argc * sizeof(rq.argv[0]));
	const struct command *c = find(cs, words[0]);
	if (!c)
		return unknown(cs, peer, words[0], e);
	if (check(c, &rq, e) < 0)
		return -1;
	int rc = c->fn(&rq, out, c->arg, e);
	if (rc < 0)
		return err_prefix(e, "%s", c->name);
	if (rc == COMMAND_LATER)
		return rc;
	if (!json_ok(out))
		return err_set(e, EMSGSIZE, "%s: the answer does not fit", c->name);
	return 0;
}
