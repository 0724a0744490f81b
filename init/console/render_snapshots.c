/* Copies of volumes as text. Runs in the console and ctl roles. Does no I/O. */
#include "console/render_snapshots.h"

#include "base/str.h"
#include "console/fields.h"
#include "console/text.h"

#define SIZE 8

static void size(yyjson_val *v, struct buf *out)
{
	char text[24];
	struct buf b;
	buf_init(&b, text, sizeof(text));
	text_size(&b, field_u64(v, "size"));
	text_pad_left(out, text, SIZE);
	text_blanks(out, 2);
}

static void table(yyjson_val *list, unsigned width, struct buf *out)
{
	unsigned name = fields_widest(list, "name", "NAME");
	unsigned column = name + 2 + TEXT_MINUTE + 2 + SIZE + 2;
	char text[512];
	size_t i, n;
	yyjson_val *v;
	struct buf b;
	text_pad(out, "NAME", name + 2);
	text_pad(out, "TAKEN", TEXT_MINUTE + 2);
	text_pad_left(out, "SIZE", SIZE);
	buf_add(out, "  WHY\n");
	yyjson_arr_foreach(list, i, n, v)
	{
		text_pad(out, field_str(v, "name"), name + 2);
		text_minute(out, field_str(v, "taken"));
		size(v, out);
		buf_init(&b, text, sizeof(text));
		buf_addf(&b, "%s%s", field_str(v, "why"),
		         field_bool(v, "restore") ? "; goes back at the next start" : "");
		text_wrap(out, text, (struct text_at){column, 4, width});
	}
}

static void sentence(struct buf *out, const char *text, const char *why, unsigned width)
{
	char line[512];
	struct buf b;
	buf_init(&b, line, sizeof(line));
	buf_addf(&b, "%s%s", text, why);
	text_wrap(out, line, (struct text_at){0, 2, width});
}

void render_snapshots(yyjson_val *root, unsigned width, struct buf *out)
{
	yyjson_val *list = yyjson_obj_get(root, "snapshots");
	const char *next = field_str(root, "next"), *update = field_str(root, "update");
	if (yyjson_arr_size(list) > 0)
		table(list, width, out);
	else
		sentence(out, "There is no copy of a volume.", "", width);
	if (next[0])
		sentence(out, "At the next start every volume is copied: ", next, width);
	if (update[0])
		sentence(out, "At the first start of the new version every volume is copied: ", update, width);
	if (yyjson_arr_size(list) == 0 && !next[0] && !update[0])
		sentence(out,
		         "'snapshots take' makes some at the next start, 'update install --snapshot' with an update.",
		         "", width);
}
