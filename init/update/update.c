/* The update role's main function: options, loop, and who is told what. */
#include "update/update.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/exit.h"
#include "base/log.h"
#include "base/paths.h"
#include "base/ready.h"
#include "base/str.h"
#include "base/sys.h"
#include "loop/child.h"
#include "loop/loop.h"
#include "loop/signals.h"
#include "update/answers.h"
#include "update/conduct.h"
#include "update/seek.h"
#include "update/signature.h"
#include "update/worker.h"

#define ROOM       "update"
#define CHANNEL_FD 3

static struct {
	struct loop loop;
	struct teller teller;
	struct teller_fact fact[4];
	struct conduct conduct;
	struct answers answers;
	struct seek seek;
} role;

static int parse_options(int argc, char **argv, struct conduct_options *o)
{
	const char *slot = "a", *soon = "no";
	const struct {
		const char *name;
		const char **value;
	} known[] = {{"--self", &o->self},
	             {"--keys", &o->keys},
	             {"--ca", &o->ca},
	             {"--user", &o->user},
	             {"--slot", &slot},
	             {"--soon", &soon},
	             {"--target", &o->stand_in.target},
	             {"--running", &o->stand_in.running}};
	for (int i = 1; i < argc; i += 2) {
		size_t n = 0;
		while (n < COUNT_OF(known) && !str_eq(argv[i], known[n].name))
			n++;
		if (n == COUNT_OF(known) || i + 1 == argc)
			return -1;
		*known[n].value = argv[i + 1];
	}
	o->stand_in.slot = slot[0];
	o->soon = str_eq(soon, "yes");
	return !o->stand_in.target == !o->stand_in.running && (str_eq(slot, "a") || str_eq(slot, "b")) ? 0 : -1;
}

static void on_signal(struct loop *l, int signo, void *arg)
{
	(void)arg;
	if (signo == SIGCHLD)
		(void)child_reap();
	else
		loop_quit(l);
}

/* The channel that PID 1 gives; -1: started by hand. */
static int channel(void)
{
	int type = 0;
	socklen_t n = sizeof(type);
	return getsockopt(CHANNEL_FD, SOL_SOCKET, SO_TYPE, &type, &n) == 0 && type == SOCK_SEQPACKET ? CHANNEL_FD : -1;
}

static int on_signer(const void *text, size_t len, const uint8_t *sig, size_t sig_len, void *arg, struct err *e)
{
	static struct signature_keys keys;
	const char *name;
	(void)arg;
	if (signature_load(&keys, role.conduct.options.keys, e) < 0)
		return -1;
	return signature_check(&keys, text, len, sig, sig_len, &name, e);
}

static int set_up(const struct conduct_options *o, struct err *e)
{
	static const int signals[] = {SIGTERM, SIGINT, SIGCHLD, 0};
	const struct conduct_hooks hooks = {answers_decided, on_signer, answers_arming, answers_restart, &role.answers};
	const struct seek_hooks looking = {answers_ask_world, answers_decided, answers_restart, &role.answers};
	int chan = channel(); /* before the loop may take that number */
	teller_init(&role.teller, role.fact, COUNT_OF(role.fact));
	if (loop_init(&role.loop, e) < 0 || signals_init(&role.loop, signals, on_signal, NULL, e) < 0)
		return -1;
	teller_open(&role.teller, &role.loop, chan, ROOM);
	conduct_init(&role.conduct, &role.loop, &role.teller, o, &hooks);
	seek_init(&role.seek, &role.loop, &role.conduct, &looking);
	if (answers_init(&role.answers, &role.loop, chan, &role.conduct, &role.seek, e) < 0)
		return -1;
	conduct_begin(&role.conduct);
	seek_begin(&role.seek);
	return 0;
}

int update_main(int argc, char **argv)
{
	struct conduct_options o = {.self = PATH_SELF, .keys = PATH_UPDATE_KEYS, .user = WORKER_USER};
	struct err e = {0};
	log_init(ROOM, STDERR_FILENO, 0);
	if (parse_options(argc, argv, &o) < 0) {
		log_errx(ROOM, "usage: hearth update [--self FILE] [--keys FOLDER] [--ca FILE] [--user NAME] "
		               "[--soon yes] [--target FILE --running FILE --slot a|b]");
		return EXIT_USAGE;
	}
	int rc = set_up(&o, &e);
	if (rc == 0) {
		ready_say(ROOM);
		rc = loop_run(&role.loop, &e);
	}
	if (rc < 0)
		log_errx(ROOM, "%s", e.text);
	seek_fini(&role.seek);
	conduct_fini(&role.conduct);
	answers_fini(&role.answers);
	teller_fini(&role.teller);
	signals_fini(&role.loop);
	loop_fini(&role.loop);
	return rc < 0 ? EXIT_SYSTEM : EXIT_SUCCESS;
}
