/* The control sockets over real socket pairs and a real listener in a temporary folder: answers, malformed messages,
 * followers, slow peers, crowds, and every system call failing once. */
#include "boot/control.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "fake/sys.h"
#include "loop/chan.h"

static struct loop l;
static struct commands cs;
static struct events evs;
static struct control c;
static struct err e;
static char folder[64], place[96];
static char data[LIMIT_REPLY + 1];
static unsigned fds_before;

static int do_hello(const struct request *rq, struct json *out, void *arg, struct err *why)
{
	(void)arg;
	(void)why;
	json_open_object(out, NULL);
	json_string(out, "to", rq->argc > 0 ? rq->argv[0] : "");
	json_close_object(out);
	return 0;
}

static int do_follow(const struct request *rq, struct json *out, void *arg, struct err *why)
{
	(void)rq;
	(void)arg;
	json_open_object(out, NULL);
	json_close_object(out);
	return control_follow(&c, evs.next, why);
}

static int do_long(const struct request *rq, struct json *out, void *arg, struct err *why)
{
	(void)rq;
	(void)arg;
	(void)why;
	json_open_list(out, NULL);
	for (unsigned i = 0; i < LIMIT_REPLY; i++)
		json_string(out, NULL, "xxxxxxxx");
	json_close_list(out);
	return 0;
}

static int do_apps(const struct request *rq, struct json *out, void *arg, struct err *why)
{
	(void)rq;
	(void)out;
	(void)arg;
	return control_relay(&c, "kube", why);
}

static int do_session(const struct request *rq, struct json *out, void *arg, struct err *why)
{
	(void)rq;
	(void)out;
	(void)arg;
	return control_relay(&c, "owner", why);
}

static const struct command rows[] = {
	{"hello", "[NAME]", "greets", PEER_LOCAL | PEER_WEB, 0, 1, do_hello, NULL},
	{"follow", "", "events", PEER_LOCAL | PEER_WEB, 0, 0, do_follow, NULL},
	{"long", "", "too much", PEER_LOCAL, 0, 0, do_long, NULL},
	{"apps", "[NAME]", "kube's", PEER_LOCAL | PEER_WEB, 0, 1, do_apps, NULL},
	{"tell", "[NAME]", "of kube", PEER_KUBE, 0, 1, do_hello, NULL},
	{"session", "[NAME]", "owner's", PEER_WEB | PEER_LOCAL, 0, 1, do_session, NULL},
	{"update", "[NAME]", "kube plays it", PEER_OWNER, 0, 1, do_apps, NULL},
	{NULL, NULL, NULL, 0, 0, 0, NULL, NULL},
};

/* PATH_CONTROL lies in the temporary folder. */
static int bind_here(int fd, const struct sockaddr *a, socklen_t n)
{
	struct sockaddr_un u = {.sun_family = AF_UNIX};
	(void)a;
	(void)n;
	return str_copy(u.sun_path, sizeof(u.sun_path), place) < 0 ? -1 : bind(fd, (struct sockaddr *)&u, sizeof(u));
}

static int unlink_here(const char *path)
{
	(void)path;
	return unlink(place);
}

static int chmod_here(const char *path, mode_t mode)
{
	(void)path;
	return chmod(place, mode);
}

static void on_event(const struct event *ev, void *arg)
{
	(void)ev;
	control_event(arg);
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	fake_bind = bind_here;
	fake_unlink = unlink_here;
	fake_chmod = chmod_here;
	fake_clock_ms = 1000;
	fds_before = fake_open_fds();
	memset(&l, 0, sizeof(l));
	if (str_format(folder, sizeof(folder), "/tmp/hearth-control-XXXXXX") < 0 || mkdtemp(folder) == NULL ||
	    str_format(place, sizeof(place), "%s/control", folder) < 0)
		return -1;
	events_init(&evs);
	commands_init(&cs);
	control_init(&c, &l, &cs, &evs);
	events_listen(&evs, on_event, &c);
	return loop_init(&l, &e) < 0 ? -1 : commands_register(&cs, rows, &e);
}

