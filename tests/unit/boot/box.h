/* All of PID 1 for tests of what its parts cause in each other: real loop, facts and wiring, a hand-advanced clock, and
 * nothing that could do harm. There is no file, a start fails (and is counted), nobody is killed, nothing reboots; a
 * test puts its own in place of these between box_clear and box_start. */
#ifndef HEARTH_TESTS_UNIT_BOOT_BOX_H
#define HEARTH_TESTS_UNIT_BOOT_BOX_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "boot/wire.h"
#include "fake/sys.h"

static struct box box;
static struct err e;
static unsigned spawns;

static inline int no_reboot(int how)
{
	(void)how;
	return 0;
}

static inline int no_kill(pid_t pid, int signo)
{
	(void)pid;
	(void)signo;
	return 0;
}

static inline pid_t no_child(int (*fn)(void *), void *arg, int *pidfd)
{
	(void)fn;
	(void)arg;
	(void)pidfd;
	spawns++;
	errno = EAGAIN;
	return -1;
}

static inline int no_file(const char *path, int flags, mode_t mode)
{
	(void)path;
	(void)flags;
	(void)mode;
	errno = ENOENT;
	return -1;
}

static inline void box_clear(void)
{
	fake_reset();
	fake_reboot = no_reboot;
	fake_kill = no_kill;
	fake_vfork_call = no_child;
	fake_open = no_file;
	fake_epoll_wait = fake_epoll_now;
	fake_clock_ms = 5000;
	spawns = 0;
	memset(&box, 0, sizeof(box));
}

static inline int box_start(const struct stage_row *rows)
{
	if (loop_init(&box.loop, &e) < 0 || wire_init(&box, &e) < 0)
		return -1;
	return stages_init(&box.stages, rows, wire_stage, &box, &e);
}

static inline void box_end(void)
{
	power_fini(&box.power);
	loop_fini(&box.loop);
	fake_reset();
}

static inline void box_steps(unsigned turns)
{
	for (unsigned i = 0; i < turns; i++)
		assert_int_equal(loop_step(&box.loop, &e), 0);
}

/* One that does not run. */
static inline struct service *box_service(const char *name)
{
	struct service *s = &box.services.service[box.services.count++];
	assert_int_equal(str_copy(s->def.name, sizeof(s->def.name), name), 0);
	s->all = &box.services;
	s->child.pidfd = s->notify_fd = s->log_fd = s->log_read_fd = s->cgroup_fd = -1;
	return s;
}

#endif
