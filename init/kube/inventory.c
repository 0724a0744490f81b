/* The ApplySet's parent, and pruning as a walk over group-kinds. Pure; runs in the kube role.
 * It must never delete an object that it has not just read with our label on it. */
#include "kube/inventory.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "format/json.h"

#define ANNOTATION_KINDS "applyset.kubernetes.io/contains-group-kinds"
#define ANNOTATION_TOOL  "applyset.kubernetes.io/tooling"
#define ANNOTATION_NS    "applyset.kubernetes.io/additional-namespaces"
#define LABEL_ID         "applyset.kubernetes.io/id"

static struct inventory_kind *find_kind(struct inventory *inv, const char *group, const char *kind)
{
	for (unsigned i = 0; i < inv->kinds; i++) {
		if (str_eq(inv->kind[i].kind, kind) && str_eq(inv->kind[i].group, group))
			return &inv->kind[i];
	}
	return NULL;
}

static int add_kind(struct inventory *inv, const char *group, const char *kind, bool now, struct err *e)
{
	if (find_kind(inv, group, kind))
		return 0;
	if (inv->kinds == INVENTORY_KINDS)
		return err_set(e, ENOSPC, "more than %d kinds of objects", INVENTORY_KINDS);
	inv->kind[inv->kinds++] = (struct inventory_kind){group, kind, now};
	return 0;
}

int inventory_init(struct inventory *inv, const struct manifest *m, struct err *e)
{
	memset(inv, 0, sizeof(*inv));
	inv->m = m;
	for (unsigned i = 0; i < m->count; i++) {
		if (add_kind(inv, m->object[i].group, m->object[i].kind, true, e) < 0)
			return -1;
	}
	return 0;
}

/* One "Kind.group" of n bytes from the parent's list. */
static int read_kind(struct inventory *inv, const char *text, size_t n, struct err *e)
{
	const char *dot = memchr(text, '.', n);
	size_t kind_len = dot ? (size_t)(dot - text) : n;
	char *at = inv->text + inv->text_len;
	if (kind_len == 0)
		return 0;
	if (n + 2 > sizeof(inv->text) - inv->text_len)
		return err_set(e, ENOSPC, "its list of kinds is longer than %zu bytes", sizeof(inv->text));
	memcpy(at, text, n);
	at[kind_len] = at[n] = '\0';
	at[n + 1] = '\0';
	const char *group = dot ? at + kind_len + 1 : at + n;
	if (find_kind(inv, group, at))
		return 0;
	inv->text_len += n + 2;
	return add_kind(inv, group, at, false, e);
}

