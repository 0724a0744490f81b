/* libyaml's events to JSON text; see yamljson.h. The kube role renders manifests with it.
 * Never builds a tree and never recurses: what is open stands in two arrays of the caller. */
#include "format/yamljson.h"

#include <errno.h>
#include <string.h>
#include <yaml.h>

#include "base/str.h"
#include "format/yamlerr.h"
#include "format/yamltype.h"

#define WORD_SHOWN 60 /* bytes of a word from the file in a message */
#define BOM        "\xEF\xBB\xBF"

struct conv {
	struct yamljson *y;
	const struct yamljson_in *in;
	struct buf *out;
	struct err *e;
	struct yamlerr_text text;
	unsigned depth; /* mappings and lists that are open */
	unsigned keys;  /* of all of them */
	bool value;     /* a key is written, its value is to come */
	bool documents; /* one has begun */
};

static int error_at(const struct conv *c, int line, const char *message)
{
	return yamlerr_at(&c->text, line, c->e, message);
}

/* ---- documents of a stream ---- */

static bool is_mark(const char *p, size_t left)
{
	return left >= 4 ? memcmp(p, "---", 3) == 0 && strchr(" \t\r\n", p[3]) && p[3] != '\0'
	                 : left == 3 && memcmp(p, "---", 3) == 0;
}

static int count_lines(const char *text, size_t len)
{
	int n = 0;

	for (const char *p = text, *end = text + len; (p = memchr(p, '\n', (size_t)(end - p))); p++)
		n++;
	return n;
}

/* The next line "---" behind the first line from `at` on; `len` when there is none. */
static size_t find_mark(const char *text, size_t len, size_t at)
{
	const char *p = text + at, *end = text + len;

	while ((p = memchr(p, '\n', (size_t)(end - p)))) {
		p++;
		if (is_mark(p, (size_t)(end - p)))
			return (size_t)(p - text);
	}
	return len;
}

bool yamljson_next(const char *text, size_t len, bool whole, struct yamljson_doc *d)
{
	size_t at = d->at + d->len;
	size_t end = find_mark(text, len, at);
	/* "\n---" at the very end of a part may go on as "----". */
	bool sure = whole || len - end >= 4;

	if (at == len || !sure)
		return false;
	d->line = (d->line > 0 ? d->line : 1) + count_lines(text + d->at, d->len);
	d->at = at;
	d->len = end - at;
	return true;
}

/* ---- text ---- */

/* What a JSON string may not hold as it is (RFC 8259 7). */
static void add_escaped(struct buf *out, const char *text, size_t len)
{
	static const char shorts[][2] = {{'\n', 'n'}, {'"', '"'}, {'\\', '\\'}, {'\t', 't'}, {'\r', 'r'}};
	size_t done = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char ch = (unsigned char)text[i];
		if (ch >= ' ' && ch != '"' && ch != '\\')
			continue;
		buf_add_n(out, text + done, i - done);
		done = i + 1;
		char letter = 0;
		for (size_t k = 0; k < COUNT_OF(shorts); k++)
			letter = shorts[k][0] == text[i] ? shorts[k][1] : letter;
		if (letter)
			buf_addf(out, "\\%c", letter);
		else
			buf_addf(out, "\\u%04x", ch);
	}
	buf_add_n(out, text + done, len - done);
}

struct scalar {
	const char *text;
	size_t len;
	int line;
	bool plain;
	bool literal;
};

/* The line of a byte of a literal block is known; other scalars are folded, so theirs is where they begin. */
static int line_in(const struct scalar *s, size_t at)
{
	return s->literal ? s->line + 1 + count_lines(s->text, at) : s->line;
}

/* As in->find, with the place put before its message. */
static int find_piece(const struct conv *c, const struct scalar *s, size_t from, struct yamljson_piece *p)
{
	*p = (struct yamljson_piece){.at = s->len - from};
	int rc = c->in->find ? c->in->find(s->text + from, s->len - from, p, c->in->arg, c->e) : 0;

	if (rc < 0)
		return err_prefix(c->e, "%s:%d", c->in->file, line_in(s, from + p->at));
	return rc;
}

/* The JSON text of a string, without quotation marks. */
static int add_text(const struct conv *c, const struct scalar *s)
{
	struct yamljson_piece p;
	size_t from = 0;
	int rc;

	if (memchr(s->text, '\0', s->len))
		return error_at(c, s->line, "a NUL in the text; remove it");
	while ((rc = find_piece(c, s, from, &p)) > 0) {
		add_escaped(c->out, s->text + from, p.at);
		add_escaped(c->out, p.value, p.value_len);
		from += p.at + p.len;
	}
	add_escaped(c->out, s->text + from, s->len - from);
	return rc;
}

static int unclear(const struct conv *c, const char *word, size_t len, int line)
{
	struct err what;

	err_put(&what, EINVAL,
	        "%.*s is a string to some readers and none to others; write it in quotation marks, "
	        "or true or false",
	        (int)len, word);
	return error_at(c, line, what.text);
}

