/* The log role: pipes of all services in, files out. It must never wait for a disk or a service, and never end by
 * itself while PID 1 lives. */
#include "node/log.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>

#include "base/clock.h"
#include "base/exit.h"
#include "base/file.h"
#include "base/log.h"
#include "base/paths.h"
#include "base/str.h"
#include "base/sys.h"
#include "loop/chan.h"
#include "loop/loop.h"
#include "loop/signals.h"
#include "node/logfile.h"

#define ROOM "log"

struct source {
	int fd; /* read end; -1: free slot */
	struct logfile file;
};

static struct logs {
	struct loop loop;
	bool failed;
	int folder; /* where files are now; stays valid when something is mounted over PATH_LOGS */
	struct source source[LIMIT_SERVICES];
} logs;

/* A folder in memory gets small files. It is the one that lies on the same file system as the folder above it. */
static uint64_t size_limit(void)
{
	struct stat here, above;
	if (sys_stat(".", &here) < 0 || sys_stat("..", &above) < 0 || here.st_dev == above.st_dev)
		return LIMIT_LOG_EARLY;
	return LIMIT_LOG_FILE;
}

static void close_source(struct source *s)
{
	loop_del(&logs.loop, s->fd);
	sys_close(s->fd);
	s->fd = -1;
	logfile_flush(&s->file, clock_wall_ms());
	logfile_close(&s->file);
}

/* One read; false when there is nothing more. */
static bool read_some(struct source *s)
{
	char data[LOG_READ];
	ssize_t n = sys_read(s->fd, data, sizeof(data));
	if (n > 0)
		logfile_put(&s->file, data, (size_t)n, clock_wall_ms());
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		close_source(s); /* PID 1 has closed its end too */
	return n > 0;
}

static void on_output(struct loop *l, int fd, uint32_t events, void *arg)
{
	(void)l;
	(void)fd;
	(void)events;
	(void)read_some(arg);
}

static struct source *slot_for(const char *name)
{
	struct source *free_slot = NULL;
	for (unsigned i = 0; i < COUNT_OF(logs.source); i++) {
		struct source *s = &logs.source[i];
		if (s->fd >= 0 && str_eq(s->file.name, name))
			return s;
		if (s->fd < 0 && !free_slot)
			free_slot = s;
	}
	return free_slot;
}