int inventory_read(struct inventory *inv, yyjson_val *parent, struct err *e)
{
	static const char notes[] = "/metadata/annotations";
	const char *tool = object_key(parent, notes, ANNOTATION_TOOL);
	const char *kinds = object_key(parent, notes, ANNOTATION_KINDS);
	const char *paused = object_key(parent, notes, INVENTORY_PAUSED);
	if (tool[0] && !str_starts(tool, "hearth/"))
		return err_set(e, EPERM, "ConfigMap " INVENTORY_NS "/" INVENTORY_NAME " belongs to the tool '%s'",
		               tool);
	for (const char *p = kinds; *p;) {
		size_t n = strcspn(p, ",");
		if (read_kind(inv, p, n, e) < 0)
			return err_prefix(e, "ConfigMap " INVENTORY_NS "/" INVENTORY_NAME);
		p += n + (p[n] == ',');
	}
	const char *shrink = object_key(parent, notes, INVENTORY_SHRINK);
	inv->shrink = strlen(shrink) >= INVENTORY_SHORT && str_starts(inv->m->revision, shrink);
	if (str_copy(inv->paused, sizeof(inv->paused), paused) < 0)
		return err_set(e, ENOSPC, "the list of paused apps is longer than %zu bytes", sizeof(inv->paused));
	return 0;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The group-kinds, sorted, as the annotation wants them. */
static void add_kinds(const struct inventory *inv, bool exact, struct buf *out)
{
	const char *name[INVENTORY_KINDS] = {NULL};
	char text[INVENTORY_TEXT];
	struct buf b;
	unsigned n = 0;
	buf_init(&b, text, sizeof(text));
	for (unsigned i = 0; i < inv->kinds; i++) {
		if (exact && !inv->kind[i].now)
			continue;
		name[n++] = b.data + b.len;
		object_group_kind(&b, inv->kind[i].group, inv->kind[i].kind);
		buf_add_n(&b, "", 1);
	}
	qsort(name, n, sizeof(name[0]), by_text);
	for (unsigned i = 0; i < n; i++)
		buf_addf(out, "%s%s", i > 0 ? "," : "", name[i]);
	out->overflow |= b.overflow;
}

/* Namespaces of the objects beside the parent's own, sorted. */
static void add_namespaces(const struct inventory *inv, struct buf *out)
{
	const char *last = "";
	size_t before = out->len;
	for (;;) {
		const char *next = NULL;
		for (unsigned i = 0; i < inv->m->count; i++) {
			const char *ns = inv->m->object[i].namespace;
			if (strcmp(ns, last) > 0 && !str_eq(ns, INVENTORY_NS) && (!next || strcmp(ns, next) < 0))
				next = ns;
		}
		if (!next)
			return;
		buf_addf(out, "%s%s", out->len > before ? "," : "", next);
		last = next;
	}
}

int inventory_body(const struct inventory *inv, bool exact, struct buf *out, struct err *e)
{
	char kinds[INVENTORY_TEXT], namespaces[INVENTORY_TEXT];
	struct buf k, n;
	struct json j;
	buf_init(&k, kinds, sizeof(kinds));
	buf_init(&n, namespaces, sizeof(namespaces));
	add_kinds(inv, exact, &k);
	add_namespaces(inv, &n);
	json_init(&j, out);
	json_open_object(&j, NULL);
	json_string(&j, "apiVersion", "v1");
	json_string(&j, "kind", "ConfigMap");
	json_open_object(&j, "metadata");
	json_string(&j, "name", INVENTORY_NAME);
	json_string(&j, "namespace", INVENTORY_NS);
	json_open_object(&j, "labels");
	json_string(&j, LABEL_ID, INVENTORY_ID);
	json_close_object(&j);
	json_open_object(&j, "annotations");
	json_string(&j, ANNOTATION_TOOL, INVENTORY_TOOLING);
	json_string(&j, ANNOTATION_KINDS, kinds);
	json_string(&j, ANNOTATION_NS, namespaces);
	json_string(&j, INVENTORY_PAUSED, inv->paused);
	json_close_object(&j);
	json_close_object(&j);
	json_close_object(&j);
	if (!buf_ok(&k) || !buf_ok(&n) || !json_ok(&j))
		return err_set(e, ENOSPC, "the inventory does not fit into one object");
	return 0;
}

/* Where app stands in the list, or NULL. */
static const char *find_paused(const struct inventory *inv, const char *app)
{
	size_t len = strlen(app);
	for (const char *p = inv->paused; *p;) {
		size_t n = strcspn(p, ",");
		if (n == len && memcmp(p, app, n) == 0)
			return p;
		p += n + (p[n] == ',');
	}
	return NULL;
}

bool inventory_paused(const struct inventory *inv, const char *app)
{
	return app[0] != '\0' && find_paused(inv, app) != NULL;
}

static void take_out(struct inventory *inv, const char *app)
{
	size_t at = (size_t)(find_paused(inv, app) - inv->paused);
	size_t n = strcspn(inv->paused + at, ",");
	if (inv->paused[at + n] == ',')
		n++;
	else if (at > 0) {
		at--; /* the comma before the last one */
		n++;
	}
	memmove(inv->paused + at, inv->paused + at + n, strlen(inv->paused + at + n) + 1);
}

int inventory_pause(struct inventory *inv, const char *app, bool paused, struct err *e)
{
	size_t have = strlen(inv->paused), n = strlen(app);
	if (n == 0 || strchr(app, ','))
		return err_set(e, EINVAL, "'%s' cannot be paused: no such name", app);
	if (inventory_paused(inv, app) == paused)
		return 0;
	if (!paused) {
		take_out(inv, app);
		return 0;
	}
	if (have + n + 2 > sizeof(inv->paused))
		return err_set(e, ENOSPC, "too many apps are paused");
	if (have > 0)
		inv->paused[have++] = ',';
	memcpy(inv->paused + have, app, n + 1);
	return 0;
}

/* --- pruning ---------------------------------------------------------------------------------- */

static void forget_page(struct prune *p)
{
	for (unsigned i = 0; i < p->dooms; i++)
		free(p->doomed[i].ns);
	p->dooms = p->next = 0;
}

void prune_stop(struct prune *p)
{
	forget_page(p);
	p->phase = PRUNE_IDLE;
}

static void skip_clean(struct prune *p)
{
	const struct inventory_kind *k = p->inv->kind;
	while (p->at < p->inv->kinds && p->ops->clean(k[p->at].group, k[p->at].kind, p->arg))
		p->at++;
}

/* The counting is done: may the rest be deleted? */
static bool guard(const struct prune *p)
{
	if (p->inv->shrink)
		return true;
	return p->leaving * 2 <= p->members; /* an empty set has no member that would stay */
}

/* All kinds have been looked at in this phase. */
static void end_phase(struct prune *p)
{
	bool counted = p->phase == PRUNE_COUNT && p->leaving > 0;
	p->refused = counted && !guard(p);
	p->phase = counted && !p->refused ? PRUNE_DELETE : PRUNE_IDLE;
	p->at = 0;
	if (p->phase == PRUNE_DELETE)
		skip_clean(p);
	/* What was counted a moment ago may be gone, and its kind be clean. */
	if (p->at == p->inv->kinds)
		p->phase = PRUNE_IDLE;
}

static void next_kind(struct prune *p)
{
	p->more[0] = '\0';
	p->at++;
	skip_clean(p);
	if (p->at == p->inv->kinds)
		end_phase(p);
}

void prune_begin(struct prune *p, const struct inventory *inv, const struct prune_ops *ops, void *arg)
{
	prune_stop(p);
	memset(p, 0, sizeof(*p));
	p->inv = inv;
	p->ops = ops;
	p->arg = arg;
	p->members = inv->m->count;
	p->phase = PRUNE_COUNT;
	skip_clean(p);
	if (p->at == inv->kinds)
		end_phase(p);
}

static void remove_body(struct prune *p, const struct prune_doomed *d)
{
	struct buf b;
	struct json j;
	buf_init(&b, p->text, sizeof(p->text));
	json_init(&j, &b);
	json_open_object(&j, NULL);
	json_string(&j, "kind", "DeleteOptions");
	json_string(&j, "apiVersion", "v1");
	json_string(&j, "propagationPolicy", "Background");
	json_open_object(&j, "preconditions");
	json_string(&j, "uid", d->uid); /* not one that was made anew under this name since */
	json_close_object(&j);
	json_close_object(&j);
}

struct prune_request prune_next(struct prune *p)
{
	struct prune_request r = {PRUNE_END, NULL, NULL, "", "", p->text};
	struct buf b;
	p->text[0] = '\0';
	if (p->phase == PRUNE_IDLE)
		return r;
	r.group = p->inv->kind[p->at].group;
	r.kind = p->inv->kind[p->at].kind;
	if (p->next < p->dooms) {
		r.what = PRUNE_REMOVE;
		r.ns = p->doomed[p->next].ns;
		r.name = p->doomed[p->next].name;
		remove_body(p, &p->doomed[p->next]);
		return r;
	}
	r.what = PRUNE_LIST;
	buf_init(&b, p->text, sizeof(p->text));
	buf_add(&b, INVENTORY_SELECTOR);
	buf_addf(&b, "&limit=%d", PRUNE_PAGE);
	if (p->more[0]) {
		buf_add(&b, "&continue=");
		object_escape(&b, p->more);
	}
	return r;
}

static bool is_protected(const struct object_id *id)
{
	static const char *const kinds[][2] = {{"", "PersistentVolumeClaim"},
	                                       {"", "PersistentVolume"},
	                                       {"", "Namespace"},
	                                       {"apiextensions.k8s.io", "CustomResourceDefinition"}};
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		if (str_eq(id->group, kinds[i][0]) && str_eq(id->kind, kinds[i][1]))
			return true;
	}
	return false;
}