static void close_all(void)
{
	for (unsigned i = 0; i < CONTROL_PEERS; i++) {
		if (c.peer[i].fd >= 0)
			close(c.peer[i].fd);
	}
	if (c.listen_fd >= 0)
		close(c.listen_fd);
}

static int teardown(void **state)
{
	(void)state;
	close_all();
	loop_fini(&l);
	(void)unlink(place);
	rmdir(folder);
	fake_reset();
	return fake_open_fds() == fds_before ? 0 : -1;
}

/* A few rounds of the loop, without waiting. */
static void turn(unsigned rounds)
{
	fake_epoll_wait = fake_epoll_now;
	while (rounds-- > 0)
		assert_int_equal(loop_step(&l, &e), 0);
}

static int channel(const char *name)
{
	int fd = control_channel(&c, name, &e);
	assert_true(fd >= 0);
	return fd;
}

static int dial(void)
{
	struct sockaddr_un u = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);
	assert_int_equal(str_copy(u.sun_path, sizeof(u.sun_path), place), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&u, sizeof(u)), 0);
	turn(2);
	return fd;
}

static void say_to(int fd, const char *command, const char *word)
{
	char msg[LIMIT_REQUEST];
	const char *const argv[] = {command, word};
	int len = proto_request(msg, sizeof(msg), 42, word != NULL ? 2 : 1, argv, &e);
	assert_true(len > 0);
	assert_int_equal(send(fd, msg, (size_t)len, 0), len);
}

/* The next frame, or kind 0 when there is none; -1 when the connection ended. */
static int hear(int fd, struct proto_reply *r)
{
	ssize_t n = recv(fd, data, LIMIT_REPLY, MSG_DONTWAIT);
	memset(r, 0, sizeof(*r));
	if (n <= 0)
		return n < 0 && errno == EAGAIN ? 0 : -1;
	assert_int_equal(proto_parse(data, (size_t)n, r, &e), 0);
	return (int)r->kind;
}

static int ask(int fd, const char *command, const char *word)
{
	static struct proto_reply r;
	say_to(fd, command, word);
	turn(2);
	return hear(fd, &r);
}

static void test_answers(void **state)
{
	struct proto_reply r;
	(void)state;
	int fd = channel("web");
	say_to(fd, "hello", "you");
	turn(1);
	assert_int_equal(hear(fd, &r), PROTO_OK);
	assert_int_equal(r.id, 42);
	assert_string_equal(r.text, "{\"to\":\"you\"}");
	say_to(fd, "hallo", NULL);
	turn(1);
	assert_int_equal(hear(fd, &r), PROTO_ERROR);
	assert_non_null(strstr(r.text, "hallo"));
	assert_int_equal(ask(fd, "long", NULL), PROTO_ERROR); /* not its right */
	close(fd);
}

static void test_malformed(void **state)
{
	static const char junk[LIMIT_REQUEST + 500];
	static const size_t sizes[] = {1, 3, 4, LIMIT_REQUEST, LIMIT_REQUEST + 1, sizeof(junk)};
	struct proto_reply r;
	(void)state;
	int fd = channel("web");
	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		assert_true(send(fd, junk, sizes[i], 0) > 0);
		turn(1);
		assert_int_equal(hear(fd, &r), PROTO_ERROR);
	}
	assert_int_equal(ask(fd, "hello", NULL), PROTO_OK);
	close(fd);
}

static void test_an_answer_that_is_too_long(void **state)
{
	(void)state;
	assert_int_equal(control_listen(&c, &e), 0);
	int fd = dial();
	assert_int_equal(ask(fd, "long", NULL), PROTO_ERROR);
	assert_int_equal(ask(fd, "hello", NULL), PROTO_OK);
	close(fd);
}

static void test_end_of_a_peer(void **state)
{
	(void)state;
	int fd = channel("web");
	close(fd);
	turn(1);
	assert_int_equal(c.peer[LIMIT_PEERS].fd, -1);
}

static void test_a_new_channel_replaces_the_old(void **state)
{
	struct proto_reply r;
	(void)state;
	int old = channel("web"), now = channel("web");
	assert_int_equal(hear(old, &r), -1);
	assert_int_equal(ask(now, "hello", NULL), PROTO_OK);
	assert_int_equal(c.peer[LIMIT_PEERS + 1].fd, -1);
	close(old);
	close(now);
}

