/* cgroup v2 groups of services. Run by PID 1.
 * Never waits for a group to become empty, never fails because a controller is missing. */
#include "host/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/paths.h"
#include "base/str.h"
#include "base/sys.h"

#define KILL_ROUNDS 4 /* a group that forks faster than this is killed again by the service's deadline */
#define PROCS_BYTES 4096

static int path_of(char path[LIMIT_PATH], const char *name, const char *file, struct err *e)
{
	if (str_format(path, LIMIT_PATH, PATH_CGROUP_SERVICES "/%s%s%s", name, *file ? "/" : "", file) < 0)
		return err_set(e, ENAMETOOLONG, "cgroup %s: name too long", name);
	return 0;
}

static int make(const char *path, struct err *e)
{
	if (sys_mkdir(path, 0755) < 0 && errno != EEXIST)
		return err_sys(e, "mkdir %s", path);
	return 0;
}

static bool enable(const char *controllers)
{
	struct err missing;

	return file_write_attr(PATH_CGROUP "/cgroup.subtree_control", controllers, &missing) == 0 &&
	       file_write_attr(PATH_CGROUP_SERVICES "/cgroup.subtree_control", controllers, &missing) == 0;
}

int cgroup_setup(struct err *e)
{
	static const char *const one[] = {"+memory", "+pids", "+cpu", "+io", "+cpuset"};

	if (make(PATH_CGROUP_SERVICES, e) < 0)
		return -1;
	/* All at once is quickest; but the kernel refuses the whole line for one controller that it does not have. */
	if (enable("+memory +pids +cpu +io +cpuset"))
		return 0;
	for (size_t i = 0; i < COUNT_OF(one); i++)
		(void)enable(one[i]);
	return 0;
}

/* Written only when there is something to say: one open less for each start. */
static void set_limit(const char *name, const char *file, uint64_t bytes)
{
	char path[LIMIT_PATH], text[24];
	struct err e;

	if (bytes == 0 || path_of(path, name, file, &e) < 0)
		return;
	if (str_format(text, sizeof(text), "%llu", (unsigned long long)bytes) == 0)
		(void)!file_write_attr(path, text, &e);
}

int cgroup_open(const char *name, uint64_t memory_max, uint64_t memory_min, struct err *e)
{
	char path[LIMIT_PATH];

	if (path_of(path, name, "", e) < 0 || make(path, e) < 0)
		return -1;
	set_limit(name, "memory.max", memory_max);
	set_limit(name, "memory.min", memory_min);
	if (path_of(path, name, "cgroup.procs", e) < 0)
		return -1;
	int fd = sys_open(path, O_WRONLY | O_CLOEXEC, 0);
	return fd < 0 ? err_sys(e, "open %s", path) : fd;
}

/* One read, from the start: the kernel makes the text when it is read. Returns its length, terminated, or -1. */
static ssize_t read_some(const char *name, const char *file, char *dst, size_t cap)
{
	char path[LIMIT_PATH];
	struct err e;

	if (path_of(path, name, file, &e) < 0)
		return -1;
	int fd = sys_open(path, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	ssize_t n = sys_read(fd, dst, cap - 1);
	sys_close(fd);
	if (n >= 0)
		dst[n] = '\0';
	return n;
}

/* Kills the members that one read shows; returns how many. */
static int kill_members(const char *name)
{
	char text[PROCS_BYTES];
	uint64_t pid;
	int killed = 0;
	ssize_t n = read_some(name, "cgroup.procs", text, sizeof(text));

	for (char *p = text; n > 0 && *p;) {
		char *end = strchr(p, '\n');
		if (!end)
			break; /* cut by the buffer: the next round sees it whole */
		*end = '\0';
		if (str_u64(p, INT32_MAX, &pid) == 0 && pid > 1 && sys_kill((pid_t)pid, SIGKILL) == 0)
			killed++;
		p = end + 1;
	}
	return n < 0 ? -1 : killed;
}

int cgroup_kill(const char *name, struct err *e)
{
	char path[LIMIT_PATH];
	int killed = 1;

	if (path_of(path, name, "cgroup.kill", e) < 0)
		return -1;
	if (file_write_attr(path, "1", e) == 0)
		return 0;
	for (int round = 0; round < KILL_ROUNDS && killed > 0; round++)
		killed = kill_members(name);
	if (killed < 0 && errno == ENOENT)
		return 0;
	return killed < 0 ? -1 : 0; /* e says what failed first */
}

bool cgroup_populated(const char *name)
{
	char text[128];

	return read_some(name, "cgroup.events", text, sizeof(text)) > 0 && strstr(text, "populated 1") != NULL;
}

uint64_t cgroup_memory(const char *name)
{
	char text[24];
	uint64_t bytes = 0;

	if (read_some(name, "memory.current", text, sizeof(text)) <= 0)
		return 0;
	text[strcspn(text, "\n")] = '\0';
	return str_u64(text, UINT64_MAX, &bytes) == 0 ? bytes : 0;
}

int cgroup_remove(const char *name, struct err *e)
{
	char path[LIMIT_PATH];

	if (path_of(path, name, "", e) < 0)
		return -1;
	if (sys_rmdir(path) < 0 && errno != ENOENT)
		return err_sys(e, "rmdir %s", path);
	return 0;
}
