/* PID 1's answers as text. Runs in the console and ctl roles. Does no I/O. */
#include "console/render.h"

#include <inttypes.h>
#include <string.h>

#include "base/str.h"
#include "console/fields.h"
#include "console/render_apps.h"
#include "console/render_boots.h"
#include "console/render_snapshots.h"
#include "console/status.h"
#include "console/text.h"

#define GENERIC_DEPTH 8 /* PID 1's writer nests no deeper */

static void gap(struct buf *out)
{
	buf_add(out, "  ");
}

void render_message(const char *prefix, const char *why, unsigned width, struct buf *out)
{
	struct text_at at = {0, 2, width};
	if (prefix) {
		buf_addf(out, "%s: ", prefix);
		at.column = text_columns(prefix) + 2;
	}
	text_wrap(out, why, at);
}

/* --- any answer ------------------------------------------------------------------------------- */

static void scalar(yyjson_val *v, struct text_at at, struct buf *out)
{
	char number[32];
	const char *s = yyjson_is_str(v) ? yyjson_get_str(v) : number;
	struct buf b;
	buf_init(&b, number, sizeof(number));
	if (yyjson_is_bool(v))
		buf_add(&b, yyjson_get_bool(v) ? "yes" : "no");
	else if (yyjson_is_uint(v))
		buf_addf(&b, "%" PRIu64, yyjson_get_uint(v));
	else if (yyjson_is_sint(v))
		buf_addf(&b, "%" PRId64, yyjson_get_sint(v));
	else if (yyjson_is_real(v))
		buf_addf(&b, "%g", yyjson_get_real(v));
	else if (!yyjson_is_str(v))
		buf_add(&b, "-");
	text_wrap(out, s, at);
}

static void generic(yyjson_val *v, unsigned depth, unsigned width, struct buf *out);

/* One member or item: its label is on the line already and ends in column `column`. */
static void generic_value(yyjson_val *v, unsigned depth, struct text_at at, struct buf *out)
{
	if (!yyjson_is_ctn(v)) {
		buf_add_char(out, ' ');
		at.column++;
		scalar(v, at, out);
		return;
	}
	if (depth >= GENERIC_DEPTH || unsafe_yyjson_get_len(v) == 0) {
		buf_add(out, unsafe_yyjson_get_len(v) ? " ...\n" : " none\n");
		return;
	}
	buf_add_char(out, '\n');
	generic(v, depth, at.width, out);
}

static void generic(yyjson_val *v, unsigned depth, unsigned width, struct buf *out)
{
	unsigned indent = depth * 2;
	size_t i, n;
	yyjson_val *key, *item;
	yyjson_obj_foreach(v, i, n, key, item)
	{
		text_blanks(out, indent);
		text_pad(out, yyjson_get_str(key), 0);
		buf_add_char(out, ':');
		unsigned column = indent + text_columns(yyjson_get_str(key)) + 1;
		generic_value(item, depth + 1, (struct text_at){column, indent + 4, width}, out);
	}
	yyjson_arr_foreach(v, i, n, item)
	{
		text_blanks(out, indent);
		buf_add_char(out, '-');
		generic_value(item, depth + 1, (struct text_at){indent + 1, indent + 4, width}, out);
	}
}

/* --- known answers ---------------------------------------------------------------------------- */

/* What the console and ctl add to a command of PID 1. */
static const char *help_args(yyjson_val *command)
{
	const char *args = field_str(command, "args");
	if (str_eq(field_str(command, "name"), "logs") && !strstr(args, "-f"))
		return strstr(args, "pod/") ? "NAME | pod/NAME [CONTAINER] [-f] [-n N]" : "NAME [-f] [-n N]";
	return args;
}

static void help_usage(yyjson_val *command, char *dst, size_t cap)
{
	struct buf b;
	buf_init(&b, dst, cap);
	buf_add(&b, field_str(command, "name"));
	if (help_args(command)[0])
		buf_addf(&b, " %s", help_args(command));
}

