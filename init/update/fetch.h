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
 * that. What file it is is fixed by the first answer (`struct fetch_file`, update/answer): its size, and its strong
 * ETag, or without one its Last-Modified, which go along as If-Range. Redirects, at most FETCH_REDIRECTS, go to http
 * and https, and never from https to http; where they led is remembered for the next ranges, and forgotten when it is
 * refused there.
 *
 * Who the server is does not matter for what is read: a bundle and an index are verified by their own signatures, so
 * plain http is allowed; https keeps others from seeing what is read. Proxies of the environment are not used. Nothing
 * of HTTP (cookies, names, passwords, compression) beyond what stands here.
 *
 * Memory: FETCH_FLIGHTS times FETCH_PIECE, and what libcurl takes, whatever the size of the file: tests/fetch sees less
 * than 2 MiB for all of the process. Limits, settings and the types of the callbacks are in update/transfer.h. */
#ifndef HEARTH_UPDATE_FETCH_H
#define HEARTH_UPDATE_FETCH_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "update/answer.h"
#include "update/transfer.h"

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
 *   EFBIG        fetch_get: larger than the room
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
