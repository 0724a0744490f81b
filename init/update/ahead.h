/* One read of a disk under way while the caller looks at the bytes of the last one: with direct access the kernel reads
 * nothing by itself, and disk and processor would wait for each other. By io_submit(2), which is asynchronous for
 * direct access alone; where the kernel has none of it, ahead_take reads then and there. */
#ifndef HEARTH_UPDATE_AHEAD_H
#define HEARTH_UPDATE_AHEAD_H

#include <linux/aio_abi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct ahead {
	aio_context_t context; /* 0: none */
	int fd;
	bool under_way;
	struct iocb read;
};

/* fd stays the caller's. Ended with ahead_fini, before the memory of a read goes. */
void ahead_init(struct ahead *a, int fd);
/* Begins to read n bytes at byte `at` into p, which is the kernel's until ahead_take. One at a time. */
void ahead_start(struct ahead *a, void *p, size_t n, uint64_t at);
/* Waits for it. As pread(2). */
ssize_t ahead_take(struct ahead *a);
void ahead_fini(struct ahead *a);

#endif
