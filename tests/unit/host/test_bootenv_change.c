/* An entry becomes another one: what every power cut leaves, also on a disk that loses any part of what it has in its
 * cache; that the same once more finishes it; and what is swept. */
#include "host/bootenv_change.h"

#include <linux/fs.h>

#include "../node/box.h"
#include "base/str.h"

#define FOLDER "/boot/EFI/Linux"

static struct err e;

/* ---- a folder of FAT and a write cache: what was written is on the disk for certain with the next flush ---- */

enum kind { ADD, REMOVE, DATA, FREE, FLUSH };
#define OPS   32
#define FILES 8

struct op {
	enum kind kind;
	char name[BOOTENV_NAME];
	ino_t file;
};

static struct op ops[OPS];
static unsigned op_count;
static bool forgets_flushes; /* a program that does not flush */

static void note(enum kind kind, const char *path, ino_t file)
{
	struct op *o = &ops[op_count++];
	assert_true(op_count < OPS);
	o->kind = kind;
	o->file = file;
	assert_int_equal(str_copy(o->name, sizeof(o->name), path ? strrchr(path, '/') + 1 : ""), 0);
}

static ino_t file_at(const char *path)
{
	struct stat st;
	return stat(box_path(path), &st) == 0 ? st.st_ino : 0;
}

static int disk_open(const char *path, int flags, mode_t mode)
{
	ino_t before = file_at(path);
	int fd = box_open(path, flags, mode);
	if (fd >= 0 && before == 0)
		note(ADD, path, file_at(path));
	return fd;
}

static ssize_t disk_write(int fd, const void *p, size_t n)
{
	struct stat st;
	assert_int_equal(fstat(fd, &st), 0);
	note(DATA, NULL, st.st_ino);
	return write(fd, p, n);
}

static int disk_fsync(int fd)
{
	if (!forgets_flushes)
		note(FLUSH, NULL, 0);
	return fsync(fd);
}

static int disk_rename(const char *from, const char *to)
{
	ino_t file = file_at(from);
	if (file) {
		note(ADD, to, file);
		note(REMOVE, from, file);
	}
	return box_rename(from, to);
}

static int disk_unlink(const char *path)
{
	ino_t file = file_at(path);
	if (file)
		note(REMOVE, path, file);
	return box_unlink(path);
}

/* The last one who has it open frees its clusters. */
static int disk_close(int fd)
{
	struct stat st;
	if (fstat(fd, &st) == 0 && st.st_nlink == 0)
		note(FREE, NULL, st.st_ino);
	return close(fd);
}

static int disk_ioctl(int fd, unsigned long request, void *arg)
{
	struct stat st;
	if (request != FIBMAP || fstat(fd, &st) < 0) {
		errno = ENOTTY;
		return -1;
	}
	*(int *)arg = (int)st.st_ino;
	return 0;
}

static int no_ioctl(int fd, unsigned long request, void *arg)
{
	(void)fd;
	(void)request;
	(void)arg;
	errno = ENOTTY;
	return -1;
}

struct disk {
	struct {
		char name[BOOTENV_NAME];
		ino_t file;
	} name[FILES];
	ino_t whole[FILES];
};

static struct disk at_first;

static void apply(struct disk *d, const struct op *o)
{
	unsigned i = 0;
	if (o->kind == FLUSH)
		return;
	if (o->kind == DATA || o->kind == FREE) {
		while (i < FILES - 1 && d->whole[i] != (o->kind == DATA ? 0 : o->file))
			i++;
		d->whole[i] = o->kind == DATA ? o->file : 0;
		return;
	}
	while (i < FILES - 1 && strcmp(d->name[i].name, o->kind == ADD ? "" : o->name) != 0)
		i++;
	assert_int_equal(str_copy(d->name[i].name, BOOTENV_NAME, o->kind == ADD ? o->name : ""), 0);
	d->name[i].file = o->file;
}

static bool is_whole(const struct disk *d, ino_t file)
{
	for (unsigned i = 0; i < FILES; i++) {
		if (d->whole[i] == file)
			return true;
	}
	return false;
}

