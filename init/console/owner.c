/* The owner role's main function: channel, file and child of the desk. It decides nothing itself. */
#include "console/owner.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/exit.h"
#include "base/file.h"
#include "base/log.h"
#include "base/paths.h"
#include "base/ready.h"
#include "base/str.h"
#include "base/sys.h"
#include "console/auth.h"
#include "console/owner_desk.h"
#include "core/cage.h"
#include "core/inbox.h"
#include "loop/chan.h"
#include "loop/child.h"
#include "loop/loop.h"
#include "loop/signals.h"

#define ROOM       "owner"
#define FILE_PATH  PATH_STATE_OWNER "/" OWNER_FILE
#define CHANNEL_FD 3
#define PASSES     8     /* commands of sessions under way */
#define AUTH_MS    15000 /* a slow box takes a second */

static struct {
	struct loop loop;
	struct inbox inbox;
	struct desk desk;
	const char *self;
	uid_t uid;
	gid_t gid;
	uint32_t last_id;
	struct { /* ours with PID 1, and PID 1's with us */
		uint32_t id, ask;
	} pass[PASSES];
	struct child child;
	int child_chan; /* -1: no child */
	struct loop_timer late;
} role;

/* ---- to PID 1 ---- */

static void on_answer(uint32_t id, enum proto_kind kind, const char *text, size_t len, void *arg)
{
	(void)arg;
	inbox_answer(&role.inbox, id, kind, text, len);
}

static int request(unsigned argc, const char *const *argv, int fd, struct err *e)
{
	if (++role.last_id == 0)
		role.last_id = 1;
	return inbox_request(&role.inbox, role.last_id, argc, argv, fd, e);
}

static void on_tell(unsigned argc, const char *const *argv, void *arg)
{
	struct err e = {0};
	(void)arg;
	if (request(argc, argv, -1, &e) < 0)
		log_warnx(ROOM, "telling PID 1: %s", e.text);
}

static int on_pass(uint32_t id, unsigned argc, const char *const *argv, int fd, void *arg, struct err *e)
{
	size_t i = 0;
	(void)arg;
	while (i < PASSES && role.pass[i].id)
		i++;
	if (i == PASSES)
		return err_set(e, EBUSY, "too many commands at a time; try again");
	if (request(argc, argv, fd, e) < 0)
		return -1;
	role.pass[i].id = role.last_id;
	role.pass[i].ask = id;
	return 0;
}

/* ---- the record ---- */

static int on_store(const struct owner_record *r, void *arg, struct err *e)
{
	char text[OWNER_RECORD + 1];
	struct buf b;
	(void)arg;
	buf_init(&b, text, sizeof(text));
	owner_record_write(r, &b);
	if (!buf_ok(&b))
		return err_set(e, EMSGSIZE, "the record does not fit");
	if (file_mkdirs(PATH_STATE_OWNER, 0700, e) < 0)
		return -1;
	return file_replace(FILE_PATH, text, b.len, 0600, e);
}

/* A record that is broken is as good as none: who stands at the box makes another. */
static int load(struct err *e)
{
	char text[OWNER_RECORD + 1];
	struct owner_record r;
	struct buf b;
	buf_init(&b, text, sizeof(text));
	if (file_read(FILE_PATH, &b, e) == 0 && owner_record_parse(&r, text, b.len, e) == 0) {
		desk_open(&role.desk, &r);
		return 0;
	}
	if (e->code == ENOENT)
		return desk_new_code(&role.desk, "first boot", e);
	log_warnx(ROOM, FILE_PATH ": %s", e->text);
	return desk_new_code(&role.desk, "the record of the login was broken: a new code", e);
}

/* ---- the auth role ---- */

static void on_exit_of_auth(pid_t pid, const struct child_exit *how, void *arg)
{
	char reply[AUTH_MESSAGE];
	struct err e;
	(void)pid;
	(void)arg;
	loop_cancel(&role.loop, &role.late);
	if (how->signaled)
		log_warnx(ROOM, "auth: ended by signal %d (%s)", how->status, strsignal(how->status));
	ssize_t n = chan_recv(role.child_chan, reply, sizeof(reply) - 1, NULL, &e);
	reply[n > 0 ? n : 0] = '\0';
	sys_close(role.child_chan);
	role.child_chan = -1;
	desk_hashed(&role.desk, n > 0 ? reply : NULL);
}

