/* libyaml events to a bounded tree. Every role that reads our own configuration uses it, PID 1 included.
 * Never reads a file, never keeps a pointer into the text, never accepts what it does not understand. */
#include "format/yaml.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "base/buf.h"
#include "base/str.h"
#include "format/yamlerr.h"

#define WORD_SHOWN   40 /* characters of a word from the file in a message: leaves room for what to do */
#define KEYS_SHOWN   120
#define TYPO_CHANGES 2 /* a word so near to a known one is taken for a typing mistake */

/* The tree while it grows: the open mappings and lists from the top down, and the last child of each. */
struct build {
	struct yaml *y;
	struct yamlerr_text text;
	unsigned depth;
	struct yaml_node *open[LIMIT_YAML_DEPTH];
	struct yaml_node *last[LIMIT_YAML_DEPTH];
	struct yaml_node *root;
	const char *key; /* read, its value is still to come */
	int key_line;
	struct err *e;
};

static int error_at(const struct yaml *y, int line, struct err *e, const char *text)
{
	return err_set(e, EINVAL, "%s:%d: %s", y->file, line, text);
}

int yaml_error(const struct yaml *y, const struct yaml_node *at, struct err *e, const char *fmt, ...)
{
	char text[ERR_TEXT];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap); /* a message that is too long is cut, its place is not */
	va_end(ap);
	return error_at(y, at->line, e, text);
}

/* Copies a scalar into the tree's own storage; control characters can come from escapes such as "\0". */
static const char *keep_text(struct build *b, const yaml_event_t *ev, int line)
{
	size_t n = ev->data.scalar.length;
	const char *from = (const char *)ev->data.scalar.value;
	char *to = b->y->text + b->y->text_len;

	if (n >= sizeof(b->y->text) - b->y->text_len) {
		error_at(b->y, line, b->e, "too much text; shorten the file");
		return NULL;
	}
	for (size_t i = 0; i < n; i++) {
		if (((unsigned char)from[i] < ' ' && from[i] != '\n' && from[i] != '\t') || from[i] == 0x7f) {
			error_at(b->y, line, b->e, "a control character in a value; remove it");
			return NULL;
		}
	}
	memcpy(to, from, n);
	to[n] = '\0';
	b->y->text_len += n + 1;
	return to;
}

