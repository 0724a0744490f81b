/* update/answer: the input is a byte that chooses what was asked, and the lines of a head. Whatever the server says, an
 * answer that is taken is about the very bytes that were asked for, and the file stays the one it was. */
#include <string.h>

#include "base/str.h"
#include "fuzz/check.h"
#include "update/answer.h"

static void check_taken(const struct answer *a, const struct answer_want *w, const struct fetch_file *f, bool skip)
{
	FUZZ_CHECK((a->status == 200 || a->status == 206) && !a->broken[0] && !a->encoded);
	if (w->what == ANSWER_RANGE)
		FUZZ_CHECK(a->status == 206 && a->span.first == w->first && a->span.last == w->last);
	if (w->what == ANSWER_RANGE)
		FUZZ_CHECK(f->size > w->last && (!a->has_length || a->length == w->last - w->first + 1));
	if (w->what == ANSWER_REST)
		FUZZ_CHECK(skip == (a->status == 200 && w->first > 0));
	if (w->what == ANSWER_REST && a->status == 206)
		FUZZ_CHECK(a->span.first == w->first && a->span.last == f->size - 1);
	if (w->what == ANSWER_DOCUMENT)
		FUZZ_CHECK(a->status == 200 && (a->chunked || !a->has_length || a->length <= w->last));
}

static void check_judge(const struct answer *a, const struct answer_want *w, const struct fetch_file *known)
{
	struct fetch_file f = *known;
	struct err e = {0};
	enum answer_verdict v = answer_judge(a, w, &f, &e);

	if (v == ANSWER_TAKE || v == ANSWER_SKIP)
		check_taken(a, w, &f, v == ANSWER_SKIP);
	else
		FUZZ_CHECK(e.text[0] != '\0' && (v != ANSWER_WRONG || e.code != 0));
	FUZZ_CHECK(!known->size || f.size == known->size);
	FUZZ_CHECK(!known->etag[0] || str_eq(f.etag, known->etag));
	FUZZ_CHECK(!f.etag[0] || (f.etag[0] == '"' && !strpbrk(f.etag, "\r\n")));
}

static void check_span(const char *line)
{
	struct answer_span s;

	if (answer_content_range(line, &s) < 0)
		return;
	FUZZ_CHECK(s.first <= s.last && s.last <= INT64_MAX && (s.empty || s.total == 0 || s.last < s.total));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct answer_want wants[] = {
		{ANSWER_RANGE, 100, 199}, {ANSWER_RANGE, 0, 0},       {ANSWER_REST, 0, 0},
		{ANSWER_REST, 500, 0},    {ANSWER_DOCUMENT, 0, 1000},
	};
	static const struct fetch_file files[] = {
		{.size = 0},
		{.size = 1000},
		{.size = 1000, .etag = "\"one\""},
		{.size = 1000, .modified = "Wed, 25 Nov 2026 00:00:00 GMT"},
	};
	struct answer a = {0};
	char text[512];

	if (size == 0)
		return 0;
	const char *p = (const char *)data + 1, *end = (const char *)data + size;
	while (p < end) {
		const char *newline = memchr(p, '\n', (size_t)(end - p));
		size_t n = newline ? (size_t)(newline - p) + 1 : (size_t)(end - p);
		answer_line(&a, p, n);
		if (str_format(text, sizeof(text), "%.*s", (int)n, p) == 0)
			check_span(text);
		p += n;
	}
	check_judge(&a, &wants[data[0] % COUNT_OF(wants)], &files[data[0] / COUNT_OF(wants) % COUNT_OF(files)]);
	return 0;
}
