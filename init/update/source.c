/* A bundle's bytes from a file, a pipe, parts or a URL. Part of the worker: it may block, and must not believe a
 * length. */
#include "update/source.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>

#include "base/str.h"
#include "base/sys.h"

#define TICK_MS 1000
/* Of a file, at a time: pieces, which with what stands around them in blocks of the disk fit into one read. */
#define STRETCH ((size_t)(QUEUE_BYTES - 2 * QUEUE_ALIGN) / FETCH_PIECE * FETCH_PIECE)

static void init(struct source *s, int fd, const struct fetch_config *config)
{
	memset(s, 0, sizeof(*s));
	s->fd = fd;
	s->tick = config->tick;
	s->arg = config->arg;
}

int source_open(struct source *s, int fd, const char *url, const struct fetch_config *config, struct err *e)
{
	struct stat st;
	init(s, fd, config);
	if (fd < 0)
		return str_copy(s->file.url, sizeof(s->file.url), url) < 0
		               ? err_set(e, ENAMETOOLONG, "the address is too long")
		               : fetch_open(&s->fetch, config, e);
	if (sys_fstat(fd, &st) < 0)
		return err_sys(e, "the file");
	if (!S_ISREG(st.st_mode))
		return err_set(e, EINVAL, "the source is no plain file");
	s->file.size = (uint64_t)st.st_size;
	return queue_init(&s->queue, fd, e);
}

int source_open_pipe(struct source *s, int fd, uint64_t size, const struct fetch_config *config, struct err *e)
{
	struct stat st;
	init(s, fd, config);
	s->pipe = true;
	s->file.size = size;
	if (sys_fstat(fd, &st) < 0)
		return err_sys(e, "the pipe");
	return S_ISFIFO(st.st_mode) ? 0 : err_set(e, EINVAL, "the source is no pipe");
}

void source_open_parts(struct source *s, uint64_t size, source_part_fn *part, const struct fetch_config *config)
{
	init(s, -1, config);
	s->part = part;
	s->file.size = size;
}

static bool is_url(const struct source *s)
{
	return s->fd < 0 && !s->part;
}

void source_close(struct source *s)
{
	if (is_url(s))
		fetch_close(&s->fetch);
	queue_fini(&s->queue);
}

/* Some of a range of a file, as it is read: whole blocks of the disk, in which it begins anywhere. */
struct stretch {
	struct fetch_range range;
	uint64_t at, low; /* where it begins, and where the block does */
	size_t length, whole;
};

/* Ranges, cut into stretches. */
struct cutter {
	fetch_next_fn *next;
	void *arg;
	struct fetch_range range;
	uint64_t cut; /* bytes of it */
	bool over;
};

static bool next_stretch(struct cutter *c, struct stretch *t)
{
	if (c->cut == c->range.length) {
		c->cut = 0;
		c->over = c->over || !c->next(&c->range, c->arg);
	}
	if (c->over)
		return false;
	uint64_t left = c->range.length - c->cut;
	t->range = c->range;
	t->at = c->range.offset + c->cut;
	t->length = left < STRETCH ? (size_t)left : STRETCH;
	t->low = t->at - t->at % QUEUE_ALIGN;
	t->whole = (size_t)((t->at + t->length - t->low + QUEUE_ALIGN - 1) / QUEUE_ALIGN * QUEUE_ALIGN);
	c->cut += t->length;
	return true;
}

/* got: bytes that were read to p, from t->low on; below 0: none. In pieces like those of fetch. */
static int give(struct source *s, const struct stretch *t, const uint8_t *p, ssize_t got, fetch_data_fn *data,
                void *arg, struct err *e)
{
	size_t before = (size_t)(t->at - t->low), n;
	if (got < 0)
		return err_sys(e, "read the file");
	if ((size_t)got < before + t->length)
		return err_set(e, EBADMSG, "the file ends at byte %llu: it is cut short",
		               (unsigned long long)(t->low + (uint64_t)got));
	s->read += t->length;
	for (size_t at = 0; at < t->length; at += n) {
		n = t->length - at < FETCH_PIECE ? t->length - at : FETCH_PIECE;
		if (s->tick && !s->tick(s->arg))
			return err_set(e, ECANCELED, "stopped");
		if (data(&t->range, t->at + at, p + before + at, n, arg, e) < 0)
			return -1;
	}
	return 0;
}

/* Past the page cache, like the target: what is read once is worth no memory, and no copy in it. The next ones are on
 * their way meanwhile, those of other ranges, too. */
static int read_stretches(struct source *s, struct cutter *c, fetch_data_fn *data, void *arg, struct err *e)
{
	struct stretch list[QUEUE_DEPTH] = {0}; /* by places of the queue */
	struct queue *q = &s->queue;
	uint8_t *p;
	for (;; queue_pop(q)) { /* ends with the ranges, which are finite */
		while (!queue_full(q) && next_stretch(c, &list[queue_next(q)]))
			queue_read(q, list[queue_next(q)].whole, list[queue_next(q)].low);
		if (q->count == 0)
			return 0;
		const struct stretch *t = &list[q->first];
		ssize_t got = queue_oldest(q, &p);
		if (got < 0) /* a file system that has no direct access says so here */
			got = sys_pread(s->fd, p, t->whole, (off_t)t->low);
		if (give(s, t, p, got, data, arg, e) < 0)
			return -1;
	}
}

