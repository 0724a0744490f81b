/* What PID 1 says about the box; see status.h. Reads memory, /proc and /sys only. */
#include "boot/status.h"

#include <string.h>
#include <sys/utsname.h>

#include "base/clock.h"
#include "base/paths.h"
#include "base/str.h"
#include "host/cgroup.h"
#include "host/sysinfo.h"
#include "service/table.h"

#define EVENT_ROOM 2048 /* no event is longer in JSON, all its bytes escaped */

static bool is_on(const struct box *box, const char *fact)
{
	return fact_get(&box->facts, fact) == FACT_ON;
}

static void put_names(const struct box *box, struct json *out)
{
	struct utsname u;
	json_string(out, "name", identify_hostname(&box->identify));
	json_string(out, "version", box->version);
	json_string(out, "kernel", uname(&u) == 0 ? u.release : "");
	json_string(out, "slot", (const char[]){box->slot, '\0'});
	json_string(out, "system", system_state_name(box->system));
	json_string(out, "detail", box->system_detail);
	json_string(out, "health", box->trial.gate.why); /* of a slot on trial */
	json_int(out, "boots", box->identify.known ? (int64_t)box->identify.id.boots : 0);
}

static void put_time(const struct box *box, struct json *out)
{
	char now[32];
	clock_format(clock_wall(), now, sizeof(now));
	json_int(out, "uptime_ms", (int64_t)clock_ms());
	json_int(out, "stage1_ms", (int64_t)box->stage1_ms);
	json_int(out, "init_ms", (int64_t)box->init_ms);
	json_string(out, "time", now);
	json_bool(out, "time_synced", is_on(box, "time-synced"));
}

/* The fact says "eth0 10.0.2.15/24": the address is its last word. */
void status_address(const struct box *box, char *dst, size_t cap)
{
	const struct fact *f = fact_find(&box->facts, "network-up");
	const char *space = f != NULL && f->value == FACT_ON ? strrchr(f->detail, ' ') : NULL;
	const char *address = space != NULL ? space + 1 : "";
	if (str_format(dst, cap, "%.*s", (int)strcspn(address, "/"), address) < 0)
		dst[0] = '\0';
}

void status_url(const struct box *box, char *dst, size_t cap)
{
	char address[LIMIT_DETAIL];
	status_address(box, address, sizeof(address));
	const char *fmt = strchr(address, ':') != NULL ? "https://[%s]/" : "https://%s/";
	dst[0] = '\0';
	if (address[0] != '\0' && str_format(dst, cap, fmt, address) < 0)
		dst[0] = '\0';
}

static void put_url(const struct box *box, struct json *out)
{
	char url[STATUS_URL];
	status_url(box, url, sizeof(url));
	json_string(out, "url", url);
}

static void put_interfaces(struct box *box, struct json *out)
{
	struct err e;
	json_open_list(out, "interfaces");
	if (net_snapshot(&box->net, &e) < 0)
		box->net.count = 0;
	for (unsigned i = 0; i < box->net.count; i++) {
		const struct net_if *n = &box->net.ifs[i];
		json_open_object(out, NULL);
		json_string(out, "name", n->link.name);
		json_string(out, "mac", n->link.mac);
		json_bool(out, "up", n->link.carrier);
		json_open_list(out, "addresses");
		for (unsigned k = 0; k < n->addresses; k++)
			json_string(out, NULL, n->address[k].text);
		json_close_list(out);
		json_close_object(out);
	}
	json_close_list(out);
}

static void put_machine(struct json *out)
{
	struct sysinfo_memory m;
	char load[SYSINFO_LOAD];
	sysinfo_memory(&m);
	sysinfo_load(load);
	json_int(out, "cpus", sysinfo_cpus());
	json_open_object(out, "memory");
	json_int(out, "total", (int64_t)m.total);
	json_int(out, "available", (int64_t)m.available);
	json_close_object(out);
	json_string(out, "load", load);
}

static void put_disks(const struct box *box, struct json *out)
{
	static const struct {
		const char *name, *path, *fact;
	} disks[] = {{"state", PATH_STATE, "state-mounted"}, {"data", PATH_DATA, "data-mounted"}};
	json_open_list(out, "disks");
	for (size_t i = 0; i < COUNT_OF(disks); i++) {
		uint64_t total, available;
		struct err e;
		if (!is_on(box, disks[i].fact) || sysinfo_disk(disks[i].path, &total, &available, &e) < 0)
			continue;
		json_open_object(out, NULL);
		json_string(out, "name", disks[i].name);
		json_string(out, "path", disks[i].path);
		json_int(out, "total", (int64_t)total);
		json_int(out, "free", (int64_t)available);
		json_close_object(out);
	}
	json_close_list(out);
}

static void put_service_counts(const struct box *box, struct json *out)
{
	unsigned ready = 0, failed = 0;
	for (unsigned i = 0; i < box->services.count; i++) {
		enum service_state s = box->services.service[i].state;
		ready += s == SERVICE_READY || s == SERVICE_DONE;
		failed += s == SERVICE_FAILED || s == SERVICE_BACKOFF;
	}
	json_open_object(out, "services");
	json_int(out, "total", box->services.count);
	json_int(out, "ready", ready);
	json_int(out, "failed", failed);
	json_close_object(out);
}

