/* Figures about the machine for the status: memory, load, processors, file systems. All from the kernel's memory,
 * without waiting; what cannot be read comes out as 0 or "". */
#ifndef HEARTH_HOST_SYSINFO_H
#define HEARTH_HOST_SYSINFO_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define SYSINFO_LOAD 16

struct sysinfo_memory {
	uint64_t total, available; /* bytes */
};

/* Pure: the text of /proc/meminfo. */
void sysinfo_meminfo(const char *text, struct sysinfo_memory *m);
void sysinfo_memory(struct sysinfo_memory *m);
/* The load of the last minute, "0.10". */
void sysinfo_load(char dst[SYSINFO_LOAD]);
/* Processors that are online. */
unsigned sysinfo_cpus(void);
/* Pure: "0-3,5\n" is 5. */
unsigned sysinfo_cpu_list(const char *text);
/* Bytes of the file system that holds path: all, and free for ordinary users. */
MUST_CHECK int sysinfo_disk(const char *path, uint64_t *total, uint64_t *available, struct err *e);
/* One decimal number from a small file ("memory.current"); 0 when there is none. */
uint64_t sysinfo_number(const char *path);

#endif
