/* A kernel that reads and writes beside: what was submitted is done, by sys_pread and sys_pwrite, when it is asked for,
 * the last one first. */
#ifndef HEARTH_TESTS_UPDATE_AIO_H
#define HEARTH_TESTS_UPDATE_AIO_H

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "fake/sys.h"

#define AIO_MOST 8

static struct {
	struct iocb list[AIO_MOST];
	unsigned count, most; /* under way now, and at most */
	unsigned begun;
	unsigned interrupts; /* how many waits are to be interrupted */
	bool open;
} aio;

static int aio_setup(unsigned n, aio_context_t *context)
{
	assert_true(n > 0 && n <= AIO_MOST);
	aio.open = true;
	*context = 5;
	return 0;
}

static int aio_submit(aio_context_t context, long n, struct iocb **list)
{
	assert_int_equal(context, 5);
	assert_int_equal(n, 1);
	assert_true(aio.count < AIO_MOST);
	/* Else the kernel would wait for it here. */
	assert_true(sys_fcntl((int)list[0]->aio_fildes, F_GETFL, 0) & O_DIRECT);
	if (list[0]->aio_lio_opcode == IOCB_CMD_PREAD) /* nobody looks at it before it is there */
		memset((void *)(uintptr_t)list[0]->aio_buf, 0xa5, list[0]->aio_nbytes);
	else
		assert_int_equal(list[0]->aio_lio_opcode, IOCB_CMD_PWRITE);
	aio.list[aio.count++] = *list[0];
	aio.most = aio.most > aio.count ? aio.most : aio.count;
	aio.begun++;
	return 1;
}

static int aio_getevents(aio_context_t context, long min, long max, struct io_event *done, struct timespec *timeout)
{
	assert_int_equal(context, 5);
	assert_int_equal(min, 1);
	assert_int_equal(max, 1);
	assert_null(timeout);
	assert_true(aio.count > 0);
	if (aio.interrupts > 0) {
		aio.interrupts--;
		errno = EINTR;
		return -1;
	}
	const struct iocb *io = &aio.list[--aio.count];
	void *p = (void *)(uintptr_t)io->aio_buf;
	ssize_t n = io->aio_lio_opcode == IOCB_CMD_PREAD
	                    ? sys_pread((int)io->aio_fildes, p, io->aio_nbytes, io->aio_offset)
	                    : sys_pwrite((int)io->aio_fildes, p, io->aio_nbytes, io->aio_offset);
	*done = (struct io_event){.data = io->aio_data, .res = n < 0 ? -errno : n};
	return 1;
}

static int aio_destroy(aio_context_t context)
{
	assert_int_equal(context, 5);
	aio.open = false;
	aio.count = 0;
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
