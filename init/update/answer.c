/* Heads of HTTP answers. Runs in the update worker; parses bytes from outside; believes none of them. */
#include "update/answer.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "format/header.h"

#define VALUE       256   /* bytes of a header's value that is looked at */
#define AFTER_MAX   86400 /* seconds of Retry-After; the caller believes less */
#define LENGTH_MAX  INT64_MAX
#define VALUE_SHOWN 40

/* A number at *s, which goes behind it. */
static int take_number(const char **s, uint64_t *out)
{
	char digits[20];
	size_t n = strspn(*s, "0123456789");

	if (str_format(digits, sizeof(digits), "%.*s", (int)n, *s) < 0 || str_u64(digits, LENGTH_MAX, out) < 0)
		return -1;
	*s += n;
	return 0;
}

static int take_char(const char **s, char c)
{
	if (**s != c)
		return -1;
	(*s)++;
	return 0;
}

int answer_content_range(const char *text, struct answer_span *out)
{
	struct answer_span got = {0};
	const char *s = text;

	if (strncasecmp(s, "bytes ", 6) != 0)
		return -1;
	s += 6;
	got.empty = *s == '*';
	if (got.empty)
		s++;
	else if (take_number(&s, &got.first) < 0 || take_char(&s, '-') < 0 || take_number(&s, &got.last) < 0 ||
	         got.last < got.first)
		return -1;
	if (take_char(&s, '/') < 0)
		return -1;
	if (!got.empty && str_eq(s, "*")) {
		*out = got;
		return 0;
	}
	if (take_number(&s, &got.total) < 0 || *s != '\0' || (!got.empty && got.last >= got.total))
		return -1;
	*out = got;
	return 0;
}

static void take_broken(struct answer *a, const char *name, const char *value)
{
	if (str_format(a->broken, sizeof(a->broken), "%s '%.*s'", name, VALUE_SHOWN, value) < 0)
		a->broken[0] = '?';
}

/* Twice is fine when it says the same. */
static void take_length(struct answer *a, const char *value)
{
	uint64_t length;

	if (str_u64(value, LENGTH_MAX, &length) < 0 || (a->has_length && a->length != length))
		take_broken(a, "Content-Length", value);
	else
		a->length = length;
	a->has_length = true;
}

static void take_span(struct answer *a, const char *value)
{
	struct answer_span span;

	if (answer_content_range(value, &span) < 0 || a->has_span)
		take_broken(a, "Content-Range", value);
	else
		a->span = span;
	a->has_span = true;
}

/* What can be sent back: a carriage return in the middle would begin a line of ours. */
static bool is_plain(const char *value)
{
	while (*value >= ' ' && *value <= '~')
		value++;
	return *value == '\0';
}

/* Only what compares byte by byte (RFC 9110 8.8.1). */
static bool is_strong(const char *etag)
{
	size_t n = strlen(etag);

	return n >= 2 && etag[0] == '"' && etag[n - 1] == '"' && is_plain(etag);
}

static void take_validator(char dst[FETCH_VALIDATOR], const char *value, bool good)
{
	if (!good || str_copy(dst, FETCH_VALIDATOR, value) < 0)
		dst[0] = '\0';
}

/* "HTTP/1.1 206 Partial Content", "HTTP/2 206" */
static void take_status(struct answer *a, const char *line, size_t len)
{
	const char *s = memchr(line, ' ', len);

	*a = (struct answer){0};
	for (size_t i = 1; s && i <= 3 && s + i < line + len && s[i] >= '0' && s[i] <= '9'; i++)
		a->status = a->status * 10 + (s[i] - '0');
}

void answer_line(struct answer *a, const char *line, size_t len)
{
	char value[VALUE] = "";
	uint64_t seconds;

	if (len > 5 && memcmp(line, "HTTP/", 5) == 0)
		take_status(a, line, len);
	else if (header_is(line, len, "content-length", value, sizeof(value)))
		take_length(a, value);
	else if (header_is(line, len, "content-range", value, sizeof(value)))
		take_span(a, value);
	else if (header_is(line, len, "transfer-encoding", value, sizeof(value)))
		a->chunked = strcasecmp(value, "chunked") == 0;
	else if (header_is(line, len, "content-encoding", value, sizeof(value)))
		a->encoded = strcasecmp(value, "identity") != 0;
	else if (header_is(line, len, "etag", value, sizeof(value)))
		take_validator(a->etag, value, is_strong(value));
	else if (header_is(line, len, "last-modified", value, sizeof(value)))
		take_validator(a->modified, value, is_plain(value));
	else if (header_is(line, len, "retry-after", value, sizeof(value)) && str_u64(value, UINT32_MAX, &seconds) == 0)
		a->retry_after_s = seconds < AFTER_MAX ? (unsigned)seconds : AFTER_MAX;
}

