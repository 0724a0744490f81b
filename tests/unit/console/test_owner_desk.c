/* init/console/owner_desk.c with hooks that write down what they are told. Tokens are counted here, their digest is the
 * text itself: the real ones stand on mbedTLS. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "console/owner_desk.h"
#include "console/owner_token.h"
#include "fake/sys.h"

#define A "192.168.1.7"
#define HASH                                                                                                           \
	"argon2id v=19 m=19456 t=2 p=1 000102030405060708090a0b0c0d0e0f "                                              \
	"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define PASS 5 /* a descriptor, as far as anybody here knows */

static struct desk d;
static struct err e;
static unsigned tokens;
static struct {
	unsigned answers, hashes, stores, passes;
	uint32_t id;
	enum proto_kind kind;
	char text[512], order[256], event[256], code[16], passed[256], stored[256];
	int fd;
	bool refuse_store, refuse_hash, refuse_pass;
} got;

int owner_token_make(char token[OWNER_TOKEN + 1], struct err *why)
{
	(void)why;
	return str_format(token, OWNER_TOKEN + 1, "token%u", ++tokens);
}

void owner_token_digest(const char *token, uint8_t digest[OWNER_DIGEST])
{
	memset(digest, 0, OWNER_DIGEST);
	memcpy(digest, token, strlen(token) < OWNER_DIGEST ? strlen(token) : OWNER_DIGEST);
}

void owner_token_csrf(const char *token, char csrf[OWNER_TOKEN + 1])
{
	assert_int_equal(str_format(csrf, OWNER_TOKEN + 1, "%.*s-csrf", 40, token), 0);
}

static void on_answer(uint32_t id, enum proto_kind kind, const char *text, size_t len, void *arg)
{
	(void)arg;
	assert_int_equal(strlen(text), len);
	got.answers++;
	got.id = id;
	got.kind = kind;
	assert_int_equal(str_copy(got.text, sizeof(got.text), text), 0);
}

static int on_hash(const char *order, int fd, void *arg, struct err *why)
{
	(void)arg;
	if (got.refuse_hash)
		return err_set(why, EAGAIN, "no room for a process");
	assert_int_equal(str_copy(got.order, sizeof(got.order), order), 0);
	got.fd = fd;
	got.hashes++;
	return 0;
}

static int on_store(const struct owner_record *r, void *arg, struct err *why)
{
	struct buf b;
	(void)arg;
	if (got.refuse_store)
		return err_set(why, EROFS, "the disk is read-only");
	buf_init(&b, got.stored, sizeof(got.stored));
	owner_record_write(r, &b);
	got.stores++;
	return 0;
}

static void on_tell(unsigned argc, const char *const *argv, void *arg)
{
	(void)arg;
	assert_string_equal(argv[0], "owner");
	if (str_eq(argv[1], "event"))
		assert_int_equal(str_copy(got.event, sizeof(got.event), argv[2]), 0);
	else
		assert_int_equal(str_copy(got.code, sizeof(got.code), argc > 2 ? argv[2] : ""), 0);
}

static int on_pass(uint32_t id, unsigned argc, const char *const *argv, int fd, void *arg, struct err *why)
{
	struct buf b;
	(void)id;
	(void)arg;
	if (got.refuse_pass)
		return err_set(why, EBUSY, "too many");
	buf_init(&b, got.passed, sizeof(got.passed));
	for (unsigned i = 0; i < argc; i++)
		buf_addf(&b, "%s%s", i ? " " : "", argv[i]);
	got.fd = fd;
	got.passes++;
	return 0;
}

static int setup(void **state)
{
	static const struct desk_hooks hooks = {on_answer, on_hash, on_store, on_tell, on_pass, NULL};
	static const struct owner_limits limits = {1000, 100000};
	(void)state;
	fake_reset();
	fake_clock_ms = 1000000;
	memset(&got, 0, sizeof(got));
	tokens = 0;
	desk_init(&d, &hooks, limits);
	d.locks.left = OWNER_BURST;
	return desk_new_code(&d, "first boot", &e);
}

static int teardown(void **state)
{
	(void)state;
	fake_reset();
	return 0;
}

/* Words separated by blanks; the status of the answer: 0 when there is none yet, 200 when it is good. */
static int ask(const char *words, int fd)
{
	char text[256];
	const char *argv[10];
	unsigned argc = 0, before = got.answers;
	static uint32_t id = 100;
	assert_int_equal(str_copy(text, sizeof(text), words), 0);
	for (char *p = text; p; argc++) {
		argv[argc] = p;
		p = strchr(p, ' ');
		if (p)
			*p++ = '\0';
	}
	desk_ask(&d, ++id, argc, argv, fd);
	if (got.answers == before)
		return 0;
	assert_int_equal(got.answers, before + 1);
	assert_int_equal(got.id, id);
	return got.kind == PROTO_OK ? 200 : (got.text[0] - '0') * 100 + (got.text[1] - '0') * 10 + got.text[2] - '0';
}

