/* How runs ended and how this one will have; see history.h. Reads a small file of a tmpfs, never a disk. */
#include "boot/history.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/paths.h"
#include "base/str.h"

#define KEEP_WAIT 10000

static void keep(struct loop *l, void *arg)
{
	struct history *h = arg;
	char line[END_LINE];
	const char *const words[] = {"keep", "end", line, NULL};
	struct err e;
	h->keep.loop = l;
	loop_after(l, &h->timer, HISTORY_KEEP_MS, keep, h);
	if (fact_get(h->facts, "state-mounted") != FACT_ON)
		return;
	if (history_line(h, END_RUNNING, "", line, &e) == 0 && helper_run(&h->keep, words, KEEP_WAIT, &e) == 0)
		return;
	if (e.code != EBUSY)
		log_warnx("history", "%s", e.text);
	loop_after(l, &h->timer, HISTORY_AGAIN_MS, keep, h);
}

void history_init(struct history *h, struct loop *l, struct facts *fs, const char *version)
{
	h->loop = l;
	h->facts = fs;
	h->now.kind = END_RUNNING;
	(void)!str_copy(h->now.version, sizeof(h->now.version), version);
}

void history_load(struct history *h, const char *slot)
{
	static char text[ENDS_TEXT];
	struct err e;
	struct buf b;
	buf_init(&b, text, sizeof(text));
	if (str_copy(h->now.slot, sizeof(h->now.slot), slot) < 0)
		log_warnx("history", "slot %.16s: no name of one", slot);
	if (file_read(PATH_RUN_ENDS, &b, &e) == 0)
		(void)ends_parse(&h->past, b.data, b.len); /* what is none, the storage role has said */
	else if (e.code != ENOENT)
		log_warnx("history", "%s", e.text);
	loop_after(h->loop, &h->timer, HISTORY_KEEP_MS, keep, h);
}

void history_well(struct history *h)
{
	if (h->now.well)
		return;
	h->now.well = true;
	loop_after(h->loop, &h->timer, 0, keep, h);
}

void history_stop(struct history *h)
{
	loop_cancel(h->loop, &h->timer);
}

int history_line(const struct history *h, enum end_kind kind, const char *why, char line[END_LINE], struct err *e)
{
	struct end n = h->now;
	struct buf b;
	n.kind = kind;
	n.time = clock_wall() > 0 ? clock_wall() : 0;
	n.uptime = clock_ms() / 1000;
	buf_init(&b, line, END_LINE);
	if (str_copy(n.why, sizeof(n.why), why) < 0)
		return err_set(e, E2BIG, "why the run ends: more than one sentence");
	return end_format(&n, &b, e);
}

const struct end *history_last(const struct history *h)
{
	return h->past.count > 0 ? &h->past.end[h->past.count - 1] : NULL;
}

static void put_end(const struct end *n, struct json *out)
{
	char when[32];
	clock_format(n->time, when, sizeof(when));
	json_open_object(out, NULL);
	json_string(out, "time", n->time > 0 ? when : "");
	json_string(out, "slot", n->slot);
	json_string(out, "version", n->version);
	json_string(out, "kind", end_kind_name(n->kind));
	json_string(out, "reason", n->why);
	json_int(out, "uptime", (int64_t)n->uptime);
	json_bool(out, "well", n->well);
	json_close_object(out);
}

void history_json(const struct history *h, struct json *out)
{
	json_open_object(out, NULL);
	json_open_list(out, "boots");
	for (unsigned i = h->past.count; i > 0; i--)
		put_end(&h->past.end[i - 1], out);
	json_close_list(out);
	json_close_object(out);
}
