/* One service file to one struct service_def, by a table of keys. Run by PID 1 when it loads a folder, and by
 * `hearth check`. Never acts on what it reads; a file with any mistake is refused as a whole. */
#include "service/def.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "format/yaml.h"

#define NAME_MAX_LENGTH  23 /* "service-NAME" must be a fact's name */
#define START_TIMEOUT_MS 30000
#define STOP_TIMEOUT_MS  10000
#define TIMEOUT_MAX_MS   86400000
#define SUFFIX           ".yaml"

_Static_assert(sizeof("service-") + NAME_MAX_LENGTH <= LIMIT_NAME, "the fact of a service has a name");

/* File-static because it is large, short-lived, and touched only while a file is loaded. */
static struct yaml scratch;

/* A file while it is read: where the next string goes, and the keys that are judged together at the end. */
struct job {
	struct service_def *d;
	passwd_fn *user;
	size_t used; /* of d->text */
	const struct yaml_node *ready, *restart, *requires, *after, *memory_min;
};

static int scalar(const struct yaml *y, const struct yaml_node *n, struct err *e)
{
	if (n->kind != YAML_SCALAR)
		return yaml_error(y, n, e, "%s: one value is wanted, not a list or mapping", n->key);
	return n->text[0] ? 0 : yaml_error(y, n, e, "%s: is empty; give a value or leave the line out", n->key);
}

/* Copies a string into the definition; NULL when it is full. */
static const char *keep(struct job *j, const char *text)
{
	size_t n = strlen(text) + 1;
	char *to = j->d->text + j->used;

	if (n > sizeof(j->d->text) - j->used)
		return NULL;
	memcpy(to, text, n);
	j->used += n;
	return to;
}

static int too_much(const struct yaml *y, const struct yaml_node *n, struct err *e)
{
	return yaml_error(y, n, e, "command, environment and names are longer than %d bytes together; shorten them",
	                  LIMIT_ARG_TEXT);
}

struct word {
	const char *word;
	int value;
};

static int one_of(const struct yaml *y, const struct yaml_node *n, const struct word *words, int *out, struct err *e)
{
	char known[64];
	struct buf b;

	if (scalar(y, n, e) < 0)
		return -1;
	buf_init(&b, known, sizeof(known));
	for (; words->word; words++) {
		if (str_eq(words->word, n->text)) {
			*out = words->value;
			return 0;
		}
		buf_addf(&b, "%s%s", b.len ? ", " : "", words->word);
	}
	return yaml_error(y, n, e, "%s: '%.40s' is not known; write one of %s", n->key, n->text, known);
}

static int set_bool(const struct yaml *y, const struct yaml_node *n, bool *out, struct err *e)
{
	static const struct word words[] = {{"true", 1}, {"false", 0}, {NULL, 0}};
	int v = 0;

	if (one_of(y, n, words, &v, e) < 0)
		return -1;
	*out = v != 0;
	return 0;
}

static int set_name(const struct yaml *y, const struct yaml_node *n, void *into, struct err *e)
{
	struct job *j = into;
	const char *slash = strrchr(y->file, '/');
	const char *base = slash ? slash + 1 : y->file;
	size_t len = strlen(n->text);

	if (scalar(y, n, e) < 0)
		return -1;
	if (!str_is_name(n->text) || len > NAME_MAX_LENGTH)
		return yaml_error(y, n, e, "name: '%.40s' is no name; use a-z, 0-9 and '-', a letter first, at most %d",
		                  n->text, NAME_MAX_LENGTH);
	if (strncmp(base, n->text, len) != 0 || !str_eq(base + len, SUFFIX))
		return yaml_error(y, n, e, "name: '%s' and the file's name differ; rename the file to %s" SUFFIX,
		                  n->text, n->text);
	return str_copy(j->d->name, sizeof(j->d->name), n->text);
}

static int set_description(const struct yaml *y, const struct yaml_node *n, void *into, struct err *e)
{
	struct job *j = into;

	if (scalar(y, n, e) < 0)
		return -1;
	if (strchr(n->text, '\n') || str_copy(j->d->description, sizeof(j->d->description), n->text) < 0)
		return yaml_error(y, n, e, "description: write one line of at most %zu bytes",
		                  sizeof(j->d->description) - 1);
	return 0;
}

