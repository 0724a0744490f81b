/* Kernel log records: parsing and printing, and the role: place kept over restarts, lost records, a full pipe. */
#include "node/klog.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "fake/sys.h"
#include "host/verity.h"
#include "pid1.h"

static char seq_file[64];
static const char *const *ring; /* records to give, NULL-ended; "!" stands for an overrun */
static int out[2];              /* stands for the log pipe on stdout */
static char printed[65536];
static unsigned acts;

static const char *format(const char *record)
{
	static char text[512];
	struct kmsg m;
	struct buf b;
	buf_init(&b, text, sizeof(text));
	if (kmsg_parse(record, strlen(record), &m) < 0)
		return "refused";
	kmsg_format(&m, &b);
	return text;
}

static void prints_records(void **state)
{
	(void)state;
	assert_string_equal(format("6,339,5140900,-;NET: Registered protocol family 10\n"),
	                    "info kernel: NET: Registered protocol family 10\n");
	assert_string_equal(format("4,1,0,-,caller=T1;dm: x\n SUBSYSTEM=block\n DEVICE=b253:0\n"),
	                    "warn kernel: dm: x\n");
	assert_string_equal(format("30,7,1,-;web: started\n"), "info web: started\n"); /* facility 3 */
	assert_string_equal(format("0,7,1,c;panic"), "emerg kernel: panic\n");
	assert_string_equal(format("6,7,1,-;\n"), "info kernel: \n");
}

static void undoes_escapes_where_safe(void **state)
{
	(void)state;
	assert_string_equal(format("6,1,1,-;\\x5cdev \\xc3\\xa4 a\\x09b\n"), "info kernel: \\dev \xc3\xa4 a\tb\n");
	assert_string_equal(format("6,1,1,-;\\x1b[31m \\x7f \\x00\n"), "info kernel: \\x1b[31m \\x7f \\x00\n");
	assert_string_equal(format("3,1,1,-;one\\x0atwo\\x0a\n"), "err kernel: one\nerr kernel: two\n");
	assert_string_equal(format("6,1,1,-;\\x5 \\xZZ \\\n"), "info kernel: \\x5 \\xZZ \\\n");
}

static void refuses_what_is_no_record(void **state)
{
	(void)state;
	static const char *const bad[] = {"",
	                                  ";",
	                                  "6",
	                                  "6,1",
	                                  "x,1,1,-;a",
	                                  "6,,1,-;a",
	                                  "-6,1,1,-;a",
	                                  "6,1,1,-",
	                                  "70000,1,1,-;a",
	                                  "6 ,1,1,-;a",
	                                  "6,99999999999999999999,1,-;a"};
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_string_equal(format(bad[i]), "refused");
}

static void a_small_buffer_is_not_overrun(void **state)
{
	(void)state;
	char text[16];
	struct kmsg m;
	struct buf b;
	buf_init(&b, text, sizeof(text));
	assert_int_equal(kmsg_parse("6,1,1,-;0123456789", 18, &m), 0);
	kmsg_format(&m, &b);
	assert_false(buf_ok(&b));
	assert_int_equal(b.len, 15);
}

static bool damage(const char *text, struct kmsg_damage *d)
{
	static char record[256]; /* what is behind the text must not be read */
	struct kmsg m;
	(void)snprintf(record, sizeof(record), "%s", text);
	assert_int_equal(kmsg_parse(record, strlen(record), &m), 0);
	memset(d, 0xff, sizeof(*d));
	return kmsg_damage(&m, d);
}

static void knows_what_verity_says(void **state)
{
	struct kmsg_damage d;
	(void)state;
	assert_true(damage("3,1,1,-;device-mapper: verity: 254:2: data block 70 is corrupted\n", &d));
	assert_true(d.dev == makedev(254, 2) && !d.tree && d.block == 70);
	assert_true(damage("3,1,1,-,caller=T1;device-mapper: verity: 8:131: metadata block 72435 is corrupted", &d));
	assert_true(d.dev == makedev(8, 131) && d.tree && d.block == 72435);
	static const char *const others[] = {
		"11,1,1,-;device-mapper: verity: 254:2: data block 70 is corrupted", /* a program wrote it */
		"3,1,1,-;device-mapper: verity: 254:2: reached maximum errors",
		"3,1,1,-;device-mapper: verity: 254:2: data block 70 is corrupt",
		"3,1,1,-;device-mapper: verity: 254:2: data block 70",
		"3,1,1,-;device-mapper: verity: 254:2: data block x is corrupted",
		"3,1,1,-;device-mapper: verity: 254:2: block 70 is corrupted",
		"3,1,1,-;device-mapper: verity: 254:2:data block 70 is corrupted",
		"3,1,1,-;device-mapper: verity: 254: data block 70 is corrupted",
		"3,1,1,-;device-mapper: verity: 99999999:2: data block 70 is corrupted",
		"3,1,1,-;device-mapper: verity: 254:2: data block 99999999999999999999 is corrupted",
		"3,1,1,-;x device-mapper: verity: 254:2: data block 70 is corrupted",
		"3,1,1,-;device-mapper: verity: ",
		"3,1,1,-;",
	};
	for (size_t i = 0; i < COUNT_OF(others); i++)
		assert_false(damage(others[i], &d));
}

