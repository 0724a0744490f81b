/* Ends of children that are only numbers: child_reap finds the one that a test names, once. */
#ifndef HEARTH_TESTS_UNIT_ENDED_H
#define HEARTH_TESTS_UNIT_ENDED_H

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>

static pid_t ended; /* 0: nobody */
static int end_status;

/* For fake_waitid. */
static inline int wait_ended(idtype_t type, id_t id, siginfo_t *info, int options)
{
	(void)type;
	(void)id;
	(void)options;
	memset(info, 0, sizeof(*info));
	if (ended == 0) {
		errno = ECHILD;
		return -1;
	}
	info->si_pid = ended;
	info->si_code = CLD_EXITED;
	info->si_status = end_status;
	ended = 0;
	return 0;
}

#endif