/* Slot a has an entry, and every entry is a whole one. */
static bool boots(const struct disk *d)
{
	unsigned own = 0;
	for (unsigned i = 0; i < FILES; i++) {
		struct bootenv_entry en;
		if (bootenv_parse(&en, d->name[i].name) < 0)
			continue;
		if (!is_whole(d, d->name[i].file))
			return false;
		own += en.slot == 'a';
	}
	return own > 0;
}

/* The power goes behind operation `cut`; of those since the last flush the ones of `kept` are on the disk. */
static struct disk left_by(unsigned cut, unsigned kept)
{
	struct disk d = at_first;
	unsigned certain = cut, n = 0;
	while (certain > 0 && ops[certain - 1].kind != FLUSH)
		certain--;
	for (unsigned i = 0; i < cut; i++) {
		if (i < certain || kept >> n++ & 1)
			apply(&d, &ops[i]);
	}
	return d;
}

static unsigned pending(unsigned cut)
{
	unsigned n = 0;
	while (n < cut && ops[cut - 1 - n].kind != FLUSH)
		n++;
	return n;
}

/* ---- the folder ---- */

static int remount(const char *src, const char *dst, const char *fs, unsigned long flags, const void *data)
{
	(void)src;
	(void)dst;
	(void)fs;
	(void)flags;
	(void)data;
	return 0;
}

static int setup(void **state)
{
	box_up(state);
	assert_int_equal(mkdir(box_path("/boot/EFI"), 0755), 0);
	assert_int_equal(mkdir(box_path(FOLDER), 0755), 0);
	box_mounted("/boot");
	fake_mount = remount;
	fake_ioctl = disk_ioctl;
	memset(&at_first, 0, sizeof(at_first));
	op_count = 0;
	forgets_flushes = false;
	return 0;
}

static const char *path_of(const char *name)
{
	static char path[200];
	(void)snprintf(path, sizeof(path), FOLDER "/%s", name);
	return path;
}

static void put(const char *name, const char *text)
{
	box_write(path_of(name), text);
}

static const struct row {
	const char *from, *to, *folder; /* with the other slot's behind it */
} rows[] = {
	{"hearth-0002-a+2-1.efi", "hearth-0002-a.efi", "hearth-0001-b.efi hearth-0002-a.efi"},
	{"hearth-0002-a.efi", "hearth-0002-a+0.efi", "hearth-0001-b.efi hearth-0002-a+0.efi"},
	{"hearth-0002-a+2-1.efi", "hearth-0002-a+0-1.efi", "hearth-0001-b.efi hearth-0002-a+0-1.efi"},
	{"hearth-0002-a+0-3.efi", "hearth-0003-a+3.efi", "hearth-0001-b.efi hearth-0003-a+3.efi"},
	{"hearth-0002-a.efi", "hearth-0003-a.efi", "hearth-0001-b.efi hearth-0003-a.efi"},
};

/* As the slot role does it: nothing but the sweep when it is that already. */
static int become(const struct row *r)
{
	struct bootenv b;
	struct bootenv_entry to;
	if (bootenv_read(&b, &e) < 0)
		return -1;
	const struct bootenv_entry *from = bootenv_of(&b, 'a');
	assert_non_null(from);
	assert_int_equal(bootenv_parse(&to, r->to), 0);
	if (!str_eq(from->name, r->to))
		return bootenv_change(&b, from, &to, &e);
	if (bootenv_has_leftovers(&b, from))
		bootenv_sweep(&b, from);
	return 0;
}

static void begin(const struct row *r)
{
	box_empty(FOLDER);
	put(r->from, "the system of slot a");
	put("hearth-0001-b.efi", "the system of slot b");
	memset(&at_first, 0, sizeof(at_first));
	for (unsigned i = 0; i < 2; i++) {
		const char *name = i ? "hearth-0001-b.efi" : r->from;
		assert_int_equal(str_copy(at_first.name[i].name, BOOTENV_NAME, name), 0);
		at_first.whole[i] = at_first.name[i].file = file_at(path_of(name));
	}
	op_count = 0;
}