static int set_command(const struct yaml *y, const struct yaml_node *n, void *into, struct err *e)
{
	struct job *j = into;
	unsigned count = 0;

	if (n->kind != YAML_LIST || !n->first)
		return yaml_error(y, n, e, "command: write a list, [/path/of/program, argument, ...]");
	if (n->first->kind != YAML_SCALAR || n->first->text[0] != '/')
		return yaml_error(y, n->first, e, "command: '%.40s' must be an absolute path", n->first->text);
	for (const struct yaml_node *c = n->first; c; c = c->next) {
		if (c->kind != YAML_SCALAR)
			return yaml_error(y, c, e,
			                  "command: an argument must be one value; put quotation marks around it");
		if (count == LIMIT_ARGS)
			return yaml_error(y, c, e, "command: more than %d words; use a script", LIMIT_ARGS);
		const char *kept = keep(j, c->text);
		if (!kept)
			return too_much(y, c, e);
		j->d->argv[count++] = kept;
	}
	return 0;
}

static int set_type(const struct yaml *y, const struct yaml_node *n, void *into, struct err *e)
{
	static const struct word words[] = {{"daemon", SERVICE_DAEMON}, {"oneshot", SERVICE_ONESHOT}, {NULL, 0}};
	struct job *j = into;
	int v = 0;

	if (one_of(y, n, words, &v, e) < 0)
		return -1;
	j->d->type = (enum service_type)v;
	return 0;
}

static int set_ready(const struct yaml *y, const struct yaml_node *n, void *into, struct err *e)
{
	static const struct word words[] = {
		{"start", READY_START}, {"notify", READY_NOTIFY}, {"fact:NAME", READY_FACT}, {NULL, 0}};
	struct job *j = into;
	int v = 0;

	j->ready = n;
	if (scalar(y, n, e) < 0)
		return -1;
	if (str_starts(n->text, "fact:")) {
		const char *fact = n->text + strlen("fact:");
		if (!str_is_name(fact) || str_copy(j->d->ready_fact, sizeof(j->d->ready_fact), fact) < 0)
			return yaml_error(y, n, e, "ready: '%.40s' is no name of a fact; write fact:NAME", fact);
		j->d->ready = READY_FACT;
		return 0;
	}
	if (one_of(y, n, words, &v, e) < 0)
		return -1;
	j->d->ready = (enum service_ready)v;
	return 0;
}

static int set_restart(const struct yaml *y, const struct yaml_node *n, void *into, struct err *e)
{
	static const struct word words[] = {
		{"always", RESTART_ALWAYS}, {"on-failure", RESTART_ON_FAILURE}, {"never", RESTART_NEVER}, {NULL, 0}};
	struct job *j = into;
	int v = 0;

	j->restart = n;
	if (one_of(y, n, words, &v, e) < 0)
		return -1;
	j->d->restart = (enum service_restart)v;
	return 0;
}

/* A list of names without doubles. */
static int names(const struct yaml *y, const struct yaml_node *n, struct job *j, const char **list, struct err *e)
{
	unsigned count = 0;

	if (n->kind != YAML_LIST)
		return yaml_error(y, n, e, "%s: write a list, [name, name]", n->key);
	for (const struct yaml_node *c = n->first; c; c = c->next) {
		if (c->kind != YAML_SCALAR || !str_is_name(c->text))
			return yaml_error(y, c, e, "%s: '%.40s' is no name; use a-z, 0-9 and '-'", n->key, c->text);
		for (unsigned i = 0; i < count; i++) {
			if (str_eq(list[i], c->text))
				return yaml_error(y, c, e, "%s: '%s' stands here twice; keep one", n->key, c->text);
		}
		if (count == LIMIT_DEPS)
			return yaml_error(y, c, e, "%s: more than %d names", n->key, LIMIT_DEPS);
		list[count] = keep(j, c->text);
		if (!list[count++])
			return too_much(y, c, e);
	}
	return (int)count;
}

static int set_requires(const struct yaml *y, const struct yaml_node *n, void *into, struct err *e)
{
	struct job *j = into;
	int count = names(y, n, j, j->d->requires, e);

	j->requires = n;
	j->d->requires_line = n->line;
	j->d->requires_count = count < 0 ? 0 : (unsigned)count;
	return count < 0 ? -1 : 0;
}

static int set_after(const struct yaml *y, const struct yaml_node *n, void *into, struct err *e)
{
	struct job *j = into;
	int count = names(y, n, j, j->d->after, e);

	j->after = n;
	j->d->after_line = n->line;
	j->d->after_count = count < 0 ? 0 : (unsigned)count;
	return count < 0 ? -1 : 0;
}

static int set_when(const struct yaml *y, const struct yaml_node *n, void *into, struct err *e)
{
	struct job *j = into;
	int count = names(y, n, j, j->d->when, e);

	j->d->when_count = count < 0 ? 0 : (unsigned)count;
	return count < 0 ? -1 : 0;
}