static void test_followers(void **state)
{
	struct proto_reply r;
	(void)state;
	int fd = channel("web");
	event_add(&evs, EVENT_FACT, "before", "not for it");
	assert_int_equal(ask(fd, "follow", NULL), PROTO_OK);
	event_add(&evs, EVENT_FACT, "sun", "is \"up\"");
	event_add(&evs, EVENT_FACT, "moon", "is down");
	assert_int_equal(hear(fd, &r), 0); /* not from inside of what caused it */
	turn(1);
	assert_int_equal(hear(fd, &r), PROTO_EVENT);
	assert_int_equal(r.id, 42);
	assert_non_null(strstr(r.text, "\"name\":\"sun\",\"text\":\"is \\\"up\\\"\""));
	assert_int_equal(hear(fd, &r), PROTO_EVENT);
	assert_int_equal(hear(fd, &r), 0);
	assert_int_equal(control_follow(&c, 1, &e), -1); /* not outside of a request */
	close(fd);
}

static void test_slow_follower(void **state)
{
	struct proto_reply r;
	unsigned got = 0;
	(void)state;
	int fd = channel("web");
	assert_int_equal(ask(fd, "follow", NULL), PROTO_OK);
	for (unsigned i = 0; i < 2000 && c.peer[LIMIT_PEERS].fd >= 0; i++) {
		event_add(&evs, EVENT_FACT, "tick", "%u", i);
		turn(1);
	}
	assert_int_equal(c.peer[LIMIT_PEERS].fd, -1); /* the ring went past it */
	while (hear(fd, &r) > 0)
		got++;
	assert_true(got > 10 && got < 2000);
	close(fd);
}

static void test_a_peer_that_reads_late_loses_nothing(void **state)
{
	struct proto_reply r;
	unsigned sent = 0, got = 0;
	char msg[LIMIT_REQUEST];
	const char *const argv[] = {"hello"};
	(void)state;
	int fd = channel("web");
	int len = proto_request(msg, sizeof(msg), 1, 1, argv, &e);
	while (send(fd, msg, (size_t)len, MSG_DONTWAIT) == len) {
		sent++;
		turn(1);
	}
	assert_true(c.peer[LIMIT_PEERS].blocked);
	for (unsigned idle = 0; idle < 3; turn(1)) {
		idle = hear(fd, &r) == PROTO_OK ? 0 : idle + 1;
		got += idle == 0;
	}
	assert_int_equal(got, sent);
	assert_false(c.peer[LIMIT_PEERS].blocked);
	close(fd);
}

static void test_a_peer_that_never_reads_is_dropped(void **state)
{
	char msg[LIMIT_REQUEST];
	const char *const argv[] = {"hello"};
	(void)state;
	int fd = channel("web");
	int len = proto_request(msg, sizeof(msg), 1, 1, argv, &e);
	while (send(fd, msg, (size_t)len, MSG_DONTWAIT) == len)
		turn(1);
	fake_clock_ms += CONTROL_STALL_MS;
	turn(1);
	assert_int_equal(c.peer[LIMIT_PEERS].fd, -1);
	close(fd);
}

static void test_crowd(void **state)
{
	int fd[3 * LIMIT_PEERS];
	struct proto_reply r;
	(void)state;
	assert_int_equal(control_listen(&c, &e), 0);
	assert_int_equal(control_listen(&c, &e), 0); /* again is no harm */
	int worker = dial(), follower = dial();
	assert_int_equal(ask(worker, "hello", NULL), PROTO_OK);
	assert_int_equal(ask(follower, "follow", NULL), PROTO_OK);
	for (unsigned i = 0; i < COUNT_OF(fd); i++)
		fd[i] = dial();
	assert_int_equal(ask(worker, "hello", NULL), PROTO_OK);
	event_add(&evs, EVENT_FACT, "sun", "up");
	turn(1);
	assert_int_equal(hear(follower, &r), PROTO_EVENT);
	assert_int_equal(hear(fd[0], &r), -1); /* the oldest idle ones had to go */
	assert_int_equal(ask(fd[COUNT_OF(fd) - 1], "hello", NULL), PROTO_OK);
	for (unsigned i = 0; i < COUNT_OF(fd); i++)
		close(fd[i]);
	close(worker);
	close(follower);
	turn(3);
}

