/* Words to orders and records to orders. Runs in the update role; knows no files and no network. */
#include "update/order.h"

#include <errno.h>
#include <string.h>

#include "base/paths.h"
#include "base/str.h"

#define USB   "usb"
#define PARTS "upload:"

/* The switches of an install, as words and as lines of a record. */
static const struct {
	const char *word, *line;
	size_t at;
} switches[] = {
	{"--again", "again", offsetof(struct order, again)},
	{"--older", "older", offsetof(struct order, older)},
	{"--restart", "restart", offsetof(struct order, restart)},
	{"--snapshot", "snapshot", offsetof(struct order, snapshot)},
	{NULL, "paused", offsetof(struct order, paused)},
};

static bool *flag(struct order *o, size_t i)
{
	return (bool *)((char *)o + switches[i].at);
}

/* No part of it leads up or is empty, and it names something. */
static bool is_plain_path(const char *path)
{
	for (const char *p = path; *p; p += strcspn(p + 1, "/") + 1) {
		size_t n = strcspn(p + 1, "/");
		if (n == 0 || (n == 1 && p[1] == '.') || (n == 2 && p[1] == '.' && p[2] == '.'))
			return false;
	}
	return true;
}

/* No control characters, and nothing below `least`. */
static bool is_printable(const char *s, char least)
{
	for (; *s; s++) {
		if ((unsigned char)*s < (unsigned char)least || *s == 127)
			return false;
	}
	return true;
}

static int parse_size(struct order *o, const char *size, struct err *e)
{
	if (str_u64(size, ORDER_MOST, &o->size) < 0 || o->size == 0)
		return err_set(e, EINVAL, "upload: '%.40s' is no number of bytes", size);
	return 0;
}

static int parse_source(struct order *o, const char *source, struct err *e)
{
	if (str_copy(o->source, sizeof(o->source), source) < 0)
		return err_set(e, ENAMETOOLONG, "the source is longer than %d bytes", ORDER_SOURCE - 1);
	if (str_starts(source, "http://") || str_starts(source, "https://")) {
		o->kind = ORDER_URL;
		return is_printable(source, '!')
		               ? 0
		               : err_set(e, EINVAL, "the address holds blanks or characters that none has");
	}
	if (str_eq(source, USB)) {
		o->kind = ORDER_USB;
		return 0;
	}
	if (str_starts(source, PARTS)) {
		o->kind = ORDER_PARTS;
		return parse_size(o, source + strlen(PARTS), e);
	}
	o->kind = ORDER_FILE;
	if (!str_starts(source, PATH_DATA "/") || !is_plain_path(source) || !is_printable(source, ' '))
		return err_set(e, EINVAL,
		               "'%.100s' is none of http(s)://..., usb, upload:SIZE, and the plain path of a file "
		               "below " PATH_DATA,
		               source);
	return 0;
}

static int parse_install(struct order *o, unsigned argc, const char *const *argv, struct err *e)
{
	bool named = argc > 2 && !str_starts(argv[2], "--");
	for (unsigned a = named ? 3 : 2; a < argc; a++) {
		size_t i = 0;
		while (i < COUNT_OF(switches) && !(switches[i].word && str_eq(argv[a], switches[i].word)))
			i++;
		if (i == COUNT_OF(switches))
			return err_set(e, EINVAL, "'%s' is none of --again, --older, --restart and --snapshot",
			               argv[a]);
		*flag(o, i) = true;
	}
	if (named)
		return parse_source(o, argv[2], e);
	o->kind = ORDER_CHANNEL;
	return 0;
}

static int parse_upload(struct order *o, unsigned argc, const char *const *argv, struct err *e)
{
	o->kind = ORDER_PIPE;
	(void)!str_copy(o->source, sizeof(o->source), "an upload");
	if (argc > 3)
		o->verb = ORDER_PART;
	if (argc > 3 && str_u64(argv[3], ORDER_MOST, &o->from) < 0)
		return err_set(e, EINVAL, "upload: '%.40s' is no place in a file", argv[3]);
	return parse_size(o, argv[2], e);
}

static int parse_show(struct order *o, const char *source, struct err *e)
{
	if (parse_source(o, source, e) < 0)
		return -1;
	return o->kind == ORDER_PARTS ? err_set(e, EINVAL, "show: who has the file shows it") : 0;
}

