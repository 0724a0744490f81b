/* The status screen. Runs in the console and ctl roles. Does no I/O.
 * A label column of ten, then the values; what does not fit goes on below the values. */
#include "console/status.h"

#include <inttypes.h>
#include <string.h>

#include "base/str.h"
#include "console/fields.h"
#include "console/text.h"

#define LABEL 10

struct page {
	struct buf *out;
	unsigned width;
};

bool status_is_up(yyjson_val *service)
{
	const char *state = field_str(service, "state");
	return str_eq(state, "ready") || str_eq(state, "done");
}

/* "" as label continues the line above. */
static void row(struct page *p, const char *label, const char *text)
{
	text_pad(p->out, label, LABEL);
	text_wrap(p->out, text, (struct text_at){LABEL, LABEL, p->width});
}

static void cell(struct buf *b, const char *text, unsigned columns)
{
	text_pad(b, text, columns);
	buf_add(b, "  ");
}

static void heading(struct page *p, yyjson_val *s)
{
	char text[512];
	struct buf b;
	buf_init(&b, text, sizeof(text));
	buf_addf(&b, "%s: Hearth %s", field_str(s, "name"), field_str(s, "version"));
	if (field_str(s, "slot")[0])
		buf_addf(&b, ", slot %s", field_str(s, "slot"));
	buf_addf(&b, ", %s", field_str(s, "system"));
	if (field_str(s, "detail")[0])
		buf_addf(&b, " (%s)", field_str(s, "detail"));
	text_wrap(p->out, text, (struct text_at){0, 2, p->width});
}

/* As long as nobody has set a password. */
static void first_login(struct page *p, yyjson_val *s)
{
	char text[512];
	struct buf b;
	const char *url = field_str(s, "url");
	if (!field_str(s, "first_login")[0])
		return;
	buf_init(&b, text, sizeof(text));
	buf_addf(&b, "first login: code %s at %s", field_str(s, "first_login"),
	         url[0] ? url : "its page, once it has an address");
	text_wrap(p->out, text, (struct text_at){0, 2, p->width});
}

static void uptime(struct page *p, yyjson_val *s)
{
	char text[512];
	struct buf b;
	buf_init(&b, text, sizeof(text));
	text_duration(&b, field_u64(s, "uptime_ms"), 2);
	if (field_u64(s, "boots"))
		buf_addf(&b, ", boot number %" PRIu64, field_u64(s, "boots"));
	if (field_str(s, "last_shutdown")[0])
		buf_addf(&b, ", last run ended: %s", field_str(s, "last_shutdown"));
	row(p, "up", text);
	if (field_str(s, "health")[0])
		row(p, "health", field_str(s, "health"));
	buf_reset(&b);
	text_time(&b, field_str(s, "time"));
	buf_add(&b, field_bool(s, "time_synced") ? " (synchronised)" : " (not synchronised yet)");
	row(p, "time", text);
	if (field_str(s, "kernel")[0])
		row(p, "kernel", field_str(s, "kernel"));
	if (field_str(s, "watchdog")[0])
		row(p, "watchdog", field_str(s, "watchdog"));
}

static void interface(struct page *p, const char *label, yyjson_val *v)
{
	char text[512];
	struct buf b;
	size_t i, n;
	yyjson_val *address, *addresses = yyjson_obj_get(v, "addresses");
	buf_init(&b, text, sizeof(text));
	cell(&b, field_str(v, "name"), 8);
	cell(&b, field_str(v, "mac"), 17);
	if (yyjson_arr_size(addresses) == 0)
		buf_add(&b, field_bool(v, "up") ? "no address yet" : "no link");
	yyjson_arr_foreach(addresses, i, n, address)
	{
		const char *a = yyjson_get_str(address);
		buf_addf(&b, "%s%s", i ? ", " : "", a ? a : "");
	}
	text_pad(p->out, label, LABEL);
	/* Not wrapped at blanks: the columns are blanks too. Only the addresses may go on below. */
	unsigned columns = text_columns(text);
	if (!p->width || LABEL + columns <= p->width) {
		text_pad(p->out, text, 0);
		buf_add_char(p->out, '\n');
		return;
	}
	text_wrap(p->out, text, (struct text_at){LABEL, LABEL + 2, p->width});
}

static void network(struct page *p, yyjson_val *s)
{
	size_t i, n;
	yyjson_val *v, *list = yyjson_obj_get(s, "interfaces");
	yyjson_arr_foreach(list, i, n, v)
	{
		interface(p, i ? "" : "network", v);
	}
	if (yyjson_arr_size(list) == 0)
		row(p, "network", "no interface found");
	row(p, "web", field_str(s, "url")[0] ? field_str(s, "url") : "no address yet");
}

static void free_of(struct buf *b, uint64_t available, uint64_t total)
{
	text_size(b, available);
	buf_add(b, " free of ");
	text_size(b, total);
}

