/* A kernel that reads beside: what was submitted is read, by sys_pread, when it is asked for. */
#ifndef HEARTH_TESTS_UPDATE_AIO_H
#define HEARTH_TESTS_UPDATE_AIO_H

#include <errno.h>
#include <string.h>

#include "fake/sys.h"

static struct {
	struct iocb read;
	bool under_way;
	unsigned reads;      /* how many were begun */
	unsigned interrupts; /* how many waits are to be interrupted */
	bool open;
} aio;

static int aio_setup(unsigned n, aio_context_t *context)
{
	assert_int_equal(n, 1);
	aio.open = true;
	*context = 5;
	return 0;
}

static int aio_submit(aio_context_t context, long n, struct iocb **list)
{
	assert_int_equal(context, 5);
	assert_int_equal(n, 1);
	assert_false(aio.under_way);
	assert_int_equal(list[0]->aio_lio_opcode, IOCB_CMD_PREAD);
	aio.read = *list[0];
	aio.under_way = true;
	aio.reads++;
	/* Nobody looks at it before it is there. */
	memset((void *)(uintptr_t)aio.read.aio_buf, 0xa5, aio.read.aio_nbytes);
	return 1;
}

static int aio_getevents(aio_context_t context, long min, long max, struct io_event *done, struct timespec *timeout)
{
	assert_int_equal(context, 5);
	assert_int_equal(min, 1);
	assert_int_equal(max, 1);
	assert_null(timeout);
	assert_true(aio.under_way);
	if (aio.interrupts > 0) {
		aio.interrupts--;
		errno = EINTR;
		return -1;
	}
	aio.under_way = false;
	ssize_t n = sys_pread((int)aio.read.aio_fildes, (void *)(uintptr_t)aio.read.aio_buf, aio.read.aio_nbytes,
	                      aio.read.aio_offset);
	*done = (struct io_event){.res = n < 0 ? -errno : n};
	return 1;
}

static int aio_destroy(aio_context_t context)
{
	assert_int_equal(context, 5);
	aio.open = aio.under_way = false;
	return 0;
}

static void aio_start(void)
{
	memset(&aio, 0, sizeof(aio));
	fake_io_setup = aio_setup;
	fake_io_submit = aio_submit;
	fake_io_getevents = aio_getevents;
	fake_io_destroy = aio_destroy;
}

#endif
