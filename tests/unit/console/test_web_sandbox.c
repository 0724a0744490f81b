/* init/console/web_sandbox.c: the steps of entering are recorded, the filter is run on every call number. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
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
#include "unit/core/filter.h"

static struct err e;
static const char *passwd;
static char steps[512];
static struct buf trace;

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
	if (op == PR_SET_DUMPABLE && a == 0)
		buf_add(&trace, "undumpable ");
	if (op == PR_SET_NO_NEW_PRIVS && a == 1)
		buf_add(&trace, "no-new ");
	if (op == PR_SET_SECCOMP)
		buf_add(&trace, "filter");
	return filter_prctl(op, a, b, c, d);
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

/* On a connection, or as a call without descriptors has it. */
static bool allows(int nr)
{
	return filter_allows(nr, 20, 0, 0, 0);
}

static void the_filter_is_tight(void **state)
{
	static const int needed[] = {SYS_read,       SYS_write, SYS_accept4, SYS_epoll_wait, SYS_getrandom, SYS_close,
	                             SYS_exit_group, SYS_brk,   SYS_sendto,  SYS_recvfrom,   SYS_shutdown};
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
	                             SYS_sendmmsg,       SYS_getsockopt};

	(void)state;
	assert_int_equal(web_sandbox_enter(&e), 0);
	for (size_t i = 0; i < COUNT_OF(needed); i++)
		assert_true(allows(needed[i]));
	for (size_t i = 0; i < COUNT_OF(deadly); i++)
		assert_false(allows(deadly[i]));
	assert_true(filter_count(20, 0, 0, 0) < 40);
	assert_true(filter_count(WEB_CHANNEL, 0, 0, 0) < 40);
}

static void no_new_code(void **state)
{
	static const int calls[] = {SYS_mmap, SYS_mprotect};

	(void)state;
	assert_int_equal(web_sandbox_enter(&e), 0);
	for (size_t i = 0; i < COUNT_OF(calls); i++) {
		assert_true(filter_allows(calls[i], 0, 4096, PROT_READ | PROT_WRITE, 0));
		assert_false(filter_allows(calls[i], 0, 4096, PROT_EXEC, 0));
		assert_false(filter_allows(calls[i], 0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, 0));
	}
}

/* What its other end, PID 1, could feel. */
static void the_channel_takes_messages_alone(void **state)
{
	static const struct {
		int nr;
		uint64_t arg[4];
		bool allowed;
	} cases[] = {
		{SYS_sendmsg, {WEB_CHANNEL}, true},
		{SYS_recvmsg, {WEB_CHANNEL}, true},
		{SYS_sendmsg, {20}, false},
		{SYS_recvmsg, {20}, false},
		{SYS_sendto, {WEB_CHANNEL}, false},
		{SYS_sendto, {20, 0, 0, MSG_NOSIGNAL}, true},
		{SYS_sendto, {20, 0, 0, MSG_FASTOPEN}, false},
		{SYS_shutdown, {WEB_CHANNEL, SHUT_RDWR}, false},
		{SYS_shutdown, {20, SHUT_WR}, true},
		{SYS_setsockopt, {20, IPPROTO_TCP, TCP_NODELAY}, true},
		{SYS_setsockopt, {20, IPPROTO_TCP, TCP_USER_TIMEOUT}, true},
		{SYS_setsockopt, {20, IPPROTO_TCP, TCP_ULP}, false},
		{SYS_setsockopt, {20, SOL_SOCKET, SO_LINGER}, false},
		{SYS_setsockopt, {WEB_CHANNEL, SOL_SOCKET, SO_SNDBUF}, false},
		{SYS_setsockopt, {WEB_CHANNEL, SOL_SOCKET, TCP_NODELAY}, false},
		{SYS_fcntl, {20, F_GETFL}, true},
		{SYS_fcntl, {20, F_SETFL, O_NONBLOCK}, true},
		{SYS_fcntl, {20, F_SETFD, FD_CLOEXEC}, true},
		{SYS_fcntl, {20, F_SETOWN, 1}, false},
		{SYS_fcntl, {20, F_SETSIG, 9}, false},
		{SYS_fcntl, {20, F_SETPIPE_SZ, 1 << 20}, false},
	};

	(void)state;
	assert_int_equal(web_sandbox_enter(&e), 0);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const uint64_t *a = cases[i].arg;
		if (filter_allows(cases[i].nr, a[0], a[1], a[2], a[3]) != cases[i].allowed)
			fail_msg("case %zu", i);
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
		T(enters_in_order),
		T(never_half_in),
		T(the_filter_is_tight),
		T(no_new_code),
		T(the_channel_takes_messages_alone),
		T(refuses_to_stay_root),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
