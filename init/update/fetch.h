/* HTTP reading for the update worker, over libcurl. Blocks until it is done, fails for good, or is told to stop, so it
 * belongs in a process of its own; it looks at what may stop it at least every second.
 *
 * Three ways to read:
 *   fetch_get     a small document, whole, into memory
 *   fetch_ranges  pieces of one large file, as an iterator wants them, several in flight: up to FETCH_CONNECTIONS over
 *                 HTTP/1.1, up to FETCH_FLIGHTS over one HTTP/2 connection; connections are kept for the next call
 *   fetch_whole   one file from an offset to its end, in order; also from a server that has no ranges
 *
 * Trouble that may pass (no network, no such name, connection lost, too slow, 408, 425, 429, 5xx, no secure connection)
 * is waited out: the same bytes are asked for again, from the first one that has not come, after a wait that doubles
 * from FETCH_BASE_MS to FETCH_CAP_MS with chance in it, or as long as Retry-After says. That goes on until it works,
 * the caller stops it, or give_up_ms are over without a byte. on_wait tells of it. While something is waited for, only
 * one request at a time is tried. Everything else is final, with a sentence.
 *
 * A server is not believed: an answer to a range must be 206 with exactly that Content-Range, and as many bytes as
 * that. What file it is is fixed by the first answer (`struct fetch_file`): its size, and its strong ETag, or without
 * one its Last-Modified, which go along as If-Range. Redirects, at most FETCH_REDIRECTS, go to http and https, and
 * never from https to http; where they led is remembered for the next ranges, and forgotten when it is refused there.
 *
 * Who the server is does not matter for what is read: a bundle and an index are verified by their own signatures, so
 * plain http is allowed; https keeps others from seeing what is read. Proxies of the environment are not used. Nothing
 * of HTTP (cookies, names, passwords, compression) beyond what stands here.
 *
 * Memory: FETCH_FLIGHTS times FETCH_PIECE, and what libcurl takes: 100 KiB per connection at most. */
#ifndef HEARTH_UPDATE_FETCH_H
#define HEARTH_UPDATE_FETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "update/url.h"

#define FETCH_CONNECTIONS 4     /* HTTP/1.1: as many as a browser of old made */
#define FETCH_FLIGHTS     16    /* ranges in flight over HTTP/2 */
#define FETCH_PIECE       65536 /* bytes in a piece */
#define FETCH_REDIRECTS   5
#define FETCH_VALIDATOR   160   /* bytes of an ETag or a date, the end included; a longer one is not used */
#define FETCH_BASE_MS     500   /* the first wait is at most this long */
#define FETCH_CAP_MS      60000 /* and no later one is longer */
#define FETCH_FLOOR_MS    100   /* chance makes no busy loop */
#define FETCH_AFTER_S     3600  /* more is not believed of Retry-After */
#define FETCH_STALL_MS    30000 /* a transfer that brings */
#define FETCH_STALL_BYTES 1024  /* less than this in that time is given up, and tried again */
#define FETCH_CONNECT_MS  30000

/* What is waited for. why is valid during the callback. */
struct fetch_wait {
	bool waiting;      /* false: it goes on, bytes come again */
	uint64_t since_ms; /* clock_ms when the trouble began */
	uint64_t next_ms;  /* clock_ms of the next try */
	unsigned tries;    /* in vain since then */
	const char *why;   /* "http://host: connection refused" */
};

/* All pointers are borrowed until fetch_close. */
struct fetch_config {
	const char *ca_file;     /* PEM: the authorities for https; NULL: ca_pem */
	const char *ca_pem;      /* the same as text, the pinned one; NULL too: https is refused */
	int stop_fd;             /* stops when it is readable (or hung up); -1: none. It is not read */
	bool (*tick)(void *arg); /* called at least every second; false stops. NULL: none */
	void (*on_wait)(const struct fetch_wait *w, void *arg); /* NULL: none */
	void *arg;
	uint64_t give_up_ms; /* without a byte; 0: never */
	/* 0: as the names above say. Tests have less time. */
	uint32_t stall_ms, stall_bytes, connect_ms, base_ms, cap_ms;
};

/* Bytes that really went over the line, as far as HTTP knows: without TLS, TCP, IP. */
struct fetch_count {
	uint64_t body;    /* received, also what was thrown away */
	uint64_t headers; /* received */
	uint64_t sent;    /* requests */
	uint64_t requests;
	uint64_t connections;
	uint64_t redirects;
	uint64_t retries; /* requests after trouble */
};

/* Which file it is, as the first answer says. Zeroed, or from the caller's record of an earlier run: then a server that
 * has another one by now is noticed. */
struct fetch_file {
	char url[URL_MAX];              /* the caller sets it */
	uint64_t size;                  /* 0: not known yet */
	char etag[FETCH_VALIDATOR];     /* a strong one, with its quotes; "": none */
	char modified[FETCH_VALIDATOR]; /* Last-Modified, as it came; "": none */
};

struct fetch_range {
	uint64_t offset;
	uint64_t length; /* at least 1 */
	uint64_t tag;    /* the caller's: comes back with each piece */
};

/* The next range to ask for; false: there is none any more. */
typedef bool fetch_next_fn(struct fetch_range *r, void *arg);
/* A piece of range r, at the absolute offset `at` of the file. Pieces of one range come in order and without gaps, each
 * FETCH_PIECE long but the last one; pieces of different ranges come in any order. No byte comes twice. -1 with e ends
 * the fetch with that error. May not call into fetch. */
typedef int fetch_data_fn(const struct fetch_range *r, uint64_t at, const void *data, size_t len, void *arg,
                          struct err *e);

struct fetch_job {
	struct fetch_file *file;
	fetch_next_fn *next; /* fetch_ranges only */
	fetch_data_fn *data;
	void *arg;
};

/* Only one in a process: it holds libcurl. */
struct fetch {
	struct fetch_config config;
	struct fetch_count count;
	void *priv;
};

MUST_CHECK int fetch_open(struct fetch *f, const struct fetch_config *c, struct err *e);
void fetch_close(struct fetch *f);

/* The calls below end with 0, or -1 and one of these codes:
 *   ECANCELED    stopped
 *   ETIMEDOUT    give_up_ms without a byte; the text is that of the trouble
 *   ESTALE       the file on the server has changed since the first answer: begin anew with a fresh fetch_file
 *   EOPNOTSUPP   fetch_ranges: the server has no ranges; fetch_whole can read it
 *   ENOENT       404, 410
 *   EACCES       401, 403, 407, 451
 *   EFBIG        fetch_get: larger than the room; fetch_whole: longer than file->size
 *   EBADMSG      the server lies or breaks HTTP: Content-Range, lengths, redirects
 *   EINVAL, EPROTONOSUPPORT   the URL is none of ours; another 4xx
 *   ENOMEM
 * or what the callback gave. The text begins with the site ("https://host: ..."). */

/* Puts the document behind what is in b. */
MUST_CHECK int fetch_get(struct fetch *f, const char *url, struct buf *b, struct err *e);
/* Until next says that there is no range any more and all have come. */
MUST_CHECK int fetch_ranges(struct fetch *f, const struct fetch_job *j, struct err *e);
/* From offset to the end of the file; r of the pieces is {offset, size - offset, 0}, its length 0 while the size is not
 * known. When the server has no ranges, what lies before is read and thrown away. */
MUST_CHECK int fetch_whole(struct fetch *f, const struct fetch_job *j, uint64_t offset, struct err *e);

#endif