static int add_source(const char *name, int fd, struct err *e)
{
	if (fd < 0)
		return err_set(e, EINVAL, "pipe %s: no descriptor came with it", name);
	struct source *s = str_is_name(name) ? slot_for(name) : NULL;
	if (!s)
		return err_set(e, EINVAL, "pipe %s: bad name, or more than %d services", name, LIMIT_SERVICES);
	if (s->fd >= 0)
		close_source(s);
	if (sys_fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		return err_sys(e, "pipe %s", name);
	logfile_init(&s->file, name, size_limit());
	if (loop_add(&logs.loop, fd, EPOLLIN, on_output, s, e) < 0)
		return err_prefix(e, "pipe %s", name);
	s->fd = fd;
	return 0;
}

static int enter_folder(struct err *e)
{
	int fd = sys_open(PATH_LOGS, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (fd < 0 || sys_chdir(PATH_LOGS) < 0) {
		err_sys(e, "%s", PATH_LOGS);
		if (fd >= 0)
			sys_close(fd);
		return -1;
	}
	if (logs.folder >= 0)
		sys_close(logs.folder);
	logs.folder = fd;
	return 0;
}

/* The old folder has no name any more; its descriptor has one. */
static void reopen(void)
{
	struct err e = {0};
	struct stat before, now;
	char old[LIMIT_PATH];
	int folder = logs.folder;
	if (sys_stat(PATH_LOGS, &now) == 0 && sys_fstat(folder, &before) == 0 && now.st_dev == before.st_dev &&
	    now.st_ino == before.st_ino)
		return;
	if (str_format(old, sizeof(old), "/proc/self/fd/%d", folder) < 0)
		return;
	logs.folder = -1;
	if (enter_folder(&e) < 0) {
		log_warnx(ROOM, "%s; logs stay where they are", e.text);
		logs.folder = folder;
		return;
	}
	for (unsigned i = 0; i < COUNT_OF(logs.source); i++) {
		struct source *s = &logs.source[i];
		if (s->fd < 0)
			continue;
		logfile_close(&s->file);
		s->file.max = size_limit();
		if (logfile_take_over(&s->file, old, &e) < 0)
			log_warnx(ROOM, "%s: %s", s->file.name, e.text);
	}
	sys_close(folder);
}

/* Started anew by PID 1, the role gets every pipe again: the way out when one of them could not be taken. */
static void give_up(const char *why)
{
	log_errx(ROOM, "%s", why);
	logs.failed = true;
	loop_quit(&logs.loop);
}

static void take_message(char *msg, int fd)
{
	struct err e = {0};
	if (str_starts(msg, "pipe ")) {
		if (add_source(msg + 5, fd, &e) == 0)
			return; /* the source has the descriptor now */
		if (e.code == EINVAL)
			log_warnx(ROOM, "%s", e.text);
		else
			give_up(e.text);
	} else if (str_eq(msg, "reopen")) {
		reopen();
	} else {
		log_warnx(ROOM, "unknown message on the control channel");
	}
	if (fd >= 0)
		sys_close(fd);
}

static void on_control(struct loop *l, int chan, uint32_t events, void *arg)
{
	(void)events;
	(void)arg;
	for (unsigned i = 0; i < LIMIT_SERVICES; i++) {
		struct err e = {0};
		char msg[LIMIT_NAME + 8];
		int fd = -1;
		ssize_t n = chan_recv(chan, msg, sizeof(msg) - 1, &fd, &e);
		if (n < 0 && e.code == EAGAIN)
			return;
		if (n > 0) {
			msg[n] = '\0';
			take_message(msg, fd);
			continue;
		}
		if (n < 0 && e.code == EMSGSIZE) {
			log_warnx(ROOM, "control channel: %s", e.text);
			continue;
		}
		if (n < 0)
			give_up(e.text);
		else
			loop_del(l, chan); /* PID 1 hung up; the pipes that are here are still served */
		return;
	}
}

/* What services said last is still in their pipes. */
static void drain(void)
{
	for (unsigned i = 0; i < COUNT_OF(logs.source); i++) {
		struct source *s = &logs.source[i];
		for (unsigned n = 0; n < LOG_DRAIN_READS && s->fd >= 0 && read_some(s); n++)
			;
		if (s->fd >= 0)
			close_source(s);
	}
}

static void on_signal(struct loop *l, int signo, void *arg)
{
	(void)signo;
	(void)arg;
	loop_quit(l);
}

static int set_up(struct err *e)
{
	static const int signals[] = {SIGTERM, SIGINT, 0};
	for (unsigned i = 0; i < COUNT_OF(logs.source); i++)
		logs.source[i].fd = -1;
	logs.folder = -1;
	logs.failed = false;
	if (loop_init(&logs.loop, e) < 0 || signals_init(&logs.loop, signals, on_signal, NULL, e) < 0)
		return -1;
	if (file_mkdirs(PATH_LOGS, 0755, e) < 0 || enter_folder(e) < 0)
		return -1;
	return loop_add(&logs.loop, LOG_CONTROL_FD, EPOLLIN, on_control, NULL, e);
}

int log_main(int argc, char **argv)
{
	struct err e = {0};
	(void)argv;
	if (argc != 1) {
		log_errx(ROOM, "takes no arguments");
		return EXIT_USAGE;
	}
	int rc = set_up(&e) < 0 || loop_run(&logs.loop, &e) < 0 ? EXIT_SYSTEM : 0;
	if (rc != 0)
		log_errx(ROOM, "%s", e.text);
	drain();
	signals_fini(&logs.loop);
	loop_fini(&logs.loop);
	if (logs.folder >= 0)
		sys_close(logs.folder);
	return logs.failed ? EXIT_SYSTEM : rc;
}
