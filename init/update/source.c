/* A bundle's bytes from a file, a pipe or a URL. Part of the worker: it may block, and must not believe a length. */
#include "update/source.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>

#include "base/str.h"
#include "base/sys.h"

#define TICK_MS 1000

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
	(void)sys_posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL); /* the kernel reads further ahead */
	return 0;
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

void source_close(struct source *s)
{
	if (s->fd < 0)
		fetch_close(&s->fetch);
}

/* One range of a file, in pieces like those of fetch. */
static int read_range(struct source *s, const struct fetch_range *r, fetch_data_fn *data, void *arg, struct err *e)
{
	uint8_t piece[FETCH_PIECE];
	for (uint64_t at = 0; at < r->length;) {
		size_t want = r->length - at < sizeof(piece) ? (size_t)(r->length - at) : sizeof(piece);
		ssize_t n = sys_pread(s->fd, piece, want, (off_t)(r->offset + at));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "read the file");
		if (n == 0)
			return err_set(e, EBADMSG, "the file ends at byte %llu: it is cut short",
			               (unsigned long long)(r->offset + at));
		s->read += (uint64_t)n;
		if (s->tick && !s->tick(s->arg))
			return err_set(e, ECANCELED, "stopped");
		if (data(r, r->offset + at, piece, (size_t)n, arg, e) < 0)
			return -1;
		at += (uint64_t)n;
	}
	return 0;
}

/* What has come; 0: the end. Who sends may be slow, but whoever wants us to stop is not to wait for that. */
static ssize_t read_some(const struct source *s, void *piece, size_t cap, struct err *e)
{
	for (;;) {
		struct pollfd p = {.fd = s->fd, .events = POLLIN};
		if (s->tick && !s->tick(s->arg))
			return err_set(e, ECANCELED, "stopped");
		int ready = sys_poll(&p, 1, TICK_MS);
		ssize_t n = ready > 0 ? sys_read(s->fd, piece, cap) : -1;
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
	while ((n = read_some(s, piece, sizeof(piece), e)) > 0) {
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

int source_ranges(struct source *s, fetch_next_fn *next, fetch_data_fn *data, void *arg, struct err *e)
{
	const struct fetch_job job = {&s->file, next, data, arg};
	struct fetch_range r;
	if (s->pipe)
		return err_set(e, EOPNOTSUPP, "an upload has no ranges");
	if (s->fd < 0)
		return fetch_ranges(&s->fetch, &job, e);
	while (next(&r, arg)) {
		if (read_range(s, &r, data, arg, e) < 0)
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
	const struct fetch_range all = {0, s->file.size, 0};
	if (s->pipe)
		return read_pipe(s, data, arg, e);
	return s->fd < 0 ? fetch_whole(&s->fetch, &job, 0, e) : read_range(s, &all, data, arg, e);
}

uint64_t source_fetched(const struct source *s)
{
	return s->fd < 0 ? s->fetch.count.body : s->read;
}
