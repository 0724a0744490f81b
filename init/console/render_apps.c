/* Apps and pods as text. Runs in the console and ctl roles. Does no I/O. */
#include "console/render_apps.h"

#include <inttypes.h>
#include <string.h>

#include "base/str.h"
#include "console/fields.h"
#include "console/text.h"

#define REVISION_SHOWN 12 /* digits of a revision: enough to tell two apart */
#define NAME_LEAST     20 /* columns of a pod's name, however narrow the terminal */

static void paragraph(const char *text, unsigned indent, unsigned width, struct buf *out)
{
	text_blanks(out, indent);
	text_wrap(out, text, (struct text_at){indent, indent, width});
}

/* A list that did not fit into the answer says how much of it is missing. */
static void more(yyjson_val *root, struct buf *out)
{
	uint64_t n = field_u64(root, "more");
	if (n)
		buf_addf(out, "... and %" PRIu64 " more\n", n);
}

static void revision(yyjson_val *v, struct buf *out)
{
	const char *r = field_str(v, "revision");
	text_clean(out, r, strnlen(r, REVISION_SHOWN));
}

/* --- apps ------------------------------------------------------------------------------------- */

static void ready(yyjson_val *v, char *text, size_t cap)
{
	struct buf b;
	buf_init(&b, text, cap);
	buf_addf(&b, "%" PRIu64 "/%" PRIu64, field_u64(v, "ready"), field_u64(v, "objects"));
}

/* The whole of it: the wave that is being applied, what is the matter. */
static void apps_end(yyjson_val *root, unsigned width, struct buf *out)
{
	buf_add(out, "revision ");
	revision(root, out);
	if (yyjson_is_int(yyjson_obj_get(root, "wave")))
		buf_addf(out, ", wave %" PRId64, yyjson_get_sint(yyjson_obj_get(root, "wave")));
	buf_add_char(out, '\n');
	if (field_str(root, "state")[0])
		paragraph(field_str(root, "state"), 0, width, out);
}

void render_apps(yyjson_val *root, unsigned width, struct buf *out)
{
	yyjson_val *list = yyjson_obj_get(root, "apps"), *v;
	unsigned name = fields_widest(list, "name", "NAME"), status = fields_widest(list, "status", "STATUS");
	unsigned column = name + 2 + status + 2 + 7 + 2;
	char text[48];
	size_t i, n;
	text_pad(out, "NAME", name + 2);
	text_pad(out, "STATUS", status + 2);
	buf_add(out, "  READY\n");
	yyjson_arr_foreach(list, i, n, v)
	{
		text_pad(out, field_str(v, "name"), name + 2);
		text_pad(out, field_str(v, "status"), status + 2);
		ready(v, text, sizeof(text));
		text_pad_left(out, text, 7);
		if (field_str(v, "message")[0])
			buf_add(out, "  ");
		text_wrap(out, field_str(v, "message"), (struct text_at){column, column, width});
	}
	more(root, out);
	apps_end(root, width, out);
}

/* --- one app ---------------------------------------------------------------------------------- */

/* "htpc/transmission" */
static void object_name(yyjson_val *v, char *text, size_t cap)
{
	const char *namespace = field_str(v, "namespace");
	struct buf b;
	buf_init(&b, text, cap);
	buf_addf(&b, "%s%s%s", namespace, namespace[0] ? "/" : "", field_str(v, "name"));
}

static void object(yyjson_val *v, unsigned status, unsigned kind, unsigned width, struct buf *out)
{
	char text[336];
	unsigned column = 2 + status + 2 + kind + 2;
	object_name(v, text, sizeof(text));
	buf_add(out, "  ");
	text_pad(out, field_str(v, "status"), status + 2);
	text_pad(out, field_str(v, "kind"), kind + 2);
	text_wrap(out, text, (struct text_at){column, column, width});
	if (field_str(v, "message")[0])
		paragraph(field_str(v, "message"), 2 + status + 2, width, out);
}

static void history(yyjson_val *list, struct buf *out)
{
	yyjson_val *v;
	size_t i, n;
	if (yyjson_arr_size(list))
		buf_add(out, "applied\n");
	yyjson_arr_foreach(list, i, n, v)
	{
		buf_add(out, "  ");
		text_time(out, field_str(v, "time"));
		buf_add(out, "  revision ");
		revision(v, out);
		buf_add_char(out, '\n');
	}
}

void render_app(yyjson_val *root, unsigned width, struct buf *out)
{
	yyjson_val *list = yyjson_obj_get(root, "objects"), *v;
	unsigned status = fields_widest(list, "status", ""), kind = fields_widest(list, "kind", "");
	size_t i, n;
	text_pad(out, field_str(root, "name"), 0);
	buf_add(out, ": ");
	text_pad(out, field_str(root, "status"), 0);
	buf_add_char(out, '\n');
	if (field_str(root, "message")[0])
		paragraph(field_str(root, "message"), 2, width, out);
	yyjson_arr_foreach(list, i, n, v)
	{
		object(v, status, kind, width, out);
	}
	more(root, out);
	history(yyjson_obj_get(root, "history"), out);
}

