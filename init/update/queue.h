/* A few reads or writes of a disk under way at a time, past the page cache, in a ring: the oldest is waited for while
 * the others go on, so that disk and processor do not wait for each other, and an install leaves the memory of
 * everybody else alone. By io_submit(2), which is asynchronous for direct access alone; where the kernel has none of
 * it, each is done when it is begun.
 *
 *   writing: fill queue_room(), queue_write; queue_written when it is full, and at the end until nothing is left.
 *   reading: queue_read until it is full; queue_oldest, look at it, queue_pop; and so on.
 *
 * Not both at a time. Memory: 2 MiB. */
#ifndef HEARTH_UPDATE_QUEUE_H
#define HEARTH_UPDATE_QUEUE_H

#include <linux/aio_abi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

#define QUEUE_DEPTH 4
#define QUEUE_BYTES (512u << 10) /* of one */
#define QUEUE_ALIGN 4096         /* what direct access is sure to take */

struct queue {
	aio_context_t context; /* 0: none */
	int fd;
	unsigned first, count;
	struct queue_place {
		struct iocb io;
		bool under_way;
		ssize_t result; /* as io_event.res: below 0 an errno */
	} place[QUEUE_DEPTH];
	uint8_t *memory;
};

/* fd stays the caller's, and is without direct access for everybody else who reads or writes it. */
MUST_CHECK int queue_init(struct queue *q, int fd, struct err *e);
/* Waits for what is under way. Allowed after a failed init, and twice. */
void queue_fini(struct queue *q);

bool queue_full(const struct queue *q);
/* The place that is begun next, below QUEUE_DEPTH; the oldest is q->first. For what a caller keeps of each. */
unsigned queue_next(const struct queue *q);
/* QUEUE_BYTES for what is begun next. Not when it is full. */
uint8_t *queue_room(struct queue *q);
/* Begins with the n bytes of queue_room, at byte `at` of the disk. Not when it is full. What is no multiple of
 * QUEUE_ALIGN goes by way of the page cache. */
void queue_write(struct queue *q, size_t n, uint64_t at);
void queue_read(struct queue *q, size_t n, uint64_t at);

/* Waits for the oldest read; as pread(2). *p: its bytes, until queue_pop. Not when it is empty. */
ssize_t queue_oldest(struct queue *q, uint8_t **p);
void queue_pop(struct queue *q);
/* Waits for all, and takes them out unseen. */
void queue_drop(struct queue *q);
/* Waits for the oldest write, and takes it out. An error when it was not whole. Not when it is empty. */
MUST_CHECK int queue_written(struct queue *q, struct err *e);

#endif
