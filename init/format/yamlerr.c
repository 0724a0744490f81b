/* What libyaml says about a text, with its place and what to do about it; see yamlerr.h.
 * Never parses: it only reads the parser's own marks. */
#include "format/yamlerr.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/str.h"

/* What to do about each complaint of libyaml. */
static const struct advice {
	const char *problem;
	const char *todo;
	bool at_start; /* the mistake is where the thing began, not where libyaml gave up */
} advices[] = {
	{"found unexpected end of stream", "close the quotation mark", true},
	{"found unexpected document indicator", "close the quotation mark", true},
	{"did not find expected ',' or ']'", "close the list with ']' and part its items with ','", true},
	{"did not find expected ',' or '}'", "close the mapping with '}' and part its keys with ','", true},
	{"could not find expected ':'", "write 'key: value'", false},
	{"mapping values are not allowed in this context",
         "write one 'key: value' per line, quote a value with ': ' in it", false},
	{"block sequence entries are not allowed in this context", "begin the list on a line of its own", false},
	{"found character that cannot start any token", "put quotation marks around the value", false},
	{"found unknown escape character", "use single quotation marks, or two backslashes", false},
	{"did not find expected <document start>", "a file is one mapping of keys", false},
};

static const struct advice *advice_for(const char *problem)
{
	static const struct advice other = {NULL, "check the indentation and the quotation marks", false};

	for (size_t i = 0; i < COUNT_OF(advices); i++) {
		if (str_eq(advices[i].problem, problem))
			return &advices[i];
	}
	return &other;
}

int yamlerr_line(const struct yamlerr_text *t, const yaml_mark_t *mark)
{
	return mark->line < (size_t)(t->last - t->first) ? t->first + (int)mark->line : t->last;
}

int yamlerr_at(const struct yamlerr_text *t, int line, struct err *e, const char *message)
{
	return err_set(e, EINVAL, "%s:%d: %s", t->file, line, message);
}

static const char *line_start(const struct yamlerr_text *t, int line)
{
	const char *p = t->text, *end = t->text + t->len;

	while (line-- > t->first && p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		p = nl ? nl + 1 : end;
	}
	return p;
}

static bool tab_indents(const struct yamlerr_text *t, int line)
{
	const char *p = line_start(t, line), *end = t->text + t->len;

	while (p < end && *p == ' ')
		p++;
	return p < end && *p == '\t';
}

static int line_at_offset(const struct yamlerr_text *t, size_t offset)
{
	int line = t->first;

	for (size_t i = 0; i < t->len && i < offset; i++)
		line += t->text[i] == '\n';
	return line;
}

/* libyaml's reader gives a byte offset, its scanner and parser give marks. */
int yamlerr_refused(const struct yamlerr_text *t, const yaml_parser_t *p, struct err *e)
{
	const char *problem = p->problem ? p->problem : "not YAML";
	const struct advice *a = advice_for(problem);
	int line = yamlerr_line(t, a->at_start && p->context ? &p->context_mark : &p->problem_mark);
	char what[ERR_TEXT];

	if (p->error == YAML_MEMORY_ERROR)
		return err_set(e, ENOMEM, "%s: out of memory", t->file);
	if (p->error == YAML_READER_ERROR) {
		line = line_at_offset(t, p->problem_offset);
		if (str_format(what, sizeof(what), "%s; save the file as plain UTF-8 text", problem) < 0)
			return yamlerr_at(t, line, e, "not text; save the file as plain UTF-8 text");
		return yamlerr_at(t, line, e, what);
	}
	if (tab_indents(t, yamlerr_line(t, &p->problem_mark)))
		return yamlerr_at(t, yamlerr_line(t, &p->problem_mark), e, "a tab in the indentation; use spaces");
	if (str_format(what, sizeof(what), "%s; %s", problem, a->todo) < 0)
		return yamlerr_at(t, line, e, a->todo);
	return yamlerr_at(t, line, e, what);
}

static const void *anchor_of(const yaml_event_t *ev)
{
	switch (ev->type) {
	case YAML_ALIAS_EVENT:
		return ev->data.alias.anchor;
	case YAML_SCALAR_EVENT:
		return ev->data.scalar.anchor;
	case YAML_MAPPING_START_EVENT:
		return ev->data.mapping_start.anchor;
	case YAML_SEQUENCE_START_EVENT:
		return ev->data.sequence_start.anchor;
	default:
		return NULL;
	}
}

static const void *tag_of(const yaml_event_t *ev)
{
	switch (ev->type) {
	case YAML_SCALAR_EVENT:
		return ev->data.scalar.tag;
	case YAML_MAPPING_START_EVENT:
		return ev->data.mapping_start.tag;
	case YAML_SEQUENCE_START_EVENT:
		return ev->data.sequence_start.tag;
	default:
		return NULL;
	}
}

int yamlerr_reference(const struct yamlerr_text *t, const yaml_event_t *ev, struct err *e)
{
	int line = yamlerr_line(t, &ev->start_mark);

	if (anchor_of(ev))
		return yamlerr_at(t, line, e,
		                  "anchors and aliases (& and *) are not supported; write the value out, "
		                  "or put quotation marks around it");
	if (tag_of(ev))
		return yamlerr_at(t, line, e, "tags (!) are not supported; put quotation marks around the value");
	return 0;
}
