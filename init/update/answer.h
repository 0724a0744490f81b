/* The head of an HTTP answer, line by line, and whether it is one to what was asked. Pure.
 *
 * A server may be broken, or lie: what it says about lengths and places must agree with the request and with itself,
 * and the file must be the one that the first answer was about. */
#ifndef HEARTH_UPDATE_ANSWER_H
#define HEARTH_UPDATE_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "update/url.h"

#define FETCH_VALIDATOR 160 /* bytes of an ETag or a date, the end included; a longer one is not used */
#define ANSWER_BROKEN   96

/* Which file it is, as the first answer says. Zeroed, or from the caller's record of an earlier run: then a server that
 * has another one by now is noticed. */
struct fetch_file {
	char url[URL_MAX];              /* the caller sets it */
	uint64_t size;                  /* 0: not known yet */
	char etag[FETCH_VALIDATOR];     /* a strong one, with its quotes; "": none */
	char modified[FETCH_VALIDATOR]; /* Last-Modified, as it came; "": none */
};

/* Content-Range: "bytes 0-99/1234"; "bytes 0-99/" and a star: total 0; "bytes " and a star and "/1234": empty. */
struct answer_span {
	uint64_t first, last; /* both belong to it */
	uint64_t total;
	bool empty; /* what was asked for lies outside of the file */
};

struct answer {
	int status;
	bool has_length, has_span, chunked, encoded;
	uint64_t length; /* Content-Length */
	struct answer_span span;
	unsigned retry_after_s; /* 0: none, or a date */
	char etag[FETCH_VALIDATOR];
	char modified[FETCH_VALIDATOR];
	char broken[ANSWER_BROKEN]; /* the line that made no sense; "": none */
};

enum answer_what {
	ANSWER_DOCUMENT, /* all of it, at most `last` bytes */
	ANSWER_RANGE,    /* from first to last */
	ANSWER_REST,     /* from first to the end */
};

struct answer_want {
	enum answer_what what;
	uint64_t first, last;
};

enum answer_verdict {
	ANSWER_TAKE,     /* the body is what was asked for */
	ANSWER_SKIP,     /* ANSWER_REST: the body is the whole file: what lies before `first` is thrown away */
	ANSWER_REDIRECT, /* where to is libcurl's to say */
	ANSWER_LATER,    /* e says what is the matter; it may pass */
	ANSWER_WRONG,    /* e says what is the matter, with the codes of update/fetch */
};

/* A line of the head as libcurl gives it, its end included. A status line begins a new answer. */
void answer_line(struct answer *a, const char *line, size_t len);
/* 0, or -1 when text is no Content-Range. */
MUST_CHECK int answer_content_range(const char *text, struct answer_span *out);
/* When the head is whole. Writes into *file what the first answer says of it. */
enum answer_verdict answer_judge(const struct answer *a, const struct answer_want *want, struct fetch_file *file,
                                 struct err *e);

#endif
