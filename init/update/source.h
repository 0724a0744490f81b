/* Where a bundle is read from: an open file, a pipe, an upload in parts or a URL, as the same three calls. Runs in the
 * worker and blocks.
 *
 * A URL is read by update/fetch, which waits out whatever may pass; a file cannot change its mind, so what goes wrong
 * there is final; and so it is with a pipe, which gives each byte once. An upload in parts is asked for each range, as
 * often as it takes: each part is a pipe, and one that ends too soon is gone on with in the next. */
#ifndef HEARTH_UPDATE_SOURCE_H
#define HEARTH_UPDATE_SOURCE_H

#include <stdbool.h>

#include "update/fetch.h"
#include "update/queue.h"

/* A pipe with these bytes, or only the first of them; -1: there will be none. Waits for it. */
typedef int source_part_fn(uint64_t from, uint64_t length, void *arg, struct err *e);

struct source {
	int fd;               /* of the file or the pipe; -1: neither */
	bool pipe;            /* an upload: no ranges */
	source_part_fn *part; /* an upload in parts; NULL: something else */
	struct queue queue;   /* of a file */
	struct fetch fetch;
	struct fetch_file file; /* size: of the bundle, once known */
	uint64_t read;          /* bytes taken from a file or pipes */
	bool (*tick)(void *arg);
	void *arg;
};

/* fd: the open file, or -1 and url. config as fetch_open has it; its tick is called for files too. All is borrowed. */
MUST_CHECK int source_open(struct source *s, int fd, const char *url, const struct fetch_config *config, struct err *e);
/* fd: the read end of a pipe with exactly `size` bytes and then the end; fewer or more are an error. While none come
 * the tick is called, too. */
MUST_CHECK int source_open_pipe(struct source *s, int fd, uint64_t size, const struct fetch_config *config,
                                struct err *e);
/* Of `size` bytes; part is called with config's arg. */
void source_open_parts(struct source *s, uint64_t size, source_part_fn *part, const struct fetch_config *config);
void source_close(struct source *s);
/* As fetch_ranges; EOPNOTSUPP: only source_whole can read it. */
MUST_CHECK int source_ranges(struct source *s, fetch_next_fn *next, fetch_data_fn *data, void *arg, struct err *e);
/* One range. */
MUST_CHECK int source_range(struct source *s, uint64_t offset, uint64_t length, fetch_data_fn *data, void *arg,
                            struct err *e);
/* As fetch_whole from 0 on. */
MUST_CHECK int source_whole(struct source *s, fetch_data_fn *data, void *arg, struct err *e);
/* Bytes from outside so far, those thrown away too. */
uint64_t source_fetched(const struct source *s);

#endif
