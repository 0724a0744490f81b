/* What the kernel kept of a crash: the reason in it, the order of its parts, the copies, and failing disks. The folder
 * /run/pstore stands for the real one. */
#include "node/crash.h"

#include <dirent.h>
#include <time.h>

#include "box.h"

#define FROM "/run/pstore"

static struct crash c;
static struct err e;
static char reason[LIMIT_DETAIL];

static const char *reason_of(const char *text)
{
	crash_reason(text, strlen(text), reason);
	return reason;
}

static void reasons(void **state)
{
	char longest[400];

	(void)state;
	assert_string_equal(reason_of(""), "");
	assert_string_equal(reason_of("<6>[    1.5] all is well\n"), "");
	assert_string_equal(reason_of("<0>[   93.0] hearth: PID 1 fault: SIGSEGV at 0x0 rip 0x1; the box restarts\n"),
	                    "PID 1 fault: SIGSEGV at 0x0 rip 0x1");
	assert_string_equal(reason_of("hearth: PID 1 fault: SIGBUS"), "PID 1 fault: SIGBUS");
	assert_string_equal(reason_of("<0>[    2.1] Kernel panic - not syncing: VFS: no root\n<0>[    2.2] hearth: PID "
	                              "1 fault: SIGILL\n<0>[ 3.0] hearth: PID 1 fault: second\n"),
	                    "PID 1 fault: SIGILL");
	assert_string_equal(reason_of("Panic#1 Part1\n<0>[    2.1] Kernel panic - not syncing: VFS: no root\n"),
	                    "kernel panic: VFS: no root");
	assert_string_equal(reason_of("<1>[    7.0] BUG: unable to handle page fault\n<4>[    7.0] Oops: 0002 [#1]\n"),
	                    "kernel error: BUG: unable to handle page fault");
	assert_string_equal(
		reason_of("[    7.0] BUG: page fault\n[    7.1] Kernel panic - not syncing: Fatal exception\n"),
		"kernel panic: Fatal exception: BUG: page fault");
	assert_string_equal(reason_of("<0>[ 2.1] Kernel panic - not syncing: a\x1b[2J\xff"), "kernel panic: a?[2J?");
	/* In the middle of a line it is somebody's quote. */
	assert_string_equal(
		reason_of("<6>[ 1.0] web: Kernel panic - not syncing: x\n<6>[ 1.0 hearth: PID 1 fault: y\n"), "");
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	memcpy(longest, "Kernel panic - not syncing: ", 28);
	assert_int_equal(strlen(reason_of(longest)), LIMIT_DETAIL - 1);
}

/* One file of pstore, written at `time`. */
static void kept(const char *name, int64_t time, const char *text)
{
	char path[300];
	const struct timespec times[2] = {{.tv_sec = time}, {.tv_sec = time}};

	(void)mkdir(box_path(FROM), 0755);
	(void)snprintf(path, sizeof(path), FROM "/%s", name);
	box_write(path, text);
	assert_int_equal(utimensat(AT_FDCWD, box_path(path), times, 0), 0);
}

static void a_fault(void)
{
	kept("dmesg-efi_pstore-179563324201001", 1000, "Panic#1 Part1\n<0>[ 3.0] hearth: PID 1 fault: SIGSEGV sent\n");
	kept("dmesg-efi_pstore-179563324203001", 1001, "Panic#1 Part3\n<6>[ 1.0] first\n");
	kept("dmesg-efi_pstore-179563324202001", 1000, "Panic#1 Part2\n<6>[ 2.0] second");
}

#define FAULT_TEXT                                                                                                     \
	"Panic#1 Part3\n<6>[ 1.0] first\nPanic#1 Part2\n<6>[ 2.0] second\n"                                            \
	"Panic#1 Part1\n<0>[ 3.0] hearth: PID 1 fault: SIGSEGV sent\n"

static unsigned files_in(const char *folder)
{
	unsigned n = 0;
	DIR *d = opendir(box_path(folder));

	for (struct dirent *f = d ? readdir(d) : NULL; f; f = readdir(d))
		n += f->d_name[0] != '.';
	if (d)
		closedir(d);
	return n;
}

static void nothing_to_keep(void **state)
{
	(void)state;
	assert_int_equal(crash_keep(FROM, true, &c, &e), 0);
	assert_string_equal(c.reason, "");
	assert_string_equal(c.path, "");
	assert_false(box_exists("/state/crash"));
	assert_int_equal(mkdir(box_path(FROM), 0755), 0);
	assert_int_equal(crash_keep(FROM, true, &c, &e), 0);
	assert_false(box_exists("/state/crash"));
}

