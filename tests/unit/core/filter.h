/* A filter of system calls as a test sees it: sys_prctl's is kept in place of being set, and run on any call. */
#ifndef HEARTH_TESTS_UNIT_CORE_FILTER_H
#define HEARTH_TESTS_UNIT_CORE_FILTER_H

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/str.h"

#define FILTER_ANY (~0ull) /* as an argument that no filter should care about */

static struct sock_filter filter[2048];
static unsigned filter_len;

/* For fake_prctl, or to be called by it. */
static inline int filter_prctl(int op, unsigned long a, unsigned long b, unsigned long c, unsigned long d)
{
	(void)c;
	(void)d;
	if (op != PR_SET_SECCOMP)
		return 0;
	assert_int_equal(a, SECCOMP_MODE_FILTER);
	const struct sock_fprog *prog = (const struct sock_fprog *)(uintptr_t)b;
	assert_true(prog->len <= COUNT_OF(filter));
	memcpy(filter, prog->filter, prog->len * sizeof(filter[0]));
	filter_len = prog->len;
	return 0;
}

/* Classic BPF, as much of it as the filters use (linux/filter.h). */
static inline uint32_t filter_run(const struct seccomp_data *d)
{
	uint32_t acc = 0;
	for (unsigned pc = 0; pc < filter_len; pc++) {
		const struct sock_filter *f = &filter[pc];
		switch (f->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			assert_true(f->k % 4 == 0 && f->k + 4 <= sizeof(*d));
			memcpy(&acc, (const char *)d + f->k, 4);
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			acc &= f->k;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			pc += acc == f->k ? f->jt : f->jf;
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

static inline bool filter_allows_on(uint32_t arch, int nr, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3)
{
	const struct seccomp_data d = {.nr = nr, .arch = arch, .args = {a0, a1, a2, a3, FILTER_ANY, FILTER_ANY}};
	uint32_t verdict = filter_run(&d);
	assert_true(verdict == SECCOMP_RET_ALLOW || verdict == SECCOMP_RET_KILL_PROCESS);
	return verdict == SECCOMP_RET_ALLOW;
}

static inline bool filter_allows(int nr, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3)
{
	return filter_allows_on(AUDIT_ARCH_X86_64, nr, a0, a1, a2, a3);
}

/* How many calls may come through with these arguments, by their numbers; checks that it is none by another door. */
static inline unsigned filter_count(uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3)
{
	unsigned open = 0;
	for (int nr = -1; nr < 1024; nr++) {
		open += filter_allows(nr, a0, a1, a2, a3);
		assert_false(filter_allows_on(AUDIT_ARCH_I386, nr, a0, a1, a2, a3));
		assert_false(filter_allows_on(AUDIT_ARCH_AARCH64, nr, a0, a1, a2, a3));
		assert_false(nr >= 0 && filter_allows(nr | 0x40000000, a0, a1, a2, a3)); /* x32 */
	}
	return open;
}

#endif
