/* The table of the engine's objects. Runs in the kube role; its memory is taken once, when the manifests are read. */
#include "kube/items.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

struct object_id items_id(const struct items *t, unsigned index)
{
	const struct manifest_object *o = &t->m->object[index];
	struct object_id id = {o->group, o->kind, o->namespace, o->name};
	return id;
}

int items_find(const struct items *t, const struct object_id *id)
{
	for (uint32_t at = object_hash(id);; at++) { /* ends: half of the slots are free */
		unsigned found = t->slot[at & (t->slots - 1)];
		if (found == 0)
			return -1;
		struct object_id other = items_id(t, found - 1);
		if (object_same(&other, id))
			return (int)found - 1;
	}
}

static void index_item(struct items *t, unsigned i)
{
	struct object_id id = items_id(t, i);
	uint32_t at = object_hash(&id);
	while (t->slot[at & (t->slots - 1)] != 0)
		at++;
	t->slot[at & (t->slots - 1)] = (uint16_t)(i + 1);
}

int items_find_app(const struct items *t, const char *app)
{
	for (unsigned i = 0; i < t->apps; i++) {
		if (str_eq(t->app[i].name, app))
			return (int)i;
	}
	return -1;
}

static int add_app(struct items *t, unsigned i, struct err *e)
{
	int app = items_find_app(t, t->m->object[i].app);
	if (app < 0) {
		if (t->apps == ITEMS_APPS)
			return err_set(e, ENOSPC, "more than %d apps", ITEMS_APPS);
		app = (int)t->apps++;
		t->app[app].name = t->m->object[i].app;
	}
	t->item[i].app = (uint8_t)app;
	return 0;
}

static int add_item(struct items *t, unsigned i, struct err *e)
{
	struct object_id id = items_id(t, i);
	char text[ERR_TEXT];
	struct buf b;
	if (items_find(t, &id) < 0) {
		index_item(t, i);
		return add_app(t, i, e);
	}
	buf_init(&b, text, sizeof(text));
	object_text(&b, &id);
	return err_set(e, EEXIST, "%s stands twice in the manifests", text);
}

int items_init(struct items *t, const struct manifest *m, struct err *e)
{
	memset(t, 0, sizeof(*t));
	t->m = m;
	t->slots = 64;
	while (t->slots < m->count * 2)
		t->slots *= 2;
	t->item = calloc(m->count + 1, sizeof(*t->item));
	t->slot = calloc(t->slots, sizeof(*t->slot));
	if (!t->item || !t->slot) {
		items_free(t);
		return err_set(e, ENOMEM, "no memory for %u objects", m->count);
	}
	for (unsigned i = 0; i < m->count; i++) {
		if (add_item(t, i, e) == 0)
			continue;
		items_free(t);
		return -1;
	}
	return 0;
}

void items_say(char **text, const char *value)
{
	if (*text && str_eq(*text, value))
		return;
	free(*text);
	*text = value[0] != '\0' ? strndup(value, HEALTH_TEXT - 1) : NULL;
}

void items_free(struct items *t)
{
	for (unsigned i = 0; t->item && i < t->m->count; i++) {
		free(t->item[i].why);
		free(t->item[i].problem);
	}
	free(t->item);
	free(t->slot);
	t->item = NULL;
	t->slot = NULL;
}

/* Current, by a status that may be of the last boot. */
static bool is_doubtful(const struct items *t, const struct item *it)
{
	const struct manifest_object *o = &t->m->object[it - t->item];
	return t->unseen && it->health == HEALTH_CURRENT && health_follows_pods(o->group, o->kind);
}

enum health items_health(const struct items *t, const struct item *it)
{
	return is_doubtful(t, it) ? HEALTH_IN_PROGRESS : (enum health)it->health;
}

const char *items_why(const struct items *t, const struct item *it)
{
	if (is_doubtful(t, it))
		return "its containers of this boot are not seen yet";
	return it->why ? it->why : "";
}

bool items_is_applied(const struct item *it)
{
	return it->state == ITEM_OVER || (it->revision != 0 && !it->problem);
}