static int add_string(const struct conv *c, const struct scalar *s)
{
	buf_add_char(c->out, '"');
	if (add_text(c, s) < 0)
		return -1;
	buf_add_char(c->out, '"');
	return 0;
}

/* Of a plain scalar that is one variable the value decides, of one that is more than the variable nothing does. */
static int add_plain(const struct conv *c, const struct scalar *s)
{
	struct yamljson_piece p;
	const char *word = s->text;
	size_t len = s->len;
	int rc = find_piece(c, s, 0, &p);

	if (rc < 0)
		return -1;
	if (rc > 0 && (p.at > 0 || p.len < s->len))
		return add_string(c, s);
	if (rc > 0) {
		word = p.value;
		len = p.value_len;
	}
	switch (yamltype_write(word, len, c->out)) {
	case YAMLTYPE_STRING:
		return add_string(c, s);
	case YAMLTYPE_UNCLEAR:
		return unclear(c, word, len, s->line);
	default:
		return 0;
	}
}

/* ---- fields that the caller wants to know ---- */

static const struct yamljson_key *key_of(const struct conv *c, unsigned level)
{
	unsigned end = level + 1 < c->depth ? c->y->level[level + 1].keys : c->keys;

	return &c->y->key[end - 1];
}

static bool is_at(const struct conv *c, const struct yamljson_pick *p)
{
	for (unsigned i = 0; i < c->depth; i++) {
		if (i == YAMLJSON_PICK || !p->key[i] || c->y->level[i].list)
			return false;
		const struct yamljson_key *k = key_of(c, i);
		if (strlen(p->key[i]) != k->len || memcmp(p->key[i], c->out->data + k->at, k->len) != 0)
			return false;
	}
	return c->depth == YAMLJSON_PICK || !p->key[c->depth];
}

static void note_picks(const struct conv *c, size_t at, int line)
{
	if (c->depth > YAMLJSON_PICK)
		return;
	for (unsigned i = 0; i < c->in->picks; i++) {
		struct yamljson_pick *p = &c->in->pick[i];
		if (!is_at(c, p))
			continue;
		p->at = at;
		p->len = c->out->len - at;
		p->line = line;
	}
}

/* ---- structure ---- */

static struct yamljson_level *inside(const struct conv *c)
{
	return c->depth > 0 ? &c->y->level[c->depth - 1] : NULL;
}

static bool wants_key(const struct conv *c)
{
	const struct yamljson_level *in = inside(c);

	return in && !in->list && !c->value;
}

/* A comma, unless it is the first in its list; in a mapping the key has it. */
static void begin_value(struct conv *c)
{
	struct yamljson_level *in = inside(c);

	if (in && in->list && in->count++ > 0)
		buf_add_char(c->out, ',');
	c->value = false;
}

static int check_twice(const struct conv *c, const struct yamljson_key *k)
{
	const struct yamljson_level *in = inside(c);
	struct err what;

	for (unsigned i = in ? in->keys : c->keys; i < c->keys; i++) {
		const struct yamljson_key *o = &c->y->key[i];
		if (o->hash != k->hash || o->len != k->len ||
		    memcmp(c->out->data + o->at, c->out->data + k->at, k->len) != 0)
			continue;
		err_put(&what, EEXIST, "key '%.*s' stands here and on line %d; keep one",
		        k->len < WORD_SHOWN ? (int)k->len : WORD_SHOWN, c->out->data + k->at, o->line);
		return error_at(c, k->line, what.text);
	}
	return 0;
}

static int check_plain_key(const struct conv *c, const struct scalar *s)
{
	char token[YAMLTYPE_LONGEST + 8];
	struct buf b;

	if (s->len == 2 && memcmp(s->text, "<<", 2) == 0)
		return error_at(c, s->line, "merge keys (<<) are not supported; write the values out");
	buf_init(&b, token, sizeof(token));
	switch (yamltype_write(s->text, s->len, &b)) {
	case YAMLTYPE_UNCLEAR:
		return unclear(c, s->text, s->len, s->line);
	case YAMLTYPE_NULL:
		return error_at(c, s->line, "an empty key; write 'key: value'");
	default:
		return 0;
	}
}

static int too_large(const struct conv *c, int line)
{
	struct err what;

	err_put(&what, EFBIG, "more than %zu bytes of JSON; make the object smaller", c->out->cap - 1);
	(void)error_at(c, line, what.text);
	c->e->code = EFBIG;
	return -1;
}

static int take_key(struct conv *c, const struct scalar *s)
{
	struct yamljson_level *in = inside(c);
	struct yamljson_key k = {.line = s->line};

	if (s->plain && check_plain_key(c, s) < 0)
		return -1;
	if (c->keys == YAMLJSON_KEYS)
		return error_at(c, s->line, "too many keys; make the object smaller");
	buf_add(c->out, in->count++ > 0 ? ",\"" : "\"");
	size_t at = c->out->len;
	if (add_text(c, s) < 0)
		return -1;
	if (!buf_ok(c->out))
		return too_large(c, s->line);
	k.at = (uint32_t)at;
	k.len = (uint32_t)(c->out->len - at);
	k.hash = str_hash(STR_HASH, c->out->data + at, k.len);
	if (check_twice(c, &k) < 0)
		return -1;
	c->y->key[c->keys++] = k;
	buf_add(c->out, "\":");
	c->value = true;
	return 0;
}

