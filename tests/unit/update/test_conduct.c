/* init/update/conduct.c: what a worker may say, and when. The test is the worker; what touches the disk is noted. Whole
 * installs: tests/update. */
#include "update/conduct.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/str.h"
#include "fake/sys.h"
#include "update/msg.h"
#include "update/spawn.h"

#define HASH "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static struct err e;
static struct loop loop;
static struct teller teller;
static struct conduct c;
static struct {
	int worker; /* its end of the channel; -1: none */
	unsigned workers, arming;
	child_exit_fn *on_exit;
	char did[256]; /* to the disk, in order */
	bool armed;    /* version 0.1.9 is */
	bool decided;
	int code; /* of that */
} seen;

/* --- the disk ----------------------------------------------------------------------------------- */

static int note(const char *what, const char *more)
{
	size_t n = strlen(seen.did);

	return str_format(seen.did + n, sizeof(seen.did) - n, "%s%s ", what, more);
}

void place_init(struct place *p)
{
	memset(p, 0, sizeof(*p));
	p->target = p->running = p->source = p->kernel = -1;
}

int place_find(struct place *p, const struct place_stand_in *t, struct err *err)
{
	(void)t;
	(void)err;
	p->half.other = 'b';
	return 0;
}

int place_open(struct place *p, const struct place_stand_in *t, const struct order *o, bool write, struct err *err)
{
	(void)p;
	(void)t;
	(void)o;
	(void)write;
	(void)err;
	return 0;
}

int place_is_pipe(int fd, struct err *err)
{
	(void)fd;
	return err_set(err, EINVAL, "no pipe");
}

int place_pipe(struct place *p, int fd, struct err *err)
{
	(void)p;
	(void)fd;
	return err_set(err, EINVAL, "no pipe");
}

int place_check(const struct place *p, const struct update_manifest *m, const struct order *o, struct err *err)
{
	(void)p;
	(void)o;
	return str_eq(m->version, "0.0.9") ? err_set(err, EPERM, "older") : note("check ", m->version);
}

int place_mark(struct place *p, struct err *err)
{
	(void)p;
	(void)err;
	return note("mark", "");
}

int place_kernel(struct place *p, struct err *err)
{
	(void)p;
	return err_set(err, EIO, "no kernel");
}

int place_arm(struct place *p, const struct update_manifest *m, const struct order *o, const struct names *healthy,
              struct err *err)
{
	(void)p;
	(void)o;
	(void)healthy;
	(void)err;
	return note("arm ", m->version);
}

void place_write_last(const char *text)
{
	(void)text;
}

void place_read_last(char *text, size_t cap)
{
	(void)cap;
	text[0] = '\0';
}

bool place_armed(const struct place *p, char version[VERSION_TEXT])
{
	(void)p;
	return str_copy(version, VERSION_TEXT, seen.armed ? "0.1.9" : "") == 0 && seen.armed;
}

void place_drop(struct place *p, bool forget)
{
	(void)p;
	(void)forget;
}

int place_write_job(const struct order *o, struct err *err)
{
	(void)err;
	return note(!o ? "no-job" : o->paused ? "job paused" : "job", "");
}

int place_read_job(struct order *o, struct err *err)
{
	(void)o;
	(void)err;
	return 0;
}

/* --- the worker --------------------------------------------------------------------------------- */

int spawn_worker(struct child *child, const struct spawn_plan *p, child_exit_fn *on_exit, void *arg, struct err *err)
{
	(void)child;
	(void)arg;
	(void)err;
	if (seen.worker >= 0)
		close(seen.worker);
	seen.worker = dup(p->channel);
	seen.workers++;
	seen.on_exit = on_exit;
	return 0;
}

static void say(const struct msg *m)
{
	assert_int_equal(msg_send(seen.worker, m, -1, &e), 0);
	assert_int_equal(loop_step(&loop, &e), 0);
}

static void say_manifest(const char *version)
{
	static struct msg m;

	memset(&m, 0, sizeof(m));
	m.kind = MSG_MANIFEST;
	int n = snprintf(m.manifest.text, sizeof(m.manifest.text),
	                 "format: 2\nboard: x86-64-efi\nversion: %s\nbuild: x\ncreated: 1\nminimum: 0.0.1\n"
	                 "kubernetes: k\nchanges: ''\nroot: {hash: " HASH ", salt: " HASH ", blocks: 300, "
	                 "uuid: 01234567-89ab-4cde-8f01-23456789abcd}\nmembers:\n"
	                 "  root.verity: {size: 20480, sha256: " HASH "}\n  uki.hashes: {size: 32, sha256: " HASH "}\n"
	                 "  uki.efi: {size: 1000, sha256: " HASH "}\n  root.erofs: {size: 1228800, sha256: " HASH "}\n",
	                 version);
	m.manifest.text_len = (uint32_t)n;
	say(&m);
}

static void say_waiting(const char *why)
{
	struct msg m = {.kind = MSG_WAITING};

	assert_int_equal(str_copy(m.waiting.why, sizeof(m.waiting.why), why), 0);
	say(&m);
}

/* What the worker has been told, MSG_NONE: nothing. */
static uint32_t told(void)
{
	static struct msg m;

	return msg_recv(seen.worker, &m, NULL, &e) > 0 ? m.kind : MSG_NONE;
}

/* --- the role ----------------------------------------------------------------------------------- */

static void on_decided(const struct err *why, void *arg)
{
	(void)arg;
	seen.decided = true;
	seen.code = why ? why->code : 0;
}

