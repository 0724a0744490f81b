/* Power buttons: found at start and later, told by their keys, read without trusting them. The devices are pipes. */
#include "host/power.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/input.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "fake/sys.h"

#define DEVICES 12

static struct loop l;
static struct power p;
static struct err e;
static unsigned presses, fds_before;
static int write_end[DEVICES]; /* of the pipe that stands for eventN; -1: there is no such device */
static bool has_key[DEVICES];
static int last_opened = -1;
static int notify[2];
static bool no_folder;

static int open_device(const char *path, int flags, mode_t mode)
{
	unsigned n;
	int fds[2];
	(void)mode;
	assert_true((flags & O_NONBLOCK) != 0 && (flags & O_CLOEXEC) != 0);
	if (sscanf(path, "/dev/input/event%u", &n) != 1 || n >= DEVICES || write_end[n] == -1) {
		errno = ENOENT;
		return -1;
	}
	assert_int_equal(pipe2(fds, O_NONBLOCK | O_CLOEXEC), 0);
	if (write_end[n] >= 0)
		close(write_end[n]);
	write_end[n] = fds[1];
	last_opened = (int)n;
	return fds[0];
}

static int keys_of(int fd, unsigned long request, void *arg)
{
	uint8_t *bits = arg;
	(void)fd;
	assert_int_equal(_IOC_NR(request), 0x20 + EV_KEY);
	if (has_key[last_opened])
		bits[KEY_POWER / 8] |= (uint8_t)(1u << (KEY_POWER % 8));
	return 0;
}

static int fake_notify(int flags)
{
	(void)flags;
	assert_int_equal(pipe2(notify, O_NONBLOCK | O_CLOEXEC), 0);
	return notify[0];
}

static int fake_watch(int fd, const char *path, uint32_t mask)
{
	(void)fd;
	assert_true((mask & IN_CREATE) != 0);
	if (no_folder && str_eq(path, "/dev/input")) {
		errno = ENOENT;
		return -1;
	}
	return 1;
}

static void on_press(void *arg)
{
	assert_ptr_equal(arg, &presses);
	presses++;
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	fake_open = open_device;
	fake_ioctl = keys_of;
	fake_inotify_init1 = fake_notify;
	fake_inotify_add_watch = fake_watch;
	fds_before = fake_open_fds();
	presses = 0;
	no_folder = false;
	notify[1] = -1;
	for (unsigned i = 0; i < DEVICES; i++) {
		write_end[i] = -1;
		has_key[i] = false;
	}
	memset(&l, 0, sizeof(l));
	return loop_init(&l, &e);
}

static int teardown(void **state)
{
	(void)state;
	power_fini(&p);
	loop_fini(&l);
	for (unsigned i = 0; i < DEVICES; i++) {
		if (write_end[i] >= 0)
			close(write_end[i]);
	}
	if (notify[1] >= 0)
		close(notify[1]);
	fake_reset();
	return fake_open_fds() == fds_before ? 0 : -1;
}

static void plug(unsigned n, bool key)
{
	write_end[n] = -2;
	has_key[n] = key;
}

static void send_key(unsigned n, unsigned type, unsigned code, int value)
{
	struct input_event ev = {.type = (uint16_t)type, .code = (uint16_t)code, .value = value};
	assert_int_equal(write(write_end[n], &ev, sizeof(ev)), sizeof(ev));
}

static void hear_of_devices(void)
{
	struct inotify_event ev = {.mask = IN_CREATE};
	assert_int_equal(write(notify[1], &ev, sizeof(ev)), sizeof(ev));
	assert_int_equal(loop_step(&l, &e), 0);
}

static void test_found_and_pressed(void **state)
{
	(void)state;
	plug(0, false);
	plug(3, true);
	assert_int_equal(power_init(&p, &l, on_press, &presses, &e), 0);
	assert_int_equal(power_devices(&p), 1);
	send_key(3, EV_KEY, KEY_A, 1);
	send_key(3, EV_KEY, KEY_POWER, 1);
	send_key(3, EV_KEY, KEY_POWER, 2); /* held */
	send_key(3, EV_KEY, KEY_POWER, 0); /* released */
	send_key(3, EV_REL, KEY_POWER, 1);
	assert_int_equal(loop_step(&l, &e), 0);
	assert_int_equal(presses, 1);
}

static void test_plugged_in_later_and_out_again(void **state)
{
	(void)state;
	assert_int_equal(power_init(&p, &l, on_press, &presses, &e), 0);
	assert_int_equal(power_devices(&p), 0);
	plug(5, true);
	hear_of_devices();
	hear_of_devices(); /* the same once more is no second device */
	assert_int_equal(power_devices(&p), 1);
	close(write_end[5]);
	write_end[5] = -1;
	assert_int_equal(loop_step(&l, &e), 0);
	assert_int_equal(power_devices(&p), 0);
	plug(5, true);
	hear_of_devices();
	send_key(5, EV_KEY, KEY_POWER, 1);
	assert_int_equal(loop_step(&l, &e), 0);
	assert_int_equal(presses, 1);
}

static void test_no_folder_yet(void **state)
{
	(void)state;
	no_folder = true;
	assert_int_equal(power_init(&p, &l, on_press, &presses, &e), 0);
	assert_false(p.watching);
	no_folder = false;
	plug(1, true);
	hear_of_devices();
	assert_true(p.watching);
	assert_int_equal(power_devices(&p), 1);
}

static void test_more_than_places(void **state)
{
	(void)state;
	for (unsigned i = 0; i < DEVICES; i++)
		plug(i, true);
	assert_int_equal(power_init(&p, &l, on_press, &presses, &e), 0);
	assert_int_equal(power_devices(&p), POWER_DEVICES);
}

static void test_torture(void **state)
{
	(void)state;
	for (unsigned n = 1; n < 200; n++) {
		plug(2, true);
		fake_fail_at(n, EIO);
		int rc = power_init(&p, &l, on_press, &presses, &e);
		bool fired = fake_fired();
		fake_fail_at(0, 0);
		assert_true(rc == 0 || p.inotify_fd < 0 || e.code == EIO);
		void *none = NULL;
		assert_int_equal(teardown(&none), 0);
		assert_int_equal(setup(&none), 0);
		if (!fired)
			return;
	}
	fail();
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_found_and_pressed), TEST(test_plugged_in_later_and_out_again),
		TEST(test_no_folder_yet),     TEST(test_more_than_places),
		TEST(test_torture),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
