/* One password, one answer; see auth.h. Runs as the user auth, without a right to open or start anything.
 * Never says what it was given. */
#include "console/auth.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/exit.h"
#include "base/log.h"
#include "base/str.h"
#include "base/sys.h"
#include "console/auth_sandbox.h"
#include "console/owner_kdf.h"
#include "loop/chan.h"

static int make(const char *password, size_t len, struct owner_record *r, struct err *e)
{
	*r = (struct owner_record){.kind = OWNER_ARGON2ID, .cost = OWNER_COST};
	if (sys_getrandom(r->salt, sizeof(r->salt), 0) != sizeof(r->salt))
		return err_sys(e, "randomness");
	return owner_kdf(r, password, len, r->hash, e);
}

static void add_record(const char *word, const struct owner_record *r, struct buf *reply)
{
	buf_addf(reply, "%s ", word);
	owner_record_write(r, reply);
	reply->data[--reply->len] = '\0'; /* without its end */
}

static int check(const char *line, const char *password, size_t len, struct buf *reply, struct err *e)
{
	char text[OWNER_RECORD + 1];
	uint8_t hash[OWNER_HASH];
	struct owner_record r, renewed;
	if (str_format(text, sizeof(text), "%s\n", line) < 0 || owner_record_parse(&r, text, strlen(text), e) < 0 ||
	    r.kind != OWNER_ARGON2ID)
		return err_set(e, EINVAL, "a broken record");
	if (owner_kdf(&r, password, len, hash, e) < 0)
		return -1;
	if (!owner_kdf_equal(hash, r.hash)) {
		buf_add(reply, "no");
		return 0;
	}
	if (!owner_record_is_old(&r))
		buf_add(reply, "yes");
	else if (make(password, len, &renewed, e) < 0)
		return -1;
	else
		add_record("yes", &renewed, reply);
	return 0;
}

void auth_reply(const char *order, const char *password, size_t len, struct buf *reply)
{
	struct owner_record r;
	struct err e = {0};
	int rc;
	if (str_starts(order, "check "))
		rc = check(order + strlen("check "), password, len, reply, &e);
	else if (!str_eq(order, "make"))
		rc = err_set(&e, EINVAL, "an order that nobody gives");
	else if (owner_password_check(password, len, &e) < 0)
		return buf_addf(reply, "refused %s", e.text);
	else if ((rc = make(password, len, &r, &e)) == 0)
		add_record("made", &r, reply);
	if (rc < 0)
		buf_addf(reply, "failed %s", e.text);
}

/* Up to its end; -1: more than any password has. */
static ssize_t read_password(char *data, size_t cap, struct err *e)
{
	size_t n = 0;
	while (n < cap) {
		ssize_t got = sys_read(AUTH_PASSWORD, data + n, cap - n);
		if (got < 0 && errno != EINTR)
			return err_sys(e, "read the password");
		if (got == 0)
			return (ssize_t)n;
		n += got > 0 ? (size_t)got : 0;
	}
	return err_set(e, E2BIG, "a password has at most %d bytes", OWNER_PASSWORD);
}

static int serve(struct err *e)
{
	char order[AUTH_MESSAGE], text[AUTH_MESSAGE], password[OWNER_PASSWORD + 1];
	struct buf reply;
	if (auth_sandbox_enter(e) < 0)
		return -1;
	ssize_t n = chan_recv(AUTH_CHANNEL, order, sizeof(order) - 1, NULL, e); /* it was sent before we began */
	if (n <= 0)
		return n < 0 ? err_prefix(e, "order") : err_set(e, EPROTO, "no order");
	order[n] = '\0';
	buf_init(&reply, text, sizeof(text));
	ssize_t len = read_password(password, sizeof(password), e);
	if (len < 0)
		buf_addf(&reply, "refused %s", e->text);
	else
		auth_reply(order, password, (size_t)len, &reply);
	explicit_bzero(password, sizeof(password));
	return chan_send(AUTH_CHANNEL, text, reply.len, -1, e);
}

int auth_main(int argc, char **argv)
{
	struct err e = {0};
	(void)argv;
	log_init("auth", STDERR_FILENO, 0);
	if (argc > 1) {
		log_errx("auth", "takes no arguments");
		return EXIT_USAGE;
	}
	if (serve(&e) == 0)
		return EXIT_SUCCESS;
	log_errx("auth", "%s", e.text);
	return EXIT_FAILURE;
}