static bool doom(struct prune *p, const struct object_id *id, const char *uid)
{
	size_t ns = strlen(id->ns) + 1, name = strlen(id->name) + 1, all = ns + name + strlen(uid) + 1;
	char *text = p->dooms < PRUNE_PAGE ? malloc(all) : NULL;
	if (!text)
		return false;
	memcpy(text, id->ns, ns);
	memcpy(text + ns, id->name, name);
	memcpy(text + ns + name, uid, all - ns - name);
	p->doomed[p->dooms++] = (struct prune_doomed){text, text + ns, text + ns + name};
	return true;
}

static void judge(struct prune *p, yyjson_val *object)
{
	const struct inventory_kind *k = &p->inv->kind[p->at];
	struct object_id id = object_id_of(object, k->group, k->kind);
	const char *uid = object_str(object, "/metadata/uid");
	bool counting = p->phase == PRUNE_COUNT;
	/* The server was asked for this label alone; trusting that is not enough for a deletion. */
	if (!str_eq(object_key(object, "/metadata/labels", INVENTORY_LABEL), INVENTORY_ID) || !id.name[0] || !uid[0])
		return;
	if (p->ops->wanted(&id, p->arg))
		return;
	if (object_str(object, "/metadata/deletionTimestamp")[0])
		return;
	if (inventory_paused(p->inv, object_key(object, "/metadata/labels", MANIFEST_LABEL)))
		return;
	if (is_protected(&id) && !str_eq(object_key(object, "/metadata/annotations", INVENTORY_PRUNE), "true")) {
		p->kept += counting;
		if (counting)
			p->ops->tell(&id, "left the set; kept, because it may hold data", p->arg);
		return;
	}
	if (counting) {
		p->leaving++;
		p->members++;
	} else if (!doom(p, &id, uid)) {
		p->incomplete = true;
	}
}

