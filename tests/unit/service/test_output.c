/* service/output: log pipes that outlive the service and the log service. */
#include "unit/service/box.h"

#include "loop/chan.h"
#include "service/output.h"

static struct err e;

static void received(int chan, const char *text)
{
	char got[64];
	int fd = -1;
	ssize_t n = chan_recv(chan, got, sizeof(got) - 1, &fd, &e);

	assert_true(n > 0);
	got[n] = '\0';
	assert_string_equal(got, text);
	assert_true(fd >= 0);
	close(fd);
}

static void pipes_are_sent_once_per_log_service(void **state)
{
	int fds[2];
	char got[8];
	(void)state;

	assert_int_equal(chan_pair(fds, &e), 0);
	box_add("a", "");
	box_add("b", "");
	box_add("idle", "enabled: false\n");
	box_boot();
	int kept = box_get("a")->log_fd;
	assert_int_equal(output_send(&box.services, fds[0], &e), 0);
	received(fds[1], "pipe a");
	received(fds[1], "pipe b");
	assert_int_equal(output_send(&box.services, fds[0], &e), 0);
	assert_int_equal(chan_recv(fds[1], got, sizeof(got), NULL, &e), -1); /* nothing more */
	assert_int_equal(e.code, EAGAIN);

	/* The service is restarted: the same pipe, nothing to tell. */
	box_exit("a", CLD_EXITED, 1);
	box_expect("a", SERVICE_READY);
	assert_int_equal(box_get("a")->log_fd, kept);
	assert_int_equal(output_send(&box.services, fds[0], &e), 0);
	assert_int_equal(chan_recv(fds[1], got, sizeof(got), NULL, &e), -1);

	/* The log service is restarted: all of them, and what was written meanwhile is there. */
	assert_int_equal(write(kept, "kept", 4), 4);
	output_forget(&box.services);
	assert_int_equal(output_send(&box.services, fds[0], &e), 0);
	received(fds[1], "pipe a");
	received(fds[1], "pipe b");
	assert_int_equal(read(box_get("a")->log_read_fd, got, sizeof(got)), 4);
	close(fds[0]);
	close(fds[1]);
	assert_int_equal(output_send(&box.services, fds[0], &e), 0); /* nothing new, nothing sent */
}

static void a_slow_log_service_loses_none(void **state)
{
	int fds[2];
	unsigned sent = 0;
	(void)state;

	assert_int_equal(chan_pair(fds, &e), 0);
	box_add("a", "");
	box_boot();
	while (chan_send(fds[0], "x", 1, -1, &e) == 0)
		sent++;
	assert_int_equal(output_send(&box.services, fds[0], &e), -1);
	assert_int_equal(e.code, EAGAIN);
	for (char c; sent > 0; sent--)
		assert_int_equal(chan_recv(fds[1], &c, 1, NULL, &e), 1);
	assert_int_equal(output_send(&box.services, fds[0], &e), 0);
	received(fds[1], "pipe a");
	close(fds[0]);
	close(fds[1]);
}

static int other_log(const char *name, void *arg)
{
	(void)arg;
	return str_eq(name, "a") ? 77 : -1;
}

static void somebody_else_may_give_the_pipe(void **state)
{
	(void)state;
	box_add("a", "");
	box_load();
	box.services.log = other_log;
	assert_int_equal(output_open(box_get("a"), &e), 0);
	assert_int_equal(box_get("a")->log_fd, 77);
	assert_int_equal(box_get("a")->log_read_fd, -1);
	box_get("a")->log_fd = -1;
}

static void failures_leak_nothing(void **state)
{
	(void)state;
	box_add("a", "");
	box_load();
	unsigned before = fake_open_fds();
	for (unsigned n = 1; n < 3; n++) {
		fake_fail_at(n, EMFILE);
		assert_int_equal(output_open(box_get("a"), &e), -1);
		assert_int_equal(box_get("a")->log_fd, -1);
		assert_int_equal(box_get("a")->log_read_fd, -1);
		assert_int_equal(fake_open_fds(), before);
	}
	fake_fail_at(0, 0);
	assert_int_equal(output_open(box_get("a"), &e), 0);
	/* The writer waits for room, the reader never waits. */
	assert_false(fcntl(box_get("a")->log_fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(box_get("a")->log_read_fd, F_GETFL) & O_NONBLOCK);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, box_setup, box_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(pipes_are_sent_once_per_log_service),
		TEST(a_slow_log_service_loses_none),
		TEST(somebody_else_may_give_the_pipe),
		TEST(failures_leak_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
