/* cgroup v2 groups of services: PATH_CGROUP_SERVICES/NAME. Used by PID 1.
 *
 * Everything here may fail and nothing depends on it: without cgroups services run as well, only without limits, and
 * killing goes to the process group. All calls are short reads and writes of kernel files; none waits. */
#ifndef HEARTH_HOST_CGROUP_H
#define HEARTH_HOST_CGROUP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* Makes the folder of all services and passes the controllers on that exist (memory, pids, cpu, io). Once per boot,
 * after cgroup2 is mounted. -1: there are no cgroups. A missing controller is no error. */
MUST_CHECK int cgroup_setup(struct err *e);
/* Makes the group with its limits (bytes, 0: none) and opens its cgroup.procs, close-on-exec: a process that writes
 * "0" there joins. Returns the descriptor or -1. A limit that is refused is no error as long as the group is there. */
MUST_CHECK int cgroup_open(const char *name, uint64_t memory_max, uint64_t memory_min, struct err *e);
/* SIGKILL to everybody in the group and below (cgroup.kill); on kernels without it to the members one by one, in a
 * few bounded rounds. A group that does not exist is empty. */
MUST_CHECK int cgroup_kill(const char *name, struct err *e);
/* Somebody is left in the group or below. False when it cannot be told. */
bool cgroup_populated(const char *name);
/* Bytes that the group uses; 0 when unknown. */
uint64_t cgroup_memory(const char *name);
/* Takes the empty group away; -1 (EBUSY) while somebody is in it. */
MUST_CHECK int cgroup_remove(const char *name, struct err *e);

#endif
