/* service/notify: the readiness line, whole, in pieces, among others, and never. */
#include "unit/service/box.h"

#include "service/notify.h"

static struct service *s;
static int end;
static unsigned told;
static struct err e;

static void on_told(struct service *who, enum service_event ev, const char *why)
{
	(void)why;
	assert_ptr_equal(who, s);
	assert_int_equal(ev, EV_IS_READY);
	told++;
}

static int setup(void **state)
{
	if (box_setup(state) < 0)
		return -1;
	box_add("a", "");
	box_load();
	s = box_get("a");
	box.services.deliver = on_told;
	told = 0;
	end = notify_open(s, &e);
	return end < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	notify_close(s);
	box_close(&end);
	return box_teardown(state);
}

static void say(const char *text)
{
	assert_int_equal(write(end, text, strlen(text)), strlen(text));
	box_run();
}

static void the_line(void **state)
{
	(void)state;
	say("READY=1\n");
	assert_int_equal(told, 1);
	assert_int_equal(s->notify_fd, -1);
}

static void in_pieces_after_others(void **state)
{
	(void)state;
	say("STATUS=half\nXREADY=1\nREADY=10\nREADY=0\n");
	say("READY");
	say("=1");
	assert_int_equal(told, 0);
	say("\n");
	assert_int_equal(told, 1);
}

static void an_early_end_is_no_readiness(void **state)
{
	(void)state;
	say("READY=1"); /* no newline */
	box_close(&end);
	box_run();
	assert_int_equal(told, 0);
	assert_int_equal(s->notify_fd, -1);
	notify_close(s);
}

static void a_flood_is_taken_in_small_blocks(void **state)
{
	char flood[60000];
	(void)state;

	memset(flood, 'x', sizeof(flood));
	assert_int_equal(write(end, flood, sizeof(flood)), sizeof(flood));
	box_run();
	assert_int_equal(told, 0);
	for (int i = 0; i < 300; i++)
		box_run();
	say("\nREADY=1\n");
	assert_int_equal(told, 1);
}

static void failures_leak_nothing(void **state)
{
	(void)state;
	notify_close(s);
	box_close(&end);
	unsigned before = fake_open_fds();
	for (unsigned n = 1; n < 10; n++) {
		fake_fail_at(n, EMFILE);
		end = notify_open(s, &e);
		bool fired = fake_fired();
		fake_fail_at(0, 0);
		if (!fired)
			break;
		assert_int_equal(end, -1);
		assert_int_equal(s->notify_fd, -1);
		assert_int_equal(fake_open_fds(), before);
	}
	assert_true(end >= 0);
	/* Neither end reaches a program by accident. */
	assert_true(fcntl(end, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(s->notify_fd, F_GETFD) & FD_CLOEXEC);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_line),
		TEST(in_pieces_after_others),
		TEST(an_early_end_is_no_readiness),
		TEST(a_flood_is_taken_in_small_blocks),
		TEST(failures_leak_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
