/* The kube role's main function: reads what is to be, joins engine, books, watches and answers to the network, and
 * tells PID 1 how it goes. It decides nothing about objects itself. */
#include "kube/kube.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/exit.h"
#include "base/file.h"
#include "base/log.h"
#include "base/ready.h"
#include "base/str.h"
#include "base/sys.h"
#include "core/settings.h"
#include "core/teller.h"
#include "kube/applied.h"
#include "kube/body.h"
#include "kube/facts.h"
#include "kube/gate.h"
#include "kube/keeper.h"
#include "kube/sender.h"
#include "kube/serve.h"
#include "kube/site.h"
#include "kube/streams.h"
#include "kube/sum.h"
#include "loop/loop.h"
#include "loop/signals.h"

#define ROOM       "kube"
#define CHANNEL_FD 3
#define LOOK_MS    50 /* what happens within it is looked at together */

struct options {
	const char *manifests, *kubeconfig, *settings, *history;
};

static struct role {
	struct options options;
	struct loop loop;
	struct settings settings;
	struct manifest manifest;
	bool loaded; /* manifest, apply and the rest can be used */
	struct link link;
	struct apply apply;
	struct sender sender;
	struct streams streams;
	struct gate gate;
	struct keeper keeper;
	struct teller facts;
	struct teller_fact fact[FACTS];
	struct serve serve;
	struct loop_timer run;
	struct loop_timer look;
	char trouble[LIMIT_DETAIL * 2]; /* about the whole, for the consoles */
} role;

static void run_soon(void *arg);

/* --- what PID 1 hears ------------------------------------------------------------------------- */

static void tell_apps(void)
{
	char name[LIMIT_NAME], text[LIMIT_DETAIL];
	struct buf b;
	for (unsigned i = 0; i < role.apply.t.apps; i++) {
		struct sum sum = sum_of(&role.apply, (int)i);
		buf_init(&b, text, sizeof(text));
		sum_text(&role.apply, (int)i, &sum, &b);
		facts_app_name(role.apply.t.app[i].name, name);
		teller_set(&role.facts, name, sum.verdict == SUM_HEALTHY ? FACT_ON : FACT_OFF, text);
	}
}

/* Why not everything is applied, in a sentence; "" when it is. */
static void find_trouble(const struct sum *sum, struct buf *b)
{
	int wave = 0;
	if (!role.link.up)
		buf_addf(b, "%s; ", role.link.text);
	else if (role.apply.trouble[0])
		buf_addf(b, "%s; ", role.apply.trouble);
	if (role.keeper.problem[0])
		buf_addf(b, "%s; ", role.keeper.problem);
	if (role.apply.passed[0] && sum->ready < sum->objects)
		buf_addf(b, "%s; ", role.apply.passed);
	if (!role.keeper.synced && apply_wave(&role.apply, &wave))
		buf_addf(b, "wave %d; ", wave);
	if (b->len >= 2)
		b->data[b->len -= 2] = '\0';
}

static void tell_applied(void)
{
	char text[LIMIT_DETAIL];
	struct buf b, t;
	struct sum sum = sum_of(&role.apply, -1);
	buf_init(&t, role.trouble, sizeof(role.trouble));
	find_trouble(&sum, &t);
	buf_init(&b, text, sizeof(text));
	bool on = role.keeper.synced && sum.applied == sum.objects;
	if (on)
		buf_addf(&b, "%u objects, revision %.8s", sum.objects, role.manifest.revision);
	else
		buf_addf(&b, "%u of %u objects", sum.applied, sum.objects);
	if (role.trouble[0] && !on)
		buf_addf(&b, "; %s", role.trouble);
	teller_set(&role.facts, "kube-applied", on ? FACT_ON : FACT_OFF, text);
}

static void tell_healthy(void)
{
	char text[LIMIT_DETAIL];
	struct buf b;
	buf_init(&b, text, sizeof(text));
	bool healthy = sum_apps(&role.apply, &b);
	teller_set(&role.facts, "kube-healthy", healthy ? FACT_ON : FACT_OFF, text);
}

static void look(struct loop *l, void *arg)
{
	(void)l;
	(void)arg;
	keeper_look(&role.keeper);
	tell_applied();
	tell_apps();
	tell_healthy();
}

static void look_soon(void)
{
	if (role.loaded && !role.look.armed)
		loop_after(&role.loop, &role.look, LOOK_MS, look, NULL);
}

/* --- the engine ------------------------------------------------------------------------------- */

static void run(struct loop *l, void *arg)
{
	(void)arg;
	uint64_t next = apply_run(&role.apply);
	if (next != UINT64_MAX)
		loop_after(l, &role.run, next > 0 ? next : 1, run, NULL);
	look_soon();
}

static void run_soon(void *arg)
{
	(void)arg;
	loop_after(&role.loop, &role.run, 0, run, NULL);
}

static enum apply_sent on_send(const struct apply_call *c, void *arg, struct err *e)
{
	(void)arg;
	return sender_send(&role.sender, c, e);
}

static void on_discover(void *arg)
{
	(void)arg;
	link_refresh(&role.link, true);
}

