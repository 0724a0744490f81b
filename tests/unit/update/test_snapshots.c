/* Copies of volumes: what is listed and which marks are set, on real files in a folder of the test. */
#include "update/snapshots.h"

#include <sys/stat.h>

#include "../node/box.h"
#include "base/paths.h"
#include "base/str.h"

#define A    "pvc-1_utils_notes"
#define B    "pvc-2_htpc_films"
#define OLD  "pvc-0_utils_notes" /* retained: the same claim */
#define COPY PATH_DATA_SNAPSHOTS "/"

static char text[8192];
static struct snapshots snapshots;
static unsigned cleared;

static pid_t on_spawn(int (*fn)(void *), void *arg, int *pidfd)
{
	(void)fn;
	(void)arg;
	(void)pidfd;
	cleared++;
	errno = EAGAIN;
	return -1;
}

static void folder(const char *path)
{
	if (mkdir(box_path(path), 0755) < 0 && errno != EEXIST)
		fail_msg("%s: %s", path, strerror(errno));
}

static void copy_of(const char *kind, const char *volume, const char *about)
{
	char path[200];
	(void)snprintf(path, sizeof(path), COPY "%s", kind);
	folder(path);
	(void)snprintf(path, sizeof(path), COPY "%s/%s", kind, volume);
	folder(path);
	(void)snprintf(path, sizeof(path), COPY "%s/%s/data", kind, volume);
	folder(path);
	(void)snprintf(path, sizeof(path), COPY "%s/%s/about", kind, volume);
	box_write(path, about);
}

static int up(void **state)
{
	if (box_up(state) < 0)
		return -1;
	fake_vfork_call = on_spawn;
	cleared = 0;
	memset(&snapshots, 0, sizeof(snapshots));
	folder("/state/update");
	folder("/data/volumes");
	folder("/data/volumes/utils");
	folder("/data/volumes/htpc");
	folder("/data/volumes/utils/" A);
	folder("/data/volumes/htpc/" B);
	folder(PATH_DATA_SNAPSHOTS);
	copy_of("before", A, "1764000000 4096 before version 0.2.0\n");
	copy_of("before", B, "nonsense\n");
	return 0;
}

/* Words divided by blanks. The members of the answer, or the error. */
static int order(const char *words)
{
	char copy[300];
	const char *argv[8];
	unsigned argc = 0;
	struct err e = {0};
	struct json j;
	struct buf b;

	assert_int_equal(str_copy(copy, sizeof(copy), words), 0);
	for (char *at = strtok(copy, " "); at; at = strtok(NULL, " "))
		argv[argc++] = at;
	buf_init(&b, text, sizeof(text));
	json_init(&j, &b);
	json_open_object(&j, NULL);
	int rc = snapshots_order(&snapshots, argc, argv, &j, &e);
	json_close_object(&j);
	if (rc < 0)
		(void)!str_copy(text, sizeof(text), e.text);
	else
		assert_true(json_ok(&j));
	return rc;
}

static void done(const char *words)
{
	if (order(words) < 0)
		fail_msg("%s: %s", words, text);
}

static void says(const char *words, const char *what)
{
	(void)!order(words);
	if (!strstr(text, what))
		fail_msg("%s: '%s' has no '%s'", words, text, what);
}

static void refused(const char *words, const char *why)
{
	assert_int_equal(order(words), -1);
	if (!strstr(text, why))
		fail_msg("%s: '%s' has no '%s'", words, text, why);
}

static void what_there_is_is_listed(void **state)
{
	(void)state;
	says("snapshots", "{\"name\":\"utils/notes\",\"volume\":\"" A "\",\"taken\":\"2025-11-24T16:00:00Z\","
	                  "\"size\":4096,\"why\":\"before version 0.2.0\",\"restore\":false}");
	says("snapshots", "{\"name\":\"htpc/films\",\"volume\":\"" B "\",\"restore\":false}");
	copy_of("newer", A, "");
	folder(COPY "before/not-a-volume");
	folder(COPY "before/pvc-9_x_half"); /* without data */
	says("snapshots", "\"name\":\"utils/notes:newer\"");
	assert_null(strstr(text, "not-a"));
	assert_null(strstr(text, "half"));
	copy_of("before", OLD, "");
	says("snapshots", "\"name\":\"" A "\"");
	says("snapshots", "\"name\":\"" OLD "\"");
	says("snapshots", "\"name\":\"htpc/films\"");
}

static void without_any_the_list_is_empty(void **state)
{
	(void)state;
	assert_int_equal(rename(box_path(PATH_DATA_SNAPSHOTS), box_path("/data/away")), 0);
	done("snapshots");
	assert_string_equal(text, "{\"snapshots\":[]}");
	refused("snapshots restore utils/notes", "there is no copy 'utils/notes'");
	done("snapshots cancel");
	done("snapshots take");
	says("snapshots", "\"next\":\"asked for by hand\"");
}

