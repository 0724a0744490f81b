/* Boot progress from status answers. Runs in the console role. Pure. */
#include "console/progress.h"

#include <string.h>

#include "base/str.h"
#include "console/fields.h"
#include "console/text.h"

#define MARK    7 /* columns of "[ ok ] " */
#define TIME    8 /* columns of "  59 min" */
#define SLOW_MS 100

void progress_init(struct progress *p)
{
	memset(p, 0, sizeof(*p));
	p->booting = true;
}

static char *told(struct progress *p, const char *name)
{
	for (unsigned i = 0; i < p->stages; i++)
		if (str_eq(p->stage[i].name, name))
			return &p->stage[i].told;
	if (p->stages == PROGRESS_STAGES || str_copy(p->stage[p->stages].name, LIMIT_NAME, name))
		return NULL;
	return &p->stage[p->stages++].told;
}

static void stage_line(yyjson_val *v, char state, unsigned width, struct buf *out)
{
	char text[512];
	struct buf b;
	buf_init(&b, text, sizeof(text));
	buf_add(&b, field_str(v, "name"));
	if (field_str(v, "detail")[0])
		buf_addf(&b, ": %s", field_str(v, "detail"));
	uint64_t ms = field_u64(v, "ms");
	if (state == 'o' && ms >= SLOW_MS) {
		buf_add(&b, " (");
		text_duration(&b, ms, 1);
		buf_add_char(&b, ')');
	}
	buf_add(out, state == 'o' ? "[ ok ] " : "[fail] ");
	text_wrap(out, text, (struct text_at){MARK, MARK, width});
}

static void stages(struct progress *p, yyjson_val *root, unsigned width, struct buf *out)
{
	size_t i, n;
	yyjson_val *v;
	yyjson_arr_foreach(yyjson_obj_get(root, "stages"), i, n, v)
	{
		const char *state = field_str(v, "state");
		char now = str_eq(state, "done") ? 'o' : str_eq(state, "failed") ? 'f' : 0;
		char *before = told(p, field_str(v, "name"));
		if (!now || !before || *before == now)
			continue;
		*before = now;
		stage_line(v, now, width, out);
	}
}

/* FNV-1a: tells texts apart, nothing more. */
static uint64_t hash(const char *s)
{
	uint64_t h = 14695981039346656037u;
	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 1099511628211u;
	return h;
}

static bool is_new_problem(struct progress *p, const char *text)
{
	uint64_t h = hash(text);
	unsigned kept = p->problems < PROGRESS_PROBLEMS ? p->problems : PROGRESS_PROBLEMS;
	for (unsigned i = 0; i < kept; i++)
		if (p->problem[i] == h)
			return false;
	p->problem[p->problems++ % PROGRESS_PROBLEMS] = h;
	return true;
}

static void problems(struct progress *p, yyjson_val *root, unsigned width, struct buf *out)
{
	size_t i, n;
	yyjson_val *v;
	yyjson_arr_foreach(yyjson_obj_get(root, "problems"), i, n, v)
	{
		const char *text = yyjson_get_str(v);
		if (!text || !is_new_problem(p, text))
			continue;
		buf_add(out, "problem: ");
		text_wrap(out, text, (struct text_at){9, 2, width});
	}
}

static yyjson_val *running_stage(yyjson_val *root)
{
	size_t i, n;
	yyjson_val *v;
	yyjson_arr_foreach(yyjson_obj_get(root, "stages"), i, n, v)
	{
		if (str_eq(field_str(v, "state"), "running"))
			return v;
	}
	return NULL;
}

/* One row, or it could not be drawn over: a long sentence first loses what the mark says too, then its end, never the
 * time, for which room is kept so that the row stays the same while time goes by. */
static void fit(struct buf *text, unsigned width)
{
	static const char said[] = "waiting for ";
	unsigned room = width > MARK + TIME + 3 ? width - MARK - TIME : 0;
	char *again = strstr(text->data, said);
	if (!room || text_columns(text->data) <= room)
		return;
	if (again) {
		memmove(again, again + sizeof(said) - 1, strlen(again + sizeof(said) - 1) + 1);
		text->len -= sizeof(said) - 1;
	}
	unsigned have = text_columns(text->data);
	if (have <= room || text->len <= have - room + 3)
		return;
	text->len -= have - room + 3;
	text->data[text->len] = '\0';
	buf_add(text, "...");
}

/* "[ .. ] network: waiting for an address (eth0: no cable)  12 s" */
static void waiting_line(yyjson_val *root, unsigned width, struct buf *out)
{
	char text[512], time[24];
	struct buf b, t;
	yyjson_val *stage = running_stage(root);
	buf_init(&b, text, sizeof(text));
	buf_init(&t, time, sizeof(time));
	if (field_str(root, "waiting")[0])
		text_clean(&b, field_str(root, "waiting"), strlen(field_str(root, "waiting")));
	else if (stage)
		text_clean(&b, field_str(stage, "name"), strlen(field_str(stage, "name")));
	else
		return;
	if (stage && field_u64(stage, "ms") >= 1000) {
		buf_add(&t, "  ");
		text_duration(&t, field_u64(stage, "ms"), 1);
	}
	buf_add(out, "[ .. ] ");
	fit(&b, width);
	buf_add(out, text);
	buf_add(out, time);
}

int progress_update(struct progress *p, const char *status, unsigned width, struct buf *lines, struct buf *waiting)
{
	yyjson_doc *doc = fields_read(status);
	if (!doc)
		return -1;
	yyjson_val *root = yyjson_doc_get_root(doc);
	size_t before = lines->len;
	p->booting = str_eq(field_str(root, "system"), "booting");
	bool late = !p->known && !p->booting;
	p->known = true;
	stages(p, root, width, lines);
	problems(p, root, width, lines);
	if (late) {
		lines->len = before;
		lines->data[before] = '\0';
	}
	if (p->booting)
		waiting_line(root, width, waiting);
	yyjson_doc_free(doc);
	return 0;
}
