/* PID 1's own short-lived children; see helper.h. Never waits for them: their end is an event. */
#include "boot/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>

#include "base/log.h"
#include "base/paths.h"
#include "base/str.h"
#include "base/sys.h"

static void on_deadline(struct loop *l, void *arg)
{
	struct helper *h = arg;
	struct err e;
	(void)l;
	log_warnx("helper", "%s: takes too long, killed", h->name);
	if (child_signal(&h->child, SIGKILL, &e) < 0)
		log_warnx("helper", "%s: %s", h->name, e.text);
}

static void on_exit_of(pid_t pid, const struct child_exit *how, void *arg)
{
	struct helper *h = arg;
	bool ok = !how->signaled && how->status == 0;
	(void)pid;
	loop_cancel(h->loop, &h->deadline);
	h->running = false;
	if (!ok)
		log_warnx("helper", "%s: %s %d", h->name, how->signaled ? "ended by signal" : "exit status",
		          how->status);
	if (h->fn != NULL)
		h->fn(ok, h->arg);
}

int helper_run(struct helper *h, const char *const *words, uint32_t deadline_ms, struct err *e)
{
	static const char *const env[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL};
	const char *argv[HELPER_ARGS + 2] = {PATH_SELF};
	struct child_spec spec;
	unsigned n = 0;
	if (h->running)
		return err_set(e, EBUSY, "helper %s: still runs", h->name);
	for (; n < HELPER_ARGS && words[n] != NULL; n++)
		argv[n + 1] = words[n];
	if (words[n] != NULL || str_copy(h->name, sizeof(h->name), words[0]) < 0)
		return err_set(e, E2BIG, "helper %s: too many words", words[0]);
	child_spec_init(&spec);
	spec.argv = argv;
	spec.envp = env;
	int kmsg = sys_open(PATH_KMSG, O_WRONLY | O_CLOEXEC | O_APPEND, 0);
	spec.fds[1] = kmsg;
	spec.fds[2] = kmsg;
	int rc = child_spawn(&h->child, &spec, on_exit_of, h, e);
	if (kmsg >= 0)
		sys_close(kmsg);
	if (rc < 0)
		return err_prefix(e, "helper %s", words[0]);
	h->running = true;
	loop_after(h->loop, &h->deadline, deadline_ms, on_deadline, h);
	return 0;
}