static bool on_allows(unsigned item, const char *annotation, void *arg)
{
	(void)arg;
	return body_allows(&role.manifest, item, annotation);
}

static void on_tell(unsigned item, const char *text, void *arg)
{
	char name[LIMIT_DETAIL];
	(void)arg;
	manifest_name(&role.manifest.object[item], name, sizeof(name));
	log_info(ROOM, "%s: %s", name, text);
}

/* The pods are those of this boot: what was doubted counts. */
static void on_passed(void *arg)
{
	role.apply.t.unseen = false;
	role.streams.believe = true;
	streams_tell_nodes(&role.streams);
	log_info(ROOM, "the containers of this boot are seen");
	run_soon(arg);
	look_soon();
}

/* --- the connection --------------------------------------------------------------------------- */

static void on_opened(void *arg)
{
	(void)arg;
	gate_start(&role.gate);
	if (role.loaded)
		keeper_open(&role.keeper);
	/* Nodes are worth knowing even without a manifest. */
	if (!role.loaded)
		streams_open(&role.streams);
}

static void on_closed(void *arg)
{
	(void)arg;
	serve_close(&role.serve);
	gate_stop(&role.gate);
	streams_close(&role.streams);
	sender_close(&role.sender);
	if (!role.loaded)
		return;
	keeper_close(&role.keeper);
	apply_close(&role.apply);
}

static void on_kinds(void *arg)
{
	(void)arg;
	streams_kick(&role.streams);
	if (!role.loaded)
		return;
	apply_discovered(&role.apply);
	run_soon(NULL);
}

static void on_changed(bool up, const char *text, void *arg)
{
	(void)arg;
	teller_set(&role.facts, "kube-api", up ? FACT_ON : FACT_OFF, text);
	if (!up)
		teller_set(&role.facts, "node-ready", FACT_UNKNOWN, "the API server does not answer");
	if (up) {
		streams_kick(&role.streams);
		streams_tell_nodes(&role.streams);
	}
	look_soon();
}

/* The inventory is claimed: from now on objects may be ours. */
static void on_claimed(void *arg)
{
	(void)arg;
	if (!role.streams.open)
		streams_open(&role.streams);
	if (!role.apply.open)
		apply_open(&role.apply);
	run_soon(NULL);
}

static bool on_clean(const char *group, const char *kind, void *arg)
{
	(void)arg;
	return streams_clean(&role.streams, group, kind);
}

static void on_books(void *arg)
{
	run_soon(arg);
	look_soon();
}

static bool on_doubts(yyjson_val *node, void *arg)
{
	(void)arg;
	return gate_doubts(&role.gate, node);
}

static void on_node(int ready, int stale, int nodes, void *arg)
{
	char text[LIMIT_DETAIL];
	(void)arg;
	if (nodes == 1 && stale == 1)
		(void)!str_copy(text, sizeof(text), "the kubelet is not heard of yet");
	else if (nodes == 1)
		(void)!str_copy(text, sizeof(text), ready ? "the node is ready" : "the node is not ready");
	else
		(void)!str_format(text, sizeof(text), "%d of %d nodes are ready", ready, nodes);
	if (ready + stale > 0)
		gate_node(&role.gate);
	teller_set(&role.facts, "node-ready", nodes > 0 && ready == nodes ? FACT_ON : FACT_OFF, text);
}

/* --- start and end ---------------------------------------------------------------------------- */

static int parse_options(int argc, char **argv, struct options *o)
{
	const struct {
		const char *name;
		const char **value;
	} known[] = {{"--manifests", &o->manifests},
	             {"--kubeconfig", &o->kubeconfig},
	             {"--settings", &o->settings},
	             {"--history", &o->history}};
	for (int i = 1; i < argc; i += 2) {
		size_t n = 0;
		while (n < COUNT_OF(known) && !str_eq(argv[i], known[n].name))
			n++;
		if (n == COUNT_OF(known) || i + 1 == argc)
			return -1;
		*known[n].value = argv[i + 1];
	}
	return 0;
}

static int read_settings_file(const char *path, struct err *e)
{
	struct yaml *y = malloc(sizeof(*y));
	char *text = malloc(LIMIT_FILE);
	struct buf b;
	int rc = -1;
	settings_default(&role.settings);
	if (!y || !text) {
		err_put(e, ENOMEM, "no memory to read %s", path);
	} else {
		buf_init(&b, text, LIMIT_FILE);
		rc = file_read(path, &b, e);
		if (rc == 0)
			rc = settings_parse(&role.settings, y, path, text, b.len, e);
	}
	free(text);
	free(y);
	return rc;
}

/* Everything that follows from the manifests. -1: they cannot be used, and nothing of them is. */
static int load(struct err *e)
{
	static const struct apply_ops ops = {on_send, on_discover, on_allows, on_tell};
	int rc = role.options.settings ? read_settings_file(role.options.settings, e) : site_load(&role.settings, e);
	if (rc < 0 || manifest_load(&role.manifest, role.options.manifests, &role.settings, e) < 0)
		return -1;
	if (apply_init(&role.apply, &role.manifest, &ops, NULL, e) < 0) {
		manifest_free(&role.manifest);
		return -1;
	}
	if (keeper_init(&role.keeper, &role.link, &role.apply, e) == 0)
		return 0;
	apply_free(&role.apply);
	manifest_free(&role.manifest);
	return -1;
}