int order_parse(struct order *o, unsigned argc, const char *const *argv, struct err *e)
{
	static const struct {
		const char *word;
		enum order_verb verb;
		unsigned min, max; /* words, "update" and this one among them */
	} verbs[] = {
		{"show", ORDER_SHOW, 3, 3},   {"install", ORDER_INSTALL, 2, 7}, {"upload", ORDER_UPLOAD, 3, 4},
		{"pause", ORDER_PAUSE, 2, 2}, {"resume", ORDER_RESUME, 2, 2},   {"cancel", ORDER_CANCEL, 2, 2},
		{"check", ORDER_CHECK, 2, 2},
	};
	size_t i = 0;
	memset(o, 0, sizeof(*o));
	if (argc == 1)
		return 0;
	while (i < COUNT_OF(verbs) && !str_eq(argv[1], verbs[i].word))
		i++;
	if (i == COUNT_OF(verbs))
		return err_set(e, EINVAL, "'%s' is none of check, show, install, upload, pause, resume and cancel",
		               argv[1]);
	if (argc < verbs[i].min && verbs[i].verb == ORDER_UPLOAD)
		return err_set(e, EINVAL, "upload: of how many bytes?");
	if (argc < verbs[i].min)
		return err_set(e, EINVAL, "%s: from where? Write update %s SOURCE", argv[1], argv[1]);
	if (argc > verbs[i].max)
		return err_set(e, EINVAL, "%s: too many words", argv[1]);
	o->verb = verbs[i].verb;
	if (o->verb == ORDER_INSTALL)
		return parse_install(o, argc, argv, e);
	if (o->verb == ORDER_UPLOAD)
		return parse_upload(o, argc, argv, e);
	return o->verb == ORDER_SHOW ? parse_show(o, argv[2], e) : 0;
}

const char *order_missed(const struct order *o)
{
	if (o->kind == ORDER_PARTS)
		return "file";
	return o->kind == ORDER_USB ? "stick" : "network";
}

/* --- the record ------------------------------------------------------------------------------- */

#define HEAD "install "
#define SUM  "manifest "

void order_record(const struct order *o, struct buf *b)
{
	struct order copy = *o;
	buf_addf(b, HEAD "%s\n", o->source);
	if (o->named) {
		buf_add(b, SUM);
		buf_add_hex(b, o->manifest, sizeof(o->manifest));
		buf_add(b, "\n");
	}
	for (size_t i = 0; i < COUNT_OF(switches); i++) {
		if (*flag(&copy, i))
			buf_addf(b, "%s\n", switches[i].line);
	}
}

static bool read_switch(struct order *o, const char *line)
{
	for (size_t i = 0; i < COUNT_OF(switches); i++) {
		if (!str_eq(line, switches[i].line))
			continue;
		if (*flag(o, i))
			return false;
		*flag(o, i) = true;
		return true;
	}
	return false;
}

static bool read_sum(struct order *o, const char *line)
{
	const char *digits = line + strlen(SUM);
	if (o->named || !str_starts(line, SUM) || strlen(digits) != 2 * sizeof(o->manifest))
		return false;
	o->named = str_hex(digits, o->manifest, sizeof(o->manifest)) == 0;
	return o->named;
}

int order_read(struct order *o, const char *file, const char *text, size_t len, struct err *e)
{
	char line[sizeof(HEAD) + ORDER_SOURCE];
	unsigned at = 0;
	memset(o, 0, sizeof(*o));
	while (len > 0) {
		const char *end = memchr(text, '\n', len);
		size_t n = end ? (size_t)(end - text) : len;
		at++;
		if (!end || n >= sizeof(line) || memchr(text, '\0', n))
			return err_set(e, EINVAL, "%s:%u: not a line of a record", file, at);
		memcpy(line, text, n);
		line[n] = '\0';
		if (at == 1 && !str_starts(line, HEAD))
			return err_set(e, EINVAL, "%s:1: no 'install SOURCE'", file);
		if (at == 1 && parse_source(o, line + strlen(HEAD), e) < 0)
			return err_prefix(e, "%s:1", file);
		if (at > 1 && !read_switch(o, line) && !read_sum(o, line))
			return err_set(e, EINVAL, "%s:%u: '%.40s' is unknown or there twice", file, at, line);
		text += n + 1;
		len -= n + 1;
	}
	o->verb = ORDER_INSTALL;
	return at > 0 ? 0 : err_set(e, EINVAL, "%s: empty", file);
}
