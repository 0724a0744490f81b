/* Boot entries: names there and back, which entry counts, the loader's variable, and the folder after each operation
 * and each fault. */
#include "host/bootenv.h"

#include <sys/mount.h>

#include "../node/box.h"
#include "base/str.h"

static struct err e;
static char remounts[256];
static int remount_fails;

static int remount(const char *src, const char *dst, const char *fs, unsigned long flags, const void *data)
{
	(void)src;
	(void)fs;
	(void)data;
	assert_string_equal(dst, "/boot");
	assert_true((flags & (MS_REMOUNT | MS_NOSUID | MS_NODEV | MS_NOEXEC)) ==
	            (MS_REMOUNT | MS_NOSUID | MS_NODEV | MS_NOEXEC));
	strcat(remounts, flags & MS_RDONLY ? "ro " : "rw ");
	errno = EIO;
	return remount_fails ? -1 : 0;
}

static int setup(void **state)
{
	box_up(state);
	assert_int_equal(mkdir(box_path("/boot/EFI"), 0755), 0);
	assert_int_equal(mkdir(box_path("/boot/EFI/Linux"), 0755), 0);
	box_mounted("/boot");
	fake_mount = remount;
	remounts[0] = '\0';
	remount_fails = 0;
	return 0;
}

static void put(const char *name)
{
	char path[200];
	(void)snprintf(path, sizeof(path), "/boot/EFI/Linux/%s", name);
	box_write(path, name);
}

static bool there(const char *name)
{
	char path[200];
	(void)snprintf(path, sizeof(path), "/boot/EFI/Linux/%s", name);
	return box_exists(path);
}

static void is(const char *name, char slot, uint32_t generation, enum bootenv_state s, uint32_t left, uint32_t used)
{
	struct bootenv_entry en;
	if (bootenv_parse(&en, name) < 0)
		fail_msg("not taken: %s", name);
	assert_int_equal(en.slot, slot);
	assert_int_equal(en.generation, generation);
	assert_int_equal(bootenv_state(&en), s);
	assert_int_equal(en.left, left);
	assert_int_equal(en.used, used);
	assert_string_equal(en.name, name);
	en.name[0] = '\0';
	assert_int_equal(bootenv_name(&en), 0);
	assert_string_equal(en.name, name);
}

static void names(void **state)
{
	(void)state;
	is("hearth-0001-a.efi", 'a', 1, BOOTENV_GOOD, 0, 0);
	is("hearth-0000-b.efi", 'b', 0, BOOTENV_GOOD, 0, 0);
	is("hearth-0012-b+3.efi", 'b', 12, BOOTENV_TRIAL, 3, 0);
	is("hearth-0012-b+2-1.efi", 'b', 12, BOOTENV_TRIAL, 2, 1);
	is("hearth-12345-a+0-3.efi", 'a', 12345, BOOTENV_BAD, 0, 3);
	is("hearth-0001-a+0.efi", 'a', 1, BOOTENV_BAD, 0, 0);
	is("hearth-999999999-a+999999999-999999999.efi", 'a', 999999999, BOOTENV_TRIAL, 999999999, 999999999);
}

static void other_names(void **state)
{
	static const char *const others[] = {
		"",
		"hearth-a.efi",
		"hearth-a+3.efi",
		"hearth-001-a.efi",
		"hearth-00001-a.efi",
		"hearth-1000000000-a.efi",
		"hearth-0001-c.efi",
		"hearth-0001-ab.efi",
		"hearth-0001a.efi",
		"hearth-0001-a",
		"hearth-0001-a.efi.new",
		"hearth-0001-a.EFI",
		"Hearth-0001-a.efi",
		"hearth-0001-a+.efi",
		"hearth-0001-a+x.efi",
		"hearth-0001-a+3-.efi",
		"hearth-0001-a+-1.efi",
		"hearth-0001-a+1-2-3.efi",
		"hearth-0001-a+1234567890.efi",
		"hearth-0001-a+3 .efi",
		"hearth-b.new",
		"auto-hearth-0001-a.efi",
		"hearth-0001-",
		"hearth-0001",
	};
	char longer[200] = "hearth-0001-a+3";
	struct bootenv_entry en;
	(void)state;
	for (size_t i = 0; i < COUNT_OF(others); i++) {
		if (bootenv_parse(&en, others[i]) == 0)
			fail_msg("taken: %s", others[i]);
	}
	memset(longer + 15, '3', 150);
	assert_int_equal(bootenv_parse(&en, longer), -1);
}

