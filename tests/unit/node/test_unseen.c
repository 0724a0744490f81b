/* Starts of the other slot that left no record: what is told of them, when, and that it is told once. */
#include "node/unseen.h"

#include <sys/stat.h>

#include "box.h"

static struct unseen u;
static struct err e;
static struct end last = {.kind = END_UPDATE, .slot = "a"};

static void find(const char *name, const char *known)
{
	struct bootenv_entry en;

	assert_int_equal(bootenv_parse(&en, name), 0);
	unseen_find(&u, &en, 1764000000, &last, known);
}

static void starts_are_counted(void **state)
{
	(void)state;
	find("hearth-0002-b+0-3.efi", "");
	assert_true(u.there);
	assert_int_equal(u.end.kind, END_NO_START);
	assert_string_equal(u.end.slot, "b");
	assert_string_equal(u.end.why, "3 starts of slot b ended before it had a disk; slot a runs");
	assert_string_equal(u.mark, "hearth-0002-b+0-3.efi 1764000000");
	find("hearth-0002-b+2-1.efi", "");
	assert_string_equal(u.end.why, "1 start of slot b ended before it had a disk; slot a runs");
}

static void a_good_one_was_refused_by_stage_1(void **state)
{
	(void)state;
	last.slot[0] = 'b';
	find("hearth-0002-b+0.efi", "");
	assert_true(u.there);
	assert_string_equal(u.end.why, "the root of slot b is missing or damaged; slot a runs");
	last.kind = END_DAMAGE; /* which that run has told itself */
	find("hearth-0002-b+0.efi", "");
	assert_false(u.there);
	assert_string_equal(u.mark, "hearth-0002-b+0.efi 1764000000");
	last.kind = END_UPDATE;
	last.slot[0] = 'a';
}

static void nothing_to_tell(void **state)
{
	(void)state;
	find("hearth-0002-b+0-3.efi", "hearth-0002-b+0-3.efi 1764000000");
	assert_true(!u.there && u.mark[0] == '\0');
	find("hearth-0002-b+3.efi", "hearth-0001-b+0-3.efi");
	assert_true(!u.there && u.mark[0] == '\0');
	find("hearth-0002-b.efi", "");
	assert_true(!u.there && u.mark[0] == '\0');
	unseen_find(&u, NULL, 0, &last, "");
	assert_true(!u.there && u.mark[0] == '\0');
}

/* It is remembered all the same, or the boot after the next would tell it. */
static void the_other_slot_left_a_record(void **state)
{
	(void)state;
	last.slot[0] = 'b';
	find("hearth-0002-b+0-1.efi", "");
	last.slot[0] = 'a';
	assert_false(u.there);
	assert_string_equal(u.mark, "hearth-0002-b+0-1.efi 1764000000");
}

static void put(const char *running)
{
	box_up(NULL);
	assert_int_equal(mkdir(box_path("/boot/EFI"), 0755), 0);
	assert_int_equal(mkdir(box_path("/boot/EFI/Linux"), 0755), 0);
	assert_int_equal(mkdir(box_path("/state/update"), 0755), 0);
	box_mounted("/boot");
	box_mounted("/state");
	if (running)
		box_write("/run/hearth/slot", running);
	box_write("/boot/EFI/Linux/hearth-0001-a.efi", "a");
	box_write("/boot/EFI/Linux/hearth-0002-b+0-3.efi", "b");
	box_write("/state/update/slot-b", "0.2.0\n");
}

static void told_once(void **state)
{
	(void)state;
	put("a\n");
	unseen_look(&u, &last);
	assert_true(u.there);
	assert_string_equal(u.end.version, "0.2.0");
	assert_int_equal(unseen_keep(&u, &e), 0);
	assert_int_equal(strncmp(box_read("/state/unseen"), "hearth-0002-b+0-3.efi ", 22), 0);
	unseen_look(&u, &last);
	assert_false(u.there);
	assert_int_equal(unseen_keep(&u, &e), 0);
	/* Another try of an update gets the same name. */
	const struct timespec later[2] = {{.tv_sec = 2000000000}, {.tv_sec = 2000000000}};
	assert_int_equal(utimensat(AT_FDCWD, box_path("/state/update/slot-b"), later, 0), 0);
	unseen_look(&u, &last);
	assert_true(u.there);
	assert_int_equal(unseen_keep(&u, &e), 0);
	assert_string_equal(box_read("/state/unseen"), "hearth-0002-b+0-3.efi 2000000000\n");
	box_down(NULL);
}

static void a_box_whose_kernel_came_by_other_means(void **state)
{
	(void)state;
	put(NULL);
	unseen_look(&u, &last);
	assert_false(u.there);
	assert_int_equal(unseen_keep(&u, &e), 0);
	assert_false(box_exists("/state/unseen"));
	box_down(NULL);
}

static void any_call_may_fail(void **state)
{
	(void)state;
	for (unsigned n = 1; n < 100; n++) {
		put("a\n");
		unsigned before = fake_open_fds();
		fake_fail_at(n, EIO);
		unseen_look(&u, &last);
		int rc = u.there ? unseen_keep(&u, &e) : -1;
		bool fired = fake_fired();
		fake_fail_at(0, 0);
		assert_int_equal(fake_open_fds(), before);
		assert_true(rc < 0 || box_exists("/state/unseen"));
		box_down(NULL);
		if (!fired) {
			assert_int_equal(rc, 0);
			return;
		}
	}
	fail();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(starts_are_counted), cmocka_unit_test(a_good_one_was_refused_by_stage_1),
		cmocka_unit_test(nothing_to_tell),    cmocka_unit_test(the_other_slot_left_a_record),
		cmocka_unit_test(told_once),          cmocka_unit_test(a_box_whose_kernel_came_by_other_means),
		cmocka_unit_test(any_call_may_fail),
	};

	return cmocka_run_group_tests_name("unseen", tests, NULL, NULL);
}
