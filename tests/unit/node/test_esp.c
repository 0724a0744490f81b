/* The boot partition and its copies: what is copied, what is put back, what is left alone, and each call that fails. */
#include "node/esp.h"

#include <sys/file.h>
#include <sys/mount.h>

#include "base/str.h"
#include "box.h"
#include "pid1.h"

#define ENTRY  "/boot/EFI/Linux/hearth-0001-a.efi"
#define LOADER "/boot/EFI/BOOT/BOOTX64.EFI"
#define CONF   "/boot/loader/loader.conf"

static struct err e;
static char done[200];

/* The copies in the root lie in /etc/hearth of the box. */
static int any_open(const char *path, int flags, mode_t mode)
{
	if (str_eq(path, "/usr/share/hearth/esp/BOOTX64.EFI"))
		path = "/etc/hearth/BOOTX64.EFI";
	if (str_eq(path, "/usr/share/hearth/esp/loader.conf"))
		path = "/etc/hearth/loader.conf";
	return box_open(path, flags, mode);
}

static int any_mount(const char *src, const char *dst, const char *fs, unsigned long flags, const void *data)
{
	(void)src;
	(void)fs;
	(void)data;
	assert_string_equal(dst, "/boot");
	assert_true(flags & MS_REMOUNT);
	return 0;
}

static int setup(void **state)
{
	static const char *const folders[] = {"/boot/EFI", "/boot/EFI/Linux", "/boot/EFI/BOOT", "/boot/loader"};

	box_up(state);
	pid1_up();
	for (size_t i = 0; i < COUNT_OF(folders); i++)
		assert_int_equal(mkdir(box_path(folders[i]), 0755), 0);
	box_mounted("/boot");
	box_mounted("/data");
	fake_open = any_open;
	fake_mount = any_mount;
	box_write("/etc/hearth/BOOTX64.EFI", "loader 2");
	box_write("/etc/hearth/loader.conf", "timeout 1");
	box_write(LOADER, "loader 1");
	box_write(CONF, "timeout 1");
	box_write(ENTRY, "kernel");
	return 0;
}

static int teardown(void **state)
{
	if (pid1_end >= 0)
		close(pid1_end);
	pid1_end = -1;
	return box_down(state);
}

static int restore(enum esp_look look)
{
	struct buf b;

	buf_init(&b, done, sizeof(done));
	return esp_restore(look, &b, &e);
}

static void restores(const char *what)
{
	if (restore(ESP_WHOLE) < 0)
		fail_msg("%s", e.text);
	assert_string_equal(done, what);
}

static void records(void **state)
{
	static const char *const bad[] = {"", "hearth-0001-a.efi\n", "hearth-0001-a.efi 00\n", "x 00\n"};
	char text[ESP_RECORD + 1];
	struct esp_record r = {.digest = {0xAB, 1}}, again;
	struct buf b;

	(void)state;
	assert_int_equal(bootenv_parse(&r.entry, "hearth-0001-a.efi"), 0);
	buf_init(&b, text, sizeof(text));
	assert_int_equal(esp_record_format(&r, &b), 0);
	assert_int_equal(strncmp(text, "hearth-0001-a.efi ab010000", 26), 0);
	assert_int_equal(esp_record_parse(&again, b.data, b.len), 0);
	assert_memory_equal(again.digest, r.digest, SHA256_BYTES);
	assert_int_equal(esp_record_parse(&again, b.data, b.len - 1), -1); /* cut */
	text[30] = 'x';
	assert_int_equal(esp_record_parse(&again, b.data, b.len), -1);
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_int_equal(esp_record_parse(&again, bad[i], strlen(bad[i])), -1);
}

static void what_is_good_is_copied_and_comes_back(void **state)
{
	(void)state;
	box_write("/boot/EFI/Linux/hearth-0002-b+3.efi", "trial");
	assert_int_equal(esp_keep(ESP_SIZES, &e), 0);
	assert_string_equal(box_read("/data/esp/a.efi"), "kernel");
	assert_false(box_exists("/data/esp/b.efi"));
	assert_true(esp_has_copy('a') && !esp_has_copy('b'));
	restores("");
	box_write(ENTRY, "kErnel");
	box_write(CONF, "");
	restores("loader.conf, hearth-0001-a.efi");
	assert_string_equal(box_read(ENTRY), "kernel");
	assert_string_equal(box_read(CONF), "timeout 1");
	assert_false(box_exists("/boot/restore.new"));
	unlink(box_path(ENTRY));
	restores("hearth-0001-a.efi");
	restores("");
}