static void help(yyjson_val *root, unsigned width, struct buf *out)
{
	yyjson_val *list = yyjson_obj_get(root, "commands"), *v;
	unsigned most = 0;
	char usage[96];
	size_t i, n;
	yyjson_arr_foreach(list, i, n, v)
	{
		help_usage(v, usage, sizeof(usage));
		unsigned columns = text_columns(usage);
		most = columns > most && columns <= 32 ? columns : most;
	}
	yyjson_arr_foreach(list, i, n, v)
	{
		help_usage(v, usage, sizeof(usage));
		gap(out);
		text_pad(out, usage, most);
		gap(out);
		unsigned columns = text_columns(usage);
		unsigned column = (columns > most ? columns : most) + 4;
		text_wrap(out, field_str(v, "help"), (struct text_at){column, most + 4, width});
	}
}

static void since(struct buf *out, uint64_t ms)
{
	char text[24];
	struct buf b;
	buf_init(&b, text, sizeof(text));
	if (ms < 1000)
		buf_add(&b, "now");
	else
		text_duration(&b, ms, 1);
	text_pad_left(out, text, 7);
}

static void memory(struct buf *out, uint64_t bytes)
{
	char text[24];
	struct buf b;
	buf_init(&b, text, sizeof(text));
	if (bytes)
		text_size(&b, bytes);
	else
		buf_add_char(&b, '-');
	text_pad_left(out, text, 8);
}

/* Why it is not ready, else what it is. */
static void service_about(yyjson_val *v, struct text_at at, struct buf *out)
{
	char text[512];
	struct buf b;
	buf_init(&b, text, sizeof(text));
	const char *detail = field_str(v, "detail");
	buf_add(&b, !status_is_up(v) && detail[0] ? detail : field_str(v, "description"));
	uint64_t restarts = field_u64(v, "restarts");
	if (restarts)
		buf_addf(&b, " (%" PRIu64 " restart%s)", restarts, restarts == 1 ? "" : "s");
	text_wrap(out, text, at);
}

static void services(yyjson_val *root, unsigned width, struct buf *out)
{
	yyjson_val *list = yyjson_obj_get(root, "services"), *v;
	unsigned name = fields_widest(list, "name", "NAME"), state = fields_widest(list, "state", "STATE");
	size_t i, n;
	text_pad(out, "NAME", name + 2);
	text_pad(out, "STATE", state + 2);
	buf_add(out, "  SINCE    MEMORY\n");
	unsigned column = name + 2 + state + 2 + 7 + 2 + 8 + 2;
	yyjson_arr_foreach(list, i, n, v)
	{
		text_pad(out, field_str(v, "name"), name + 2);
		text_pad(out, field_str(v, "state"), state + 2);
		since(out, field_u64(v, "since_ms"));
		gap(out);
		memory(out, field_u64(v, "memory"));
		gap(out);
		service_about(v, (struct text_at){column, column, width}, out);
	}
}

static void facts(yyjson_val *root, unsigned width, struct buf *out)
{
	yyjson_val *list = yyjson_obj_get(root, "facts"), *v;
	unsigned name = fields_widest(list, "name", "NAME"), value = fields_widest(list, "value", "VALUE");
	unsigned column = name + 2 + value + 2 + 7 + 2;
	size_t i, n;
	text_pad(out, "NAME", name + 2);
	text_pad(out, "VALUE", value + 2);
	buf_add(out, "  SINCE\n");
	yyjson_arr_foreach(list, i, n, v)
	{
		text_pad(out, field_str(v, "name"), name + 2);
		text_pad(out, field_str(v, "value"), value + 2);
		since(out, field_u64(v, "age_ms"));
		if (field_str(v, "detail")[0])
			gap(out);
		text_wrap(out, field_str(v, "detail"), (struct text_at){column, column, width});
	}
}

