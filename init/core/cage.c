/* The pieces of a cage; see cage.h. Each failing step is fatal for the role that enters: half a cage is none. */
#include "core/cage.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/paths.h"
#include "base/sys.h"
#include "core/passwd.h"

#define TEST_LEN 3                           /* instructions of one test */
#define ROW_LEN  (3 + CAGE_TESTS * TEST_LEN) /* of one call with tests; the longest row */

struct rules {
	struct sock_filter code[5 + CAGE_CALLS * ROW_LEN];
	unsigned short n;
};

static void rule(struct rules *r, uint16_t code, uint32_t k, unsigned jt, unsigned jf)
{
	r->code[r->n++] = (struct sock_filter){code, (uint8_t)jt, (uint8_t)jf, k};
}

#define LOAD   (BPF_LD | BPF_W | BPF_ABS)
#define MASK   (BPF_ALU | BPF_AND | BPF_K)
#define EQUAL  (BPF_JMP | BPF_JEQ | BPF_K)
#define RETURN (BPF_RET | BPF_K)

/* Whatever does not pass goes on to the next row, which loads the call's number anew. */
static void rule_with(struct rules *r, const struct cage_call *c)
{
	unsigned left = 1; /* instructions to the end of the row */
	for (size_t i = 0; i < CAGE_TESTS; i++)
		left += c->test[i].mask ? TEST_LEN : 0;
	rule(r, LOAD, offsetof(struct seccomp_data, nr), 0, 0);
	rule(r, EQUAL, c->nr, 0, left);
	for (size_t i = 0; i < CAGE_TESTS; i++) {
		const struct cage_test *t = &c->test[i];
		if (!t->mask)
			continue;
		left -= TEST_LEN;
		rule(r, LOAD, (uint32_t)(offsetof(struct seccomp_data, args) + t->arg * sizeof(uint64_t)), 0, 0);
		rule(r, MASK, t->mask, 0, 0);
		rule(r, EQUAL, t->value, t->differs ? left : 0, t->differs ? 0 : left);
	}
	rule(r, RETURN, SECCOMP_RET_ALLOW, 0, 0);
}

static void build(struct rules *r, const struct cage_filter *f)
{
	r->n = 0;
	rule(r, LOAD, offsetof(struct seccomp_data, arch), 0, 0);
	rule(r, EQUAL, AUDIT_ARCH_X86_64, 1, 0);
	rule(r, RETURN, SECCOMP_RET_KILL_PROCESS, 0, 0);
	rule(r, LOAD, offsetof(struct seccomp_data, nr), 0, 0);
	/* x32 calls carry a flag in their number: they match no row. */
	for (size_t i = 0; i < f->count; i++) {
		rule(r, EQUAL, f->allowed[i], 0, 1);
		rule(r, RETURN, SECCOMP_RET_ALLOW, 0, 0);
	}
	for (size_t i = 0; i < f->with_count; i++)
		rule_with(r, &f->with[i]);
	rule(r, RETURN, SECCOMP_RET_KILL_PROCESS, 0, 0);
}

int cage_close(const struct cage_filter *f, struct err *e)
{
	struct rules r;
	if (f->count + f->with_count > CAGE_CALLS)
		return err_set(e, E2BIG, "a filter of %zu system calls", f->count + f->with_count);
	build(&r, f);
	const struct sock_fprog prog = {r.n, r.code};
	/* After the change of user, which clears it: nobody of that user may look into this process. */
	if (sys_prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_sys(e, "not dumpable");
	if (sys_prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(e, "no new privileges");
	if (sys_prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, (unsigned long)(uintptr_t)&prog, 0, 0) < 0)
		return err_sys(e, "system call filter");
	return 0;
}

int cage_limits(const struct cage_limit *limits, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		const struct rlimit r = {limits[i].max, limits[i].max};
		if (sys_setrlimit(limits[i].what, &r) < 0)
			return err_sys(e, "limit of %s", limits[i].name);
	}
	return 0;
}

int cage_find_user(const char *user, uid_t *uid, gid_t *gid, struct err *e)
{
	struct passwd_user u;
	if (passwd_user(user, &u, e) < 0)
		return -1;
	if (u.uid == 0 || u.gid == 0)
		return err_set(e, EINVAL, "user '%.40s' of " PATH_PASSWD " is root, which no cage holds", user);
	*uid = u.uid;
	*gid = u.gid;
	return 0;
}