static void names_that_cannot_be(void **state)
{
	struct bootenv_entry en = {.slot = 'c', .generation = 1};
	(void)state;
	assert_int_equal(bootenv_name(&en), -1);
	en.slot = 'a';
	en.generation = BOOTENV_MOST + 1;
	assert_int_equal(bootenv_name(&en), -1);
	en.generation = 1;
	en.left = BOOTENV_MOST + 1;
	assert_int_equal(bootenv_name(&en), -1);
}

static void which_counts(void **state)
{
	static const char *const found[] = {
		"hearth-0003-a+1-2.efi", "hearth-0003-a+2-1.efi", "hearth-0002-a.efi",     "hearth-0003-a+0-3.efi",
		"hearth-0009-b+0-3.efi", "hearth-0007-b.efi",     "hearth-0009-b+0-2.efi",
	};
	struct bootenv b = {.count = 0};
	(void)state;
	assert_null(bootenv_of(&b, 'a'));
	assert_int_equal(bootenv_state(NULL), BOOTENV_EMPTY);
	assert_int_equal(bootenv_next_generation(&b), 1);
	assert_false(bootenv_starts(NULL));
	/* In whatever order the folder gives them. */
	for (size_t first = 0; first < COUNT_OF(found); first++) {
		b.count = 0;
		for (size_t i = 0; i < COUNT_OF(found); i++)
			assert_int_equal(bootenv_parse(&b.entry[b.count++], found[(first + i) % COUNT_OF(found)]), 0);
		assert_string_equal(bootenv_of(&b, 'a')->name, "hearth-0003-a+2-1.efi");
		assert_string_equal(bootenv_of(&b, 'b')->name, "hearth-0009-b+0-2.efi");
		assert_true(bootenv_starts(bootenv_of(&b, 'a')) && !bootenv_starts(bootenv_of(&b, 'b')));
		assert_int_equal(bootenv_next_generation(&b), 10);
	}
	/* A rename that a power cut hit: the good name counts. */
	assert_int_equal(bootenv_parse(&b.entry[b.count++], "hearth-0003-a.efi"), 0);
	assert_string_equal(bootenv_of(&b, 'a')->name, "hearth-0003-a.efi");
	assert_int_equal(bootenv_parse(&b.entry[b.count++], "hearth-999999999-a.efi"), 0);
	assert_int_equal(bootenv_next_generation(&b), BOOTENV_MOST + 1);
}

static int selected(const char *name, size_t cut, struct bootenv_entry *en)
{
	uint8_t data[300] = {6, 0, 0, 0};
	size_t n = 4;
	for (const char *p = name;; p++) {
		data[n] = (uint8_t)*p;
		n += 2;
		if (*p == '\0')
			break;
	}
	return bootenv_selected(en, data, n - cut);
}

static void the_loader_says(void **state)
{
	struct bootenv_entry en;
	uint8_t wide[] = {6, 0, 0, 0, 'h', 1, 0, 0};
	char longer[120];
	(void)state;
	assert_int_equal(selected("hearth-0004-b.efi", 0, &en), 0);
	assert_int_equal(en.slot, 'b');
	assert_int_equal(en.generation, 4);
	assert_int_equal(selected("hearth-0004-b.efi", 2, &en), 0); /* without the zero */
	assert_int_equal(selected("hearth-0004-b.efi", 1, &en), -1);
	assert_int_equal(selected("hearth-0004-b.efi", 4, &en), -1);
	assert_int_equal(selected("debian.conf", 0, &en), -1);
	assert_int_equal(selected("", 0, &en), -1);
	assert_int_equal(bootenv_selected(&en, wide, sizeof(wide)), -1);
	assert_int_equal(bootenv_selected(&en, wide, 2), -1);
	assert_int_equal(bootenv_selected(&en, wide, 0), -1);
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(selected(longer, 0, &en), -1);
}

static void the_loader_is_asked(void **state)
{
	static const char name[] = "hearth-0004-b.efi",
			  path[] = "/sys/firmware/efi/efivars/LoaderEntrySelected-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";
	uint8_t data[4 + 2 * sizeof(name)] = {6, 0, 0, 0};
	struct bootenv_entry en;
	(void)state;
	assert_int_equal(bootenv_loader(&en, &e), -1);
	assert_int_equal(e.code, ENOENT);
	for (size_t i = 0; i < sizeof(name); i++)
		data[4 + 2 * i] = (uint8_t)name[i];
	int fd = open(box_path(path), O_WRONLY | O_CREAT, 0644);
	assert_int_equal(write(fd, data, sizeof(data)), sizeof(data));
	close(fd);
	assert_int_equal(bootenv_loader(&en, &e), 0);
	assert_int_equal(en.slot, 'b');
	assert_int_equal(en.generation, 4);
	box_write(path, "something");
	assert_int_equal(bootenv_loader(&en, &e), -1);
	assert_int_equal(e.code, EINVAL);
}

