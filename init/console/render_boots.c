/* How runs ended as text. Runs in the console and ctl roles. Does no I/O. */
#include "console/render_boots.h"

#include <string.h>

#include "console/fields.h"
#include "console/text.h"

#define RAN    7
#define SLOT   4
#define REASON 4 /* columns in front of the reason, on a line of its own */

static const char *or_dash(const char *s)
{
	return s[0] ? s : "-";
}

static void ran(yyjson_val *v, struct buf *out)
{
	char text[24];
	struct buf b;
	buf_init(&b, text, sizeof(text));
	text_duration(&b, field_u64(v, "uptime") * 1000, 1);
	text_pad_left(out, text, RAN);
	buf_add(out, "  ");
}

void render_boots(yyjson_val *root, unsigned width, struct buf *out)
{
	yyjson_val *list = yyjson_obj_get(root, "boots"), *v;
	unsigned version = fields_widest(list, "version", "VERSION"), kind = fields_widest(list, "kind", "KIND");
	size_t i, n;
	text_pad(out, "ENDED", TEXT_MINUTE + 2);
	text_pad_left(out, "RAN", RAN);
	buf_add(out, "  SLOT  ");
	text_pad(out, "VERSION", version + 2);
	text_pad(out, "KIND", kind + 2);
	buf_add(out, "WELL\n");
	yyjson_arr_foreach(list, i, n, v)
	{
		text_minute(out, field_str(v, "time"));
		ran(v, out);
		text_pad(out, or_dash(field_str(v, "slot")), SLOT + 2);
		text_pad(out, or_dash(field_str(v, "version")), version + 2);
		text_pad(out, field_str(v, "kind"), kind + 2);
		buf_add(out, field_bool(v, "well") ? "yes\n" : "no\n");
		text_blanks(out, REASON);
		text_wrap(out, field_str(v, "reason"), (struct text_at){REASON, REASON, width});
	}
}