static void parts_become_one_text(void **state)
{
	struct stat st;
	unsigned before = fake_open_fds();

	(void)state;
	a_fault();
	assert_int_equal(crash_keep(FROM, true, &c, &e), 0);
	assert_string_equal(c.reason, "PID 1 fault: SIGSEGV sent");
	assert_string_equal(c.path, "/state/crash/1.txt");
	assert_string_equal(box_read(c.path), FAULT_TEXT);
	assert_int_equal(stat(box_path(c.path), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(files_in(FROM), 0);
	assert_int_equal(fake_open_fds(), before);
}

/* A box that crashes before its disk is there leaves several; the last one is why it is here now. */
static void several_crashes(void **state)
{
	(void)state;
	kept("dmesg-efi_pstore-200001001", 2000, "Panic#1 Part1\nKernel panic - not syncing: later\n");
	kept("dmesg-efi_pstore-200002001", 2000, "Panic#1 Part2\nb\n");
	kept("dmesg-efi_pstore-100001001", 1000, "Panic#1 Part1\nhearth: PID 1 fault: earlier\n");
	kept("dmesg-efi_pstore-100002001", 1000, "Panic#1 Part2\na\n");
	kept("pmsg-ramoops-0", 0, "last words\n");
	assert_int_equal(crash_keep(FROM, true, &c, &e), 0);
	assert_string_equal(c.reason, "kernel panic: later");
	assert_string_equal(box_read(c.path), "Panic#1 Part2\na\nPanic#1 Part1\nhearth: PID 1 fault: earlier\n"
	                                      "Panic#1 Part2\nb\nPanic#1 Part1\nKernel panic - not syncing: later\n"
	                                      "pmsg-ramoops-0:\nlast words\n");
}

static void the_newest_texts_stay(void **state)
{
	char text[64];

	(void)state;
	for (unsigned i = 1; i <= 7; i++) {
		(void)snprintf(text, sizeof(text), "Panic#1 Part1\ncrash %u\n", i);
		kept("dmesg-ramoops-0", 1000 + i, text);
		assert_int_equal(crash_keep(FROM, true, &c, &e), 0);
	}
	assert_int_equal(files_in("/state/crash"), CRASH_KEPT);
	assert_false(box_exists("/state/crash/3.txt"));
	assert_string_equal(box_read("/state/crash/4.txt"), "Panic#1 Part1\ncrash 4\n");
	assert_string_equal(c.path, "/state/crash/7.txt");
	assert_string_equal(c.reason, "");
}

static void an_orderly_end(void **state)
{
	(void)state;
	kept("console-ramoops-0", 1000, "[ 1.0] all is well\n");
	assert_int_equal(crash_keep(FROM, false, &c, &e), 0);
	assert_string_equal(c.path, "");
	assert_int_equal(files_in(FROM), 0);
	kept("console-ramoops-0", 1000, "[ 1.0] and then nothing\x1b\n");
	assert_int_equal(crash_keep(FROM, true, &c, &e), 0);
	assert_string_equal(box_read(c.path), "console-ramoops-0:\n[ 1.0] and then nothing?\n");
	kept("dmesg-ramoops-0", 1000, "Oops#1 Part1\n<4>[ 1.0] Oops: 0002 [#1]\n");
	assert_int_equal(crash_keep(FROM, false, &c, &e), 0);
	assert_string_equal(c.reason, "kernel error: Oops: 0002 [#1]");
	assert_string_equal(c.path, "/state/crash/2.txt");
}

static int refuse(const char *path)
{
	if (strncmp(path, FROM, strlen(FROM)) == 0) {
		errno = EPERM;
		return -1;
	}
	return unlink(box_path(path));
}

/* A firmware that does not let go: kept once, and not the reason of every later end. */
static void what_cannot_be_removed(void **state)
{
	(void)state;
	a_fault();
	fake_unlink = refuse;
	assert_int_equal(crash_keep(FROM, true, &c, &e), -1);
	assert_string_equal(c.path, "/state/crash/1.txt");
	assert_string_equal(c.reason, "PID 1 fault: SIGSEGV sent");
	assert_int_equal(crash_keep(FROM, true, &c, &e), -1);
	assert_string_equal(c.path, "");
	assert_string_equal(c.reason, "");
	assert_int_equal(files_in("/state/crash"), 1);
}

static void more_than_fits(void **state)
{
	static char big[20000];
	char name[40];
	struct stat st;

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	for (unsigned i = 1; i <= 70; i++) {
		(void)snprintf(big, sizeof(big), "Panic#1 Part%u\n", i);
		big[strlen(big)] = 'x';
		(void)snprintf(name, sizeof(name), "dmesg-efi_pstore-%u", i);
		kept(name, 1000, i == 1 ? "Panic#1 Part1\nKernel panic - not syncing: the end\n" : big);
	}
	assert_int_equal(crash_keep(FROM, true, &c, &e), 0);
	assert_int_equal(stat(box_path(c.path), &st), 0);
	assert_in_range(st.st_size, CRASH_TEXT / 2, CRASH_TEXT);
	assert_int_equal(files_in(FROM), 70 - CRASH_FILES);
	assert_int_equal(crash_keep(FROM, true, &c, &e), 0);
	assert_int_equal(files_in(FROM), 0);
}

static void odd_files(void **state)
{
	(void)state;
	kept("dmesg-efi_pstore-1.enc.z", 1000, "\x78\x9c\x01");
	kept("dmesg-efi_pstore-2", 1000, "Panic#99999999999999999999 Part1\n");
	kept("dmesg-efi_pstore-3", 1000, "");
	kept("nonsense", 1000, "#");
	assert_int_equal(mkdir(box_path(FROM "/folder"), 0755), 0);
	assert_int_equal(mkdir(box_path("/state/crash"), 0755), 0);
	box_write("/state/crash/0.txt", "");
	box_write("/state/crash/x.txt", "");
	box_write("/state/crash/99999999999999999999.txt", "");
	assert_int_equal(crash_keep(FROM, true, &c, &e), 0);
	assert_string_equal(c.path, "/state/crash/1.txt");
	assert_int_equal(files_in(FROM), 1);
}

/* Whatever fails, the text is in one of the two places, and the next try has all of it. */
static void any_call_may_fail(void **state)
{
	unsigned before = fake_open_fds();

	(void)state;
	for (unsigned n = 1; n < 300; n++) {
		assert_int_equal(box_down(NULL), 0);
		assert_int_equal(box_up(NULL), 0);
		a_fault();
		fake_fail_at(n, EIO);
		int rc = crash_keep(FROM, true, &c, &e);
		bool fired = fake_fired();
		fake_fail_at(0, 0);
		assert_int_equal(fake_open_fds(), before);
		assert_true(c.path[0] || files_in(FROM) == 3 || box_exists("/state/crash/1.txt"));
		if (rc == 0 && c.path[0] && files_in(FROM) == 0)
			assert_string_equal(box_read("/state/crash/1.txt"), FAULT_TEXT);
		if (!fired) {
			assert_int_equal(rc, 0);
			return;
		}
		assert_int_equal(crash_keep(FROM, true, &c, &e), 0);
		assert_int_equal(files_in(FROM), 0);
	}
	fail();
}

static void a_reason_has_a_kind(void **state)
{
	(void)state;
	assert_int_equal(crash_kind("PID 1 fault: SIGSEGV at 0x0"), END_PID1_FAULT);
	assert_int_equal(crash_kind("kernel panic: no reason"), END_PANIC);
	assert_int_equal(crash_kind("kernel error: BUG: x"), END_PANIC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reason_has_a_kind),
		cmocka_unit_test(reasons),
		cmocka_unit_test_setup_teardown(nothing_to_keep, box_up, box_down),
		cmocka_unit_test_setup_teardown(parts_become_one_text, box_up, box_down),
		cmocka_unit_test_setup_teardown(several_crashes, box_up, box_down),
		cmocka_unit_test_setup_teardown(the_newest_texts_stay, box_up, box_down),
		cmocka_unit_test_setup_teardown(an_orderly_end, box_up, box_down),
		cmocka_unit_test_setup_teardown(what_cannot_be_removed, box_up, box_down),
		cmocka_unit_test_setup_teardown(more_than_fits, box_up, box_down),
		cmocka_unit_test_setup_teardown(odd_files, box_up, box_down),
		cmocka_unit_test_setup_teardown(any_call_may_fail, box_up, box_down),
	};

	return cmocka_run_group_tests_name("crash", tests, NULL, NULL);
}