static int hashed(const char *reply)
{
	unsigned before = got.answers;
	desk_hashed(&d, reply);
	assert_int_equal(got.answers, before + 1);
	return got.kind == PROTO_OK ? 200 : (got.text[0] - '0') * 100 + (got.text[1] - '0') * 10 + got.text[2] - '0';
}

static int first(const char *code)
{
	char words[128];
	assert_int_equal(str_format(words, sizeof(words), "session first " A " %s", code), 0);
	int status = ask(words, PASS);
	return status ? status : hashed("made " HASH);
}

static void log_in(void)
{
	assert_int_equal(first(got.code), 200);
	assert_int_equal(ask("session new " A, PASS), 0);
	assert_int_equal(hashed("yes"), 200); /* token2 */
}

static void the_code_sets_a_password_once(void **state)
{
	char code[16];

	(void)state;
	assert_int_equal(strlen(got.code), 9);
	assert_non_null(strstr(got.stored, "code "));
	assert_int_equal(str_copy(code, sizeof(code), got.code), 0);
	assert_int_equal(ask("session new " A, PASS), 409);
	assert_int_equal(first(code), 200);
	assert_string_equal(got.order, "make");
	assert_int_equal(got.fd, PASS);
	assert_string_equal(got.stored, HASH "\n");
	assert_string_equal(got.code, "");
	assert_string_equal(got.event, "first login from " A "; the password is set");
	assert_string_equal(got.text,
	                    "{\"owner\":true,\"session\":true,\"csrf\":\"token1-csrf\",\"token\":\"token1\"}");
	assert_int_equal(first(code), 409); /* gone for good */
	assert_int_equal(d.record.kind, OWNER_ARGON2ID);
}

static void a_wrong_code_is_hashed_like_the_right_one(void **state)
{
	(void)state;
	assert_int_equal(first("00000000"), 401); /* one in 2^40 that this is it */
	assert_int_equal(got.hashes, 1);
	assert_string_equal(got.event, "wrong code from " A);
	assert_int_equal(got.stores, 1);
	assert_int_equal(first("0000"), 400);
	assert_int_equal(got.hashes, 1);
	assert_int_equal(ask("session first " A " 00000000", PASS), 0);
	assert_int_equal(hashed("refused a password has at least 10 characters"), 400);
	assert_string_equal(got.text, "400 a password has at least 10 characters");
	assert_int_equal(ask("session first " A " 00000000", -1), 400);
}

static void wrong_passwords_wait(void **state)
{
	(void)state;
	log_in();
	for (int i = 0; i < OWNER_FREE; i++) {
		assert_int_equal(ask("session new " A, PASS), 0);
		assert_string_equal(got.order, "check " HASH);
		assert_int_equal(hashed("no"), 401);
		assert_string_equal(got.text, "401 that is not the password");
	}
	assert_int_equal(ask("session new " A, PASS), 0);
	assert_int_equal(hashed("no"), 401);
	assert_string_equal(got.event, "wrong password from " A "; no other try for 2 s");
	assert_int_equal(ask("session new " A, PASS), 429);
	assert_string_equal(got.text, "429 too many wrong tries; the next one in 2 s");
	assert_int_equal(ask("session new 192.168.1.8", PASS), 0); /* another one may */
	assert_int_equal(hashed("yes"), 200);
	fake_clock_ms += 2000;
	assert_int_equal(ask("session new " A, PASS), 0);
	assert_int_equal(hashed("yes"), 200);
	assert_string_equal(got.event, "login from " A);
}

static void one_at_a_time(void **state)
{
	(void)state;
	assert_int_equal(first(got.code), 200);
	assert_int_equal(ask("session new " A, PASS), 0);
	assert_int_equal(ask("session new " A, PASS), 503);
	assert_int_equal(hashed(NULL), 500); /* auth died */
	assert_int_equal(ask("session new " A, PASS), 0);
	assert_int_equal(hashed("failed Argon2id: no memory"), 500);
	assert_string_equal(got.text, "500 the password could not be checked");
	desk_hashed(&d, "yes"); /* nobody asked */
	got.refuse_hash = true;
	assert_int_equal(ask("session new " A, PASS), 500);
	got.refuse_hash = false;
	assert_int_equal(ask("session new " A, PASS), 0);
	assert_int_equal(hashed("made " HASH), 500); /* not what was asked */
}