/* ---- the role ---- */

static int open_there(const char *path, int flags, mode_t mode)
{
	if (str_eq(path, PATH_KMSG))
		return eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK); /* always readable */
	return open(str_eq(path, KLOG_SEQ) ? seq_file : path, flags, mode);
}

static ssize_t read_ring(int fd, void *p, size_t n)
{
	char target[64] = "", link[32];
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t got = readlink(link, target, sizeof(target) - 1);
	if (got < 0 || !strstr(target, "eventfd"))
		return read(fd, p, n);
	if (!*ring) {
		errno = EAGAIN;
		return -1;
	}
	const char *r = *ring++;
	if (str_eq(r, "!")) {
		errno = EPIPE;
		return -1;
	}
	assert_true(strlen(r) <= n);
	memcpy(p, r, strlen(r));
	return (ssize_t)strlen(r);
}

static ssize_t print(int fd, const void *p, size_t n)
{
	if (fd != STDOUT_FILENO)
		return write(fd, p, n);
	assert_true(strlen(printed) + n < sizeof(printed));
	strncat(printed, p, n);
	return (ssize_t)n;
}

static int room(struct pollfd *fds, nfds_t n, int timeout)
{
	if (fds->fd != STDOUT_FILENO)
		return poll(fds, n, timeout);
	fds->revents = POLLOUT;
	return 1;
}

/* stdout of the test is no pipe: what the role watches there is our own. */
static int ctl(int ep, int op, int fd, struct epoll_event *ev)
{
	return epoll_ctl(ep, op, fd == STDOUT_FILENO ? out[1] : fd, ev);
}

static int wait_or_end(int ep, struct epoll_event *ev, int max, int timeout)
{
	(void)timeout;
	if (!*ring || acts++ > 50)
		kill(getpid(), SIGTERM);
	return epoll_wait(ep, ev, max, 0);
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	snprintf(seq_file, sizeof(seq_file), "/tmp/test_klog.XXXXXX");
	int fd = mkstemp(seq_file);
	close(fd);
	if (pipe2(out, O_CLOEXEC | O_NONBLOCK) < 0)
		return -1;
	fake_open = open_there;
	fake_read = read_ring;
	fake_write = print;
	fake_poll = room;
	fake_epoll_ctl = ctl;
	fake_epoll_wait = wait_or_end;
	acts = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_reset();
	close(out[0]);
	close(out[1]);
	unlink(seq_file);
	return 0;
}

static int run(const char *const *records)
{
	char name[] = "klog";
	char *argv[] = {name, NULL};
	unsigned before = fake_open_fds();
	printed[0] = '\0';
	ring = records;
	int rc = klog_main(1, argv);
	assert_int_equal(fake_open_fds(), before);
	return rc;
}

static void a_new_start_does_not_repeat(void **state)
{
	(void)state;
	assert_int_equal(run((const char *const[]){"6,10,1,-;a\n", "6,11,1,-;b\n", NULL}), 0);
	assert_string_equal(printed, "info kernel: a\ninfo kernel: b\n");
	assert_int_equal(run((const char *const[]){"6,10,1,-;a\n", "6,11,1,-;b\n", "6,12,1,-;c\n", NULL}), 0);
	assert_string_equal(printed, "info kernel: c\n");
	/* While nobody listened, the ring went on beyond its end. */
	assert_int_equal(run((const char *const[]){"6,20,1,-;d\n", NULL}), 0);
	assert_string_equal(printed, "warn kernel: lost 7 messages\ninfo kernel: d\n");
}

static void a_broken_place_is_no_place(void **state)
{
	(void)state;
	int fd = open(seq_file, O_WRONLY);
	assert_int_equal(write(fd, "junk", 4), 4);
	close(fd);
	assert_int_equal(run((const char *const[]){"6,10,1,-;a\n", NULL}), 0);
	assert_string_equal(printed, "info kernel: a\n");
}

static void says_how_many_were_lost(void **state)
{
	(void)state;
	assert_int_equal(run((const char *const[]){"6,1,1,-;a\n", "!", "6,5,1,-;b\n", "nonsense", "6,6,1,-;c\n", NULL}),
	                 0);
	assert_string_equal(printed, "info kernel: a\nwarn kernel: lost 3 messages\ninfo kernel: b\ninfo kernel: c\n");
	unlink(seq_file);
	assert_int_equal(run((const char *const[]){"!", "6,5,1,-;b\n", NULL}), 0);
	assert_string_equal(printed, "warn kernel: lost messages\ninfo kernel: b\n");
}

static int poll_full_after_read(struct pollfd *fds, nfds_t n, int timeout)
{
	static unsigned calls;
	if (fds->fd != STDOUT_FILENO)
		return poll(fds, n, timeout);
	fds->revents = calls++ < 3 ? 0 : POLLOUT;
	return fds->revents ? 1 : 0;
}