static void machine(struct page *p, yyjson_val *s)
{
	char text[256];
	struct buf b;
	yyjson_val *memory = yyjson_obj_get(s, "memory");
	buf_init(&b, text, sizeof(text));
	free_of(&b, field_u64(memory, "available"), field_u64(memory, "total"));
	if (field_u64(s, "cpus"))
		buf_addf(&b, "; load %s on %" PRIu64 " CPU%s", field_str(s, "load"), field_u64(s, "cpus"),
		         field_u64(s, "cpus") == 1 ? "" : "s");
	row(p, "memory", text);
}

static void disks(struct page *p, yyjson_val *s)
{
	char text[256];
	size_t i, n;
	yyjson_val *v, *list = yyjson_obj_get(s, "disks");
	yyjson_arr_foreach(list, i, n, v)
	{
		struct buf b;
		buf_init(&b, text, sizeof(text));
		cell(&b, field_str(v, "name"), 8);
		cell(&b, field_str(v, "path"), 8);
		free_of(&b, field_u64(v, "free"), field_u64(v, "total"));
		text_pad(p->out, i ? "" : "disks", LABEL);
		buf_addf(p->out, "%s\n", text);
	}
	if (yyjson_arr_size(list) == 0)
		row(p, "disks", "none mounted");
}

static void counts(struct page *p, yyjson_val *s)
{
	char text[128];
	struct buf b;
	yyjson_val *c = yyjson_obj_get(s, "services");
	buf_init(&b, text, sizeof(text));
	buf_addf(&b, "%" PRIu64 " of %" PRIu64 " ready", field_u64(c, "ready"), field_u64(c, "total"));
	if (field_u64(c, "failed"))
		buf_addf(&b, ", %" PRIu64 " failed", field_u64(c, "failed"));
	row(p, "services", text);
}

/* Every service that is not as it should be, with its reason. */
static void missing(struct page *p, yyjson_val *services)
{
	size_t i, n;
	yyjson_val *v, *list = yyjson_obj_get(services, "services");
	unsigned name = 0;
	yyjson_arr_foreach(list, i, n, v)
	{
		unsigned columns = text_columns(field_str(v, "name"));
		name = !status_is_up(v) && columns > name ? columns : name;
	}
	yyjson_arr_foreach(list, i, n, v)
	{
		if (status_is_up(v))
			continue;
		unsigned column = LABEL + name + 2 + 8 + 2;
		text_blanks(p->out, LABEL);
		text_pad(p->out, field_str(v, "name"), name + 2);
		if (field_str(v, "detail")[0])
			cell(p->out, field_str(v, "state"), 8);
		else
			text_pad(p->out, field_str(v, "state"), 0);
		text_wrap(p->out, field_str(v, "detail"), (struct text_at){column, column, p->width});
	}
}

/* Which Kubernetes is inside, and below it how it is doing. */
static void kubernetes(struct page *p, yyjson_val *s)
{
	yyjson_val *k = yyjson_obj_get(s, "kubernetes");
	const char *inside = field_str(k, "inside"), *state = field_str(k, "state");
	if (inside[0])
		row(p, "kube", inside);
	if (state[0])
		row(p, inside[0] ? "" : "kube", state);
}

/* While the system starts or when something is late: what it waits for. */
static void waiting(struct page *p, yyjson_val *s)
{
	size_t i, n;
	yyjson_val *v;
	if (field_str(s, "waiting")[0])
		row(p, "waiting", field_str(s, "waiting"));
	yyjson_arr_foreach(yyjson_obj_get(s, "stages"), i, n, v)
	{
		char text[512];
		struct buf b;
		if (!str_eq(field_str(v, "state"), "failed"))
			continue;
		buf_init(&b, text, sizeof(text));
		buf_addf(&b, "%s: %s", field_str(v, "name"), field_str(v, "detail"));
		row(p, "failed", text);
	}
}

static void problems(struct page *p, yyjson_val *s)
{
	size_t i, n;
	yyjson_val *v, *list = yyjson_obj_get(s, "problems");
	yyjson_arr_foreach(list, i, n, v)
	{
		const char *text = yyjson_get_str(v);
		row(p, i ? "" : "problems", text ? text : "");
	}
}

void status_render(yyjson_val *status, yyjson_val *services, unsigned width, struct buf *out)
{
	struct page p = {out, width};
	heading(&p, status);
	first_login(&p, status);
	uptime(&p, status);
	network(&p, status);
	machine(&p, status);
	disks(&p, status);
	counts(&p, status);
	missing(&p, services);
	kubernetes(&p, status);
	waiting(&p, status);
	problems(&p, status);
}

int status_render_text(const char *status, const char *services, unsigned width, struct buf *out)
{
	yyjson_doc *a = fields_read(status);
	if (!a)
		return -1;
	yyjson_doc *b = services ? fields_read(services) : NULL;
	status_render(yyjson_doc_get_root(a), yyjson_doc_get_root(b), width, out);
	yyjson_doc_free(b);
	yyjson_doc_free(a);
	return 0;
}