static void load_all(void)
{
	char text[LIMIT_DETAIL];
	struct err e = {0}, h = {0};
	role.loaded = load(&e) == 0;
	if (!role.loaded) {
		log_errx(ROOM, "manifests: %s", e.text);
		(void)!str_format(role.trouble, sizeof(role.trouble), "manifests: %s", e.text);
		teller_set(&role.facts, "kube-manifests", FACT_OFF, e.text);
		teller_set(&role.facts, "kube-applied", FACT_OFF, "the manifests cannot be used");
		teller_set(&role.facts, "kube-healthy", FACT_OFF, "the manifests cannot be used");
		memset(&role.keeper.inventory, 0, sizeof(role.keeper.inventory));
		return;
	}
	(void)!str_format(text, sizeof(text), "%u objects, revision %.8s", role.manifest.count, role.manifest.revision);
	teller_set(&role.facts, "kube-manifests", FACT_ON, text);
	if (history_read(&role.keeper.history, role.options.history, &h) < 0)
		log_warnx(ROOM, "%s", h.text);
	if (str_format(role.keeper.applied, sizeof(role.keeper.applied), "%s.applied", role.options.history) < 0)
		log_warnx(ROOM, "%s: the path is too long", role.options.history);
	else if (applied_read(role.keeper.applied, &role.apply.t, &h) < 0)
		log_warnx(ROOM, "%s", h.text);
	role.keeper.clean = on_clean;
	role.keeper.claimed = on_claimed;
	role.keeper.changed = on_books;
	role.serve.apply = &role.apply;
	role.serve.keeper = &role.keeper;
}

static void on_signal(struct loop *l, int signo, void *arg)
{
	(void)signo;
	(void)arg;
	loop_quit(l);
}

/* The channel that PID 1 gives; -1: started by hand. */
static int channel(void)
{
	int type = 0;
	socklen_t n = sizeof(type);
	return getsockopt(CHANNEL_FD, SOL_SOCKET, SO_TYPE, &type, &n) == 0 && type == SOCK_SEQPACKET ? CHANNEL_FD : -1;
}

static int set_up(struct err *e)
{
	static const int signals[] = {SIGTERM, SIGINT, 0};
	static const struct link_hooks hooks = {on_opened, on_closed, on_kinds, on_changed};
	int chan = channel(); /* before the loop may take that number */
	if (loop_init(&role.loop, e) < 0 || signals_init(&role.loop, signals, on_signal, NULL, e) < 0)
		return -1;
	teller_init(&role.facts, role.fact, FACTS);
	teller_open(&role.facts, &role.loop, chan, ROOM);
	link_init(&role.link, &role.loop, role.options.kubeconfig, &hooks, NULL);
	if (serve_init(&role.serve, &role.loop, chan, &role.link, e) < 0)
		return -1;
	role.serve.trouble = role.trouble;
	load_all();
	sender_init(&role.sender, &role.link, &role.apply);
	role.sender.seen = run_soon;
	streams_init(&role.streams, &role.link, &role.apply, &role.keeper.inventory);
	role.streams.seen = run_soon;
	role.streams.node = on_node;
	role.streams.doubts = on_doubts;
	role.apply.t.unseen = true;
	gate_init(&role.gate, &role.link, &role.apply.t, on_passed, NULL);
	link_start(&role.link);
	look_soon();
	return 0;
}

static void tear_down(void)
{
	loop_cancel(&role.loop, &role.run);
	loop_cancel(&role.loop, &role.look);
	if (role.link.loop)
		link_stop(&role.link);
	streams_fini(&role.streams);
	gate_fini(&role.gate);
	serve_fini(&role.serve);
	teller_fini(&role.facts);
	if (role.loaded) {
		keeper_fini(&role.keeper);
		apply_free(&role.apply);
		manifest_free(&role.manifest);
	}
	signals_fini(&role.loop);
	loop_fini(&role.loop);
}

int kube_main(int argc, char **argv)
{
	struct err e = {0};
	role.options = (struct options){KUBE_MANIFESTS, KUBE_CONFIG, NULL, HISTORY_PATH};
	log_init("kube", STDERR_FILENO, 0);
	if (parse_options(argc, argv, &role.options) < 0) {
		log_errx(ROOM, "usage: hearth kube [--manifests FILE|FOLDER] [--kubeconfig FILE] [--settings FILE] "
		               "[--history FILE]");
		return EXIT_USAGE;
	}
	int rc = set_up(&e);
	if (rc == 0) {
		ready_say("kube");
		rc = loop_run(&role.loop, &e);
	}
	if (rc < 0)
		log_errx(ROOM, "%s", e.text);
	tear_down();
	return rc < 0 ? EXIT_SYSTEM : EXIT_SUCCESS;
}
