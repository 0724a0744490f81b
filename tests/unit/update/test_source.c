/* init/update/source.c: the side of files and pipes; that of URLs is update/fetch (tests/fetch, tests/update). */
#include "update/source.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "fake/sys.h"
#include "unit/update/aio.h"

#define SIZE 1000000 /* three stretches */

static struct err e;
static struct source s;
static uint8_t bytes[SIZE], got[SIZE];
static int fd;
static unsigned pieces, ticks, ticks_left;
static uint64_t next_at;

static bool on_tick(void *arg)
{
	(void)arg;
	ticks++;
	return ticks_left-- > 0;
}

static int on_data(const struct fetch_range *r, uint64_t at, const void *p, size_t n, void *arg, struct err *err)
{
	(void)err;
	assert_ptr_equal(arg, &s);
	assert_true(at >= r->offset && at + n <= r->offset + r->length && n <= FETCH_PIECE);
	memcpy(got + at, p, n);
	pieces++;
	return 0;
}

static int refuse(const struct fetch_range *r, uint64_t at, const void *p, size_t n, void *arg, struct err *err)
{
	(void)r;
	(void)at;
	(void)p;
	(void)n;
	(void)arg;
	return err_set(err, EBADMSG, "no");
}

static bool on_next(struct fetch_range *r, void *arg)
{
	(void)arg;
	if (next_at >= SIZE)
		return false;
	*r = (struct fetch_range){next_at, 1000, 7};
	next_at += 250000;
	return true;
}

static int setup(void **state)
{
	const struct fetch_config config = {.tick = on_tick};

	(void)state;
	fake_reset();
	for (size_t i = 0; i < SIZE; i++)
		bytes[i] = (uint8_t)(i * 7 / 3);
	memset(got, 0, sizeof(got));
	fd = memfd_create("source", 0);
	pieces = ticks = 0;
	next_at = 0;
	ticks_left = 1000;
	if (write(fd, bytes, SIZE) != SIZE)
		return -1;
	return source_open(&s, fd, "", &config, &e);
}

static int teardown(void **state)
{
	(void)state;
	source_close(&s);
	close(fd);
	fake_reset();
	return 0;
}

static void a_range_comes_in_pieces(void **state)
{
	(void)state;
	assert_int_equal(s.file.size, SIZE);
	assert_int_equal(source_range(&s, 10, 70000, on_data, &s, &e), 0);
	assert_int_equal(pieces, 2);
	assert_int_equal(ticks, 2);
	assert_memory_equal(got + 10, bytes + 10, 70000);
	assert_int_equal(got[9], 0);
	assert_int_equal(got[70010], 0);
	assert_int_equal(source_fetched(&s), 70000);
	assert_int_equal(source_range(&s, 10, 0, on_data, &s, &e), 0);
}

static void ranges_and_the_whole(void **state)
{
	(void)state;
	assert_int_equal(source_ranges(&s, on_next, on_data, &s, &e), 0);
	assert_int_equal(pieces, 4);
	assert_memory_equal(got + 750000, bytes + 750000, 1000);
	assert_int_equal(source_whole(&s, on_data, &s, &e), 0);
	assert_memory_equal(got, bytes, SIZE);
}

static unsigned reads_left;

static ssize_t no_pread(int from, void *p, size_t n, off_t at)
{
	if (reads_left == 0)
		return pread(from, p, n, at);
	reads_left--;
	errno = EIO;
	return -1;
}

static int always_direct(int which, int cmd, int arg)
{
	(void)which;
	(void)arg;
	return cmd == F_SETFL ? 0 : O_DIRECT;
}

static void what_ends_it(void **state)
{
	(void)state;
	assert_int_equal(source_range(&s, SIZE - 5, 10, on_data, &s, &e), -1);
	assert_int_equal(e.code, EBADMSG);
	assert_int_equal(source_range(&s, 0, 10, refuse, &s, &e), -1);
	assert_string_equal(e.text, "no");
	ticks_left = 0;
	assert_int_equal(source_range(&s, 0, 10, on_data, &s, &e), -1);
	assert_int_equal(e.code, ECANCELED);
	ticks_left = 9;
	fake_pread = no_pread;
	reads_left = 1; /* without direct access, say */
	assert_int_equal(source_range(&s, 0, 10, on_data, &s, &e), 0);
	reads_left = 2;
	assert_int_equal(source_range(&s, 0, 10, on_data, &s, &e), -1);
	assert_int_equal(e.code, EIO);
}

