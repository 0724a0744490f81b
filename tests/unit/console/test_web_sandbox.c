/* init/console/web_sandbox.c: the steps of entering are recorded, the filter is run on every call number. */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/paths.h"
#include "base/str.h"
#include "console/web_sandbox.h"
#include "fake/sys.h"

static struct err e;
static const char *passwd;
static char steps[512];
static struct buf trace;
static struct sock_filter filter[1024];
static unsigned filter_len;

/* ---- what the role would do to the machine ---- */

static int fake_root_open(const char *path, int flags, mode_t mode)
{
	(void)flags;
	(void)mode;
	assert_string_equal(path, PATH_PASSWD);
	int fds[2];
	if (pipe(fds) < 0)
		return -1;
	assert_int_equal(write(fds[1], passwd, strlen(passwd)), strlen(passwd));
	close(fds[1]);
	return fds[0];
}

static int note_mkdir(const char *path, mode_t mode)
{
	if (str_eq(path, PATH_WEB_ROOT))
		buf_addf(&trace, "mkdir %o ", (unsigned)mode);
	return 0;
}

static int note_chmod(const char *path, mode_t mode)
{
	(void)path;
	(void)mode;
	return 0;
}

static int note_chroot(const char *path)
{
	assert_string_equal(path, PATH_WEB_ROOT);
	buf_add(&trace, "chroot ");
	return 0;
}

static int note_chdir(const char *path)
{
	buf_addf(&trace, "chdir %s ", path);
	return 0;
}

static int note_setrlimit(int what, const struct rlimit *r)
{
	(void)what;
	assert_int_equal(r->rlim_cur, r->rlim_max);
	buf_add(&trace, "limit ");
	return 0;
}

static int note_set_user(uid_t uid, gid_t gid)
{
	buf_addf(&trace, "user %u:%u ", (unsigned)uid, (unsigned)gid);
	return 0;
}

static int note_prctl(int op, unsigned long a, unsigned long b, unsigned long c, unsigned long d)
{
	(void)c;
	(void)d;
	if (op == PR_SET_DUMPABLE && a == 0)
		buf_add(&trace, "undumpable ");
	if (op == PR_SET_NO_NEW_PRIVS && a == 1)
		buf_add(&trace, "no-new ");
	if (op != PR_SET_SECCOMP)
		return 0;
	assert_int_equal(a, SECCOMP_MODE_FILTER);
	const struct sock_fprog *prog = (const struct sock_fprog *)(uintptr_t)b;
	assert_true(prog->len <= COUNT_OF(filter));
	memcpy(filter, prog->filter, prog->len * sizeof(filter[0]));
	filter_len = prog->len;
	buf_add(&trace, "filter");
	return 0;
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	fake_open = fake_root_open;
	fake_mkdir = note_mkdir;
	fake_chmod = note_chmod;
	fake_chroot = note_chroot;
	fake_chdir = note_chdir;
	fake_setrlimit = note_setrlimit;
	fake_set_user = note_set_user;
	fake_prctl = note_prctl;
	passwd = "root:x:0:0::/:\nweb:x:900:901:HTTPS console:/:/bin/false\n";
	buf_init(&trace, steps, sizeof(steps));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_reset();
	return 0;
}

static void enters_in_order(void **state)
{
	(void)state;
	assert_int_equal(web_sandbox_enter(&e), 0);
	assert_string_equal(steps,
	                    "mkdir 555 chroot chdir / limit limit limit limit user 900:901 undumpable no-new filter");
}

/* Torture: any failing call is an error, and the filter is never set after one. */
static void never_half_in(void **state)
{
	unsigned n = 1;

	(void)state;
	for (;; n++) {
		unsigned fds = fake_open_fds();
		buf_init(&trace, steps, sizeof(steps));
		fake_fail_at(n, EPERM);
		int rc = web_sandbox_enter(&e);
		assert_int_equal(fake_open_fds(), fds);
		if (!fake_fired())
			break;
		assert_int_equal(rc, -1);
		assert_null(strstr(steps, "filter"));
		assert_true(e.text[0] != '\0');
	}
	assert_true(n > 10);
}

/* ---- the filter ---- */