static void words(void **state)
{
	(void)state;
	assert_true(bootenv_is_slot("a") && bootenv_is_slot("b"));
	assert_false(bootenv_is_slot("") || bootenv_is_slot("c") || bootenv_is_slot("ab"));
	assert_int_equal(bootenv_slot(0), 'a');
	assert_int_equal(bootenv_slot(1), 'b');
	assert_int_equal(bootenv_other('a'), 'b');
	assert_int_equal(bootenv_other('b'), 'a');
	assert_string_equal(bootenv_state_name(BOOTENV_TRIAL), "trial");
	assert_string_equal(bootenv_state_name((enum bootenv_state)9), "?");
}

static void the_folder(void **state)
{
	struct bootenv b;
	unsigned before = fake_open_fds();
	(void)state;
	put("hearth-0001-a.efi");
	put("hearth-0002-b+3.efi");
	put("hearth-b.new");
	put("debian.efi");
	assert_int_equal(bootenv_read(&b, &e), 0);
	assert_int_equal(b.count, 2);
	assert_string_equal(bootenv_of(&b, 'b')->name, "hearth-0002-b+3.efi");
	assert_int_equal(fake_open_fds(), before);
	assert_string_equal(remounts, "");
}

/* What FAT leaves of a rename that was cut off early. */
static void empty_ones_count_for_nothing(void **state)
{
	struct bootenv b;
	struct bootenv_entry to;
	(void)state;
	put("hearth-0001-a+2-1.efi");
	box_write("/boot/EFI/Linux/hearth-0001-a.efi", "");
	assert_int_equal(bootenv_read(&b, &e), 0);
	assert_string_equal(bootenv_of(&b, 'a')->name, "hearth-0001-a+2-1.efi");
	to = *bootenv_of(&b, 'a');
	to.counted = false;
	assert_int_equal(bootenv_rename(bootenv_of(&b, 'a'), &to, &e), 0);
	assert_string_equal(box_read("/boot/EFI/Linux/hearth-0001-a.efi"), "hearth-0001-a+2-1.efi");
	box_write("/boot/EFI/Linux/hearth-0002-b+3.efi", "");
	assert_int_equal(bootenv_read(&b, &e), 0);
	assert_null(bootenv_of(&b, 'b'));
	assert_int_equal(bootenv_remove(&b, 'b', &e), 0);
	assert_false(there("hearth-0002-b+3.efi"));
}

static void too_many(void **state)
{
	struct bootenv b;
	char name[40];
	(void)state;
	for (unsigned i = 0; i < BOOTENV_ENTRIES; i++) {
		(void)snprintf(name, sizeof(name), "hearth-%04u-a.efi", i);
		put(name);
	}
	assert_int_equal(bootenv_read(&b, &e), 0);
	put("hearth-0100-a.efi");
	assert_int_equal(bootenv_read(&b, &e), -1);
	assert_int_equal(e.code, E2BIG);
}

static void no_folder(void **state)
{
	struct bootenv b;
	(void)state;
	memset(box_mounts, 0, sizeof(box_mounts));
	assert_int_equal(bootenv_read(&b, &e), -1);
	assert_string_equal(e.text, "/boot is not mounted");
	box_mounted("/boot");
	assert_int_equal(rmdir(box_path("/boot/EFI/Linux")), 0);
	assert_int_equal(bootenv_read(&b, &e), -1);
	assert_int_equal(e.code, ENOENT);
}

static unsigned flushes;

static int count_fsync(int fd)
{
	flushes++;
	return fsync(fd);
}

static void renames(void **state)
{
	struct bootenv_entry from, to;
	(void)state;
	flushes = 0;
	fake_fsync = count_fsync;
	put("hearth-0002-b+2-1.efi");
	assert_int_equal(bootenv_parse(&from, "hearth-0002-b+2-1.efi"), 0);
	to = from;
	assert_int_equal(bootenv_rename(&from, &to, &e), 0); /* to itself */
	to.counted = false;
	assert_int_equal(bootenv_rename(&from, &to, &e), 0);
	assert_string_equal(to.name, "hearth-0002-b.efi");
	assert_int_equal(flushes, 1);
	assert_true(there("hearth-0002-b.efi") && !there("hearth-0002-b+2-1.efi"));
	assert_int_equal(bootenv_rename(&from, &to, &e), -1); /* the place is taken: never over it */
	assert_int_equal(e.code, EEXIST);
	to.generation = 3;
	assert_int_equal(bootenv_rename(&from, &to, &e), -1);
	assert_non_null(strstr(e.text, "rename hearth-0002-b+2-1.efi to hearth-0003-b.efi: No such file"));
	to.slot = 'x';
	assert_int_equal(bootenv_rename(&from, &to, &e), -1);
	assert_int_equal(e.code, ERANGE);
}