static int not_a_mapping(const struct conv *c, int line)
{
	return error_at(c, line, "not a mapping; a document is one object of 'key: value' lines");
}

static int take_scalar(struct conv *c, const yaml_event_t *ev, int line)
{
	struct scalar s = {
		.text = (const char *)ev->data.scalar.value,
		.len = ev->data.scalar.length,
		.line = line,
		.plain = ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE,
		.literal = ev->data.scalar.style == YAML_LITERAL_SCALAR_STYLE,
	};

	if (wants_key(c))
		return take_key(c, &s);
	if (c->depth == 0) /* "---" and nothing comes as an empty plain scalar */
		return s.plain && s.len == 0 ? 0 : not_a_mapping(c, line);
	begin_value(c);
	size_t at = c->out->len;
	if ((s.plain ? add_plain(c, &s) : add_string(c, &s)) < 0)
		return -1;
	note_picks(c, at, line);
	return 0;
}

static int take_open(struct conv *c, bool list, int line)
{
	if (wants_key(c))
		return error_at(c, line, "a mapping or list as a key; a key must be one word");
	if (c->depth == 0 && list)
		return not_a_mapping(c, line);
	if (c->depth == YAMLJSON_DEPTH)
		return error_at(c, line, "nested too deep; write it flatter");
	begin_value(c);
	size_t at = c->out->len;
	buf_add_char(c->out, list ? '[' : '{');
	note_picks(c, at, line);
	c->y->level[c->depth++] = (struct yamljson_level){.list = list, .keys = c->keys};
	return 0;
}

static int take_close(struct conv *c)
{
	const struct yamljson_level *in = inside(c);

	if (!in) /* libyaml never closes what it did not open */
		return 0;
	buf_add_char(c->out, in->list ? ']' : '}');
	c->keys = in->keys;
	c->depth--;
	return 0;
}

static int take_document(struct conv *c, const yaml_event_t *ev, int line)
{
	if (ev->data.document_start.version_directive ||
	    ev->data.document_start.tag_directives.start != ev->data.document_start.tag_directives.end)
		return error_at(c, line, "directives (%) are not supported; remove the line");
	if (c->documents)
		return error_at(c, line, "text behind the end of a document; begin each with a line '---'");
	c->documents = true;
	return 0;
}

static int take(struct conv *c, const yaml_event_t *ev)
{
	int line = yamlerr_line(&c->text, &ev->start_mark);

	if (yamlerr_reference(&c->text, ev, c->e) < 0)
		return -1;
	switch (ev->type) {
	case YAML_DOCUMENT_START_EVENT:
		return take_document(c, ev, line);
	case YAML_SCALAR_EVENT:
		return take_scalar(c, ev, line);
	case YAML_MAPPING_START_EVENT:
		return take_open(c, false, line);
	case YAML_SEQUENCE_START_EVENT:
		return take_open(c, true, line);
	case YAML_MAPPING_END_EVENT:
	case YAML_SEQUENCE_END_EVENT:
		return take_close(c);
	default:
		return 0;
	}
}

static int take_all(struct conv *c, yaml_parser_t *p)
{
	yaml_event_t ev;
	bool end = false;

	while (!end) {
		if (!yaml_parser_parse(p, &ev))
			return yamlerr_refused(&c->text, p, c->e);
		end = ev.type == YAML_STREAM_END_EVENT;
		int line = yamlerr_line(&c->text, &ev.start_mark);
		int rc = take(c, &ev);
		yaml_event_delete(&ev);
		if (rc < 0)
			return -1;
		if (!buf_ok(c->out))
			return too_large(c, line);
	}
	return 0;
}

int yamljson_convert(struct yamljson *y, const struct yamljson_in *in, struct buf *out, struct err *e)
{
	struct conv c = {.y = y, .in = in, .out = out, .e = e};
	const char *text = in->text;
	size_t len = in->len;
	yaml_parser_t p;

	if (len >= strlen(BOM) && memcmp(text, BOM, strlen(BOM)) == 0) { /* some editors begin UTF-8 with one */
		text += strlen(BOM);
		len -= strlen(BOM);
	}
	int lines = count_lines(text, len) - (len > 0 && text[len - 1] == '\n');
	c.text = (struct yamlerr_text){.file = in->file, .text = text, .len = len, .first = in->line};
	c.text.last = in->line + lines;
	for (unsigned i = 0; i < in->picks; i++)
		in->pick[i].len = 0;
	if (!yaml_parser_initialize(&p))
		return err_set(e, ENOMEM, "%s: out of memory", in->file);
	yaml_parser_set_encoding(&p, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&p, (const unsigned char *)text, len);
	int rc = take_all(&c, &p);
	yaml_parser_delete(&p);
	return rc;
}