static int no_accept(int fd, struct sockaddr *a, socklen_t *n, int flags)
{
	(void)fd;
	(void)a;
	(void)n;
	(void)flags;
	errno = EMFILE;
	return -1;
}

static void test_out_of_descriptors(void **state)
{
	(void)state;
	assert_int_equal(control_listen(&c, &e), 0);
	fake_accept4 = no_accept;
	int fd = dial();
	assert_true(c.again.armed); /* and the listener is not looked at, so the loop does not spin */
	fake_accept4 = NULL;
	fake_clock_ms += CONTROL_RETRY_MS;
	turn(2);
	assert_int_equal(ask(fd, "hello", NULL), PROTO_OK);
	close(fd);
}

/* ---- what a role answers ---- */

/* The ask that the role has, its words joined by blanks; 0: none. */
static uint32_t hear_ask(int role, const char *words)
{
	char got[LIMIT_REQUEST + 2];
	uint32_t id = 0;
	ssize_t n = recv(role, got, sizeof(got), MSG_DONTWAIT);
	if (n <= 0)
		return 0;
	assert_true(n > PROTO_REPLY_HEAD);
	assert_int_equal(got[4], PROTO_ASK);
	assert_int_equal(got[n - 1], '\0');
	memcpy(&id, got, sizeof(id));
	for (ssize_t i = PROTO_REPLY_HEAD; i < n - 1; i++)
		got[i] = got[i] == '\0' ? ' ' : got[i];
	assert_string_equal(got + PROTO_REPLY_HEAD, words);
	return id;
}

static void reply_with(int role, uint32_t id, uint8_t kind, const char *body, size_t len)
{
	static char msg[LIMIT_REPLY + 16];
	memcpy(msg, &id, sizeof(id));
	msg[4] = (char)kind;
	memcpy(msg + PROTO_REPLY_HEAD, body, len);
	assert_int_equal(send(role, msg, PROTO_REPLY_HEAD + len, 0), PROTO_REPLY_HEAD + len);
	turn(2);
}

static void reply(int role, uint32_t id, uint8_t kind, const char *body)
{
	reply_with(role, id, kind, body, strlen(body));
}

static void test_a_role_answers(void **state)
{
	struct proto_reply r;
	(void)state;
	int web = channel("web"), kube = channel("kube");
	assert_int_equal(control_listen(&c, &e), 0);
	int ctl = dial();
	assert_int_equal(ask(web, "apps", "torrents"), 0);
	assert_int_equal(ask(ctl, "apps", NULL), 0);
	uint32_t first = hear_ask(kube, "apps torrents"), second = hear_ask(kube, "apps");
	assert_true(first != 0 && second != 0 && first != second);
	assert_int_equal(ask(web, "hello", NULL), PROTO_OK); /* nobody waits for the role */
	reply(kube, second, PROTO_ERROR, "not yet");
	assert_int_equal(hear(ctl, &r), PROTO_ERROR);
	assert_int_equal(r.id, 42);
	assert_string_equal(r.text, "not yet");
	assert_int_equal(hear(web, &r), 0);
	reply(kube, first, PROTO_OK, "{\"apps\":[]}");
	assert_int_equal(hear(web, &r), PROTO_OK);
	assert_int_equal(r.id, 42);
	assert_string_equal(r.text, "{\"apps\":[]}");
	/* Once; and what nobody has asked for is nothing. */
	reply(kube, first, PROTO_OK, "{}");
	reply(kube, 12345, PROTO_OK, "{}");
	assert_int_equal(hear(web, &r), 0);
	assert_int_equal(hear(ctl, &r), 0);
	close(web);
	close(ctl);
	close(kube);
}

