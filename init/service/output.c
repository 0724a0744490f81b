/* Log pipes of the services. Run by PID 1. Never reads what is in them: that is the log service's work. */
#include "service/output.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/str.h"
#include "base/sys.h"
#include "loop/chan.h"

int output_open(struct service *s, struct err *e)
{
	int fds[2];

	if (s->log_fd >= 0)
		return 0;
	if (s->all->log) {
		s->log_fd = s->all->log(s->def.name, s->all->arg);
		return 0;
	}
	if (sys_pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(e, "log pipe");
	/* The reader's end alone: a service that writes expects to wait, not to see EAGAIN. */
	if (sys_fcntl(fds[0], F_SETFL, O_NONBLOCK) < 0) {
		err_sys(e, "log pipe");
		sys_close(fds[0]);
		sys_close(fds[1]);
		return -1;
	}
	s->log_read_fd = fds[0];
	s->log_fd = fds[1];
	s->log_told = false;
	return 0;
}

int output_send(struct services *ss, int chan, struct err *e)
{
	char text[LIMIT_NAME + 8];

	for (unsigned i = 0; i < ss->count; i++) {
		struct service *s = &ss->service[i];
		if (s->log_read_fd < 0 || s->log_told)
			continue;
		if (str_format(text, sizeof(text), "pipe %s", s->def.name) < 0)
			return err_set(e, ENAMETOOLONG, "log pipe of %s", s->def.name);
		if (chan_send(chan, text, strlen(text), s->log_read_fd, e) < 0)
			return err_prefix(e, "log pipe of %s", s->def.name);
		s->log_told = true;
	}
	return 0;
}

void output_forget(struct services *ss)
{
	for (unsigned i = 0; i < ss->count; i++)
		ss->service[i].log_told = false;
}
