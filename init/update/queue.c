/* Reads and writes that go on meanwhile; see queue.h. Used by the update's worker. */
#include "update/queue.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/sys.h"
#include "update/blockio.h"

/* One large page of the processor: the kernel looks up each page of a direct transfer, which for 512 small ones takes
 * longer than to hash what is in them. */
#define MEMORY ((size_t)QUEUE_DEPTH * QUEUE_BYTES)

_Static_assert(MEMORY == 2 << 20, "a large page of x86-64");

int queue_init(struct queue *q, int fd, struct err *e)
{
	memset(q, 0, sizeof(*q));
	q->fd = fd;
	q->memory = aligned_alloc(MEMORY, MEMORY);
	if (!q->memory)
		return err_set(e, ENOMEM, "no memory for reads and writes");
	(void)sys_madvise(q->memory, MEMORY, MADV_HUGEPAGE);
	if (sys_io_setup(QUEUE_DEPTH, &q->context) < 0)
		q->context = 0;
	return 0;
}

void queue_fini(struct queue *q)
{
	if (q->context != 0)
		(void)sys_io_destroy(q->context);
	free(q->memory);
	memset(q, 0, sizeof(*q));
}

bool queue_full(const struct queue *q)
{
	return q->count == QUEUE_DEPTH;
}

unsigned queue_next(const struct queue *q)
{
	return (q->first + q->count) % QUEUE_DEPTH;
}

uint8_t *queue_room(struct queue *q)
{
	return q->memory + (size_t)queue_next(q) * QUEUE_BYTES;
}

static ssize_t then_and_there(const struct iocb *io)
{
	int fd = (int)io->aio_fildes;
	void *p = (void *)(uintptr_t)io->aio_buf;
	struct err e;

	if (io->aio_lio_opcode == IOCB_CMD_PWRITE)
		return blockio_write(fd, p, io->aio_nbytes, (uint64_t)io->aio_offset, &e) < 0 ? -e.code
		                                                                              : (ssize_t)io->aio_nbytes;
	ssize_t n = sys_pread(fd, p, io->aio_nbytes, io->aio_offset);
	return n < 0 ? -errno : n;
}

static bool turn_direct_on(int fd, int *flags)
{
	*flags = sys_fcntl(fd, F_GETFL, 0);
	return *flags >= 0 && !(*flags & O_DIRECT) && sys_fcntl(fd, F_SETFL, *flags | O_DIRECT) == 0;
}

/* The flag is that of the descriptor, and everybody else who reads it wants the page cache: it is on for this call. */
static void begin(struct queue *q, struct queue_place *p)
{
	struct iocb *list = &p->io;
	bool even = (p->io.aio_nbytes | (uint64_t)p->io.aio_offset) % QUEUE_ALIGN == 0;
	int flags;
	bool turned = even && turn_direct_on(q->fd, &flags);

	p->under_way = even && q->context != 0 && sys_io_submit(q->context, 1, &list) == 1;
	if (!p->under_way)
		p->result = then_and_there(&p->io);
	if (turned)
		(void)sys_fcntl(q->fd, F_SETFL, flags);
}

static void add(struct queue *q, uint16_t what, size_t n, uint64_t at)
{
	struct queue_place *p = &q->place[queue_next(q)];

	p->io = (struct iocb){
		.aio_data = queue_next(q),
		.aio_lio_opcode = what,
		.aio_fildes = (uint32_t)q->fd,
		.aio_buf = (uintptr_t)queue_room(q),
		.aio_nbytes = n,
		.aio_offset = (int64_t)at,
	};
	begin(q, p);
	q->count++;
}

void queue_write(struct queue *q, size_t n, uint64_t at)
{
	add(q, IOCB_CMD_PWRITE, n, at);
}

void queue_read(struct queue *q, size_t n, uint64_t at)
{
	add(q, IOCB_CMD_PREAD, n, at);
}

/* They end in any order. */
static int wait_for(struct queue *q, const struct queue_place *p)
{
	struct io_event done;

	while (p->under_way) { /* each round ends one */
		int n = sys_io_getevents(q->context, 1, 1, &done, NULL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n != 1 || done.data >= QUEUE_DEPTH)
			return -1;
		q->place[done.data].result = (ssize_t)done.res;
		q->place[done.data].under_way = false;
	}
	return 0;
}

ssize_t queue_oldest(struct queue *q, uint8_t **p)
{
	struct queue_place *oldest = &q->place[q->first];

	*p = q->memory + (size_t)q->first * QUEUE_BYTES;
	if (wait_for(q, oldest) < 0)
		return -1;
	if (oldest->result >= 0)
		return oldest->result;
	errno = (int)-oldest->result;
	return -1;
}

void queue_pop(struct queue *q)
{
	q->first = (q->first + 1) % QUEUE_DEPTH;
	q->count--;
}

void queue_drop(struct queue *q)
{
	uint8_t *ignored;

	for (; q->count > 0; queue_pop(q))
		(void)queue_oldest(q, &ignored);
}

int queue_written(struct queue *q, struct err *e)
{
	const struct iocb *io = &q->place[q->first].io;
	unsigned long long at = (unsigned long long)io->aio_offset;
	uint8_t *p;
	ssize_t n = queue_oldest(q, &p);

	queue_pop(q);
	if (n < 0)
		return err_sys(e, "write at byte %llu", at);
	return (uint64_t)n == io->aio_nbytes ? 0 : err_set(e, ENOSPC, "no room at byte %llu", at + (uint64_t)n);
}
