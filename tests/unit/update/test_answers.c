/* init/update/answers.c against the other end of a real channel: each ask gets one answer. */
#include "update/answers.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/paths.h"
#include "base/str.h"
#include "fake/sys.h"
#include "loop/chan.h"

static struct loop loop;
static struct teller teller;
static struct teller_fact fact[4];
static struct conduct conduct;
static struct answers answers;
static struct seek seek;
static struct err e;
static int fds[2];

static int nothing_mounted(const char *path, struct stat *st)
{
	(void)path;
	memset(st, 0, sizeof(*st));
	return 0;
}

static int setup(void **state)
{
	const struct conduct_options options = {.self = "/bin/false", .user = "", .stand_in = {"/t", "/r", 'a'}};
	const struct conduct_hooks hooks = {answers_decided, NULL, answers_arming, answers_restart, &answers};

	(void)state;
	fake_reset();
	fake_stat = nothing_mounted;
	fake_epoll_wait = fake_epoll_now;
	memset(&loop, 0, sizeof(loop));
	if (loop_init(&loop, &e) || chan_pair(fds, &e))
		return -1;
	teller_init(&teller, fact, COUNT_OF(fact));
	teller_open(&teller, &loop, fds[0], "test");
	conduct_init(&conduct, &loop, &teller, &options, &hooks);
	const struct seek_hooks looking = {answers_ask_world, answers_decided, answers_restart, &answers};
	seek_init(&seek, &loop, &conduct, &looking);
	return answers_init(&answers, &loop, fds[0], &conduct, &seek, &e);
}

static int teardown(void **state)
{
	(void)state;
	seek_fini(&seek);
	conduct_fini(&conduct);
	answers_fini(&answers);
	teller_fini(&teller);
	close(fds[0]);
	close(fds[1]);
	loop_fini(&loop);
	fake_reset();
	return 0;
}

static void turn(void)
{
	assert_int_equal(loop_step(&loop, &e), 0);
}

/* Words divided by '|', and a descriptor or -1; returns the answer's text, NULL when there is none. */
static const char *ask_with(const char *words, int fd, uint32_t id, enum proto_kind *kind)
{
	static char data[LIMIT_REPLY + 1];
	char msg[LIMIT_REQUEST + 1];
	struct proto_reply r;
	size_t n = strlen(words);

	memcpy(msg, &id, sizeof(id));
	msg[4] = PROTO_ASK;
	for (size_t i = 0; i <= n; i++)
		msg[5 + i] = words[i] == '|' ? '\0' : words[i];
	assert_int_equal(chan_send(fds[1], msg, 6 + n, fd, &e), 0);
	turn();
	ssize_t got = chan_recv(fds[1], data, LIMIT_REPLY, NULL, &e);
	if (got < 0)
		return NULL;
	assert_int_equal(proto_parse(data, (size_t)got, &r, &e), 0);
	assert_int_equal(r.id, id);
	*kind = r.kind;
	return r.text;
}

static const char *ask(const char *words, uint32_t id, enum proto_kind *kind)
{
	return ask_with(words, -1, id, kind);
}

static void each_ask_gets_an_answer(void **state)
{
	static const struct {
		const char *words;
		enum proto_kind kind;
		const char *says;
	} cases[] = {
		{"update", PROTO_OK, "{\"message\":\"no update is under way\",\"state\":\"idle\"}"},
		{"update|bake", PROTO_ERROR, "none of check, show"},
		{"update|pause", PROTO_ERROR, "no update is under way"},
		{"update|resume", PROTO_ERROR, "no update is under way"},
		{"update|cancel", PROTO_ERROR, "no update is under way"},
		{"update|install|/data/x", PROTO_ERROR, "/boot is not mounted"},
		{"update|upload|0", PROTO_ERROR, "no number of bytes"},
		{"update|upload|5", PROTO_ERROR, "/boot is not mounted"},
		{"update|upload|5|0", PROTO_ERROR, "no part of a file is asked for"},
		{"update|install|upload:5", PROTO_ERROR, "/boot is not mounted"},
		{"update|show|http://a/b", PROTO_ERROR, "/boot is not mounted"},
		{"update|check", PROTO_ERROR, "set update.url in the settings"},
		{"update|install", PROTO_ERROR, "set update.url in the settings"},
		{"update|b|c|d|e|f|g|h|i", PROTO_ERROR, "none of check, show"},
		{"snapshots", PROTO_OK, "{\"snapshots\":[]}"},
		{"snapshots|bake", PROTO_ERROR, "none of take, restore"},
	};
	enum proto_kind kind;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const char *text = ask(cases[i].words, (uint32_t)i + 1, &kind);
		assert_non_null(text);
		assert_int_equal(kind, cases[i].kind);
		if (!strstr(text, cases[i].says))
			fail_msg("%s: %s", cases[i].words, text);
	}
}

