/* A read that goes on meanwhile; see ahead.h. Used by the update's worker. */
#include "update/ahead.h"

#include <errno.h>
#include <string.h>

#include "base/sys.h"

void ahead_init(struct ahead *a, int fd)
{
	memset(a, 0, sizeof(*a));
	a->fd = fd;
	if (sys_io_setup(1, &a->context) < 0)
		a->context = 0;
}

void ahead_start(struct ahead *a, void *p, size_t n, uint64_t at)
{
	struct iocb *list = &a->read;

	a->read = (struct iocb){
		.aio_lio_opcode = IOCB_CMD_PREAD,
		.aio_fildes = (uint32_t)a->fd,
		.aio_buf = (uintptr_t)p,
		.aio_nbytes = n,
		.aio_offset = (int64_t)at,
	};
	a->under_way = a->context != 0 && sys_io_submit(a->context, 1, &list) == 1;
}

ssize_t ahead_take(struct ahead *a)
{
	struct io_event done;
	int n;

	if (!a->under_way)
		return sys_pread(a->fd, (void *)(uintptr_t)a->read.aio_buf, a->read.aio_nbytes, a->read.aio_offset);
	do
		n = sys_io_getevents(a->context, 1, 1, &done, NULL);
	while (n < 0 && errno == EINTR);
	if (n != 1)
		return -1;
	a->under_way = false;
	if (done.res >= 0)
		return (ssize_t)done.res;
	errno = (int)-done.res;
	return -1;
}

/* Waits for what is under way. */
void ahead_fini(struct ahead *a)
{
	if (a->context != 0)
		(void)sys_io_destroy(a->context);
}
