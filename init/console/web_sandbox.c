/* The cage of the web role: chroot, user, limits, system calls. Runs once, as root, just before the role serves.
 * Must never be entered half: each failing step is fatal for the role. */
#include "console/web_sandbox.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "base/file.h"
#include "base/paths.h"
#include "base/str.h"
#include "base/sys.h"
#include "core/cage.h"

/* Everything that serving takes. Not here, and so deadly: opening a file, making a socket, starting a program,
 * reaching another process. */
static const uint16_t allowed[] = {
	/* the loop */
	SYS_epoll_ctl,
	SYS_epoll_wait,
	SYS_epoll_pwait,
	SYS_timerfd_settime,
	SYS_poll,
	/* connections */
	SYS_accept4,
	SYS_pipe2, /* a password and an upload go on by one */
	SYS_read,
	SYS_write,
	SYS_readv,
	SYS_writev,
	SYS_recvfrom,
	SYS_close,
	SYS_getpeername,
	SYS_getsockname,
	/* memory; nothing executable, see below */
	SYS_brk,
	SYS_munmap,
	SYS_mremap,
	SYS_madvise,
	/* time and randomness */
	SYS_clock_gettime,
	SYS_gettimeofday,
	SYS_getrandom,
	/* signals and the end */
	SYS_rt_sigreturn,
	SYS_rt_sigprocmask,
	SYS_restart_syscall,
	SYS_exit,
	SYS_exit_group,
};

/* The channel's other end is PID 1: messages go over it and nothing else happens to it. A descriptor is sent to no
 * other, and of options there are the two that connections get (web_server), none of which a local socket has. */
static const struct cage_call with[] = {
	{SYS_mmap, {CAGE_NONE_OF(2, PROT_EXEC)}},
	{SYS_mprotect, {CAGE_NONE_OF(2, PROT_EXEC)}},
	{SYS_sendmsg, {CAGE_IS(0, WEB_CHANNEL)}},
	{SYS_recvmsg, {CAGE_IS(0, WEB_CHANNEL)}},
	{SYS_sendto, {CAGE_IS_NOT(0, WEB_CHANNEL), CAGE_NONE_OF(3, MSG_FASTOPEN)}}, /* that would connect */
	{SYS_shutdown, {CAGE_IS_NOT(0, WEB_CHANNEL)}},
	{SYS_setsockopt, {CAGE_IS(1, IPPROTO_TCP), CAGE_IS(2, TCP_NODELAY)}},
	{SYS_setsockopt, {CAGE_IS(1, IPPROTO_TCP), CAGE_IS(2, TCP_USER_TIMEOUT)}},
	{SYS_fcntl, {CAGE_NONE_OF(1, ~7u)}}, /* flags; no signals, owners, leases, sizes of pipes */
};

static const struct cage_filter filter = {allowed, COUNT_OF(allowed), with, COUNT_OF(with)};

static const struct cage_limit limits[] = {
	{RLIMIT_NOFILE, 64, "files"},      /* WEB_CONNS and some of our own */
	{RLIMIT_DATA, 16 << 20, "memory"}, /* several times what 32 connections take */
	{RLIMIT_NPROC, 0, "processes"},
	{RLIMIT_CORE, 0, "core"}, /* it would hold the key */
};

int web_sandbox_enter(struct err *e)
{
	uid_t uid = 0;
	gid_t gid = 0;
	if (cage_find_user(WEB_USER, &uid, &gid, e) || file_mkdirs(PATH_WEB_ROOT, 0555, e))
		return -1;
	if (sys_chroot(PATH_WEB_ROOT) < 0 || sys_chdir("/") < 0)
		return err_sys(e, "change root to " PATH_WEB_ROOT);
	if (cage_limits(limits, COUNT_OF(limits), e))
		return -1;
	if (sys_set_user(uid, gid) < 0)
		return err_sys(e, "become user %u", (unsigned)uid);
	return cage_close(&filter, e);
}