static void record(bool on)
{
	box_calls();
	fake_open = on ? disk_open : box_open;
	fake_rename = on ? disk_rename : box_rename;
	fake_unlink = on ? disk_unlink : box_unlink;
	fake_write = on ? disk_write : NULL;
	fake_fsync = on ? disk_fsync : NULL;
	fake_close = on ? disk_close : NULL;
}

/* How many of all that power cuts may leave has no whole entry. */
static unsigned without_entry(void)
{
	unsigned bad = 0;
	for (unsigned cut = 0; cut <= op_count; cut++) {
		assert_true(pending(cut) < 12);
		for (unsigned kept = 0; kept < 1U << pending(cut); kept++) {
			const struct disk d = left_by(cut, kept);
			bad += !boots(&d);
		}
	}
	return bad;
}

/* A name whose file did not get on the disk is left empty by the check before the mount. */
static void restart(const struct disk *d)
{
	box_empty(FOLDER);
	for (unsigned i = 0; i < FILES; i++) {
		if (d->name[i].name[0])
			put(d->name[i].name, is_whole(d, d->name[i].file) ? "a system" : "");
	}
}

static void no_cut_leaves_the_slot_without_an_entry(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		begin(&rows[i]);
		record(true);
		assert_int_equal(become(&rows[i]), 0);
		record(false);
		box_holds(FOLDER, rows[i].folder);
		assert_true(op_count > 8);
		assert_int_equal(without_entry(), 0);
		/* Done is done. */
		for (unsigned kept = 0; kept < 1U << pending(op_count); kept++) {
			const struct disk d = left_by(op_count, kept);
			restart(&d);
			box_holds(FOLDER, rows[i].folder);
		}
	}
}

static void the_same_once_more_finishes_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		begin(&rows[i]);
		record(true);
		assert_int_equal(become(&rows[i]), 0);
		record(false);
		for (unsigned cut = 0; cut <= op_count; cut++) {
			for (unsigned kept = 0; kept < 1U << pending(cut); kept++) {
				const struct disk d = left_by(cut, kept);
				restart(&d);
				assert_int_equal(become(&rows[i]), 0);
				box_holds(FOLDER, rows[i].folder);
			}
		}
	}
}

/* The two ways to do it wrong are seen by the same eyes. */
static void a_plain_rename_can_lose_both(void **state)
{
	struct bootenv_entry from, to;
	(void)state;
	begin(&rows[0]);
	record(true);
	assert_int_equal(bootenv_parse(&from, rows[0].from), 0);
	assert_int_equal(bootenv_parse(&to, rows[0].to), 0);
	assert_int_equal(bootenv_rename(&from, &to, &e), 0);
	assert_true(without_entry() > 0);
	begin(&rows[0]);
	forgets_flushes = true;
	assert_int_equal(become(&rows[0]), 0);
	assert_true(without_entry() > 0);
	record(false);
}

static void any_call_may_fail(void **state)
{
	unsigned before = fake_open_fds();
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		bool fired = true;
		for (unsigned n = 1; fired; n++) {
			assert_true(n < 200);
			begin(&rows[i]);
			fake_fail_at(n, EIO);
			int rc = become(&rows[i]);
			fired = fake_fired();
			fake_fail_at(0, 0);
			assert_int_equal(fake_open_fds(), before);
			if (rc == 0)
				box_holds(FOLDER, rows[i].folder);
			assert_int_equal(become(&rows[i]), 0);
			box_holds(FOLDER, rows[i].folder);
		}
	}
}

static ssize_t no_room(int fd, const void *p, size_t n)
{
	(void)fd;
	(void)p;
	(void)n;
	errno = ENOSPC;
	return -1;
}

static void without_room_it_is_renamed(void **state)
{
	(void)state;
	begin(&rows[0]);
	put("hearth-a.copy", "left of an earlier change");
	fake_write = no_room;
	assert_int_equal(become(&rows[0]), 0);
	box_holds(FOLDER, rows[0].folder);
	assert_string_equal(box_read(path_of(rows[0].to)), "the system of slot a");
}