/* The record in hand waits and comes out once, when there is room. */
static void waits_while_the_pipe_is_full(void **state)
{
	(void)state;
	fake_poll = poll_full_after_read;
	assert_int_equal(run((const char *const[]){"6,1,1,-;a\n", "6,2,1,-;b\n", NULL}), 0);
	assert_string_equal(printed, "info kernel: a\ninfo kernel: b\n");
}

static unsigned sends;

static ssize_t count_sends(int fd, const struct msghdr *m, int flags)
{
	sends++;
	return pid1_sendmsg(fd, m, flags);
}

static unsigned reads;
static off_t bad = -1; /* where the root cannot be read, now either */

static int a_verity_root(int fd, unsigned long request, void *arg)
{
	struct dm_ioctl *rq = arg;
	(void)fd;
	rq->dev = makedev(253, 0);
	if (request == DM_DEV_STATUS)
		return 0;
	errno = ENXIO; /* what lies below is not asked here */
	return -1;
}

static int open_root(const char *path, int flags, mode_t mode)
{
	if (str_eq(path, "/dev/dm-0"))
		assert_true(flags & O_DIRECT); /* past the page cache */
	return str_starts(path, "/dev/") && !str_eq(path, PATH_KMSG) ? open("/dev/null", O_RDONLY | O_CLOEXEC)
	                                                             : open_there(path, flags, mode);
}

static ssize_t read_root(int fd, void *p, size_t n, off_t at)
{
	(void)fd;
	(void)p;
	reads++;
	assert_int_equal(n, VERITY_BLOCK);
	errno = EIO;
	return at == bad ? -1 : (ssize_t)n;
}

/* A bit in memory, and not on the disk: the block is asked for again. */
static void what_reads_well_again_is_no_damage(void **state)
{
	(void)state;
	pid1_up();
	fake_open = open_root;
	fake_ioctl = a_verity_root;
	fake_pread = read_root;
	reads = 0;
	bad = (off_t)71 * VERITY_BLOCK;
	assert_int_equal(
		run((const char *const[]){"3,1,1,-;device-mapper: verity: 254:2: data block 70 is corrupted\n", NULL}),
		0);
	assert_int_equal(reads, 1);
	assert_int_equal(pid1_requests, 0);
	assert_int_equal(
		run((const char *const[]){"3,2,1,-;device-mapper: verity: 254:2: data block 71 is corrupted\n", NULL}),
		0);
	assert_string_equal(pid1_heard, "fact root-intact off block 71 is damaged\n");
	/* Which blocks one of the tree stands for is not looked up. */
	pid1_heard[0] = '\0';
	assert_int_equal(run((const char *const[]){
				 "3,3,1,-;device-mapper: verity: 254:2: metadata block 7 is corrupted\n", NULL}),
	                 0);
	assert_string_equal(pid1_heard, "fact root-intact off block 7, of its hash tree, is damaged\n");
}

static void tells_of_a_damaged_root_once(void **state)
{
	(void)state;
	pid1_up();
	fake_sendmsg = count_sends;
	assert_int_equal(
		run((const char *const[]){"3,1,1,-;device-mapper: verity: 254:2: data block 70 is corrupted\n",
	                                  "3,2,1,-;device-mapper: verity: 254:2: data block 71 is corrupted\n", NULL}),
		0);
	assert_string_equal(pid1_heard, "fact root-intact off block 70 is damaged\n");
	assert_int_equal(sends, 1);
	assert_non_null(strstr(printed, "err kernel: device-mapper: verity: 254:2: data block 71 is corrupted\n"));
	/* What was told is not told again by a new start. */
	assert_int_equal(run((const char *const[]){"3,2,1,-;device-mapper: verity: 254:2: data block 71 is corrupted\n",
	                                           "6,3,1,-;x\n", NULL}),
	                 0);
	assert_int_equal(pid1_requests, 1);
}

static void survives_any_failing_call(void **state)
{
	(void)state;
	bool fired = true;
	for (unsigned n = 1; fired && n < 100; n++) {
		acts = 0;
		fake_fail_at(n, EIO);
		int rc = run((const char *const[]){"6,1,1,-;a\n", "6,2,1,-;b\n", NULL});
		fired = fake_fired();
		fake_fail_at(0, 0);
		assert_true(rc == 0 || rc == 111);
		unlink(seq_file);
	}
	assert_false(fired);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prints_records),
		cmocka_unit_test(undoes_escapes_where_safe),
		cmocka_unit_test(refuses_what_is_no_record),
		cmocka_unit_test(knows_what_verity_says),
		cmocka_unit_test(a_small_buffer_is_not_overrun),
		T(a_new_start_does_not_repeat),
		T(a_broken_place_is_no_place),
		T(says_how_many_were_lost),
		T(waits_while_the_pipe_is_full),
		T(what_reads_well_again_is_no_damage),
		T(tells_of_a_damaged_root_once),
		T(survives_any_failing_call),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