static void test_a_reply_as_long_as_they_get(void **state)
{
	static char body[LIMIT_REPLY + 1];
	struct proto_reply r;
	(void)state;
	int web = channel("web"), kube = channel("kube");
	memset(body, 'x', sizeof(body));
	assert_int_equal(ask(web, "apps", NULL), 0);
	reply_with(kube, hear_ask(kube, "apps"), PROTO_OK, body, LIMIT_REPLY - PROTO_REPLY_HEAD);
	assert_int_equal(hear(web, &r), PROTO_OK);
	assert_int_equal(r.len, LIMIT_REPLY - PROTO_REPLY_HEAD);
	/* One byte more is refused as a whole. */
	assert_int_equal(ask(web, "apps", NULL), 0);
	reply_with(kube, hear_ask(kube, "apps"), PROTO_OK, body, LIMIT_REPLY - PROTO_REPLY_HEAD + 1);
	assert_int_equal(hear(web, &r), 0);
	assert_int_equal(hear(kube, &r), PROTO_ERROR);
	assert_string_equal(r.text, "malformed request: too long");
	close(web);
	close(kube);
}

static void test_what_is_no_reply(void **state)
{
	struct proto_reply r;
	(void)state;
	int web = channel("web"), kube = channel("kube");
	assert_int_equal(ask(web, "apps", NULL), 0);
	uint32_t id = hear_ask(kube, "apps");
	static const uint8_t kinds[] = {0, PROTO_EVENT, PROTO_ASK, 31};
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		reply(kube, id, kinds[i], "{}");
		assert_int_equal(hear(kube, &r), PROTO_ERROR);
		assert_string_equal(r.text, "malformed reply");
	}
	reply_with(kube, id, PROTO_OK, "{\0}", 3);
	assert_int_equal(hear(kube, &r), PROTO_ERROR);
	assert_int_equal(hear(web, &r), 0);
	/* Others cannot answer for it. */
	reply(web, id, PROTO_OK, "{}");
	assert_int_equal(hear(web, &r), PROTO_ERROR);
	reply(kube, id, PROTO_OK, "{}");
	assert_int_equal(hear(web, &r), PROTO_OK);
	close(web);
	close(kube);
}

static void test_the_rights_of_a_role(void **state)
{
	static char word[LIMIT_REQUEST + 100];
	struct proto_reply r;
	uint32_t id = 9;
	(void)state;
	int web = channel("web"), kube = channel("kube");
	assert_int_equal(ask(kube, "tell", "you"), PROTO_OK);
	assert_int_equal(ask(kube, "hello", NULL), PROTO_ERROR);
	assert_int_equal(ask(kube, "apps", NULL), PROTO_ERROR);
	assert_int_equal(ask(web, "tell", NULL), PROTO_ERROR);
	memset(word, 'x', sizeof(word));
	memcpy(word, &id, sizeof(id));
	assert_int_equal(send(kube, word, sizeof(word), 0), sizeof(word));
	turn(2);
	assert_int_equal(hear(kube, &r), PROTO_ERROR);
	assert_string_equal(r.text, "malformed request: too long");
	assert_int_equal(ask(kube, "tell", NULL), PROTO_OK);
	close(web);
	close(kube);
}

static void test_a_role_that_is_not_there(void **state)
{
	struct proto_reply r;
	(void)state;
	int web = channel("web");
	assert_int_equal(ask(web, "apps", NULL), PROTO_ERROR);
	assert_string_equal(data + PROTO_REPLY_HEAD, "apps: kube: not connected");
	int kube = channel("kube");
	assert_int_equal(ask(web, "apps", NULL), 0);
	close(kube);
	turn(3);
	assert_int_equal(hear(web, &r), PROTO_ERROR);
	assert_string_equal(r.text, "kube: it ended before it answered");
	/* A new one gets the old one's place, but not its questions. */
	kube = channel("kube");
	assert_int_equal(ask(web, "apps", NULL), 0);
	uint32_t old = hear_ask(kube, "apps");
	int again = channel("kube");
	turn(2);
	assert_int_equal(hear(web, &r), PROTO_ERROR);
	reply(again, old, PROTO_OK, "{}");
	assert_int_equal(hear(web, &r), 0);
	assert_int_equal(control_relay(&c, "kube", &e), -1); /* not outside of a request */
	close(kube);
	close(again);
	close(web);
}

