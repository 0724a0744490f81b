/* Whose turn it is on the boot partition; see turn.h. Of roles, never of PID 1. */
#include "host/turn.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>

#include "base/paths.h"
#include "base/sys.h"

static int hold_stop(struct err *e)
{
	sigset_t term;

	(void)sigemptyset(&term);
	(void)sigaddset(&term, SIGTERM);
	return sys_sigprocmask(SIG_BLOCK, &term, NULL) < 0 ? err_sys(e, "hold SIGTERM") : 0;
}

int turn_take(struct err *e)
{
	int fd = sys_open(PATH_RUN_ESP_TURN, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return err_sys(e, PATH_RUN_ESP_TURN);
	if (sys_flock(fd, LOCK_EX) < 0)
		err_sys(e, "wait for the others on " PATH_ESP);
	else if (hold_stop(e) == 0)
		return fd;
	sys_close(fd);
	return -1;
}

void turn_give(int turn)
{
	if (turn >= 0)
		sys_close(turn);
}
