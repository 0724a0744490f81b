/* The slot role on a folder of boot entries: each word, each word again, each word cut off anywhere. */
#include "node/slot.h"

#include <linux/fs.h>
#include <sys/mount.h>

#include "base/exit.h"
#include "base/limits.h"
#include "base/str.h"
#include "board.h"
#include "box.h"
#include "pid1.h"

#define FOLDER "/boot/EFI/Linux"

static bool is_writable;
static unsigned unlocks;

static int remount(const char *src, const char *dst, const char *fs, unsigned long flags, const void *data)
{
	(void)src;
	(void)fs;
	(void)data;
	assert_string_equal(dst, "/boot");
	is_writable = !(flags & MS_RDONLY);
	unlocks += is_writable;
	return 0;
}

static int checked_rename(const char *from, const char *to)
{
	if (strncmp(from, "/boot", 5) == 0)
		assert_true(is_writable);
	return box_rename(from, to);
}

/* Every file by itself. */
static int place(int fd, unsigned long request, void *arg)
{
	struct stat st;
	if (request == FIBMAP && fstat(fd, &st) == 0)
		*(int *)arg = (int)st.st_ino;
	return request == FIBMAP ? 0 : -1;
}

static int setup(void **state)
{
	box_up(state);
	pid1_up();
	assert_int_equal(mkdir(box_path("/boot/EFI"), 0755), 0);
	assert_int_equal(mkdir(box_path(FOLDER), 0755), 0);
	box_mounted("/boot");
	box_write("/run/hearth/slot", "a\n");
	fake_mount = remount;
	fake_rename = checked_rename;
	fake_ioctl = place;
	fake_clock_ms = 5000; /* tries of the fact do not wait for real */
	is_writable = false;
	unlocks = 0;
	return 0;
}

static int teardown(void **state)
{
	if (pid1_end >= 0)
		close(pid1_end);
	pid1_end = -1;
	return box_down(state);
}

static void put(const char *const *names)
{
	char path[200];
	box_empty(FOLDER);
	for (; *names; names++) {
		(void)snprintf(path, sizeof(path), FOLDER "/%s", *names);
		box_write(path, *names);
	}
}

/* "next b" */
static int run(const char *words)
{
	char name[] = "slot", verb[16], slot[16] = "";
	int n = sscanf(words, "%15s %15s", verb, slot);
	pid1_heard[0] = '\0';
	unlocks = 0;
	int rc = slot_main(1 + n, (char *[]){name, verb, slot, NULL});
	assert_false(is_writable);
	return rc;
}

static void does(const char *const *names, const char *words, const char *want)
{
	put(names);
	assert_int_equal(run(words), 0);
	box_holds(FOLDER, want);
	assert_int_equal(run(words), 0); /* again */
	box_holds(FOLDER, want);
	assert_int_equal(unlocks, 0);
}

#define ENTRIES(...) ((const char *const[]){__VA_ARGS__, NULL})

static void good(void **state)
{
	(void)state;
	does(ENTRIES("hearth-0001-a+2-1.efi"), "good", "hearth-0001-a.efi");
	does(ENTRIES("hearth-0001-a+0-3.efi"), "good", "hearth-0001-a.efi");
	does(ENTRIES("hearth-0001-a.efi", "hearth-0002-b+3.efi"), "good", "hearth-0001-a.efi hearth-0002-b+3.efi");
	does(ENTRIES("hearth-0001-b.efi"), "good", "hearth-0001-b.efi");
	does(ENTRIES("hearth-a+3.efi", "debian+1.efi"), "good", "debian+1.efi hearth-a+3.efi");
	/* The newest of the slot is what ran. */
	does(ENTRIES("hearth-0001-a+0-3.efi", "hearth-0002-a+1-2.efi"), "good", "hearth-0002-a.efi");
	/* Cut off before the old name was gone: it is good already. */
	does(ENTRIES("hearth-0001-a.efi", "hearth-0001-a+2-1.efi", "hearth-a.copy"), "good", "hearth-0001-a.efi");
}

static void bad(void **state)
{
	(void)state;
	does(ENTRIES("hearth-0001-a.efi", "hearth-0002-b+2-1.efi"), "bad b", "hearth-0001-a.efi hearth-0002-b+0-1.efi");
	does(ENTRIES("hearth-0001-a.efi"), "bad a", "hearth-0001-a+0.efi");
	/* Cut off before the old name was gone: only then it is bad. */
	does(ENTRIES("hearth-0001-a.efi", "hearth-0001-a+0.efi"), "bad a", "hearth-0001-a+0.efi");
	does(ENTRIES("hearth-0001-a.efi", "hearth-0002-b+0-3.efi"), "bad b", "hearth-0001-a.efi hearth-0002-b+0-3.efi");
	does(ENTRIES("hearth-0001-a.efi"), "bad b", "hearth-0001-a.efi");
}