static void an_empty_partition_is_filled(void **state)
{
	(void)state;
	assert_int_equal(esp_keep(ESP_SIZES, &e), 0);
	unlink(box_path(ENTRY));
	unlink(box_path(LOADER));
	unlink(box_path(CONF));
	assert_int_equal(rmdir(box_path("/boot/EFI/Linux")) | rmdir(box_path("/boot/EFI/BOOT")) |
	                         rmdir(box_path("/boot/EFI")) | rmdir(box_path("/boot/loader")),
	                 0);
	restores("BOOTX64.EFI, loader.conf, hearth-0001-a.efi");
	assert_string_equal(box_read(ENTRY), "kernel");
	assert_string_equal(box_read(LOADER), "loader 2");
	restores("");
}

/* A slot on trial brings another one; it stays where it is. */
static void another_version_of_the_loader_is_no_damage(void **state)
{
	(void)state;
	restores("");
	assert_int_equal(esp_keep(ESP_SIZES, &e), 0);
	restores("");
	assert_string_equal(box_read(LOADER), "loader 1");
	box_write(LOADER, "lOader 1");
	restores("BOOTX64.EFI");
	assert_string_equal(box_read(LOADER), "loader 2");
	restores("");
}

static void what_was_removed_on_purpose_stays_away(void **state)
{
	struct bootenv b;

	(void)state;
	assert_int_equal(esp_keep(ESP_SIZES, &e), 0);
	assert_int_equal(bootenv_read(&b, &e), 0);
	assert_int_equal(bootenv_remove(&b, 'a', &e), 0);
	restores("");
	assert_false(box_exists(ENTRY));
	box_write("/boot/EFI/Linux/hearth-0003-a+3.efi", "newer");
	restores("");
	assert_string_equal(box_read("/boot/EFI/Linux/hearth-0003-a+3.efi"), "newer");
}

static void a_newer_good_entry_is_copied_anew(void **state)
{
	(void)state;
	assert_int_equal(esp_keep(ESP_SIZES, &e), 0);
	unlink(box_path(ENTRY));
	box_write("/boot/EFI/Linux/hearth-0003-a.efi", "newer");
	restores(""); /* another generation than the copy's */
	assert_int_equal(esp_keep(ESP_SIZES, &e), 0);
	assert_string_equal(box_read("/data/esp/a.efi"), "newer");
	/* A marked one keeps its mark. */
	assert_int_equal(rename(box_path("/boot/EFI/Linux/hearth-0003-a.efi"),
	                        box_path("/boot/EFI/Linux/hearth-0003-a+0-1.efi")),
	                 0);
	box_write("/boot/EFI/Linux/hearth-0003-a+0-1.efi", "broken");
	restores("hearth-0003-a+0-1.efi");
}

static void a_damaged_copy_is_not_used(void **state)
{
	(void)state;
	assert_int_equal(esp_keep(ESP_SIZES, &e), 0);
	box_write("/data/esp/a.efi", "kErnel");
	assert_false(esp_has_copy('a'));
	restores("");
	assert_int_equal(esp_keep(ESP_WHOLE, &e), 0); /* from what is good */
	assert_true(esp_has_copy('a'));
	box_write("/data/esp/a.efi", "kErnel");
	box_write(ENTRY, "kernEl");
	assert_int_equal(restore(ESP_WHOLE), -1);
	assert_string_equal(box_read(ENTRY), "kernEl");
	assert_int_equal(esp_keep(ESP_WHOLE, &e), -1);
	assert_non_null(strstr(e.text, "both damaged"));
	box_write("/data/esp/a", "nonsense");
	restores("");
}

/* What the start has no time for. */
static void bytes_of_one_size_are_not_looked_at_at_once(void **state)
{
	(void)state;
	assert_int_equal(esp_keep(ESP_SIZES, &e), 0);
	box_write(ENTRY, "kErnel");
	assert_int_equal(restore(ESP_SIZES), 0);
	assert_string_equal(done, "");
	assert_string_equal(box_read(ENTRY), "kErnel");
	assert_false(esp_is_whole());
	box_write(ENTRY, "kern"); /* cut */
	assert_int_equal(restore(ESP_SIZES), 0);
	assert_string_equal(done, "hearth-0001-a.efi");
	assert_true(esp_is_whole());
	box_write("/data/esp/a.efi", "kern"); /* the copy is: what is in place has its sum */
	assert_int_equal(restore(ESP_SIZES), 0);
	assert_string_equal(done, "");
	assert_false(esp_is_whole());
	assert_int_equal(esp_keep(ESP_SIZES, &e), 0);
	assert_string_equal(box_read("/data/esp/a.efi"), "kernel");
	unlink(box_path(ENTRY));
	assert_int_equal(restore(ESP_SIZES), 0);
	assert_string_equal(done, "hearth-0001-a.efi");
}