static int on_signer(const void *text, size_t len, const uint8_t *sig, size_t sig_len, void *arg, struct err *err)
{
	(void)text;
	(void)len;
	(void)sig;
	(void)sig_len;
	(void)arg;
	(void)err;
	return 0;
}

static void on_arming(void *arg)
{
	static const struct names nobody;

	(void)arg;
	seen.arming++;
	conduct_arm(&c, &nobody);
}

static void order(enum order_verb verb)
{
	const struct order o = {.verb = verb, .kind = ORDER_URL, .source = "http://h/new.hearth"};

	assert_int_equal(conduct_order(&c, &o, -1, &e), 0);
}

static int setup(void **state)
{
	static const struct conduct_options options = {.self = "x"};
	const struct conduct_hooks hooks = {on_decided, on_signer, on_arming, NULL, NULL};

	(void)state;
	fake_reset();
	memset(&seen, 0, sizeof(seen));
	seen.worker = -1;
	teller_init(&teller, NULL, 0);
	if (loop_init(&loop, &e) < 0)
		return -1;
	conduct_init(&c, &loop, &teller, &options, &hooks);
	order(ORDER_INSTALL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	close(seen.worker);
	conduct_fini(&c);
	loop_fini(&loop);
	fake_reset();
	return 0;
}

/* --- tests -------------------------------------------------------------------------------------- */

static void the_slot_is_marked_before_the_worker_may_go(void **state)
{
	(void)state;
	assert_int_equal(told(), MSG_NONE);
	say_manifest("0.2.0");
	assert_string_equal(seen.did, "check 0.2.0 job mark ");
	assert_int_equal(told(), MSG_GO);
	assert_true(seen.decided && seen.code == 0);
	assert_int_equal(c.state, UPDATE_LOADING);
}

static void what_is_not_allowed_touches_nothing(void **state)
{
	(void)state;
	say_manifest("0.0.9");
	assert_string_equal(seen.did, "no-job ");
	assert_true(seen.decided && seen.code == EPERM);
	assert_int_equal(c.state, UPDATE_FAILED);
}

/* A refusal changes nothing, so what waited for a restart does so still: who reads "failed" must know. */
static void what_was_ready_stays_so(void **state)
{
	char text[256];
	struct buf b;

	(void)state;
	seen.armed = true;
	say_manifest("0.0.9");
	buf_init(&b, text, sizeof(text));
	conduct_text(&c, &b);
	assert_string_equal(text, "failed: older; version 0.1.9 is still in slot b, restart to try it");
	seen.armed = false;
	order(ORDER_INSTALL);
	say_manifest("0.0.9");
	buf_init(&b, text, sizeof(text));
	conduct_text(&c, &b);
	assert_string_equal(text, "failed: older");
}

/* A worker that was taken over gets leave for one bundle, and then shows another one, signed and older. */
static void leave_is_for_one_bundle(void **state)
{
	const struct msg done = {.kind = MSG_DONE};
	const struct child_exit how = {0};

	(void)state;
	say_manifest("0.2.0");
	assert_int_equal(told(), MSG_GO);
	say_manifest("0.0.9");
	assert_int_equal(told(), MSG_NONE);
	assert_string_equal(c.m.version, "0.2.0");
	say_waiting("no network");
	say_manifest("0.0.9");
	assert_int_equal(told(), MSG_NONE);
	say(&done);
	seen.on_exit(1, &how, &c);
	assert_int_equal(seen.arming, 1);
	assert_string_equal(seen.did, "check 0.2.0 job mark arm 0.2.0 ");
	assert_int_equal(c.state, UPDATE_READY);
}

/* Its manifest and the pause have crossed: nothing goes on, until another worker begins with `resume`. */
static void a_pause_crosses_the_manifest(void **state)
{
	(void)state;
	say_waiting("no network");
	assert_int_equal(c.state, UPDATE_WAITING);
	order(ORDER_PAUSE);
	say_manifest("0.2.0");
	assert_null(strstr(seen.did, "mark"));
	assert_int_equal(c.state, UPDATE_PAUSED);
	order(ORDER_RESUME);
	assert_int_equal(seen.workers, 2);
	assert_int_equal(c.state, UPDATE_ASKING);
	say_manifest("0.2.0");
	assert_int_equal(told(), MSG_GO);
	assert_int_equal(c.state, UPDATE_LOADING);
}

/* "started, and waiting" is a promise that a restart does not break. */
static void what_waits_is_recorded(void **state)
{
	(void)state;
	say_waiting("no network");
	assert_true(seen.decided && seen.code == EAGAIN);
	assert_string_equal(seen.did, "job ");
	say_waiting("still no network");
	assert_string_equal(seen.did, "job ");
	say_manifest("0.0.9");
	assert_string_equal(seen.did, "job no-job ");
}

/* What a server has said stands in the worker's sentences. */
static void sentences_are_plain_text(void **state)
{
	(void)state;
	say_waiting("h: \033[2J\x9b\302\233\n\x7f ~");
	assert_string_equal(c.why, "h: ?[2J????? ~");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(the_slot_is_marked_before_the_worker_may_go),
		T(what_is_not_allowed_touches_nothing),
		T(what_was_ready_stays_so),
		T(leave_is_for_one_bundle),
		T(a_pause_crosses_the_manifest),
		T(what_waits_is_recorded),
		T(sentences_are_plain_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
