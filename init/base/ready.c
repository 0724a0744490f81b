/* Readiness, the service's side of service/notify. Run by worker roles, never by PID 1. */
#include "base/ready.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/str.h"
#include "base/sys.h"

#define VARIABLE "NOTIFY_FD"

void ready_say(const char *role)
{
	static const char text[] = "READY=1\n";
	const char *value = getenv(VARIABLE);
	uint64_t fd;
	if (!value || str_u64(value, INT16_MAX, &fd) < 0)
		return;
	if (sys_write((int)fd, text, sizeof(text) - 1) < 0)
		log_warn(role, "saying ready");
	sys_close((int)fd);
	(void)unsetenv(VARIABLE);
}