static void what_is_whole(void **state)
{
	(void)state;
	assert_false(esp_is_whole()); /* a good entry without a copy */
	assert_int_equal(esp_keep(ESP_SIZES, &e), 0);
	assert_true(esp_is_whole());
	box_write("/boot/EFI/Linux/hearth-0002-b+3.efi", "trial");
	assert_true(esp_is_whole());
	box_write("/data/esp/a.efi", "kErnel");
	assert_false(esp_is_whole());
	assert_int_equal(esp_keep(ESP_WHOLE, &e), 0);
	assert_true(esp_is_whole());
	unlink(box_path(CONF));
	assert_false(esp_is_whole());
	restores("loader.conf");
	unlink(box_path(ENTRY));
	assert_false(esp_is_whole());
	memset(box_mounts, 0, sizeof(box_mounts));
	assert_false(esp_is_whole());
}

static int role(const char *word)
{
	char name[] = "esp", arg[16];

	pid1_heard[0] = '\0';
	(void)snprintf(arg, sizeof(arg), "%s", word);
	return esp_main(*word ? 2 : 1, (char *[]){name, arg, NULL});
}

static void the_role(void **state)
{
	(void)state;
	box_write("/run/hearth/slot", "a\n");
	assert_int_equal(role("repair"), 2);
	assert_int_equal(role(""), 0);
	assert_string_equal(box_read("/data/esp/a.efi"), "kernel");
	assert_int_equal(role("check"), 0);
	assert_string_equal(pid1_heard, ""); /* nothing new */
	box_write(ENTRY, "kErnel");
	assert_int_equal(role("check"), 0);
	assert_string_equal(box_read(ENTRY), "kernel");
	assert_true(str_starts(pid1_heard, "fact boot-partition on repaired: hearth-0001-a.efi\nfact slot-other "));
	box_write(ENTRY, "kErnel");
	box_write("/data/esp/a.efi", "kernEl");
	assert_int_equal(role("check"), 0); /* trying again would change nothing: the fact says it */
	assert_true(str_starts(pid1_heard, "fact boot-partition off "));
	assert_non_null(strstr(pid1_heard, "damaged"));
	memset(box_mounts, 0, sizeof(box_mounts));
	assert_int_equal(role("check"), 0);
	assert_string_equal(pid1_heard, ""); /* the storage role has told more */
	assert_int_equal(role(""), 0);
}

static int busy_flock(int fd, int op)
{
	(void)fd;
	assert_int_equal(op, LOCK_EX);
	errno = EINTR;
	return -1;
}

static void without_a_turn_nothing_is_written(void **state)
{
	unsigned before = fake_open_fds();

	(void)state;
	assert_int_equal(esp_keep(ESP_SIZES, &e), 0);
	box_write(ENTRY, "kErnel");
	fake_flock = busy_flock;
	assert_int_equal(role("check"), 0);
	assert_non_null(strstr(pid1_heard, "fact boot-partition off wait for the others on /boot"));
	assert_string_equal(box_read(ENTRY), "kErnel");
	assert_int_equal(role(""), 1);
	assert_int_equal(fake_open_fds(), before);
}

static void any_call_may_fail(void **state)
{
	for (unsigned n = 1; n < 400; n++) {
		box_down(NULL);
		setup(state);
		assert_int_equal(esp_keep(ESP_SIZES, &e), 0);
		box_write(ENTRY, "kErnel");
		unlink(box_path(CONF));
		unsigned before = fake_open_fds();
		fake_fail_at(n, EIO);
		int rc = restore(ESP_WHOLE);
		bool fired = fake_fired();
		fake_fail_at(0, 0);
		assert_int_equal(fake_open_fds(), before);
		assert_true(rc < 0 || str_eq(box_read(ENTRY), "kernel"));
		assert_int_equal(restore(ESP_WHOLE), 0); /* the next boot */
		assert_string_equal(box_read(ENTRY), "kernel");
		assert_string_equal(box_read(CONF), "timeout 1");
		if (!fired)
			return;
	}
	fail();
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(records),
		TEST(what_is_good_is_copied_and_comes_back),
		TEST(an_empty_partition_is_filled),
		TEST(another_version_of_the_loader_is_no_damage),
		TEST(what_was_removed_on_purpose_stays_away),
		TEST(a_newer_good_entry_is_copied_anew),
		TEST(a_damaged_copy_is_not_used),
		TEST(bytes_of_one_size_are_not_looked_at_at_once),
		TEST(what_is_whole),
		TEST(the_role),
		TEST(without_a_turn_nothing_is_written),
		TEST(any_call_may_fail),
	};
	return cmocka_run_group_tests_name("esp", tests, NULL, NULL);
}
