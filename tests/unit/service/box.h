/* A table of services for the tests of this folder: real loop, facts and events, a hand-advanced clock, programs that
 * only exist as numbers. Programs end when a test says so (box_exit); what was signalled stands in box.signals. */
#ifndef HEARTH_TESTS_UNIT_SERVICE_BOX_H
#define HEARTH_TESTS_UNIT_SERVICE_BOX_H

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/str.h"
#include "fake/sys.h"
#include "service/table.h"

static struct {
	struct loop loop;
	struct facts facts;
	struct events events;
	struct services services;
	char dir[64];
	char trace[8192];    /* "NAME:STATE " per event */
	char problems[8192]; /* one line each */
	char signals[1024];  /* "NAME:SIGNAL " */
	pid_t last_pid;
	int spawn_errno; /* != 0: starts fail */
	struct {
		pid_t pid;
		int code, status;
	} ended[8];
	unsigned ends;
} box;

static inline void box_append(char *dst, size_t cap, const char *text)
{
	struct buf b;

	buf_init(&b, dst + strlen(dst), cap - strlen(dst));
	buf_add(&b, text);
	assert_true(buf_ok(&b));
}

static inline void box_on_event(const struct event *ev, void *arg)
{
	char text[128];
	(void)arg;

	if (ev->kind != EVENT_SERVICE)
		return;
	snprintf(text, sizeof(text), "%s:%.*s ", ev->name, (int)strcspn(ev->text, ":"), ev->text);
	box_append(box.trace, sizeof(box.trace), text);
}

static inline void box_on_problem(const char *message, void *arg)
{
	(void)arg;
	box_append(box.problems, sizeof(box.problems), message);
	box_append(box.problems, sizeof(box.problems), "\n");
}

static inline pid_t box_vfork(int (*fn)(void *), void *arg, int *pidfd)
{
	(void)fn;
	(void)arg;
	if (box.spawn_errno != 0) {
		errno = box.spawn_errno;
		return -1;
	}
	*pidfd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return ++box.last_pid;
}

static inline struct service *box_get(const char *name)
{
	struct service *s = services_find(&box.services, name);

	assert_non_null(s);
	return s;
}

static inline int box_signal(int pidfd, int signo)
{
	char text[64];

	for (unsigned i = 0; i < box.services.count; i++) {
		struct service *s = &box.services.service[i];
		if (s->child.pidfd != pidfd || s->child.pid == 0)
			continue;
		snprintf(text, sizeof(text), "%s:%s ", s->def.name, service_signal_name(signo));
		box_append(box.signals, sizeof(box.signals), text);
	}
	return 0;
}

/* Nothing but the group kill of clean-up and kill comes here; there is nobody. */
static inline int box_kill(pid_t pid, int signo)
{
	assert_true(pid < -1);
	assert_int_equal(signo, SIGKILL);
	errno = ESRCH;
	return -1;
}

static inline int box_waitid(idtype_t type, id_t id, siginfo_t *info, int options)
{
	(void)type;
	(void)id;
	(void)options;
	memset(info, 0, sizeof(*info));
	if (box.ends == 0)
		return 0;
	box.ends--;
	info->si_pid = box.ended[box.ends].pid;
	info->si_code = box.ended[box.ends].code;
	info->si_status = box.ended[box.ends].status;
	return 0;
}

static inline void box_fakes(void)
{
	fake_reset();
	fake_clock_ms = 1000;
	fake_vfork_call = box_vfork;
	fake_pidfd_send_signal = box_signal;
	fake_kill = box_kill;
	fake_waitid = box_waitid;
	fake_epoll_wait = fake_epoll_now;
}

static inline int box_setup(void **state)
{
	struct err e;
	(void)state;

	log_init("test", -1, 0);
	memset(&box, 0, sizeof(box));
	box.last_pid = 5000000; /* no process of this machine */
	box_fakes();
	strcpy(box.dir, "/tmp/hearth-services-XXXXXX");
	if (!mkdtemp(box.dir) || loop_init(&box.loop, &e) < 0)
		return -1;
	facts_init(&box.facts);
	events_init(&box.events);
	events_listen(&box.events, box_on_event, NULL);
	services_init(&box.services, &box.loop, &box.facts, &box.events);
	return 0;
}

static inline void box_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static inline int box_teardown(void **state)
{
	char command[96];
	(void)state;

	fake_reset();
	fake_waitid = box_waitid;
	for (unsigned i = 0; i < box.services.count; i++)
		box.services.service[i].want_up = false;
	box.trace[0] = '\0';
	for (unsigned i = 0; i < box.services.count; i++) {
		struct service *s = &box.services.service[i];
		if (s->child.pid > 0) { /* so that the child table is empty again */
			box.ended[0].pid = s->child.pid;
			box.ended[0].code = CLD_EXITED;
			box.ends = 1;
			fake_kill = box_kill;
			child_reap();
		}
		box_close(&s->log_fd);
		box_close(&s->log_read_fd);
		box_close(&s->cgroup_fd);
	}
	loop_fini(&box.loop);
	fake_reset();
	snprintf(command, sizeof(command), "rm -rf %s", box.dir);
	return system(command);
}

static inline void box_file(const char *name, const char *text)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", box.dir, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

/* A service file with name and command; more: further lines. */
static inline void box_add(const char *name, const char *more)
{
	char file[64], text[512];

	snprintf(file, sizeof(file), "%s.yaml", name);
	snprintf(text, sizeof(text), "name: %s\ncommand: [/bin/%s]\n%s", name, name, more);
	box_file(file, text);
}

/* Rounds of the loop until nothing is due any more. */
static inline void box_run(void)
{
	struct err e;

	for (int i = 0; i < 100; i++) {
		assert_int_equal(loop_step(&box.loop, &e), 0);
		if (!box.loop.timers || box.loop.timers->due > (uint64_t)fake_clock_ms)
			break;
	}
}

/* Time passes, timers fire at their time. */
static inline void box_wait(int64_t ms)
{
	int64_t end = fake_clock_ms + ms;

	while (box.loop.timers && box.loop.timers->due <= (uint64_t)end) {
		if (box.loop.timers->due > (uint64_t)fake_clock_ms)
			fake_clock_ms = (int64_t)box.loop.timers->due;
		box_run();
	}
	fake_clock_ms = end;
	box_run();
}

static inline unsigned box_load(void)
{
	unsigned refused = services_load(&box.services, box.dir, box_on_problem, NULL);

	return refused + services_link(&box.services, box_on_problem, NULL);
}

static inline void box_boot(void)
{
	if (box_load() != 0)
		fail_msg("%s", box.problems);
	services_start_all(&box.services);
	box_run();
}

/* The program of a service ends; code CLD_EXITED or CLD_KILLED. */
static inline void box_exit(const char *name, int code, int status)
{
	struct service *s = box_get(name);

	assert_true(s->child.pid > 0);
	box.ended[0].pid = s->child.pid;
	box.ended[0].code = code;
	box.ended[0].status = status;
	box.ends = 1;
	assert_int_equal(child_reap(), 1);
}

static inline void box_expect(const char *name, enum service_state state)
{
	const struct service *s = box_get(name);

	if (s->state != state)
		fail_msg("%s is %s (%s), not %s; %s", name, service_state_name(s->state), s->detail,
		         service_state_name(state), box.trace);
	assert_int_equal(service_runs(s), s->child.pid > 0);
}

#endif