static void what_it_becomes_must_have_a_name(void **state)
{
	struct bootenv b;
	struct bootenv_entry to;
	(void)state;
	begin(&rows[0]);
	assert_int_equal(bootenv_read(&b, &e), 0);
	to = *bootenv_of(&b, 'a');
	assert_int_equal(bootenv_change(&b, bootenv_of(&b, 'a'), &to, &e), 0); /* what it is */
	to.generation = BOOTENV_MOST + 1;
	assert_int_equal(bootenv_change(&b, bootenv_of(&b, 'a'), &to, &e), -1);
	assert_int_equal(e.code, ERANGE);
	box_holds(FOLDER, "hearth-0001-b.efi hearth-0002-a+2-1.efi");
}

/* ---- leftovers ---- */

static bool sweep(void)
{
	struct bootenv b;
	assert_int_equal(bootenv_read(&b, &e), 0);
	bool has = bootenv_has_leftovers(&b, bootenv_of(&b, 'a'));
	bootenv_sweep(&b, bootenv_of(&b, 'a'));
	assert_int_equal(bootenv_read(&b, &e), 0);
	assert_false(bootenv_has_leftovers(&b, bootenv_of(&b, 'a')));
	return has;
}

static void what_is_swept(void **state)
{
	(void)state;
	put("hearth-0003-a.efi", "new");
	put("hearth-0003-a+0-1.efi", "marked");
	put("hearth-0002-a.efi", "old");
	put("hearth-0004-a.efi", "");
	put("hearth-a.copy", "half");
	put("hearth-0001-b.efi", "other");
	put("hearth-0001-b+0-3.efi", "other");
	put("hearth-b.copy", "half");
	put("hearth-b.new", "of an update");
	put("debian.efi", "somebody else's");
	assert_true(sweep());
	box_holds(FOLDER,
	          "debian.efi hearth-0001-b+0-3.efi hearth-0001-b.efi hearth-0003-a.efi hearth-b.copy hearth-b.new");
	assert_string_equal(box_read(path_of("hearth-0003-a.efi")), "new");
	assert_false(sweep());
}

static void also_name(const char *name, const char *same)
{
	char other[200];
	assert_int_equal(str_copy(other, sizeof(other), path_of(same)), 0);
	const char *from = box_path(other);
	assert_int_equal(link(from, box_path(path_of(name))), 0);
}

static void one_file_under_two_names_stays(void **state)
{
	(void)state;
	put("hearth-0003-a.efi", "new");
	also_name("hearth-0003-a+2-1.efi", "hearth-0003-a.efi");
	put("hearth-0002-a.efi", "old");
	also_name("hearth-0001-a.efi", "hearth-0002-a.efi");
	assert_false(sweep());
	box_holds(FOLDER, "hearth-0001-a.efi hearth-0002-a.efi hearth-0003-a+2-1.efi hearth-0003-a.efi");
}

static void what_nobody_can_tell_apart_stays(void **state)
{
	(void)state;
	fake_ioctl = no_ioctl;
	put("hearth-0003-a.efi", "new");
	put("hearth-0002-a.efi", "old");
	assert_false(sweep());
	box_holds(FOLDER, "hearth-0002-a.efi hearth-0003-a.efi");
}

static void a_name_that_is_taken_is_not_written_over(void **state)
{
	struct row r = {"hearth-0003-a.efi", "hearth-0003-a+0.efi", NULL};
	(void)state;
	put(r.from, "new");
	also_name(r.to, r.from);
	assert_int_equal(become(&r), -1);
	assert_int_equal(e.code, EEXIST);
	box_holds(FOLDER, "hearth-0003-a+0.efi hearth-0003-a.efi");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, box_down)
	const struct CMUnitTest tests[] = {
		TEST(no_cut_leaves_the_slot_without_an_entry),
		TEST(the_same_once_more_finishes_it),
		TEST(a_plain_rename_can_lose_both),
		TEST(any_call_may_fail),
		TEST(without_room_it_is_renamed),
		TEST(what_it_becomes_must_have_a_name),
		TEST(what_is_swept),
		TEST(one_file_under_two_names_stays),
		TEST(what_nobody_can_tell_apart_stays),
		TEST(a_name_that_is_taken_is_not_written_over),
	};
	return cmocka_run_group_tests_name("bootenv_change", tests, NULL, NULL);
}