void prune_listed(struct prune *p, yyjson_val *list)
{
	yyjson_arr_iter it;
	yyjson_val *object;
	const char *more = object_str(list, "/metadata/continue");
	if (p->phase == PRUNE_IDLE)
		return;
	forget_page(p);
	yyjson_arr_iter_init(yyjson_obj_get(list, "items"), &it);
	while ((object = yyjson_arr_iter_next(&it)) != NULL)
		judge(p, object);
	if (str_copy(p->more, sizeof(p->more), more) < 0)
		p->incomplete = true;
	if (p->dooms == 0 && p->more[0] == '\0')
		next_kind(p);
}

static void next_doomed(struct prune *p)
{
	if (++p->next < p->dooms)
		return;
	forget_page(p);
	if (p->more[0] == '\0')
		next_kind(p);
}

void prune_removed(struct prune *p)
{
	if (p->next >= p->dooms)
		return;
	const struct inventory_kind *k = &p->inv->kind[p->at];
	const struct prune_doomed *d = &p->doomed[p->next];
	const struct object_id id = {k->group, k->kind, d->ns, d->name};
	p->deleted++;
	p->ops->tell(&id, "left the set; deleted", p->arg);
	next_doomed(p);
}

void prune_skip(struct prune *p, bool failed)
{
	if (p->phase == PRUNE_IDLE)
		return;
	p->incomplete |= failed;
	if (p->next < p->dooms)
		next_doomed(p);
	else
		next_kind(p);
}