static void a_restore_is_a_mark(void **state)
{
	(void)state;
	done("snapshots restore utils/notes");
	assert_string_equal(box_read(COPY "restore/" A), "before /data/volumes/utils\n");
	says("snapshots", "0.2.0\",\"restore\":true");
	refused("snapshots remove utils/notes", "is to go back");
	done("snapshots cancel");
	assert_false(box_exists(COPY "restore/" A));
	done("snapshots restore " B);
	assert_string_equal(box_read(COPY "restore/" B), "before /data/volumes/htpc\n");
}

static void what_was_put_aside_is_never_written_over(void **state)
{
	(void)state;
	copy_of("newer", A, "");
	refused("snapshots restore utils/notes", "utils/notes:newer is still kept");
	done("snapshots restore utils/notes:newer");
	assert_string_equal(box_read(COPY "restore/" A), "newer /data/volumes/utils\n");
	refused("snapshots remove utils/notes:newer", "is to go back");
	done("snapshots cancel");
	done("snapshots remove utils/notes:newer");
	assert_true(box_exists(COPY "gone/" A "/data"));
	assert_false(box_exists(COPY "newer/" A));
	done("snapshots restore utils/notes");
}

static void what_is_on_its_way_is_left_alone(void **state)
{
	(void)state;
	done("snapshots restore utils/notes");
	folder(COPY "ready");
	folder(COPY "ready/" A);
	refused("snapshots restore utils/notes", "on its way back");
	says("snapshots cancel", "half-way back");
	assert_true(box_exists(COPY "restore/" A));
	refused("snapshots remove utils/notes", "is to go back");
}

static void names_are_checked(void **state)
{
	(void)state;
	refused("snapshots restore ../notes", "there is no copy");
	refused("snapshots restore utils", "there is no copy");
	refused("snapshots restore utils/notes:newer", "there is no copy");
	refused("snapshots remove utils/note", "there is no copy");
	refused("snapshots restore", "which one?");
	refused("snapshots take all", "too many words");
	refused("snapshots bake", "none of take, restore");
	copy_of("before", OLD, "");
	refused("snapshots restore utils/notes", "several volumes");
	refused("snapshots restore " OLD, "its volume is no more");
	done("snapshots restore " A);
}

static void the_room_is_given_back_by_a_child(void **state)
{
	(void)state;
	done("snapshots remove utils/notes");
	assert_int_equal(cleared, 1);
	snapshots.clear.pid = 1; /* it runs still */
	done("snapshots remove htpc/films");
	assert_int_equal(cleared, 1);
	assert_true(snapshots.again);
	copy_of("before", B, "");
	box_write(COPY "gone/" B "/data/x", "x");
	refused("snapshots remove htpc/films", "an older copy of it is being removed");
}

static void an_update_asks_when_somebody_wants_it(void **state)
{
	struct err e = {0};

	(void)state;
	assert_int_equal(snapshots_arm(false, "0.2.0", &e), 0);
	assert_false(box_exists(PATH_STATE_SNAPSHOT));
	assert_int_equal(snapshots_arm(true, "0.2.0", &e), 0);
	assert_string_equal(box_read(PATH_STATE_SNAPSHOT), "before version 0.2.0\n");
	says("snapshots", "\"update\":\"before version 0.2.0\"");
	assert_int_equal(snapshots_arm(false, "0.3.0", &e), 0); /* the one before was cancelled */
	assert_false(box_exists(PATH_STATE_SNAPSHOT));
	box_write(PATH_RUN_SETTINGS, "update: {snapshot: true}\n");
	assert_int_equal(snapshots_arm(false, "0.3.0", &e), 0);
	assert_string_equal(box_read(PATH_STATE_SNAPSHOT), "before version 0.3.0\n");
	done("snapshots cancel");
	assert_false(box_exists(PATH_STATE_SNAPSHOT));
	box_write(PATH_RUN_SETTINGS, "update: [\n");
	assert_int_equal(snapshots_arm(false, "0.3.0", &e), 0);
	assert_true(box_exists(PATH_STATE_SNAPSHOT)); /* rather one too many */
}

static void a_disk_that_fails_is_said(void **state)
{
	unsigned n, open_before = fake_open_fds();
	int rc = -1;

	(void)state;
	for (n = 1; rc < 0 && n < 100; n++) {
		(void)!order("snapshots cancel");
		fake_fail_at(n, EIO);
		rc = order("snapshots take");
		fake_fail_at(0, 0);
		assert_true(rc == 0 || strstr(text, "Input/output error"));
		assert_int_equal(fake_open_fds(), open_before);
	}
	assert_true(n > 5);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, up, box_down)
	const struct CMUnitTest tests[] = {
		TEST(what_there_is_is_listed),
		TEST(without_any_the_list_is_empty),
		TEST(a_restore_is_a_mark),
		TEST(what_was_put_aside_is_never_written_over),
		TEST(what_is_on_its_way_is_left_alone),
		TEST(names_are_checked),
		TEST(the_room_is_given_back_by_a_child),
		TEST(an_update_asks_when_somebody_wants_it),
		TEST(a_disk_that_fails_is_said),
	};
	return cmocka_run_group_tests_name("snapshots", tests, NULL, NULL);
}