/* "trial, 2 left, running" */
static void slot_state(yyjson_val *v, struct buf *out)
{
	buf_add(out, field_str(v, "state"));
	if (str_eq(field_str(v, "state"), "trial"))
		buf_addf(out, ", %" PRIu64 " left", field_u64(v, "left"));
	if (yyjson_get_bool(yyjson_obj_get(v, "running")))
		buf_add(out, ", running");
}

static void slots(yyjson_val *root, unsigned width, struct buf *out)
{
	yyjson_val *list = yyjson_obj_get(root, "slots"), *v;
	unsigned version = fields_widest(list, "version", "VERSION");
	char text[64];
	size_t i, n;
	struct buf b;
	buf_add(out, "SLOT  ");
	text_pad(out, "VERSION", version + 2);
	buf_add(out, "GENERATION  STATE\n");
	yyjson_arr_foreach(list, i, n, v)
	{
		text_pad(out, field_str(v, "slot"), 6);
		text_pad(out, field_str(v, "version"), version + 2);
		buf_init(&b, text, sizeof(text));
		buf_addf(&b, "%" PRIu64, field_u64(v, "generation"));
		text_pad_left(out, text, 10);
		gap(out);
		buf_init(&b, text, sizeof(text));
		slot_state(v, &b);
		text_wrap(out, text, (struct text_at){6 + version + 2 + 10 + 2, 8, width});
	}
}

/* "12:00:00  service  web: ready" */
static void event(yyjson_val *v, unsigned width, struct buf *out)
{
	const char *time = field_str(v, "time"), *name = field_str(v, "name"), *text = field_str(v, "text");
	struct text_at at = {19, 19, width};
	if (strlen(time) >= 19 && time[10] == 'T')
		text_clean(out, time + 11, 8);
	else
		text_blanks(out, 8);
	gap(out);
	text_pad(out, field_str(v, "kind"), 7);
	gap(out);
	char line[1024];
	struct buf b;
	buf_init(&b, line, sizeof(line));
	buf_addf(&b, "%s%s%s", name, name[0] ? ": " : "", text);
	text_wrap(out, line, at);
}

static void events(yyjson_val *root, unsigned width, struct buf *out)
{
	yyjson_val *v;
	size_t i, n;
	yyjson_arr_foreach(yyjson_obj_get(root, "events"), i, n, v)
	{
		event(v, width, out);
	}
}

static void status(yyjson_val *root, unsigned width, struct buf *out)
{
	status_render(root, NULL, width, out);
}

static const struct {
	const char *command, *needs; /* needs: the member that makes it this answer */
	void (*fn)(yyjson_val *root, unsigned width, struct buf *out);
} known[] = {
	{"help", "commands", help},      {"services", "services", services},
	{"facts", "facts", facts},       {"events", "events", events},
	{"status", "system", status},    {"apps", "apps", render_apps},
	{"apps", "objects", render_app}, {"apps", "diff", render_diff},
	{"pods", "pods", render_pods},   {"boots", "boots", render_boots},
	{"slots", "slots", slots},       {"snapshots", "snapshots", render_snapshots},
};

int render_answer(const char *command, const char *json, unsigned width, struct buf *out)
{
	yyjson_doc *doc = fields_read(json);
	if (!doc)
		return -1;
	yyjson_val *root = yyjson_doc_get_root(doc);
	size_t i = 0;
	while (i < COUNT_OF(known) && !(str_eq(known[i].command, command) && yyjson_obj_get(root, known[i].needs)))
		i++;
	if (i < COUNT_OF(known))
		known[i].fn(root, width, out);
	else if (yyjson_obj_size(root) == 1 && yyjson_is_str(yyjson_obj_get(root, "message")))
		text_wrap(out, field_str(root, "message"), (struct text_at){0, 2, width});
	else
		generic(root, 0, width, out);
	yyjson_doc_free(doc);
	return 0;
}

int render_event(const char *json, unsigned width, struct buf *out)
{
	yyjson_doc *doc = fields_read(json);
	if (!doc)
		return -1;
	event(yyjson_doc_get_root(doc), width, out);
	yyjson_doc_free(doc);
	return 0;
}
