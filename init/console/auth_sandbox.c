/* The cage of the auth role: limits, system calls. Runs once, as the user auth, before the first byte is read.
 * Must never be entered half: each failing step is fatal for the role. */
#include "console/auth_sandbox.h"

#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "base/str.h"
#include "console/owner_record.h"
#include "core/cage.h"

#define CPU_S 30

/* Memory, an answer, a line of the log, the end. */
static const uint16_t allowed[] = {
	SYS_brk,  SYS_munmap,       SYS_mremap,         SYS_madvise,         SYS_getrandom, SYS_clock_gettime,
	SYS_poll, SYS_rt_sigreturn, SYS_rt_sigprocmask, SYS_restart_syscall, SYS_exit,      SYS_exit_group,
};

static const struct cage_call with[] = {
	{SYS_read, {CAGE_IS(0, AUTH_PASSWORD)}},   {SYS_write, {CAGE_IS(0, AUTH_LOG)}},
	{SYS_recvmsg, {CAGE_IS(0, AUTH_CHANNEL)}}, {SYS_sendmsg, {CAGE_IS(0, AUTH_CHANNEL)}},
	{SYS_mmap, {CAGE_NONE_OF(2, PROT_EXEC)}},  {SYS_mprotect, {CAGE_NONE_OF(2, PROT_EXEC)}},
};

static const struct cage_filter filter = {allowed, COUNT_OF(allowed), with, COUNT_OF(with)};

static const struct cage_limit limits[] = {
	{RLIMIT_NOFILE, 0, "files"},    {RLIMIT_FSIZE, 0, "file sizes"},
	{RLIMIT_NPROC, 0, "processes"}, {RLIMIT_CORE, 0, "core"}, /* it would hold the password */
	{RLIMIT_CPU, CPU_S, "time"},    {RLIMIT_DATA, ((uint64_t)OWNER_MEMORY + 8192) << 10, "memory"},
};

int auth_sandbox_enter(struct err *e)
{
	if (cage_limits(limits, COUNT_OF(limits), e))
		return -1;
	return cage_close(&filter, e);
}
