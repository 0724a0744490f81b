/* Lists pods until they are those of this boot. Runs in the kube role; asks one thing at a time. */
#include "kube/gate.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/paths.h"
#include "base/str.h"
#include "base/sys.h"
#include "kube/stale.h"

#define ROOM "kube"

static void ask(struct loop *loop, void *arg);

/* PID 1 makes its socket early, with the clock that it begins with; what the clocks say may change later. */
static void look_at_clocks(struct gate *g)
{
	struct stat st;
	if (sys_stat(PATH_CONTROL, &st) == 0 && st.st_mtim.tv_sec < g->began)
		g->began = st.st_mtim.tv_sec;
	g->began = stale_began(g->began, clock_wall_ms(), clock_ms());
}

static void pass(struct gate *g)
{
	struct loop *l = g->link->loop;
	gate_stop(g);
	loop_cancel(l, &g->limit);
	g->open = true;
	g->passed(g->arg);
}

static void on_limit(struct loop *l, void *arg)
{
	struct gate *g = arg;
	(void)l;
	log_warnx(ROOM, "pods seem to be of the last boot, %d s after a node was ready; is the clock right?",
	          GATE_LIMIT_MS / 1000);
	pass(g);
}

static void later(struct gate *g, uint64_t ms)
{
	loop_after(g->link->loop, &g->timer, ms, ask, g);
}

/* 0 without a manifest, too. */
static unsigned workloads(const struct gate *g)
{
	return g->items->item ? g->items->m->count : 0;
}

static void see_pod(struct watch *w, enum watch_event ev, yyjson_val *pod)
{
	struct gate *g = w->arg;
	struct object_id workload;
	char name[OBJECT_NAME];
	bool stale = stale_pod(pod, g->began);
	(void)ev;
	g->stale += stale;
	if (stale || workloads(g) == 0 || !stale_ready(pod, &workload, name))
		return;
	int i = items_find(g->items, &workload);
	if (i >= 0)
		g->items->item[i].found++;
}

static void see_list(struct watch *w, bool complete)
{
	struct gate *g = w->arg;
	if (complete)
		return;
	g->stale = 0;
	for (unsigned i = 0; i < workloads(g); i++)
		g->items->item[i].found = 0;
}

/* No workload tells of pods that are not there. */
static bool follow(const struct gate *g)
{
	for (unsigned i = 0; i < workloads(g); i++) {
		if (g->items->item[i].claims > g->items->item[i].found)
			return false;
	}
	return true;
}

/* The list is complete. */
static void judge(struct gate *g)
{
	bool suspected = g->suspect;
	g->suspect = g->stale > 0 || !follow(g);
	if (g->suspect || suspected)
		later(g, g->suspect ? GATE_EVERY_MS : GATE_AGAIN_MS);
	else
		pass(g);
}

static void on_page(const struct kclient_reply *r, void *arg)
{
	struct gate *g = arg;
	struct err e = {0};
	g->call = 0;
	link_note(g->link, r);
	if (r->fault == KCLIENT_TOO_LARGE)
		watch_shrink(&g->list);
	if (retry_rule(r->fault, r->status)->what != RETRY_DONE) {
		watch_restart(&g->list);
		later(g, GATE_EVERY_MS);
		return;
	}
	yyjson_doc *doc = yyjson_read_opts(r->body, r->len, YYJSON_READ_INSITU, NULL, NULL);
	int rc = watch_page(&g->list, yyjson_doc_get_root(doc), &e);
	yyjson_doc_free(doc);
	if (rc < 0) {
		log_warnx(ROOM, "listing Pod: %s", e.text);
		later(g, GATE_EVERY_MS);
	} else if (g->list.state == WATCH_LIST) {
		ask(g->link->loop, g);
	} else {
		judge(g);
	}
}

static int list(struct gate *g, struct err *e)
{
	const struct object_id pods = {"", "Pod", "", ""};
	char path[KCLIENT_PATH];
	struct buf b;
	buf_init(&b, path, sizeof(path));
	if (link_path(g->link, &pods, NULL, &b, e) < 0)
		return -1;
	buf_add_char(&b, '?');
	watch_query(&g->list, &b);
	if (!buf_ok(&b))
		return err_set(e, ENAMETOOLONG, "the path is too long");
	const struct kclient_request r = {
		.method = "GET", .path = path, .accept = watch_accept(&g->list), .done = on_page, .arg = g};
	g->call = kclient_call(&g->link->client, &r, e);
	return g->call ? 0 : -1;
}

static void ask(struct loop *loop, void *arg)
{
	struct gate *g = arg;
	struct err e = {0};
	(void)loop;
	if (!g->running || g->call)
		return;
	look_at_clocks(g);
	if (g->list.state == WATCH_OPEN)
		watch_restart(&g->list);
	if (list(g, &e) == 0)
		return;
	log_warnx(ROOM, "listing Pod: %s", e.text);
	later(g, GATE_EVERY_MS);
}

void gate_init(struct gate *g, struct link *link, struct items *t, void (*passed)(void *arg), void *arg)
{
	static const struct watch_ops ops = {see_pod, see_list};
	memset(g, 0, sizeof(*g));
	g->link = link;
	g->items = t;
	g->passed = passed;
	g->arg = arg;
	g->began = INT64_MAX;
	look_at_clocks(g);
	watch_init(&g->list, &ops, g);
	g->list.kind = "Pod";
	g->list.selector = "fieldSelector=status.phase%3DRunning";
	g->list.full = true;
	g->list.page = GATE_PAGE;
}

void gate_start(struct gate *g)
{
	if (g->open)
		return;
	g->running = true;
	watch_restart(&g->list);
	ask(g->link->loop, g);
}

void gate_stop(struct gate *g)
{
	g->running = false;
	loop_cancel(g->link->loop, &g->timer);
	kclient_cancel(&g->link->client, g->call);
	g->call = 0;
}

void gate_node(struct gate *g)
{
	if (!g->open && !g->limit.armed)
		loop_after(g->link->loop, &g->limit, GATE_LIMIT_MS, on_limit, g);
}

bool gate_doubts(const struct gate *g, yyjson_val *node)
{
	return !g->open && stale_node(node, g->began);
}

void gate_fini(struct gate *g)
{
	if (!g->link)
		return;
	gate_stop(g);
	loop_cancel(g->link->loop, &g->limit);
	watch_free(&g->list);
}