/* With a kernel that reads beside; the disk's blocks are none of the caller's business. */
static void the_next_is_read_meanwhile(void **state)
{
	const struct fetch_config config = {0};

	(void)state;
	source_close(&s);
	aio_start();
	fake_fcntl = always_direct;
	assert_int_equal(source_open(&s, fd, "", &config, &e), 0);
	for (uint64_t from = 0; from < 3 * 4096; from += 1111) {
		memset(got, 0, sizeof(got));
		pieces = 0;
		assert_int_equal(source_range(&s, from, SIZE - from, on_data, &s, &e), 0);
		assert_memory_equal(got + from, bytes + from, SIZE - from);
		assert_int_equal(pieces, (SIZE - from + FETCH_PIECE - 1) / FETCH_PIECE);
		assert_int_equal(source_range(&s, from + 1, SIZE, on_data, &s, &e), -1);
		assert_int_equal(e.code, EBADMSG);
		assert_int_equal(aio.count, 0);
	}
	assert_int_equal(aio.most, 3);
	assert_int_equal(source_ranges(&s, on_next, on_data, &s, &e), 0);
	assert_int_equal(aio.most, 4); /* of four ranges */
	for (uint64_t from = 0; from < SIZE; from += 250000)
		assert_memory_equal(got + from, bytes + from, 1000);
	assert_int_equal(source_range(&s, 0, SIZE, refuse, &s, &e), -1);
	assert_int_equal(aio.count, 0); /* nothing reads into memory that is somebody else's then */
}

static void only_files_are_taken(void **state)
{
	const struct fetch_config config = {0};
	struct source other;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(source_open(&other, fds[0], "", &config, &e), -1);
	assert_int_equal(e.code, EINVAL);
	close(fds[0]);
	assert_int_equal(source_open(&other, fds[0], "", &config, &e), -1);
	assert_int_equal(e.code, EBADF);
	close(fds[1]);
}

/* A pipe with the first n bytes, and the end behind them. */
static int pipe_of(size_t n)
{
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	assert_true(fcntl(fds[1], F_SETPIPE_SZ, 1 << 20) >= SIZE);
	assert_int_equal(write(fds[1], bytes, n), n);
	close(fds[1]);
	return fds[0];
}

static int read_upload(size_t n, uint64_t size)
{
	const struct fetch_config config = {.tick = on_tick};
	int from = pipe_of(n);

	memset(got, 0, sizeof(got));
	err_clear(&e);
	source_close(&s);
	assert_int_equal(source_open_pipe(&s, from, size, &config, &e), 0);
	assert_int_equal(s.file.size, size);
	int rc = source_whole(&s, on_data, &s, &e);
	source_close(&s);
	close(from);
	return rc;
}

static void an_upload_is_read_once(void **state)
{
	(void)state;
	assert_int_equal(read_upload(SIZE, SIZE), 0);
	assert_memory_equal(got, bytes, SIZE);
	assert_int_equal(source_fetched(&s), SIZE);
	assert_true(ticks > 0);
	assert_int_equal(source_range(&s, 0, 10, on_data, &s, &e), -1);
	assert_int_equal(e.code, EOPNOTSUPP);
}