/* The first row that fits counts. */
static const struct row {
	int from, to;
	enum answer_verdict verdict;
	int code;
	const char *text;
} rows[] = {
	{301, 303, ANSWER_REDIRECT, 0, ""},
	{307, 308, ANSWER_REDIRECT, 0, ""},
	{401, 401, ANSWER_WRONG, EACCES, "a login is wanted"},
	{403, 403, ANSWER_WRONG, EACCES, "the file is not for us"},
	{404, 404, ANSWER_WRONG, ENOENT, "the file is not there"},
	{407, 407, ANSWER_WRONG, EACCES, "a login at a proxy is wanted"},
	{408, 408, ANSWER_LATER, ETIMEDOUT, "the request took too long"},
	{410, 410, ANSWER_WRONG, ENOENT, "the file is not there any more"},
	{425, 425, ANSWER_LATER, EAGAIN, "too early"},
	{429, 429, ANSWER_LATER, EAGAIN, "too many requests"},
	{451, 451, ANSWER_WRONG, EACCES, "the file may not be shown"},
	{400, 499, ANSWER_WRONG, EINVAL, "the request was refused"},
	{500, 599, ANSWER_LATER, EAGAIN, "the server has trouble"},
	{0, 999, ANSWER_WRONG, EBADMSG, "that was not asked for"},
};

static enum answer_verdict judge_status(const struct answer *a, struct err *e)
{
	const struct row *r = rows;

	while (a->status < r->from || a->status > r->to)
		r++;
	err_put(e, r->code, "answer %d: %s", a->status, r->text);
	return r->verdict;
}

static enum answer_verdict wrong(struct err *e, int code, const char *text)
{
	err_put(e, code, "%s", text);
	return ANSWER_WRONG;
}

/* size: of the whole file, as this answer says; 0: it does not. A tag that only one of them has says nothing. */
static bool is_same(const struct answer *a, const struct fetch_file *f, uint64_t size)
{
	if (f->size && size && f->size != size)
		return false;
	if (f->etag[0] && a->etag[0])
		return str_eq(f->etag, a->etag);
	return !f->modified[0] || !a->modified[0] || str_eq(f->modified, a->modified);
}

static enum answer_verdict changed(const struct fetch_file *f, uint64_t size, struct err *e)
{
	if (size && f->size && size != f->size)
		err_put(e, ESTALE, "the file on the server has changed: %llu bytes, not %llu", (unsigned long long)size,
		        (unsigned long long)f->size);
	else
		err_put(e, ESTALE, "the file on the server has changed");
	return ANSWER_WRONG;
}

static void learn(const struct answer *a, struct fetch_file *f, uint64_t size)
{
	if (f->size == 0)
		f->size = size;
	if (f->etag[0] || f->modified[0])
		return;
	memcpy(f->etag, a->etag, sizeof(f->etag));
	memcpy(f->modified, a->modified, sizeof(f->modified));
}

/* 206 to a request with a range. */
static enum answer_verdict judge_part(const struct answer *a, const struct answer_want *w, struct fetch_file *f,
                                      struct err *e)
{
	const struct answer_span *s = &a->span;

	if (!a->has_span || s->empty)
		return wrong(e, EBADMSG, "answer 206 does not say which part it is");
	if (s->total == 0)
		return wrong(e, EBADMSG, "answer 206 does not say how long the file is");
	if (!is_same(a, f, s->total))
		return changed(f, s->total, e);
	if (s->first != w->first || s->last != (w->what == ANSWER_REST ? s->total - 1 : w->last)) {
		err_put(e, EBADMSG,
		        "another part of the file than was asked for: from %llu to %llu of %llu, not from %llu",
		        (unsigned long long)s->first, (unsigned long long)s->last, (unsigned long long)s->total,
		        (unsigned long long)w->first);
		return ANSWER_WRONG;
	}
	if (a->has_length && a->length != s->last - s->first + 1)
		return wrong(e, EBADMSG, "Content-Length and Content-Range do not agree");
	learn(a, f, s->total);
	return ANSWER_TAKE;
}

/* 200: the whole file. */
static enum answer_verdict judge_whole(const struct answer *a, const struct answer_want *w, struct fetch_file *f,
                                       struct err *e)
{
	uint64_t size = a->has_length && !a->chunked ? a->length : 0;

	if (w->what == ANSWER_DOCUMENT)
		return size > w->last ? wrong(e, EFBIG, "the document is larger than expected") : ANSWER_TAKE;
	if (!is_same(a, f, size))
		return changed(f, size, e);
	if (w->what == ANSWER_RANGE)
		return wrong(e, EOPNOTSUPP, "the server sends no parts of files");
	if (!a->has_length && !a->chunked)
		return wrong(e, EBADMSG, "the server does not say how long the file is");
	if (a->has_length && !a->chunked && size <= w->first)
		return wrong(e, w->first ? ESTALE : EBADMSG, "the file on the server is too short");
	learn(a, f, size);
	return w->first ? ANSWER_SKIP : ANSWER_TAKE;
}

enum answer_verdict answer_judge(const struct answer *a, const struct answer_want *want, struct fetch_file *file,
                                 struct err *e)
{
	bool part = a->status == 206 && (want->what == ANSWER_RANGE || (want->what == ANSWER_REST && want->first));

	if (a->status == 416 && want->what != ANSWER_DOCUMENT)
		return wrong(e, file->size ? ESTALE : EBADMSG, "the file on the server ends before what was asked for");
	if (a->status != 200 && !part)
		return judge_status(a, e);
	if (a->broken[0]) {
		err_put(e, EBADMSG, "a header that makes no sense: %s", a->broken);
		return ANSWER_WRONG;
	}
	if (a->encoded)
		return wrong(e, EBADMSG, "the file comes in an encoding that was not asked for");
	return part ? judge_part(a, want, file, e) : judge_whole(a, want, file, e);
}
