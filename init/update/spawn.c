/* Starts the worker of an update. Part of the conductor, as root; gives away descriptors, and no rights. */
#include "update/spawn.h"

#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/paths.h"
#include "base/str.h"
#include "base/sys.h"
#include "core/cage.h"
#include "host/bootenv.h"
#include "update/worker.h"

#define ROOM        "update"
#define WORKER_ARGS 10

/* -1: it is not there, which is no reason not to update. */
static int open_running_kernel(const struct place *p)
{
	char path[LIMIT_PATH];
	struct bootenv b;
	struct err e;
	const struct bootenv_entry *en = bootenv_read(&b, &e) < 0 ? NULL : bootenv_of(&b, p->half.running);
	if (!en || bootenv_path(en->name, path, &e) < 0)
		return -1;
	int fd = sys_open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW, 0);
	if (fd < 0)
		log_warn(ROOM, "%s", path);
	return fd;
}

static const char *verb_of(const struct order *o)
{
	if (o->verb == ORDER_CHECK)
		return "index";
	return o->verb == ORDER_SHOW ? "show" : "install";
}

int spawn_worker(struct child *c, const struct spawn_plan *p, child_exit_fn *on_exit, void *arg, struct err *e)
{
	static const char *const environment[] = {NULL};
	const struct order *o = p->order;
	const char *argv[WORKER_ARGS + 1] = {p->self, "update-worker", verb_of(o),
	                                     o->kind == ORDER_URL ? o->source : "-"};
	char size[24];
	struct child_spec spec;
	size_t n = 4;
	child_spec_init(&spec);
	argv[n++] = "--keys";
	argv[n++] = p->keys;
	if (p->ca) {
		argv[n++] = "--ca";
		argv[n++] = p->ca;
	}
	if (o->kind == ORDER_PIPE || o->kind == ORDER_PARTS) {
		(void)!str_format(size, sizeof(size), "%" PRIu64, o->size);
		argv[n++] = o->kind == ORDER_PIPE ? "--pipe" : "--parts";
		argv[n++] = size;
	}
	argv[n] = NULL;
	spec.argv = argv;
	spec.envp = environment;
	if (p->user[0] && cage_find_user(p->user, &spec.uid, &spec.gid, e) < 0)
		return -1;
	int kernel = o->verb == ORDER_CHECK ? -1 : open_running_kernel(p->place);
	spec.fds[1] = spec.fds[2] = STDERR_FILENO;
	spec.fds[WORKER_CHANNEL] = p->channel;
	spec.fds[WORKER_TARGET] = p->place->target;
	spec.fds[WORKER_RUNNING] = p->place->running;
	spec.fds[WORKER_SOURCE] = p->place->source;
	spec.fds[WORKER_KERNEL] = kernel;
	int rc = child_spawn(c, &spec, on_exit, arg, e);
	if (kernel >= 0)
		sys_close(kernel);
	return rc;
}