/* --- differences ------------------------------------------------------------------------------ */

static void side(const char *label, const char *text, unsigned width, struct buf *out)
{
	buf_addf(out, "    %s ", label);
	text_wrap(out, text[0] ? text : "(nothing)", (struct text_at){9, 9, width});
}

void render_diff(yyjson_val *root, unsigned width, struct buf *out)
{
	yyjson_val *list = yyjson_obj_get(root, "diff"), *v;
	const char *last = "";
	size_t i, n;
	if (!yyjson_arr_size(list)) {
		text_pad(out, field_str(root, "name"), 0);
		buf_add(out, ": as it should be\n");
	}
	yyjson_arr_foreach(list, i, n, v)
	{
		if (!str_eq(last, field_str(v, "object")))
			paragraph(field_str(v, "object"), 0, width, out);
		last = field_str(v, "object");
		paragraph(field_str(v, "field"), 2, width, out);
		side("want", field_str(v, "want"), width, out);
		side("is  ", field_str(v, "is"), width, out);
	}
	more(root, out);
}

/* --- pods ------------------------------------------------------------------------------------- */

/* Columns of the table of pods; the name has what the others leave. */
struct pods {
	unsigned name, status, ip; /* ip 0: no room for it */
};

#define PODS_FIXED (2 + 2 + 5 + 2 + 8 + 2 + 7) /* indentation, READY, RESTARTS, AGE and what parts them */

static struct pods pods_columns(yyjson_val *list, unsigned width)
{
	struct pods p = {.status = fields_widest(list, "status", "STATUS"), .ip = fields_widest(list, "ip", "IP")};
	unsigned widest = fields_widest(list, "name", "NAME"), rest = PODS_FIXED + 2 + p.status;
	if (width && rest + widest + 2 + p.ip > width)
		p.ip = 0;
	p.name = widest;
	if (width && rest + widest > width)
		p.name = width > rest + NAME_LEAST ? width - rest : NAME_LEAST;
	return p;
}

static void age(uint64_t seconds, struct buf *out)
{
	char text[24];
	struct buf b;
	buf_init(&b, text, sizeof(text));
	if (seconds)
		text_duration(&b, seconds * 1000, 1);
	else
		buf_add(&b, "now");
	text_pad_left(out, text, 7);
}

/* A name that is too long for its column has a line of its own. */
static void pod_name(const char *name, unsigned columns, unsigned width, struct buf *out)
{
	if (text_columns(name) <= columns) {
		buf_add(out, "  ");
		text_pad(out, name, columns + 2);
		return;
	}
	paragraph(name, 2, width, out);
	text_blanks(out, 2 + columns + 2);
}

static void pod(yyjson_val *v, const struct pods *p, unsigned width, struct buf *out)
{
	char text[24];
	struct buf b;
	pod_name(field_str(v, "name"), p->name, width, out);
	text_pad_left(out, field_str(v, "ready"), 5);
	buf_add(out, "  ");
	text_pad(out, field_str(v, "status"), p->status + 2);
	buf_init(&b, text, sizeof(text));
	buf_addf(&b, "%" PRIu64, field_u64(v, "restarts"));
	text_pad_left(out, text, 8);
	buf_add(out, "  ");
	age(field_u64(v, "age"), out);
	if (p->ip && field_str(v, "ip")[0]) {
		buf_add(out, "  ");
		text_pad(out, field_str(v, "ip"), 0);
	}
	buf_add_char(out, '\n');
}

void render_pods(yyjson_val *root, unsigned width, struct buf *out)
{
	yyjson_val *list = yyjson_obj_get(root, "pods"), *v;
	struct pods p = pods_columns(list, width);
	const char *namespace = "";
	size_t i, n;
	if (!yyjson_arr_size(list)) {
		buf_add(out, "no pods\n");
		return;
	}
	buf_add(out, "  ");
	text_pad(out, "NAME", p.name + 2);
	buf_add(out, "READY  ");
	text_pad(out, "STATUS", p.status + 2);
	buf_addf(out, "RESTARTS      AGE%s\n", p.ip ? "  IP" : "");
	yyjson_arr_foreach(list, i, n, v)
	{
		if (!str_eq(namespace, field_str(v, "namespace")))
			paragraph(field_str(v, "namespace"), 0, width, out);
		namespace = field_str(v, "namespace");
		pod(v, &p, width, out);
	}
	more(root, out);
}
