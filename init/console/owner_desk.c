/* Decisions about the owner's login; see owner_desk.h. Runs in the owner role. Never sees a password, never lets a
 * token, a code or a hash into an event or a log. */
#include "console/owner_desk.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "base/sys.h"
#include "console/auth.h"
#include "console/owner_token.h"
#include "format/json.h"

#define ROOM "owner"

/* What a session may do. PID 1's table has the last word: the row of each says PEER_OWNER. */
static const char *const commands[] = {"update", "snapshots", "reboot", "rollback"};

/* ---- what goes out ---- */

static void refuse(struct desk *d, uint32_t id, const char *fmt, ...) PRINTF_LIKE(3, 4);
static void refuse(struct desk *d, uint32_t id, const char *fmt, ...)
{
	char text[ERR_TEXT + 16];
	va_list ap;
	va_start(ap, fmt);
	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		text[0] = '\0';
	va_end(ap);
	d->hooks.answer(id, PROTO_ERROR, text, strlen(text), d->hooks.arg);
}

static void tell_event(struct desk *d, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void tell_event(struct desk *d, const char *fmt, ...)
{
	char text[LIMIT_DETAIL];
	const char *const words[] = {"owner", "event", text};
	va_list ap;
	va_start(ap, fmt);
	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		text[0] = '\0';
	va_end(ap);
	d->hooks.tell(COUNT_OF(words), words, d->hooks.arg);
}

static void tell_code(struct desk *d)
{
	char shown[OWNER_CODE_SHOWN];
	const char *const words[] = {"owner", "code", shown};
	bool first = d->record.kind == OWNER_CODE;
	if (first)
		owner_code_show(&d->record.code, shown);
	d->hooks.tell(first ? 3 : 2, words, d->hooks.arg);
}

static void answer_session(struct desk *d, uint32_t id, const char *token, bool fresh)
{
	char text[4 * OWNER_TOKEN], csrf[OWNER_TOKEN + 1];
	struct json j;
	struct buf b;
	buf_init(&b, text, sizeof(text));
	json_init(&j, &b);
	json_open_object(&j, NULL);
	json_bool(&j, "owner", d->record.kind != OWNER_CODE);
	json_bool(&j, "session", token != NULL);
	if (token) {
		owner_token_csrf(token, csrf);
		json_string(&j, "csrf", csrf);
	}
	if (fresh)
		json_string(&j, "token", token);
	json_close_object(&j);
	d->hooks.answer(id, PROTO_OK, text, b.len, d->hooks.arg);
}

/* ---- the record ---- */

void desk_init(struct desk *d, const struct desk_hooks *hooks, struct owner_limits limits)
{
	memset(d, 0, sizeof(*d));
	d->hooks = *hooks;
	owner_sessions_init(&d->sessions, limits);
	owner_locks_init(&d->locks, clock_ms());
}

void desk_open(struct desk *d, const struct owner_record *r)
{
	d->record = *r;
	tell_code(d);
	if (r->kind == OWNER_CODE)
		tell_event(d, "no password is set; 'owner' at the box shows the code for the first login");
}

int desk_new_code(struct desk *d, const char *why, struct err *e)
{
	struct owner_record r = {.kind = OWNER_CODE};
	uint8_t random[OWNER_CODE_LEN];
	if (sys_getrandom(random, sizeof(random), 0) != sizeof(random))
		return err_sys(e, "randomness");
	owner_code_make(&r.code, random);
	if (d->hooks.store(&r, d->hooks.arg, e) < 0)
		return -1;
	d->resets++;
	unsigned ended = owner_sessions_clear(&d->sessions);
	tell_event(d, "%s; %u session%s ended", why, ended, ended == 1 ? "" : "s");
	desk_open(d, &r);
	return 0;
}

static void reset(struct desk *d, uint32_t id)
{
	static const char done[] = "{\"message\":\"the password is forgotten; 'owner' shows the code for a new one\"}";
	struct err e = {0};
	if (desk_new_code(d, "the login was reset at the box", &e) < 0)
		refuse(d, id, "nothing was changed: %s", e.text);
	else {
		owner_locks_forgive(&d->locks, clock_ms());
		d->hooks.answer(id, PROTO_OK, done, sizeof(done) - 1, d->hooks.arg);
	}
}

/* ---- logging in ---- */

/* An address and nothing else: it stands in events. */
static void keep_address(struct desk *d, const char *address)
{
	size_t n = strspn(address, "0123456789abcdef.:");
	if (n == 0 || address[n] || str_copy(d->job.address, sizeof(d->job.address), address) < 0)
		memcpy(d->job.address, "?", 2);
}

static uint64_t seconds(uint64_t ms)
{
	return (ms + 999) / 1000;
}

static void fail(struct desk *d)
{
	uint64_t wait = owner_locks_fail(&d->locks, d->job.address, clock_ms());
	const char *what = d->job.first ? "code" : "password";
	if (wait > 0)
		tell_event(d, "wrong %s from %s; no other try for %" PRIu64 " s", what, d->job.address, seconds(wait));
	else
		tell_event(d, "wrong %s from %s", what, d->job.address);
	refuse(d, d->job.id, "401 that is not the %s", what);
}

static void let_in(struct desk *d)
{
	char token[OWNER_TOKEN + 1];
	uint8_t digest[OWNER_DIGEST];
	struct err e = {0};
	owner_locks_pass(&d->locks, d->job.address, clock_ms());
	if (owner_token_make(token, &e) < 0) {
		refuse(d, d->job.id, "500 %s", e.text);
		return;
	}
	owner_token_digest(token, digest);
	owner_sessions_add(&d->sessions, digest, clock_ms());
	tell_event(d, d->job.first ? "first login from %s; the password is set" : "login from %s", d->job.address);
	answer_session(d, d->job.id, token, true);
	explicit_bzero(token, sizeof(token));
}

static int take_record(const char *line, struct owner_record *r, struct err *e)
{
	char text[OWNER_RECORD + 1];
	if (str_format(text, sizeof(text), "%s\n", line) < 0)
		return err_set(e, EINVAL, "a record that is too long");
	return owner_record_parse(r, text, strlen(text), e);
}

/* The hash of the new password is made before the code is looked at: a wrong code takes as long as the right one. */
static void set_password(struct desk *d, const char *line)
{
	struct owner_record r;
	struct err e = {0};
	if (!owner_code_equal(&d->job.code, &d->record.code)) {
		fail(d);
	} else if (take_record(line, &r, &e) < 0 || d->hooks.store(&r, d->hooks.arg, &e) < 0) {
		log_warnx(ROOM, "keeping the password: %s", e.text);
		refuse(d, d->job.id, "500 the password could not be kept");
	} else {
		d->record = r;
		tell_code(d);
		let_in(d);
	}
}

/* Hashed at another cost than new ones are: kept anew, now that the password is at hand. */
static void renew(struct desk *d, const char *line)
{
	struct owner_record r;
	struct err e = {0};
	if (take_record(line, &r, &e) < 0 || d->hooks.store(&r, d->hooks.arg, &e) < 0)
		log_warnx(ROOM, "renewing the hash: %s", e.text); /* the old one is as good as it was */
	else
		d->record = r;
}

static void conclude(struct desk *d, const char *reply)
{
	if (d->job.resets != d->resets)
		refuse(d, d->job.id, "409 the login was reset meanwhile");
	else if (reply && str_starts(reply, "refused "))
		refuse(d, d->job.id, "400 %s", reply + strlen("refused "));
	else if (reply && d->job.first && str_starts(reply, "made "))
		set_password(d, reply + strlen("made "));
	else if (reply && !d->job.first && str_eq(reply, "no"))
		fail(d);
	else if (reply && !d->job.first && (str_eq(reply, "yes") || str_starts(reply, "yes "))) {
		if (reply[3])
			renew(d, reply + 4);
		let_in(d);
	} else {
		log_warnx(ROOM, "auth: %s", reply ? reply : "it ended without an answer");
		refuse(d, d->job.id, "500 the password could not be checked");
	}
}

void desk_hashed(struct desk *d, const char *reply)
{
	if (d->job.id)
		conclude(d, reply);
	memset(&d->job, 0, sizeof(d->job));
}

static void start(struct desk *d, uint32_t id, bool first, int fd)
{
	char order[AUTH_MESSAGE] = "make";
	struct buf b;
	struct err e = {0};
	if (!first) {
		buf_init(&b, order, sizeof(order));
		buf_add(&b, "check ");
		owner_record_write(&d->record, &b);
		order[b.len - 1] = '\0';
	}
	d->job.id = id;
	d->job.first = first;
	d->job.resets = d->resets;
	if (d->hooks.hash(order, fd, d->hooks.arg, &e) == 0)
		return;
	log_warnx(ROOM, "auth: %s", e.text);
	refuse(d, id, "500 the password could not be checked");
	d->job.id = 0;
}

static void log_in(struct desk *d, uint32_t id, const char *address, const char *code, int fd)
{
	struct err e = {0};
	if (d->job.id) {
		refuse(d, id, "503 somebody else is logging in; try again");
		return;
	}
	keep_address(d, address);
	uint64_t wait = owner_locks_wait(&d->locks, d->job.address, clock_ms());
	if (wait > 0)
		refuse(d, id, "429 too many wrong tries; the next one in %" PRIu64 " s", seconds(wait));
	else if (fd < 0)
		refuse(d, id, "400 a password is missing");
	else if (!code && d->record.kind == OWNER_CODE)
		refuse(d, id, "409 no password is set yet; the code on the box's screen sets one");
	else if (code && d->record.kind != OWNER_CODE)
		refuse(d, id, "409 a password is set already");
	else if (code && owner_code_parse(&d->job.code, code, &e) < 0)
		refuse(d, id, "400 %s", e.text);
	else
		start(d, id, code != NULL, fd);
}

/* ---- sessions ---- */

static bool is_session(struct desk *d, const char *token)
{
	uint8_t digest[OWNER_DIGEST];
	owner_token_digest(token, digest);
	return owner_sessions_use(&d->sessions, digest, clock_ms());
}

/* Their lengths are no secret. */
static bool same_text(const char *a, const char *b)
{
	size_t n = strlen(a);
	volatile unsigned differ = 0;
	if (strlen(b) != n)
		return false;
	for (size_t i = 0; i < n; i++)
		differ |= (unsigned)(a[i] ^ b[i]);
	return differ == 0;
}

/* A session, and asked for by our own page. */
static bool may(struct desk *d, uint32_t id, const char *token, const char *csrf)
{
	char right[OWNER_TOKEN + 1];
	owner_token_csrf(token, right);
	if (!is_session(d, token))
		refuse(d, id, "401 not logged in, or no longer");
	else if (!same_text(csrf, right))
		refuse(d, id, "403 the request did not come from this box's own page");
	else
		return true;
	return false;
}

static void log_out(struct desk *d, uint32_t id, const char *token)
{
	uint8_t digest[OWNER_DIGEST];
	owner_token_digest(token, digest);
	owner_sessions_end(&d->sessions, digest);
	tell_event(d, "logout");
	answer_session(d, id, NULL, false);
}

static void pass_on(struct desk *d, uint32_t id, unsigned argc, const char *const *argv, int fd)
{
	struct err e = {0};
	size_t i = 0;
	while (i < COUNT_OF(commands) && !str_eq(commands[i], argv[0]))
		i++;
	if (i == COUNT_OF(commands))
		refuse(d, id, "403 '%.*s' is not for sessions", LIMIT_NAME, argv[0]);
	else if (d->hooks.pass(id, argc, argv, fd, d->hooks.arg, &e) < 0)
		refuse(d, id, "503 %s", e.text);
}

void desk_ask(struct desk *d, uint32_t id, unsigned argc, const char *const *argv, int fd)
{
	const char *what = argc > 1 ? argv[1] : "";
	bool session = str_eq(argv[0], "session");
	if (str_eq(argv[0], "owner") && argc == 2 && str_eq(what, "reset"))
		reset(d, id);
	else if (session && argc == 3 && str_eq(what, "show"))
		answer_session(d, id, is_session(d, argv[2]) ? argv[2] : NULL, false);
	else if (session && argc == 4 && str_eq(what, "first"))
		log_in(d, id, argv[2], argv[3], fd);
	else if (session && argc == 3 && str_eq(what, "new"))
		log_in(d, id, argv[2], NULL, fd);
	else if (session && argc == 4 && str_eq(what, "end")) {
		if (may(d, id, argv[2], argv[3]))
			log_out(d, id, argv[2]);
	} else if (session && argc > 4 && str_eq(what, "do")) {
		if (may(d, id, argv[2], argv[3]))
			pass_on(d, id, argc - 4, argv + 4, fd);
	} else
		refuse(d, id, "400 not a request that is understood");
}