static void test_a_role_that_does_not_answer(void **state)
{
	struct proto_reply r;
	(void)state;
	int web = channel("web"), kube = channel("kube");
	assert_int_equal(ask(web, "apps", NULL), 0);
	uint32_t id = hear_ask(kube, "apps");
	fake_clock_ms += ASKS_MS;
	turn(2);
	assert_int_equal(hear(web, &r), PROTO_ERROR);
	assert_int_equal(r.id, 42);
	assert_string_equal(r.text, "kube: no answer in 23 s");
	reply(kube, id, PROTO_OK, "{}"); /* late */
	assert_int_equal(hear(web, &r), 0);
	for (unsigned i = 0; i < ASKS_EACH; i++)
		assert_int_equal(ask(web, "apps", NULL), 0);
	assert_int_equal(ask(web, "apps", NULL), PROTO_ERROR);
	assert_non_null(strstr(data + PROTO_REPLY_HEAD, "too many questions at a time"));
	close(web);
	close(kube);
}

/* A role that takes nothing: its socket fills, askers are told at once. */
static void test_a_role_that_does_not_read(void **state)
{
	struct proto_reply r;
	char filler[LIMIT_REQUEST] = {0};
	(void)state;
	int web = channel("web"), kube = channel("kube");
	while (send(c.peer[LIMIT_PEERS + 1].fd, filler, sizeof(filler), MSG_DONTWAIT) > 0)
		;
	assert_int_equal(ask(web, "apps", NULL), PROTO_ERROR);
	assert_int_equal(strncmp(data + PROTO_REPLY_HEAD, "apps: kube: ", 12), 0);
	fake_clock_ms += ASKS_MS;
	turn(2);
	assert_int_equal(hear(web, &r), 0); /* told once */
	close(web);
	close(kube);
}

static void test_an_asker_that_has_gone(void **state)
{
	struct proto_reply r;
	(void)state;
	int web = channel("web"), kube = channel("kube");
	assert_int_equal(ask(web, "apps", NULL), 0);
	uint32_t id = hear_ask(kube, "apps");
	close(web);
	turn(1);
	web = channel("web"); /* in the same place */
	reply(kube, id, PROTO_OK, "{}");
	assert_int_equal(hear(web, &r), 0);
	assert_int_equal(ask(web, "hello", NULL), PROTO_OK);
	close(web);
	close(kube);
}

/* A request with a descriptor. */
static void say_with(int fd, const char *command, int passed)
{
	char msg[LIMIT_REQUEST];
	int len = proto_request(msg, sizeof(msg), 42, 1, &command, &e);
	assert_true(len > 0);
	assert_int_equal(chan_send(fd, msg, (size_t)len, passed, &e), 0);
	turn(2);
}

/* The ask that came, and what came with it. */
static uint32_t hear_ask_with(int fd, int *passed)
{
	uint32_t id;
	assert_true(chan_recv(fd, data, sizeof(data), passed, &e) > PROTO_REPLY_HEAD);
	assert_int_equal(data[sizeof(id)], PROTO_ASK);
	memcpy(&id, data, sizeof(id));
	return id;
}

/* From web to owner, from owner to a role: what goes in at one end comes out at the other, and PID 1 keeps nothing. */
static void test_a_descriptor_goes_with_its_request(void **state)
{
	int ends[2], passed, again;
	char byte = 0;
	(void)state;
	int web = channel("web"), owner = channel("owner"), kube = channel("kube");
	unsigned open_before = fake_open_fds();
	assert_int_equal(pipe(ends), 0);
	say_with(web, "session", ends[0]);
	close(ends[0]);
	(void)hear_ask_with(owner, &passed);
	assert_true(passed >= 0);
	say_with(owner, "update", passed);
	close(passed);
	(void)hear_ask_with(kube, &again);
	assert_true(again >= 0);
	assert_int_equal(write(ends[1], "x", 1), 1);
	assert_int_equal(read(again, &byte, 1), 1);
	assert_int_equal(byte, 'x');
	close(again);
	close(ends[1]);
	assert_int_equal(fake_open_fds(), open_before);
	close(web);
	close(owner);
	close(kube);
}