/* Who sends sees at once that nobody reads. */
static void a_descriptor_that_nobody_takes_is_closed(void **state)
{
	static const char *const words[] = {"update", "update|upload|5", "update|upload", "nonsense"};
	enum proto_kind kind;

	(void)state;
	(void)signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < COUNT_OF(words); i++) {
		int ends[2];
		assert_int_equal(pipe(ends), 0);
		assert_non_null(ask_with(words[i], ends[0], (uint32_t)i + 1, &kind));
		close(ends[0]);
		assert_int_equal(write(ends[1], "x", 1), -1);
		assert_int_equal(errno, EPIPE);
		close(ends[1]);
	}
}

static int settings(const char *path, int flags, mode_t mode)
{
	static const char text[] = "update: {url: 'http://h/index.yaml'}\n";
	int fd;

	if (!str_eq(path, PATH_RUN_SETTINGS)) {
		errno = ENOENT;
		return -1;
	}
	(void)mode;
	fd = memfd_create("settings", flags & O_CLOEXEC ? MFD_CLOEXEC : 0);
	assert_int_equal(pwrite(fd, text, strlen(text), 0), strlen(text));
	return fd;
}

/* While one order waits for its answer, another one does not take that away. */
static void one_waits_at_a_time(void **state)
{
	static const char *const words[] = {"update|check", "update|install", "update|install|http://h/x",
	                                    "update|show|http://h/x"};
	enum proto_kind kind;

	(void)state;
	fake_open = settings;
	answers.pending = 77;
	for (size_t i = 0; i < COUNT_OF(words); i++) {
		const char *text = ask(words[i], (uint32_t)i + 1, &kind);
		assert_non_null(text);
		assert_int_equal(kind, PROTO_ERROR);
		assert_string_equal(text, "another order waits for its answer; ask again in a moment");
	}
	assert_int_equal(answers.pending, 77);
	assert_int_equal(seek.step, SEEK_QUIET);
}

static void the_end_of_the_channel_ends_the_role(void **state)
{
	(void)state;
	shutdown(fds[1], SHUT_RDWR);
	turn();
	assert_true(loop.quit);
}

static void a_restart_is_asked_for(void **state)
{
	char msg[LIMIT_REQUEST];
	ssize_t n;

	(void)state;
	answers_restart("0.2.0", &answers);
	n = chan_recv(fds[1], msg, sizeof(msg), NULL, &e);
	assert_int_equal(n, 4 + sizeof("reboot") + sizeof("the update to 0.2.0"));
	assert_string_equal(msg + 4, "reboot");
	assert_string_equal(msg + 4 + sizeof("reboot"), "the update to 0.2.0");
}

static void healthy_apps_are_taken_from_the_facts(void **state)
{
	static const char json[] =
		"{\"facts\":[{\"name\":\"app-a\",\"value\":\"on\",\"detail\":\"\"},{\"name\":\"app-b\",\"value\":"
		"\"off\"},"
		"{\"name\":\"kube-api\",\"value\":\"on\"},{\"name\":\"app-c\",\"value\":\"on\"},{\"value\":\"on\"},7,"
		"{\"name\":\"network-up\",\"value\":\"on\"}]}";
	static struct names healthy;

	(void)state;
	healthy.count = 0;
	assert_int_equal(answers_healthy(&healthy, json, strlen(json), &e), 0);
	assert_int_equal(healthy.count, 3);
	assert_string_equal(healthy.name[0], "app-a");
	assert_string_equal(healthy.name[1], "app-c");
	assert_string_equal(healthy.name[2], "network-up");
	assert_int_equal(answers_healthy(&healthy, "{}", 2, &e), -1);
	assert_int_equal(answers_healthy(&healthy, "nonsense", 8, &e), -1);
	assert_int_equal(answers_healthy(&healthy, "", 0, &e), -1);
}

static void what_pid1_knows(void **state)
{
	static const char json[] =
		"{\"facts\":[{\"name\":\"network-up\",\"value\":\"on\"},{\"name\":\"time-synced\","
		"\"value\":\"off\"},{\"name\":\"trial-boot\",\"value\":\"on\"},{\"value\":\"on\"},7]}";
	struct seek_world w;

	(void)state;
	assert_int_equal(answers_read_world(&w, json, strlen(json), &e), 0);
	assert_true(w.network && !w.synced && w.trial);
	assert_int_equal(answers_read_world(&w, "{\"facts\":[]}", 12, &e), 0);
	assert_true(!w.network && !w.synced && !w.trial);
	assert_int_equal(answers_read_world(&w, "{}", 2, &e), -1);
	assert_int_equal(answers_read_world(&w, "nonsense", 8, &e), -1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(each_ask_gets_an_answer),
		T(one_waits_at_a_time),
		T(a_descriptor_that_nobody_takes_is_closed),
		T(the_end_of_the_channel_ends_the_role),
		T(a_restart_is_asked_for),
		T(what_pid1_knows),
		T(healthy_apps_are_taken_from_the_facts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