static int read_file(struct source *s, fetch_next_fn *next, fetch_data_fn *data, void *arg, struct err *e)
{
	struct cutter c = {.next = next, .arg = arg};
	int rc = read_stretches(s, &c, data, arg, e);
	queue_drop(&s->queue); /* when it has ended early */
	return rc;
}

/* What has come; 0: the end. Who sends may be slow, but whoever wants us to stop is not to wait for that. */
static ssize_t read_some(const struct source *s, int fd, void *piece, size_t cap, struct err *e)
{
	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		if (s->tick && !s->tick(s->arg))
			return err_set(e, ECANCELED, "stopped");
		int ready = sys_poll(&p, 1, TICK_MS);
		ssize_t n = ready > 0 ? sys_read(fd, piece, cap) : -1;
		if (n >= 0)
			return n;
		if (ready != 0 && errno != EINTR && errno != EAGAIN)
			return err_sys(e, "read the upload");
	}
}

static int read_pipe(struct source *s, fetch_data_fn *data, void *arg, struct err *e)
{
	const struct fetch_range all = {0, s->file.size, 0};
	uint8_t piece[FETCH_PIECE];
	ssize_t n;
	while ((n = read_some(s, s->fd, piece, sizeof(piece), e)) > 0) {
		uint64_t at = s->read;
		if ((uint64_t)n > s->file.size - at)
			return err_set(e, EBADMSG, "the upload goes on behind its %llu bytes",
			               (unsigned long long)s->file.size);
		s->read += (uint64_t)n;
		if (data(&all, at, piece, (size_t)n, arg, e) < 0)
			return -1;
	}
	if (n < 0 || s->read == s->file.size)
		return (int)n;
	return err_set(e, EBADMSG, "the upload broke off at byte %llu of %llu", (unsigned long long)s->read,
	               (unsigned long long)s->file.size);
}

/* As much as there is; less than cap: the end. */
static ssize_t read_full(const struct source *s, int fd, uint8_t *piece, size_t cap, struct err *e)
{
	size_t have = 0;
	while (have < cap) {
		ssize_t n = read_some(s, fd, piece + have, cap - have, e);
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		have += (size_t)n;
	}
	return (ssize_t)have;
}

/* What fd has of r from *at on, in pieces like those of fetch. A piece that is cut comes again. */
static int read_part(struct source *s, int fd, const struct fetch_range *r, uint64_t *at, fetch_data_fn *data,
                     void *arg, struct err *e)
{
	uint8_t piece[FETCH_PIECE];
	while (*at < r->length) {
		size_t want = r->length - *at < sizeof(piece) ? (size_t)(r->length - *at) : sizeof(piece);
		ssize_t n = read_full(s, fd, piece, want, e);
		if (n < 0)
			return -1;
		s->read += (uint64_t)n;
		if ((size_t)n < want)
			return 0;
		if (data(r, r->offset + *at, piece, want, arg, e) < 0)
			return -1;
		*at += want;
	}
	return 0;
}

static int read_parts(struct source *s, const struct fetch_range *r, fetch_data_fn *data, void *arg, struct err *e)
{
	int rc = 0;
	for (uint64_t at = 0; rc == 0 && at < r->length;) {
		int fd = s->part(r->offset + at, r->length - at, s->arg, e);
		if (fd < 0)
			return -1;
		rc = read_part(s, fd, r, &at, data, arg, e);
		sys_close(fd);
	}
	return rc;
}

int source_ranges(struct source *s, fetch_next_fn *next, fetch_data_fn *data, void *arg, struct err *e)
{
	const struct fetch_job job = {&s->file, next, data, arg};
	struct fetch_range r;
	if (s->pipe)
		return err_set(e, EOPNOTSUPP, "an upload has no ranges");
	if (is_url(s))
		return fetch_ranges(&s->fetch, &job, e);
	if (!s->part)
		return read_file(s, next, data, arg, e);
	while (next(&r, arg)) {
		if (read_parts(s, &r, data, arg, e) < 0)
			return -1;
	}
	return 0;
}

/* source_range in terms of source_ranges: what is asked for once. */
struct single {
	struct fetch_range range;
	bool given;
	fetch_data_fn *data;
	void *arg;
};

static bool next_single(struct fetch_range *r, void *arg)
{
	struct single *one = arg;
	if (one->given)
		return false;
	one->given = true;
	*r = one->range;
	return true;
}

static int data_single(const struct fetch_range *r, uint64_t at, const void *data, size_t len, void *arg, struct err *e)
{
	const struct single *one = arg;
	return one->data(r, at, data, len, one->arg, e);
}

int source_range(struct source *s, uint64_t offset, uint64_t length, fetch_data_fn *data, void *arg, struct err *e)
{
	struct single one = {{offset, length, 0}, length == 0, data, arg};
	return source_ranges(s, next_single, data_single, &one, e);
}

int source_whole(struct source *s, fetch_data_fn *data, void *arg, struct err *e)
{
	const struct fetch_job job = {&s->file, NULL, data, arg};
	if (s->pipe)
		return read_pipe(s, data, arg, e);
	return is_url(s) ? fetch_whole(&s->fetch, &job, 0, e) : source_range(s, 0, s->file.size, data, arg, e);
}

uint64_t source_fetched(const struct source *s)
{
	return is_url(s) ? s->fetch.count.body : s->read;
}