static void on_late(struct loop *l, void *arg)
{
	struct err e;
	(void)l;
	(void)arg;
	if (child_signal(&role.child, SIGKILL, &e) < 0)
		log_warnx(ROOM, "auth: %s", e.text);
}

static int spawn(int password_fd, int chan, struct err *e)
{
	const char *const argv[] = {role.self, "auth", NULL}, *const envp[] = {NULL};
	struct child_spec spec;
	child_spec_init(&spec);
	spec.argv = argv;
	spec.envp = envp;
	spec.uid = role.uid;
	spec.gid = role.gid;
	spec.fds[0] = password_fd;
	spec.fds[2] = STDERR_FILENO;
	spec.fds[CHANNEL_FD] = chan;
	return child_spawn(&role.child, &spec, on_exit_of_auth, NULL, e);
}

static int on_hash(const char *order, int password_fd, void *arg, struct err *e)
{
	int ends[2];
	(void)arg;
	if (role.child_chan >= 0)
		return err_set(e, EBUSY, "one at a time");
	if (chan_pair(ends, e) < 0)
		return -1;
	int rc = chan_send(ends[0], order, strlen(order), -1, e);
	if (rc == 0)
		rc = spawn(password_fd, ends[1], e);
	sys_close(ends[1]);
	if (rc < 0) {
		sys_close(ends[0]);
		return -1;
	}
	role.child_chan = ends[0];
	loop_after(&role.loop, &role.late, AUTH_MS, on_late, NULL);
	return 0;
}

/* ---- from PID 1 ---- */

static void on_ask(const struct inbox_ask *a, void *arg)
{
	(void)arg;
	desk_ask(&role.desk, a->id, a->argc, a->argv, a->fd);
}

static bool on_reply(const struct proto_reply *r, void *arg)
{
	(void)arg;
	for (size_t i = 0; i < PASSES; i++) {
		if (role.pass[i].id == 0 || role.pass[i].id != r->id)
			continue;
		role.pass[i].id = 0;
		inbox_answer(&role.inbox, role.pass[i].ask, r->kind, r->text, r->len);
		return true;
	}
	return false;
}

/* ---- start and end ---- */

static void on_signal(struct loop *l, int signo, void *arg)
{
	(void)arg;
	if (signo == SIGCHLD)
		(void)child_reap();
	else
		loop_quit(l);
}

static int parse_options(int argc, char **argv, struct owner_limits *limits)
{
	for (int i = 1; i < argc; i += 2) {
		if (i + 1 == argc)
			return -1;
		if (str_eq(argv[i], "--self"))
			role.self = argv[i + 1];
		else if (str_u64(argv[i + 1], UINT32_MAX,
		                 str_eq(argv[i], "--idle-ms") ? &limits->idle_ms : &limits->whole_ms) < 0 ||
		         (!str_eq(argv[i], "--idle-ms") && !str_eq(argv[i], "--whole-ms")))
			return -1;
	}
	return 0;
}

static int set_up(struct owner_limits limits, struct err *e)
{
	static const int signals[] = {SIGTERM, SIGINT, SIGCHLD, 0};
	static const struct desk_hooks hooks = {on_answer, on_hash, on_store, on_tell, on_pass, NULL};
	static const struct inbox_hooks inbox = {on_ask, on_reply, NULL};
	if (loop_init(&role.loop, e) < 0 || signals_init(&role.loop, signals, on_signal, NULL, e) < 0 ||
	    inbox_init(&role.inbox, &role.loop, CHANNEL_FD, ROOM, &inbox, e) < 0 ||
	    cage_find_user(AUTH_USER, &role.uid, &role.gid, e) < 0)
		return -1;
	desk_init(&role.desk, &hooks, limits);
	return load(e);
}

int owner_main(int argc, char **argv)
{
	struct owner_limits limits = OWNER_LIMITS;
	struct err e = {0};
	log_init(ROOM, STDERR_FILENO, 0);
	role.self = PATH_SELF;
	role.child_chan = -1;
	if (parse_options(argc, argv, &limits) < 0) {
		log_errx(ROOM, "usage: hearth owner [--self FILE] [--idle-ms N] [--whole-ms N]");
		return EXIT_USAGE;
	}
	if (set_up(limits, &e) < 0) {
		log_errx(ROOM, "%s", e.text);
		return EXIT_FAILURE;
	}
	ready_say(ROOM);
	if (loop_run(&role.loop, &e) < 0) {
		log_errx(ROOM, "%s", e.text);
		return EXIT_SYSTEM;
	}
	return EXIT_SUCCESS;
}