static void an_upload_that_is_wrong(void **state)
{
	static const struct {
		size_t is;
		uint64_t said;
		const char *says;
	} cases[] = {
		{SIZE - 1, SIZE, "broke off at byte 999999 of 1000000"},
		{0, SIZE, "broke off at byte 0 of"},
		{SIZE, SIZE - 1, "goes on behind its 999999"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		assert_int_equal(read_upload(cases[i].is, cases[i].said), -1);
		assert_int_equal(e.code, EBADMSG);
		if (!strstr(e.text, cases[i].says))
			fail_msg("%s", e.text);
	}
	ticks_left = 0;
	assert_int_equal(read_upload(SIZE, SIZE), -1);
	assert_int_equal(e.code, ECANCELED);
}

static unsigned naps;

static int nap_poll(struct pollfd *p, nfds_t n, int timeout)
{
	(void)n;
	(void)timeout;
	p->revents = POLLIN;
	errno = EINTR;
	if (naps == 0)
		return 1;
	return --naps == 0 ? -1 : 0;
}

/* Nothing has come yet: whoever wants an end is heard. */
static void a_slow_upload_is_waited_for(void **state)
{
	(void)state;
	fake_poll = nap_poll;
	naps = 4;
	assert_int_equal(read_upload(1000, 1000), 0);
	assert_true(ticks >= 4);
	assert_memory_equal(got, bytes, 1000);
	naps = 100;
	ticks_left = 5;
	assert_int_equal(read_upload(1000, 1000), -1);
	assert_int_equal(e.code, ECANCELED);
}

static void only_pipes_are_uploads(void **state)
{
	const struct fetch_config config = {0};
	struct source other;

	(void)state;
	assert_int_equal(source_open_pipe(&other, fd, 5, &config, &e), -1);
	assert_int_equal(e.code, EINVAL);
	assert_int_equal(source_open_pipe(&other, -1, 5, &config, &e), -1);
	assert_int_equal(e.code, EBADF);
}

/* What is asked for, and how much of it comes at a time; 0: there is no more. */
static uint64_t asked[4], comes;
static unsigned parts;

static int on_part(uint64_t from, uint64_t length, void *arg, struct err *err)
{
	int fds[2];

	(void)arg;
	if (comes == 0)
		return err_set(err, EPIPE, "nobody is there");
	asked[parts++ % COUNT_OF(asked)] = from;
	assert_int_equal(pipe(fds), 0);
	assert_true(fcntl(fds[1], F_SETPIPE_SZ, 1 << 20) >= SIZE);
	assert_int_equal(write(fds[1], bytes + from, length < comes ? length : comes), length < comes ? length : comes);
	close(fds[1]);
	return fds[0];
}

/* A part that breaks off is gone on with behind its last whole piece, and none of it comes out twice. */
static void parts_are_asked_for(void **state)
{
	const struct fetch_config config = {.tick = on_tick};

	(void)state;
	source_close(&s);
	source_open_parts(&s, SIZE, on_part, &config);
	comes = SIZE;
	parts = 0;
	assert_int_equal(source_ranges(&s, on_next, on_data, &s, &e), 0);
	assert_int_equal(parts, 4);
	assert_int_equal(asked[3], 750000);
	assert_memory_equal(got + 750000, bytes + 750000, 1000);
	comes = FETCH_PIECE + 10;
	parts = pieces = 0;
	assert_int_equal(source_range(&s, 100, 3 * FETCH_PIECE, on_data, &s, &e), 0);
	assert_int_equal(parts, 3);
	assert_int_equal(pieces, 3);
	assert_int_equal(asked[2], 100 + 2 * FETCH_PIECE);
	assert_memory_equal(got + 100, bytes + 100, 3 * FETCH_PIECE);
	assert_int_equal(source_fetched(&s), 4000 + 3 * FETCH_PIECE + 20);
	assert_int_equal(source_range(&s, 0, 10, refuse, &s, &e), -1);
	assert_string_equal(e.text, "no");
	ticks_left = 0;
	assert_int_equal(source_whole(&s, on_data, &s, &e), -1);
	assert_int_equal(e.code, ECANCELED);
	comes = 0;
	assert_int_equal(source_range(&s, 0, 10, on_data, &s, &e), -1);
	assert_string_equal(e.text, "nobody is there");
	source_close(&s);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_range_comes_in_pieces),    T(ranges_and_the_whole),        T(what_ends_it),
		T(the_next_is_read_meanwhile), T(only_files_are_taken),        T(an_upload_is_read_once),
		T(an_upload_that_is_wrong),    T(a_slow_upload_is_waited_for), T(only_pipes_are_uploads),
		T(parts_are_asked_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