static void test_descriptors_nobody_wants_are_closed(void **state)
{
	struct proto_reply r;
	int passed;
	(void)state;
	assert_int_equal(control_listen(&c, &e), 0);
	int web = channel("web"), owner = channel("owner"), local = dial();
	unsigned open_before = fake_open_fds();
	say_with(web, "hello", web); /* answered by PID 1 itself */
	assert_int_equal(hear(web, &r), PROTO_OK);
	say_with(web, "nothing", web);
	assert_int_equal(hear(web, &r), PROTO_ERROR);
	say_with(local, "session", local); /* not from everybody */
	(void)hear_ask_with(owner, &passed);
	assert_int_equal(passed, -1);
	(void)!send(owner, "\1\0\0\0\1{}", 7, 0); /* a reply */
	turn(2);
	assert_int_equal(fake_open_fds(), open_before);
	close(web);
	close(owner);
	close(local);
}

static void one_relay(void)
{
	struct err ignored;
	int web = control_channel(&c, "web", &ignored), kube = control_channel(&c, "kube", &ignored);
	if (web >= 0 && kube >= 0) {
		(void)!send(web, "\1\0\0\0apps", 9, MSG_NOSIGNAL);
		for (unsigned i = 0; i < 3; i++)
			(void)!loop_step(&l, &e);
		(void)!send(kube, "\1\0\0\0\1{}", 7, MSG_NOSIGNAL);
		for (unsigned i = 0; i < 3; i++)
			(void)!loop_step(&l, &e);
	}
	if (web >= 0)
		close(web);
	if (kube >= 0)
		close(kube);
}

static void one_life(void)
{
	if (control_listen(&c, &e) == 0) {
		struct sockaddr_un u = {.sun_family = AF_UNIX};
		int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);
		assert_int_equal(str_copy(u.sun_path, sizeof(u.sun_path), place), 0);
		(void)connect(fd, (struct sockaddr *)&u, sizeof(u));
		(void)!send(fd, "\1\0\0\0follow", 11, MSG_NOSIGNAL);
		for (unsigned i = 0; i < 4; i++)
			(void)!loop_step(&l, &e);
		event_add(&evs, EVENT_FACT, "sun", "up");
		for (unsigned i = 0; i < 3; i++)
			(void)!loop_step(&l, &e);
		close(fd);
	}
	one_relay();
	int fd = control_channel(&c, "web", &e);
	if (fd >= 0)
		close(fd);
	for (unsigned i = 0; i < 3; i++)
		(void)!loop_step(&l, &e);
}

static void test_torture(void **state)
{
	unsigned n = 1;
	(void)state;
	for (; n < 500; n++) {
		fake_epoll_wait = fake_epoll_now;
		fake_fail_at(n, EIO);
		one_life();
		bool fired = fake_fired();
		fake_fail_at(0, 0);
		void *none = NULL;
		assert_int_equal(teardown(&none), 0);
		assert_int_equal(setup(&none), 0);
		if (!fired)
			break;
	}
	assert_true(n > 10 && n < 500);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_answers),
		TEST(test_malformed),
		TEST(test_an_answer_that_is_too_long),
		TEST(test_end_of_a_peer),
		TEST(test_a_new_channel_replaces_the_old),
		TEST(test_followers),
		TEST(test_slow_follower),
		TEST(test_a_peer_that_reads_late_loses_nothing),
		TEST(test_a_peer_that_never_reads_is_dropped),
		TEST(test_crowd),
		TEST(test_out_of_descriptors),
		TEST(test_a_role_answers),
		TEST(test_a_reply_as_long_as_they_get),
		TEST(test_what_is_no_reply),
		TEST(test_the_rights_of_a_role),
		TEST(test_a_role_that_is_not_there),
		TEST(test_a_role_that_does_not_answer),
		TEST(test_a_role_that_does_not_read),
		TEST(test_an_asker_that_has_gone),
		TEST(test_a_descriptor_goes_with_its_request),
		TEST(test_descriptors_nobody_wants_are_closed),
		TEST(test_torture),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