static int duration(const struct yaml *y, const struct yaml_node *n, uint32_t *out, struct err *e)
{
	uint64_t v;

	if (scalar(y, n, e) < 0)
		return -1;
	if (str_duration_ms(n->text, &v) < 0 || v == 0 || v > TIMEOUT_MAX_MS)
		return yaml_error(y, n, e, "%s: '%.40s' is no time from 1ms to 24h; write 30s, 500ms or 2m", n->key,
		                  n->text);
	*out = (uint32_t)v;
	return 0;
}

static int set_start_timeout(const struct yaml *y, const struct yaml_node *n, void *into, struct err *e)
{
	return duration(y, n, &((struct job *)into)->d->start_timeout_ms, e);
}

static int set_stop_timeout(const struct yaml *y, const struct yaml_node *n, void *into, struct err *e)
{
	return duration(y, n, &((struct job *)into)->d->stop_timeout_ms, e);
}

static int set_stop_signal(const struct yaml *y, const struct yaml_node *n, void *into, struct err *e)
{
	struct job *j = into;

	if (scalar(y, n, e) < 0)
		return -1;
	j->d->stop_signal = service_signal_number(n->text);
	if (j->d->stop_signal == 0)
		return yaml_error(y, n, e,
		                  "stop-signal: '%.40s' is no signal; write TERM, INT, HUP, QUIT, USR1 or USR2",
		                  n->text);
	return 0;
}

static int set_user(const struct yaml *y, const struct yaml_node *n, void *into, struct err *e)
{
	struct job *j = into;
	struct passwd_user u;
	struct err why;

	if (scalar(y, n, e) < 0)
		return -1;
	if (j->user(n->text, &u, &why) < 0)
		return yaml_error(y, n, e, "user: %s", why.text);
	j->d->uid = u.uid;
	j->d->gid = u.gid;
	return 0;
}

static int set_tty(const struct yaml *y, const struct yaml_node *n, void *into, struct err *e)
{
	struct job *j = into;

	if (scalar(y, n, e) < 0)
		return -1;
	if (!str_starts(n->text, "/dev/") || str_copy(j->d->tty, sizeof(j->d->tty), n->text) < 0)
		return yaml_error(y, n, e, "tty: '%.40s' is no terminal; write /dev/ttyS0 or /dev/tty1", n->text);
	return 0;
}

static int set_control(const struct yaml *y, const struct yaml_node *n, void *into, struct err *e)
{
	return set_bool(y, n, &((struct job *)into)->d->control, e);
}

static int set_keep(const struct yaml *y, const struct yaml_node *n, void *into, struct err *e)
{
	return set_bool(y, n, &((struct job *)into)->d->keep, e);
}

static int set_enabled(const struct yaml *y, const struct yaml_node *n, void *into, struct err *e)
{
	return set_bool(y, n, &((struct job *)into)->d->enabled, e);
}

static int size(const struct yaml *y, const struct yaml_node *n, uint64_t *out, struct err *e)
{
	if (scalar(y, n, e) < 0)
		return -1;
	if (str_size(n->text, out) < 0 || *out == 0)
		return yaml_error(y, n, e, "%s: '%.40s' is no size; write 16M, 512K or 1G", n->key, n->text);
	return 0;
}

static int set_memory_max(const struct yaml *y, const struct yaml_node *n, void *into, struct err *e)
{
	return size(y, n, &((struct job *)into)->d->memory_max, e);
}

static int set_memory_min(const struct yaml *y, const struct yaml_node *n, void *into, struct err *e)
{
	struct job *j = into;

	j->memory_min = n;
	return size(y, n, &j->d->memory_min, e);
}

static int set_oom_score_adj(const struct yaml *y, const struct yaml_node *n, void *into, struct err *e)
{
	struct job *j = into;
	uint64_t v;

	if (scalar(y, n, e) < 0)
		return -1;
	bool minus = n->text[0] == '-';
	if (str_u64(n->text + minus, 1000, &v) < 0)
		return yaml_error(y, n, e, "oom-score-adj: '%.40s' is no number from -1000 to 1000", n->text);
	j->d->oom_score_adj = minus ? -(int)v : (int)v;
	return 0;
}

static bool is_variable(const char *s)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";

	return strspn(s, letters) > 0 &&
	       s[strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789")] == 0;
}