static void removes_what_is_of_the_slot(void **state)
{
	struct bootenv b;
	(void)state;
	put("hearth-0001-a.efi");
	put("hearth-0002-b+0-3.efi");
	put("hearth-0003-b.efi");
	put("hearth-b.new");
	assert_int_equal(bootenv_read(&b, &e), 0);
	flushes = 0;
	fake_fsync = count_fsync;
	assert_int_equal(bootenv_remove(&b, 'b', &e), 0);
	assert_int_equal(flushes, 3);            /* each name before its clusters, and all at the end */
	assert_string_equal(remounts, "rw rw "); /* before the second and behind it */
	assert_true(there("hearth-0001-a.efi") && there("hearth-b.new"));
	assert_false(there("hearth-0002-b+0-3.efi") || there("hearth-0003-b.efi"));
	assert_int_equal(bootenv_remove(&b, 'b', &e), 0); /* again */
}

static void any_call_may_fail(void **state)
{
	unsigned before = fake_open_fds();
	(void)state;
	for (unsigned n = 1; n < 40; n++) {
		struct bootenv b;
		struct bootenv_entry to;
		put("hearth-0001-a+3.efi");
		put("hearth-0002-b.efi");
		unlink(box_path("/boot/EFI/Linux/hearth-0001-a.efi"));
		fake_fail_at(n, EIO);
		int rc = bootenv_read(&b, &e);
		if (rc == 0) {
			to = *bootenv_of(&b, 'a');
			to.counted = false;
			rc = bootenv_rename(bootenv_of(&b, 'a'), &to, &e);
		}
		if (rc == 0)
			rc = bootenv_remove(&b, 'b', &e);
		bool fired = fake_fired();
		fake_fail_at(0, 0);
		assert_int_equal(fake_open_fds(), before);
		assert_true(there("hearth-0001-a+3.efi") != there("hearth-0001-a.efi"));
		unlink(box_path("/boot/EFI/Linux/hearth-0001-a+3.efi"));
		if (!fired) {
			assert_int_equal(rc, 0);
			return;
		}
	}
	fail();
}

static void open_and_shut(void **state)
{
	(void)state;
	assert_int_equal(bootenv_unlock(&e), 0);
	bootenv_lock();
	assert_string_equal(remounts, "rw ro ");
	remount_fails = 1;
	assert_int_equal(bootenv_unlock(&e), -1);
	assert_non_null(strstr(e.text, "make /boot writable"));
	bootenv_lock(); /* said in the log */
}

static void the_running_slot(void **state)
{
	char slot = '?';
	(void)state;
	assert_int_equal(bootenv_running(&slot, &e), -1);
	assert_int_equal(e.code, ENOENT);
	box_write("/run/hearth/slot", "b\n");
	assert_int_equal(bootenv_running(&slot, &e), 0);
	assert_int_equal(slot, 'b');
	box_write("/run/hearth/slot", "x\n");
	assert_int_equal(bootenv_running(&slot, &e), -1);
	box_write("/run/hearth/slot", "a very long one\n");
	assert_int_equal(bootenv_running(&slot, &e), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(other_names),
		cmocka_unit_test(names_that_cannot_be),
		cmocka_unit_test(which_counts),
		cmocka_unit_test(the_loader_says),
		cmocka_unit_test_setup_teardown(the_loader_is_asked, setup, box_down),
		cmocka_unit_test(words),
		cmocka_unit_test_setup_teardown(the_folder, setup, box_down),
		cmocka_unit_test_setup_teardown(empty_ones_count_for_nothing, setup, box_down),
		cmocka_unit_test_setup_teardown(too_many, setup, box_down),
		cmocka_unit_test_setup_teardown(no_folder, setup, box_down),
		cmocka_unit_test_setup_teardown(renames, setup, box_down),
		cmocka_unit_test_setup_teardown(removes_what_is_of_the_slot, setup, box_down),
		cmocka_unit_test_setup_teardown(any_call_may_fail, setup, box_down),
		cmocka_unit_test_setup_teardown(open_and_shut, setup, box_down),
		cmocka_unit_test_setup_teardown(the_running_slot, setup, box_down),
	};
	return cmocka_run_group_tests_name("bootenv", tests, NULL, NULL);
}
