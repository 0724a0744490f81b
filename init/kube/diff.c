/* A walk over two JSON documents side by side, without recursion. Pure; runs in the kube role. */
#include "kube/diff.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"

struct level {
	yyjson_val *want, *is; /* both mappings, or both lists */
	size_t at;             /* member or element to look at next: those of want, then those that only `is` has */
	size_t field;          /* length of its name */
};

struct walk {
	struct level level[DIFF_DEPTH];
	unsigned depth;
	char field[DIFF_FIELD];
	struct buf name;
	unsigned count;
	diff_fn *fn;
	void *arg;
};

static bool is_left_out(const char *field)
{
	static const char *const names[] = {
		".status",       ".metadata.managedFields", ".metadata.resourceVersion",  ".metadata.generation",
		".metadata.uid", ".metadata.selfLink",      ".metadata.creationTimestamp"};
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (str_eq(field, names[i]))
			return true;
	}
	return false;
}

static void value_text(yyjson_val *v, char *text)
{
	struct buf b;
	buf_init(&b, text, DIFF_VALUE);
	char *json = v && !yyjson_is_str(v) ? yyjson_val_write(v, 0, NULL) : NULL;
	const char *s = yyjson_is_str(v) ? yyjson_get_str(v) : json;
	if (s)
		buf_add(&b, s);
	if (!buf_ok(&b))
		memcpy(text + DIFF_VALUE - 4, "...", 4);
	free(json);
}

static void tell(struct walk *w, yyjson_val *want, yyjson_val *is)
{
	char a[DIFF_VALUE], b[DIFF_VALUE];
	value_text(want, a);
	value_text(is, b);
	w->count++;
	w->fn(w->field, a, b, w->arg);
}

static void compare(struct walk *w, yyjson_val *want, yyjson_val *is)
{
	bool both = (yyjson_is_obj(want) && yyjson_is_obj(is)) || (yyjson_is_arr(want) && yyjson_is_arr(is));
	if (is_left_out(w->field))
		return;
	if (both && w->depth < DIFF_DEPTH)
		w->level[w->depth++] = (struct level){want, is, 0, w->name.len};
	else if (!yyjson_equals(want, is))
		tell(w, want, is);
}

static void set_name(struct walk *w, size_t from, const char *key, size_t index)
{
	w->name.len = from;
	w->field[from] = '\0';
	if (key)
		buf_addf(&w->name, ".%s", key);
	else
		buf_addf(&w->name, "[%zu]", index);
	if (!buf_ok(&w->name))
		memcpy(w->field + DIFF_FIELD - 4, "...", 4);
}

/* The n-th member: of want first, then those that only `is` has. False: there is none. */
static bool member(const struct level *l, size_t n, yyjson_val **key, bool *skip)
{
	size_t wants = yyjson_obj_size(l->want);
	yyjson_val *of = n < wants ? l->want : l->is;
	size_t index = n < wants ? n : n - wants;
	yyjson_obj_iter it;
	if (index >= yyjson_obj_size(of))
		return false;
	yyjson_obj_iter_init(of, &it);
	do
		*key = yyjson_obj_iter_next(&it);
	while (index-- > 0);
	*skip = n >= wants && yyjson_obj_get(l->want, yyjson_get_str(*key)) != NULL;
	return true;
}

static void step_map(struct walk *w, struct level *l)
{
	yyjson_val *key = NULL;
	bool skip = false;
	if (!member(l, l->at++, &key, &skip)) {
		w->depth--;
		return;
	}
	if (skip)
		return;
	const char *name = yyjson_get_str(key);
	set_name(w, l->field, name, 0);
	compare(w, yyjson_obj_get(l->want, name), yyjson_obj_get(l->is, name));
}

static void step_list(struct walk *w, struct level *l)
{
	size_t i = l->at++;
	if (i >= yyjson_arr_size(l->want) && i >= yyjson_arr_size(l->is)) {
		w->depth--;
		return;
	}
	set_name(w, l->field, NULL, i);
	compare(w, yyjson_arr_get(l->want, i), yyjson_arr_get(l->is, i));
}

unsigned diff_objects(yyjson_val *want, yyjson_val *is, diff_fn *fn, void *arg)
{
	struct walk w = {.fn = fn, .arg = arg};
	buf_init(&w.name, w.field, sizeof(w.field));
	compare(&w, want, is);
	while (w.depth > 0) {
		struct level *l = &w.level[w.depth - 1];
		w.name.overflow = false;
		if (yyjson_is_obj(l->want))
			step_map(&w, l);
		else
			step_list(&w, l);
	}
	return w.count;
}