static int set_environment(const struct yaml *y, const struct yaml_node *n, void *into, struct err *e)
{
	struct job *j = into;
	unsigned count = 0;

	if (n->kind != YAML_MAP)
		return yaml_error(y, n, e, "environment: write a mapping, {KEY: value}");
	for (const struct yaml_node *c = n->first; c; c = c->next) {
		char entry[LIMIT_ARG_TEXT];
		if (c->kind != YAML_SCALAR || !is_variable(c->key))
			return yaml_error(y, c, e, "environment: '%.40s' is no variable with one value", c->key);
		if (str_eq(c->key, "NOTIFY_FD"))
			return yaml_error(y, c, e, "environment: NOTIFY_FD is set by 'ready: notify'; leave it out");
		if (count == LIMIT_ENV)
			return yaml_error(y, c, e, "environment: more than %d variables", LIMIT_ENV);
		if (str_format(entry, sizeof(entry), "%s=%s", c->key, c->text) < 0)
			return too_much(y, c, e);
		j->d->env[count] = keep(j, entry);
		if (!j->d->env[count++])
			return too_much(y, c, e);
	}
	return 0;
}

static const struct yaml_key keys[] = {
	{"name", set_name, true},
	{"description", set_description, false},
	{"command", set_command, true},
	{"type", set_type, false},
	{"ready", set_ready, false},
	{"restart", set_restart, false},
	{"requires", set_requires, false},
	{"after", set_after, false},
	{"when", set_when, false},
	{"start-timeout", set_start_timeout, false},
	{"stop-timeout", set_stop_timeout, false},
	{"stop-signal", set_stop_signal, false},
	{"user", set_user, false},
	{"tty", set_tty, false},
	{"control", set_control, false},
	{"keep", set_keep, false},
	{"memory-max", set_memory_max, false},
	{"memory-min", set_memory_min, false},
	{"oom-score-adj", set_oom_score_adj, false},
	{"environment", set_environment, false},
	{"enabled", set_enabled, false},
	{NULL, NULL, false},
};

static bool has(const char *const *list, unsigned count, const char *name)
{
	for (unsigned i = 0; i < count; i++) {
		if (str_eq(list[i], name))
			return true;
	}
	return false;
}

/* What only the whole file can tell. */
static int judge(const struct yaml *y, struct job *j, struct err *e)
{
	struct service_def *d = j->d;
	bool oneshot = d->type == SERVICE_ONESHOT;

	if (oneshot && j->ready)
		return yaml_error(y, j->ready, e, "ready: a oneshot is ready when it has ended; leave the line out");
	if (oneshot && j->restart && d->restart == RESTART_ALWAYS)
		return yaml_error(y, j->restart, e, "restart: a oneshot ends; write on-failure or never");
	if (oneshot && !j->restart)
		d->restart = RESTART_ON_FAILURE;
	if (has(d->requires, d->requires_count, d->name))
		return yaml_error(y, j->requires, e, "requires: '%s' needs itself; remove it from the list", d->name);
	if (has(d->after, d->after_count, d->name))
		return yaml_error(y, j->after, e, "after: '%s' comes after itself; remove it from the list", d->name);
	if (d->memory_max && d->memory_min > d->memory_max)
		return yaml_error(y, j->memory_min, e, "memory-min: is more than memory-max; make it smaller");
	return 0;
}

int def_parse(struct service_def *d, const char *file, const char *text, size_t len, passwd_fn *user, struct err *e)
{
	struct yaml *y = &scratch;
	struct job j = {.d = d, .user = user};
	struct yaml_node *root;

	memset(d, 0, sizeof(*d));
	d->enabled = true;
	d->start_timeout_ms = START_TIMEOUT_MS;
	d->stop_timeout_ms = STOP_TIMEOUT_MS;
	d->stop_signal = service_signal_number("TERM");
	if (str_copy(d->file, sizeof(d->file), file) < 0)
		return err_set(e, ENAMETOOLONG, "%s: name too long", file);
	if (yaml_parse(y, file, text, len, &root, e) < 0 || yaml_walk(y, root, keys, &j, e) < 0)
		return -1;
	return judge(y, &j, e);
}

static void move_list(const char **list, size_t n, const struct service_def *from, struct service_def *to)
{
	for (size_t i = 0; i < n; i++) {
		if (list[i])
			list[i] = to->text + (list[i] - from->text);
	}
}

void def_copy(struct service_def *dst, const struct service_def *src)
{
	*dst = *src;
	move_list(dst->requires, COUNT_OF(dst->requires), src, dst);
	move_list(dst->after, COUNT_OF(dst->after), src, dst);
	move_list(dst->when, COUNT_OF(dst->when), src, dst);
	move_list(dst->argv, COUNT_OF(dst->argv), src, dst);
	move_list(dst->env, COUNT_OF(dst->env), src, dst);
}