static void sessions(void **state)
{
	(void)state;
	assert_int_equal(ask("session show -", -1), 200);
	assert_string_equal(got.text, "{\"owner\":false,\"session\":false}");
	log_in();
	assert_int_equal(ask("session show token2", -1), 200);
	assert_string_equal(got.text, "{\"owner\":true,\"session\":true,\"csrf\":\"token2-csrf\"}");
	assert_int_equal(ask("session show token9", -1), 200);
	assert_string_equal(got.text, "{\"owner\":true,\"session\":false}");
	assert_int_equal(ask("session end token2 x", -1), 403);
	assert_int_equal(ask("session end token2 token2-csrf", -1), 200);
	assert_int_equal(ask("session end token2 token2-csrf", -1), 401);
	assert_int_equal(ask("session show token1", -1), 200);
	assert_non_null(strstr(got.text, "\"session\":true"));
	fake_clock_ms += 1000;
	assert_int_equal(ask("session do token1 token1-csrf reboot", -1), 401); /* idle for too long */
}

static void what_a_session_may(void **state)
{
	(void)state;
	log_in();
	assert_int_equal(ask("session do token2 token2-csrf update upload 4096", PASS), 0);
	assert_string_equal(got.passed, "update upload 4096");
	assert_int_equal(got.fd, PASS);
	assert_int_equal(ask("session do token2 token2-csrf reboot", -1), 0);
	assert_int_equal(got.fd, -1);
	assert_int_equal(ask("session do token2 token2-csrf owner code X", -1), 403);
	assert_int_equal(ask("session do token2 token2-csrf session show -", -1), 403);
	assert_int_equal(ask("session do token2 token2-csrf stop web", -1), 403);
	assert_int_equal(ask("session do token2 token2-csr reboot", -1), 403);
	assert_int_equal(ask("session do token2 token1-csrf reboot", -1), 403); /* of another session */
	assert_int_equal(ask("session do token3 token3-csrf reboot", -1), 401);
	assert_int_equal(ask("session do token2 token2-csrf", -1), 400);
	assert_int_equal(ask("session", -1), 400);
	assert_int_equal(ask("hello", -1), 400);
	assert_int_equal(got.passes, 2);
	got.refuse_pass = true;
	assert_int_equal(ask("session do token2 token2-csrf reboot", -1), 503);
}

static void a_reset_at_the_box(void **state)
{
	(void)state;
	log_in();
	for (int i = 0; i < 2 * OWNER_FREE; i++)
		(void)owner_locks_fail(&d.locks, "10.0.0.1", fake_clock_ms);
	assert_int_equal(ask("session new 10.0.0.1", PASS), 429);
	assert_int_equal(ask("session new " A, PASS), 0); /* on its way */
	assert_int_equal(ask("owner reset", -1), 200);
	assert_int_equal(strlen(got.code), 9);
	assert_non_null(strstr(got.stored, "code "));
	assert_int_equal(hashed("yes"), 409);
	assert_int_equal(ask("session show token2", -1), 200);
	assert_string_equal(got.text, "{\"owner\":false,\"session\":false}");
	assert_int_equal(ask("session new 10.0.0.1", PASS), 409); /* held up no more */
	assert_int_equal(first(got.code), 200);
}

static void a_disk_that_takes_nothing(void **state)
{
	(void)state;
	got.refuse_store = true;
	assert_int_equal(first(got.code), 500);
	assert_int_equal(d.record.kind, OWNER_CODE);
	got.refuse_store = false;
	log_in();
	got.refuse_store = true;
	assert_int_equal(ask("session new " A, PASS), 0);
	assert_int_equal(hashed("yes " HASH), 200); /* a hash that cannot be renewed is still good */
	(void)ask("owner reset", -1);
	assert_string_equal(got.text, "nothing was changed: the disk is read-only");
	assert_int_equal(ask("session show token1", -1), 200);
	assert_non_null(strstr(got.text, "\"session\":true"));
}

static void a_hash_is_renewed(void **state)
{
	(void)state;
	log_in();
	d.record.cost.passes = 1;
	assert_int_equal(ask("session new " A, PASS), 0);
	assert_non_null(strstr(got.order, " t=1 "));
	assert_int_equal(hashed("yes " HASH), 200);
	assert_string_equal(got.stored, HASH "\n");
	assert_int_equal(d.record.cost.passes, 2);
}

/* Whatever the web role says an address is, no sentence of its own gets onto the consoles. */
static void addresses_are_addresses(void **state)
{
	(void)state;
	assert_int_equal(first(got.code), 200);
	assert_int_equal(ask("session new the_owner;ignore", PASS), 0);
	assert_int_equal(hashed("no"), 401);
	assert_string_equal(got.event, "wrong password from ?");
	assert_int_equal(ask("session new fe80::1", PASS), 0);
	assert_int_equal(hashed("no"), 401);
	assert_string_equal(got.event, "wrong password from fe80::1");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_code_sets_a_password_once),
		TEST(a_wrong_code_is_hashed_like_the_right_one),
		TEST(wrong_passwords_wait),
		TEST(one_at_a_time),
		TEST(sessions),
		TEST(what_a_session_may),
		TEST(a_reset_at_the_box),
		TEST(a_disk_that_takes_nothing),
		TEST(a_hash_is_renewed),
		TEST(addresses_are_addresses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