static void next(void **state)
{
	(void)state;
	does(ENTRIES("hearth-0001-a.efi", "hearth-0002-b.efi"), "next a", "hearth-0002-b.efi hearth-0003-a.efi");
	does(ENTRIES("hearth-0001-a.efi", "hearth-0002-b.efi"), "next b", "hearth-0001-a.efi hearth-0002-b.efi");
	does(ENTRIES("hearth-0009-a+1-2.efi", "hearth-9999-b.efi"), "next a",
	     "hearth-10000-a+1-2.efi hearth-9999-b.efi");
	does(ENTRIES("hearth-0001-a.efi", "hearth-0002-b+0-3.efi"), "next b", "hearth-0001-a.efi hearth-0003-b+3.efi");
	does(ENTRIES("hearth-0005-a.efi", "hearth-0005-b.efi"), "next b", "hearth-0005-a.efi hearth-0006-b.efi");
	put(ENTRIES("hearth-0001-a.efi"));
	assert_int_equal(run("next b"), 1);
	put(ENTRIES("hearth-999999999-a.efi", "hearth-0001-b.efi"));
	assert_int_equal(run("next b"), 1);
	box_holds(FOLDER, "hearth-0001-b.efi hearth-999999999-a.efi");
}

static void wrong_words(void **state)
{
	static const char *const wrong[] = {"good a", "bad", "next", "bad c", "next ab", "better"};
	char name[] = "slot";
	(void)state;
	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		assert_int_equal(run(wrong[i]), EXIT_USAGE);
	assert_int_equal(slot_main(1, (char *[]){name, NULL}), EXIT_USAGE);
}

static void pid_1_is_told(void **state)
{
	(void)state;
	put(ENTRIES("hearth-0002-a+2-1.efi", "hearth-0001-b.efi"));
	assert_int_equal(mkdir(box_path("/state/update"), 0755), 0);
	box_write("/state/update/slot-b", "0.0.7\n");
	assert_int_equal(run("next a"), 0);
	assert_string_equal(pid1_heard,
	                    "fact slot-other on good\nfact trial-boot on slot a, 2 tries left\nfact slot-failed off\n");
	assert_string_equal(box_read("/run/hearth/slots"), "a trial 2 2 " BOARD_VERSION "\nb good 1 0 -\n");
	box_mounted("/state");
	assert_int_equal(run("good"), 0);
	assert_string_equal(pid1_heard, "fact slot-other on good\nfact trial-boot off\nfact slot-failed off\n");
	assert_string_equal(box_read("/run/hearth/slots"), "a good 2 0 " BOARD_VERSION "\nb good 1 0 0.0.7\n");
	assert_int_equal(run("bad a"), 0);
	assert_string_equal(pid1_heard,
	                    "fact slot-other on good\nfact trial-boot on slot a, 0 tries left\nfact slot-failed off\n");
	put(ENTRIES("hearth-0002-a.efi", "hearth-0003-b+3.efi"));
	assert_int_equal(run("tell"), 0);
	assert_string_equal(pid1_heard, "fact slot-other on trial\nfact trial-boot off\nfact slot-failed off\n");
	assert_string_equal(box_read("/run/hearth/slots"), "a good 2 0 " BOARD_VERSION "\nb trial 3 3 0.0.7\n");
	box_holds(FOLDER, "hearth-0002-a.efi hearth-0003-b+3.efi");
	put(ENTRIES("hearth-0002-a+2-1.efi", "hearth-0001-b+0-3.efi"));
	assert_int_equal(run("next a"), 0);
	assert_int_equal(strncmp(pid1_heard, "fact slot-other off bad\n", 24), 0);
	put(ENTRIES("hearth-0002-a.efi"));
	assert_int_equal(run("good"), 0);
	assert_int_equal(strncmp(pid1_heard, "fact slot-other unknown empty\n", 30), 0);
	put(ENTRIES("hearth-0002-a+0-1.efi", "hearth-0001-b.efi"));
	box_write("/state/update/slot-b", "../../etc\n");
	pid1_answer = PID1_NO; /* it is done all the same */
	assert_int_equal(run("good"), 0);
	assert_string_equal(box_read("/run/hearth/slots"), "a good 2 0 " BOARD_VERSION "\nb good 1 0 -\n");
}

