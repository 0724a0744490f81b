/* The cage of the web role: chroot, user, limits, system calls. Runs once, as root, just before the role serves.
 * Must never be entered half: each failing step is fatal for the role. */
#include "console/web_sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "base/file.h"
#include "base/paths.h"
#include "base/str.h"
#include "base/sys.h"

#define PASSWD_MAX 4096

/* Everything that serving takes. Not here, and so deadly: opening a file, making a socket, starting a program,
 * reaching another process. */
static const uint16_t allowed[] = {
	/* the loop */
	SYS_epoll_ctl,
	SYS_epoll_wait,
	SYS_epoll_pwait,
	SYS_timerfd_settime,
	SYS_poll,
	/* connections and the channel to PID 1 */
	SYS_accept4,
	SYS_pipe2, /* a password and an upload go on by one */
	SYS_read,
	SYS_write,
	SYS_readv,
	SYS_writev,
	SYS_recvfrom,
	SYS_sendto,
	SYS_recvmsg,
	SYS_sendmsg,
	SYS_shutdown,
	SYS_close,
	SYS_setsockopt,
	SYS_getsockopt,
	SYS_getpeername,
	SYS_getsockname,
	SYS_fcntl,
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

/* Allowed when the third argument does not ask for executable memory. */
static const uint16_t without_exec[] = {SYS_mmap, SYS_mprotect};

#define RULES_MAX (8 + COUNT_OF(allowed) * 2 + COUNT_OF(without_exec) * 5)

struct rules {
	struct sock_filter code[RULES_MAX];
	unsigned short n;
};

static void rule(struct rules *r, uint16_t code, uint32_t k, uint8_t jt, uint8_t jf)
{
	r->code[r->n++] = (struct sock_filter){code, jt, jf, k};
}

#define LOAD  (BPF_LD | BPF_W | BPF_ABS)
#define EQUAL (BPF_JMP | BPF_JEQ | BPF_K)
#define BITS  (BPF_JMP | BPF_JSET | BPF_K)

#define RETURN (BPF_RET | BPF_K)

static void build(struct rules *r)
{
	r->n = 0;
	rule(r, LOAD, offsetof(struct seccomp_data, arch), 0, 0);
	rule(r, EQUAL, AUDIT_ARCH_X86_64, 1, 0);
	rule(r, RETURN, SECCOMP_RET_KILL_PROCESS, 0, 0);
	rule(r, LOAD, offsetof(struct seccomp_data, nr), 0, 0);
	/* x32 calls carry a flag in their number: they match no row below. */
	for (size_t i = 0; i < COUNT_OF(allowed); i++) {
		rule(r, EQUAL, allowed[i], 0, 1);
		rule(r, RETURN, SECCOMP_RET_ALLOW, 0, 0);
	}
	for (size_t i = 0; i < COUNT_OF(without_exec); i++) {
		rule(r, EQUAL, without_exec[i], 0, 4);
		rule(r, LOAD, offsetof(struct seccomp_data, args[2]), 0, 0);
		rule(r, BITS, PROT_EXEC, 1, 0);
		rule(r, RETURN, SECCOMP_RET_ALLOW, 0, 0);
		rule(r, RETURN, SECCOMP_RET_KILL_PROCESS, 0, 0);
	}
	rule(r, RETURN, SECCOMP_RET_KILL_PROCESS, 0, 0);
}

static int set_filter(struct err *e)
{
	struct rules r;
	build(&r);
	const struct sock_fprog prog = {r.n, r.code};
	if (sys_prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(e, "no new privileges");
	if (sys_prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, (unsigned long)(uintptr_t)&prog, 0, 0) < 0)
		return err_sys(e, "system call filter");
	return 0;
}

static int set_limits(struct err *e)
{
	static const struct {
		int what;
		rlim_t max;
		const char *name;
	} limits[] = {
		{RLIMIT_NOFILE, 64, "files"},      /* WEB_CONNS and some of our own */
		{RLIMIT_DATA, 16 << 20, "memory"}, /* several times what 32 connections take */
		{RLIMIT_NPROC, 0, "processes"},
		{RLIMIT_CORE, 0, "core"}, /* it would hold the key */
	};
	for (size_t i = 0; i < COUNT_OF(limits); i++) {
		const struct rlimit r = {limits[i].max, limits[i].max};
		if (sys_setrlimit(limits[i].what, &r) < 0)
			return err_sys(e, "limit of %s", limits[i].name);
	}
	return 0;
}

/* One field of a line, up to ':' or its end, as a number. */
static int number(const char *p, uint32_t *out)
{
	char text[16];
	size_t n = strcspn(p, ":\n");
	uint64_t v;
	if (n >= sizeof(text))
		return -1;
	memcpy(text, p, n);
	text[n] = '\0';
	if (str_u64(text, UINT32_MAX - 1, &v))
		return -1;
	*out = (uint32_t)v;
	return 0;
}

/* The field that follows p on the same line, or NULL. */
static const char *next_field(const char *p)
{
	p += strcspn(p, ":\n");
	return *p == ':' ? p + 1 : NULL;
}

int web_sandbox_user(const char *passwd, const char *user, uid_t *uid, gid_t *gid, struct err *e)
{
	size_t n = strlen(user);
	for (const char *line = passwd; line && *line; line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
		if (strncmp(line, user, n) != 0 || line[n] != ':')
			continue;
		const char *u = next_field(line + n + 1);
		const char *g = u ? next_field(u) : NULL;
		if (!g || number(u, uid) || number(g, gid) || *uid == 0 || *gid == 0)
			return err_set(e, EINVAL, "user %s: broken line in " PATH_PASSWD, user);
		return 0;
	}
	return err_set(e, ENOENT, "user %s: not in " PATH_PASSWD, user);
}

static int find_user(uid_t *uid, gid_t *gid, struct err *e)
{
	char text[PASSWD_MAX];
	struct buf b;
	buf_init(&b, text, sizeof(text));
	if (file_read(PATH_PASSWD, &b, e))
		return -1;
	return web_sandbox_user(text, WEB_USER, uid, gid, e);
}

int web_sandbox_enter(struct err *e)
{
	uid_t uid = 0;
	gid_t gid = 0;
	if (find_user(&uid, &gid, e) || file_mkdirs(PATH_WEB_ROOT, 0555, e))
		return -1;
	if (sys_chroot(PATH_WEB_ROOT) < 0 || sys_chdir("/") < 0)
		return err_sys(e, "change root to " PATH_WEB_ROOT);
	if (set_limits(e))
		return -1;
	if (sys_set_user(uid, gid) < 0)
		return err_sys(e, "become user %u", (unsigned)uid);
	/* Also after the change of user, which clears it: nobody of that user may look into this process. */
	if (sys_prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_sys(e, "not dumpable");
	return set_filter(e);
}