static bool is_null(const yaml_event_t *ev)
{
	static const char *const words[] = {"", "~", "null", "Null", "NULL"};

	if (ev->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return false;
	for (size_t i = 0; i < COUNT_OF(words); i++) {
		if (str_eq((const char *)ev->data.scalar.value, words[i]))
			return true;
	}
	return false;
}

/* The innermost open mapping or list; NULL at the top. */
static struct yaml_node *inside(const struct build *b)
{
	return b->depth > 0 ? b->open[b->depth - 1] : NULL;
}

/* A free node, hung under the innermost open mapping or list with the key that was read for it. */
static struct yaml_node *add_node(struct build *b, enum yaml_kind kind, int line)
{
	if (b->y->nodes == LIMIT_YAML_NODES) {
		error_at(b->y, line, b->e, "too many values; shorten the file");
		return NULL;
	}
	struct yaml_node *n = &b->y->node[b->y->nodes++];
	struct yaml_node *in = inside(b);
	*n = (struct yaml_node){.kind = kind, .line = b->key ? b->key_line : line, .key = b->key, .text = ""};
	b->key = NULL;
	if (!in) {
		b->root = n;
		return n;
	}
	if (b->last[b->depth - 1])
		b->last[b->depth - 1]->next = n;
	else
		in->first = n;
	b->last[b->depth - 1] = n;
	return n;
}

static bool wants_key(const struct build *b)
{
	const struct yaml_node *in = inside(b);

	return in && in->kind == YAML_MAP && !b->key;
}

static int take_key(struct build *b, const struct yaml_node *map, const yaml_event_t *ev, int line)
{
	struct yaml_node at = {.line = line};

	b->key_line = line;
	b->key = keep_text(b, ev, line);
	if (!b->key)
		return -1;
	if (b->key[0] == '\0')
		return error_at(b->y, line, b->e, "an empty key; write 'key: value'");
	for (const struct yaml_node *n = map->first; n; n = n->next) {
		if (str_eq(n->key, b->key))
			return yaml_error(b->y, &at, b->e, "key '%.*s' stands here and on line %d; keep one",
			                  WORD_SHOWN, b->key, n->line);
	}
	return 0;
}

static int take_scalar(struct build *b, const yaml_event_t *ev, int line)
{
	if (wants_key(b))
		return take_key(b, inside(b), ev, line);
	struct yaml_node *n = add_node(b, YAML_SCALAR, line);
	if (!n)
		return -1;
	if (is_null(ev))
		return 0;
	n->text = keep_text(b, ev, line);
	return n->text ? 0 : -1;
}

static int take_open(struct build *b, enum yaml_kind kind, int line)
{
	if (wants_key(b))
		return error_at(b->y, line, b->e, "a mapping or list as a key; a key must be one word");
	if (b->depth == LIMIT_YAML_DEPTH)
		return error_at(b->y, line, b->e, "nested too deep; write it flatter");
	struct yaml_node *n = add_node(b, kind, line);
	if (!n)
		return -1;
	b->open[b->depth] = n;
	b->last[b->depth++] = NULL;
	return 0;
}

static int take(struct build *b, const yaml_event_t *ev)
{
	int line = yamlerr_line(&b->text, &ev->start_mark);

	if (yamlerr_reference(&b->text, ev, b->e) < 0)
		return -1;
	switch (ev->type) {
	case YAML_DOCUMENT_START_EVENT:
		return b->root ? error_at(b->y, line, b->e, "a second document; use one file for each") : 0;
	case YAML_SCALAR_EVENT:
		return take_scalar(b, ev, line);
	case YAML_MAPPING_START_EVENT:
		return take_open(b, YAML_MAP, line);
	case YAML_SEQUENCE_START_EVENT:
		return take_open(b, YAML_LIST, line);
	case YAML_MAPPING_END_EVENT:
	case YAML_SEQUENCE_END_EVENT:
		b->depth--;
		return 0;
	default:
		return 0;
	}
}

static int take_all(struct build *b, yaml_parser_t *p)
{
	yaml_event_t ev;
	bool end = false;

	while (!end) {
		if (!yaml_parser_parse(p, &ev))
			return yamlerr_refused(&b->text, p, b->e);
		end = ev.type == YAML_STREAM_END_EVENT;
		int rc = take(b, &ev);
		yaml_event_delete(&ev);
		if (rc < 0)
			return -1;
	}
	return 0;
}

/* YAML 1.1 also ends lines at CR, NEL, LS and PS, which no editor counts: line numbers would lie. */
static int check_lines(struct build *b, const char *text, size_t len)
{
	b->text = (struct yamlerr_text){.file = b->y->file, .text = text, .len = len, .first = 1, .last = 1};
	for (size_t i = 0; i < len; i++) {
		const char *p = text + i;
		size_t left = len - i;
		bool cr = *p == '\r' && (left < 2 || p[1] != '\n');
		bool nel = left >= 2 && memcmp(p, "\xC2\x85", 2) == 0;
		bool ls = left >= 3 && (memcmp(p, "\xE2\x80\xA8", 3) == 0 || memcmp(p, "\xE2\x80\xA9", 3) == 0);
		if (cr || nel || ls)
			return error_at(b->y, b->text.last, b->e, "an unusual line end; end lines with a newline");
		b->text.last += *p == '\n' && left > 1;
	}
	return 0;
}

static int finish(struct build *b, struct yaml_node **root)
{
	bool empty = !b->root || (b->root->kind == YAML_SCALAR && b->root->text[0] == '\0');

	if (empty) {
		b->y->nodes = 0;
		*root = add_node(b, YAML_MAP, b->root ? b->root->line : 1);
		return 0;
	}
	if (b->root->kind != YAML_MAP)
		return yaml_error(b->y, b->root, b->e, "not a mapping; write 'key: value' lines");
	*root = b->root;
	return 0;
}

int yaml_parse(struct yaml *y, const char *file, const char *text, size_t len, struct yaml_node **root, struct err *e)
{
	struct build b = {.y = y, .e = e};
	yaml_parser_t p;

	y->nodes = 0;
	y->text_len = 0;
	if (str_copy(y->file, sizeof(y->file), file) < 0)
		return err_set(e, ENAMETOOLONG, "%s: file name too long", file);
	if (len > LIMIT_FILE)
		return err_set(e, EFBIG, "%s:1: larger than %d bytes; shorten the file", file, LIMIT_FILE);
	if (len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) { /* some editors begin UTF-8 with a byte order mark */
		text += 3;
		len -= 3;
	}
	if (check_lines(&b, text, len) < 0)
		return -1;
	if (!yaml_parser_initialize(&p))
		return err_set(e, ENOMEM, "%s: out of memory", file);
	yaml_parser_set_encoding(&p, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&p, (const unsigned char *)text, len);
	int rc = take_all(&b, &p);
	yaml_parser_delete(&p);
	return rc < 0 ? -1 : finish(&b, root);
}

static int unknown_key(const struct yaml *y, const struct yaml_node *n, const struct yaml_key *keys, struct err *e)
{
	char known[KEYS_SHOWN];
	struct buf list;
	const char *nearest = NULL;
	unsigned best = TYPO_CHANGES + 1;

	buf_init(&list, known, sizeof(known));
	for (const struct yaml_key *k = keys; k->name; k++) {
		unsigned d = str_distance(n->key, k->name, best);
		if (d < best && d < strlen(k->name)) {
			best = d;
			nearest = k->name;
		}
		buf_addf(&list, "%s%s", k == keys ? "" : ", ", k->name);
	}
	if (nearest)
		return yaml_error(y, n, e, "unknown key '%.*s'; did you mean '%s'?", WORD_SHOWN, n->key, nearest);
	return yaml_error(y, n, e, "unknown key '%.*s'; known are %s%s", WORD_SHOWN, n->key, known,
	                  buf_ok(&list) ? "" : "...");
}

static const struct yaml_key *find_key(const struct yaml_key *keys, const char *name)
{
	for (; keys->name; keys++) {
		if (str_eq(keys->name, name))
			return keys;
	}
	return NULL;
}

static bool has_key(const struct yaml_node *map, const char *name)
{
	for (const struct yaml_node *n = map->first; n; n = n->next) {
		if (str_eq(n->key, name))
			return true;
	}
	return false;
}

int yaml_walk(const struct yaml *y, const struct yaml_node *map, const struct yaml_key *keys, void *into, struct err *e)
{
	if (map->kind != YAML_MAP)
		return yaml_error(y, map, e, "not a mapping; write 'key: value' lines");
	for (const struct yaml_node *n = map->first; n; n = n->next) {
		const struct yaml_key *k = find_key(keys, n->key);
		if (!k)
			return unknown_key(y, n, keys, e);
		if (k->set(y, n, into, e) < 0)
			return -1;
	}
	for (const struct yaml_key *k = keys; k->name; k++) {
		if (k->required && !has_key(map, k->name))
			return yaml_error(y, map, e, "key '%s' is missing; add it", k->name);
	}
	return 0;
}