static void sentences(void **state)
{
	struct bootenv_entry en, other;
	char trial[LIMIT_DETAIL], failed[LIMIT_DETAIL];
	(void)state;
	slot_sentences(NULL, NULL, trial, failed, sizeof(trial));
	assert_true(!trial[0] && !failed[0]);
	assert_int_equal(bootenv_parse(&en, "hearth-0001-b+1-2.efi"), 0);
	slot_sentences(&en, NULL, trial, failed, sizeof(trial));
	assert_string_equal(trial, "slot b, 1 try left");
	assert_false(failed[0]);
	/* The last try: the loader has counted it, and would take the other slot next. */
	assert_int_equal(bootenv_parse(&en, "hearth-0002-b+0-3.efi"), 0);
	assert_int_equal(bootenv_parse(&other, "hearth-0001-a.efi"), 0);
	slot_sentences(&en, &other, trial, failed, sizeof(trial));
	assert_string_equal(trial, "slot b, 0 tries left");
	assert_false(failed[0]);
	assert_int_equal(bootenv_parse(&other, "hearth-0001-a+0-1.efi"), 0);
	slot_sentences(&en, &other, trial, failed, sizeof(trial));
	assert_true(!trial[0] && failed[0]);
	/* What was just installed has not proved to be a way out. */
	assert_int_equal(bootenv_parse(&other, "hearth-0003-a+3.efi"), 0);
	slot_sentences(&en, &other, trial, failed, sizeof(trial));
	assert_true(!trial[0] && failed[0]);
	/* A bad one, by the boot menu: it has as much to show as by `rollback`. */
	assert_int_equal(bootenv_parse(&other, "hearth-0001-a.efi"), 0);
	assert_int_equal(bootenv_parse(&en, "hearth-0002-b+0-4.efi"), 0);
	slot_sentences(&en, &other, trial, failed, sizeof(trial));
	assert_true(trial[0] && !failed[0]);
}

static void what_is_not_known(void **state)
{
	(void)state;
	put(ENTRIES("hearth-0001-a+2-1.efi"));
	assert_int_equal(unlink(box_path("/run/hearth/slot")), 0);
	assert_int_equal(run("good"), 1);
	box_holds(FOLDER, "hearth-0001-a+2-1.efi");
	assert_int_equal(run("bad a"), 0); /* that is not asked */
	memset(box_mounts, 0, sizeof(box_mounts));
	box_write("/run/hearth/slot", "a\n");
	assert_int_equal(run("good"), 1);
}

/* The entry has the old name or the new one, and the same word finishes what was cut off. */
static void any_call_may_fail(void **state)
{
	static const struct {
		const char *words, *now;
	} rows[] = {
		{"good", "hearth-0001-a.efi hearth-0003-b.efi"},
		{"bad a", "hearth-0001-a+0-1.efi hearth-0003-b.efi"},
		{"next a", "hearth-0003-b.efi hearth-0004-a+2-1.efi"},
	};
	unsigned before = fake_open_fds();
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		bool fired = true;
		for (unsigned n = 1; fired; n++) {
			assert_true(n < 300);
			put(ENTRIES("hearth-0001-a+2-1.efi", "hearth-0003-b.efi"));
			fake_fail_at(n, EIO);
			char name[] = "slot", verb[16], slot[16] = "";
			int words = sscanf(rows[i].words, "%15s %15s", verb, slot);
			int rc = slot_main(1 + words, (char *[]){name, verb, slot, NULL});
			fired = fake_fired();
			fake_fail_at(0, 0);
			is_writable = false;
			if (pid1_end >= 0)
				close(pid1_end);
			pid1_end = -1;
			assert_int_equal(fake_open_fds(), before);
			if (rc == 0)
				box_holds(FOLDER, rows[i].now);
			assert_int_equal(run(rows[i].words), 0);
			box_holds(FOLDER, rows[i].now);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(good, setup, teardown),
		cmocka_unit_test_setup_teardown(bad, setup, teardown),
		cmocka_unit_test_setup_teardown(next, setup, teardown),
		cmocka_unit_test_setup_teardown(wrong_words, setup, teardown),
		cmocka_unit_test_setup_teardown(pid_1_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(sentences, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_not_known, setup, teardown),
		cmocka_unit_test_setup_teardown(any_call_may_fail, setup, teardown),
	};
	return cmocka_run_group_tests_name("slot", tests, NULL, NULL);
}