/* Classic BPF, as much of it as the filter uses (linux/filter.h). */
static uint32_t judge(const struct seccomp_data *d)
{
	uint32_t acc = 0;
	for (unsigned pc = 0; pc < filter_len; pc++) {
		const struct sock_filter *f = &filter[pc];
		switch (f->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			assert_true(f->k % 4 == 0 && f->k + 4 <= sizeof(*d));
			memcpy(&acc, (const char *)d + f->k, 4);
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			pc += acc == f->k ? f->jt : f->jf;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			pc += acc & f->k ? f->jt : f->jf;
			break;
		case BPF_RET | BPF_K:
			return f->k;
		default:
			fail_msg("unknown instruction %x", f->code);
		}
	}
	fail_msg("ran off the end");
	return 0;
}

static bool allows(int nr, unsigned long arg2, uint32_t arch)
{
	const struct seccomp_data d = {.nr = nr, .arch = arch, .args = {~0ull, ~0ull, arg2, ~0ull}};
	uint32_t verdict = judge(&d);
	assert_true(verdict == SECCOMP_RET_ALLOW || verdict == SECCOMP_RET_KILL_PROCESS);
	return verdict == SECCOMP_RET_ALLOW;
}

static void the_filter_is_tight(void **state)
{
	static const int needed[] = {SYS_read,       SYS_write, SYS_accept4, SYS_epoll_wait, SYS_getrandom, SYS_close,
	                             SYS_exit_group, SYS_brk,   SYS_recvmsg, SYS_sendmsg,    SYS_setsockopt};
	static const int deadly[] = {SYS_open,           SYS_openat,
	                             SYS_execve,         SYS_execveat,
	                             SYS_fork,           SYS_vfork,
	                             SYS_clone,          SYS_clone3,
	                             SYS_socket,         SYS_connect,
	                             SYS_bind,           SYS_listen,
	                             SYS_ptrace,         SYS_kill,
	                             SYS_tgkill,         SYS_setuid,
	                             SYS_setresuid,      SYS_chroot,
	                             SYS_mount,          SYS_unlink,
	                             SYS_rename,         SYS_ioctl,
	                             SYS_prctl,          SYS_bpf,
	                             SYS_io_uring_setup, SYS_process_vm_readv,
	                             SYS_memfd_create,   SYS_userfaultfd,
	                             SYS_unshare,        SYS_setns,
	                             SYS_reboot,         SYS_pidfd_getfd,
	                             SYS_sendmmsg};
	unsigned open = 0;

	(void)state;
	assert_int_equal(web_sandbox_enter(&e), 0);
	for (size_t i = 0; i < COUNT_OF(needed); i++)
		assert_true(allows(needed[i], 0, AUDIT_ARCH_X86_64));
	for (size_t i = 0; i < COUNT_OF(deadly); i++)
		assert_false(allows(deadly[i], 0, AUDIT_ARCH_X86_64));
	for (int nr = -1; nr < 1024; nr++) {
		open += allows(nr, 0, AUDIT_ARCH_X86_64);
		assert_false(allows(nr, 0, AUDIT_ARCH_I386));
		assert_false(allows(nr, 0, AUDIT_ARCH_AARCH64));
		assert_false(nr >= 0 && allows(nr | 0x40000000, 0, AUDIT_ARCH_X86_64)); /* x32 */
	}
	assert_true(open < 45);
}

static void no_new_code(void **state)
{
	static const int calls[] = {SYS_mmap, SYS_mprotect};

	(void)state;
	assert_int_equal(web_sandbox_enter(&e), 0);
	for (size_t i = 0; i < COUNT_OF(calls); i++) {
		assert_true(allows(calls[i], PROT_READ | PROT_WRITE, AUDIT_ARCH_X86_64));
		assert_false(allows(calls[i], PROT_EXEC, AUDIT_ARCH_X86_64));
		assert_false(allows(calls[i], PROT_READ | PROT_WRITE | PROT_EXEC, AUDIT_ARCH_X86_64));
	}
}

static void refuses_to_stay_root(void **state)
{
	(void)state;
	passwd = "web:x:0:0:\n";
	assert_int_equal(web_sandbox_enter(&e), -1);
	assert_string_equal(steps, "");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(enters_in_order), T(never_half_in), T(the_filter_is_tight), T(no_new_code), T(refuses_to_stay_root),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