static void put_stages(const struct box *box, struct json *out)
{
	char waiting[LIMIT_DETAIL + ERR_TEXT];
	struct buf b;
	json_open_list(out, "stages");
	for (unsigned i = 0; i < box->stages.count; i++) {
		const struct stage *s = &box->stages.stage[i];
		uint64_t until = s->state == STAGE_DONE ? s->since : clock_ms();
		json_open_object(out, NULL);
		json_string(out, "name", s->row->name);
		json_string(out, "state", stage_state_name(s->state));
		json_string(out, "detail", s->detail);
		json_int(out, "ms", s->state == STAGE_WAITING ? 0 : (int64_t)(until - s->begun));
		json_close_object(out);
	}
	json_close_list(out);
	buf_init(&b, waiting, sizeof(waiting));
	stages_waiting(&box->stages, &b);
	json_string(out, "waiting", waiting);
}

/* "starting: no kubeconfig yet"; once the start is over, "not ready: ...". */
static void kube_missing(const struct box *box, struct buf *b)
{
	static const char *const facts[] = {"kube-api", "node-ready"};
	buf_add(b, is_on(box, "started") ? "not ready" : "starting");
	for (size_t i = 0; i < COUNT_OF(facts); i++) {
		const struct fact *f = fact_find(&box->facts, facts[i]);
		if (f == NULL || f->value == FACT_ON || f->detail[0] == '\0')
			continue;
		buf_addf(b, ": %s", f->detail);
		return;
	}
}

static void kube_state(struct box *box, struct buf *b)
{
	const struct fact *wanted = fact_find(&box->facts, "kubernetes");
	const struct fact *node = fact_find(&box->facts, "node-ready");
	const struct fact *apps = fact_find(&box->facts, "kube-healthy");
	if (wanted != NULL && wanted->value == FACT_OFF)
		buf_add(b, wanted->detail);
	else if (services_find(&box->services, "kube") == NULL)
		buf_add(b, "not in this image");
	else if (node == NULL || node->value != FACT_ON)
		kube_missing(box, b);
	else
		buf_addf(b, "%s%s%s", node->detail, apps != NULL ? "; " : "", apps != NULL ? apps->detail : "");
}

static void put_kubernetes(struct box *box, struct json *out)
{
	char text[LIMIT_DETAIL * 2 + 4];
	struct buf b;
	buf_init(&b, text, sizeof(text));
	kube_state(box, &b);
	json_open_object(out, "kubernetes");
	json_string(out, "inside", box->kube);
	json_string(out, "state", text);
	json_close_object(out);
}

void status_box(struct box *box, enum peer peer, struct json *out)
{
	json_open_object(out, NULL);
	put_names(box, out);
	put_time(box, out);
	put_url(box, out);
	owner_json(&box->owner, peer, out);
	const struct fact *dog = fact_find(&box->facts, "watchdog");
	json_string(out, "watchdog", dog != NULL ? dog->detail : "");
	json_string(out, "last_shutdown", box->identify.known ? box->identify.id.last_shutdown : "");
	const struct end *last = history_last(&box->history);
	json_string(out, "last_kind", last != NULL ? end_kind_name(last->kind) : "");
	put_interfaces(box, out);
	put_machine(out);
	put_disks(box, out);
	put_service_counts(box, out);
	put_kubernetes(box, out);
	put_stages(box, out);
	json_open_list(out, "problems");
	for (unsigned i = 0; i < box->problems.count; i++)
		json_string(out, NULL, box->problems.list[i].text);
	json_close_list(out);
	json_close_object(out);
}

void status_services(const struct box *box, struct json *out)
{
	json_open_object(out, NULL);
	json_open_list(out, "services");
	for (unsigned i = 0; i < box->services.count; i++) {
		const struct service *s = &box->services.service[i];
		json_open_object(out, NULL);
		json_string(out, "name", s->def.name);
		json_string(out, "description", s->def.description);
		json_string(out, "state", service_state_name(s->state));
		json_string(out, "detail", s->detail);
		json_int(out, "since_ms", (int64_t)(clock_ms() - s->since));
		json_int(out, "restarts", s->restarts);
		json_int(out, "pid", s->child.pid);
		json_int(out, "memory",
		         box->services.cgroups && service_runs(s) ? (int64_t)cgroup_memory(s->def.name) : 0);
		json_close_object(out);
	}
	json_close_list(out);
	json_close_object(out);
}

void status_facts(const struct box *box, struct json *out)
{
	json_open_object(out, NULL);
	json_open_list(out, "facts");
	for (unsigned i = 0; i < box->facts.count; i++) {
		const struct fact *f = &box->facts.fact[i];
		json_open_object(out, NULL);
		json_string(out, "name", f->name);
		json_string(out, "value", fact_value_name(f->value));
		json_string(out, "detail", f->detail);
		json_int(out, "age_ms", (int64_t)(clock_ms() - f->since));
		json_close_object(out);
	}
	json_close_list(out);
	json_close_object(out);
}

void status_events(const struct box *box, uint64_t from, struct json *out)
{
	const struct events *evs = &box->events;
	uint64_t oldest = event_oldest(evs), seq = from;
	if (from == 0)
		seq = evs->next > STATUS_EVENTS ? evs->next - STATUS_EVENTS : 1;
	if (seq < oldest)
		seq = oldest;
	json_open_object(out, NULL);
	json_int(out, "oldest", (int64_t)oldest);
	json_open_list(out, "events");
	for (; seq < evs->next && out->out->cap - out->out->len > EVENT_ROOM; seq++) {
		const struct event *ev = event_get(evs, seq);
		if (ev != NULL)
			control_event_json(out, ev);
	}
	json_close_list(out);
	/* Where to go on reading: less than the newest when not all of them fitted. */
	json_int(out, "next", (int64_t)seq);
	json_close_object(out);
}
