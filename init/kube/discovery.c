/* Aggregated discovery to a compact table, and questions to it. Runs in the kube role. Never keeps a pointer into an
 * answer, never lets a document that is broken half in. */
#include "kube/discovery.h"

#include <errno.h>
#include <string.h>
#include <yyjson.h>

#include "base/str.h"
#include "kube/retry.h"

#define ACCEPT       "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
#define TIMEOUT_MS   15000
#define TYPO_CHANGES 2 /* a kind so near to a known one is taken for a typing mistake */
#define LOWER        "abcdefghijklmnopqrstuvwxyz0123456789"
#define LETTERS      LOWER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

static const struct verb {
	const char *name;
	unsigned bit;
} verbs[] = {
	{"get", DISCOVERY_GET},       {"list", DISCOVERY_LIST},
	{"watch", DISCOVERY_WATCH},   {"create", DISCOVERY_CREATE},
	{"update", DISCOVERY_UPDATE}, {"patch", DISCOVERY_PATCH},
	{"delete", DISCOVERY_DELETE}, {"deletecollection", DISCOVERY_DELETE_COLLECTION},
};

static unsigned verb_bits(yyjson_val *list)
{
	unsigned bits = 0;
	size_t i, n;
	yyjson_val *v;

	yyjson_arr_foreach(list, i, n, v)
	{
		for (size_t k = 0; k < COUNT_OF(verbs); k++) {
			if (yyjson_equals_str(v, verbs[k].name))
				bits |= verbs[k].bit;
		}
	}
	return bits;
}

/* Names become parts of paths and messages: only what the API allows in them.
 */
static const char *name_of(yyjson_val *object, const char *key, const char *allowed)
{
	yyjson_val *v = yyjson_obj_get(object, key);
	const char *s = yyjson_get_str(v);

	return s && s[0] && strspn(s, allowed) == yyjson_get_len(v) ? s : NULL;
}

/* Offset of a copy; 0 (the empty text) when there is no room. */
static uint16_t keep(struct discovery_doc *d, const char *s)
{
	size_t n = strlen(s) + 1;

	if (n == 1 || n > sizeof(d->text) - d->text_len)
		return 0;
	uint16_t at = (uint16_t)d->text_len;
	memcpy(d->text + at, s, n);
	d->text_len += n;
	return at;
}

static int full(struct err *e)
{
	return err_set(e, ENOSPC, "discovery: the API server has more than %d kinds or %d bytes of names",
	               DISCOVERY_KINDS, DISCOVERY_TEXT);
}

static int add_row(struct discovery_doc *d, struct discovery_row row, const char *kind, const char *plural,
                   struct err *e)
{
	row.kind = keep(d, kind);
	row.plural = keep(d, plural);
	if (d->rows == DISCOVERY_KINDS || (kind[0] && (row.kind == 0 || row.plural == 0)))
		return full(e);
	d->row[d->rows++] = row;
	return 0;
}

/* A resource whose names are not as they must be is left out: one strange extension must not hide the rest. */
static int take_resource(struct discovery_doc *d, struct discovery_row row, yyjson_val *r, struct err *e)
{
	const char *plural = name_of(r, "resource", LOWER ".-");
	const char *kind = name_of(yyjson_obj_get(r, "responseKind"), "kind", LETTERS);

	if (!plural || !kind)
		return 0;
	row.verbs = (uint8_t)verb_bits(yyjson_obj_get(r, "verbs"));
	row.namespaced = yyjson_equals_str(yyjson_obj_get(r, "scope"), "Namespaced");
	return add_row(d, row, kind, plural, e);
}

static int take_version(struct discovery_doc *d, uint16_t group, yyjson_val *v, struct err *e)
{
	const char *name = name_of(v, "version", LOWER);
	yyjson_val *resources = yyjson_obj_get(v, "resources");
	struct discovery_row row = {.group = group};
	size_t i, n;
	yyjson_val *r;

	if (!name)
		return 0;
	row.version = keep(d, name);
	if (row.version == 0)
		return full(e);
	if (yyjson_arr_size(resources) == 0 && yyjson_equals_str(yyjson_obj_get(v, "freshness"), "Stale"))
		return add_row(d, row, "", "", e);
	yyjson_arr_foreach(resources, i, n, r)
	{
		if (take_resource(d, row, r, e) < 0)
			return -1;
	}
	return 0;
}

static int take_group(struct discovery_doc *d, yyjson_val *item, struct err *e)
{
	yyjson_val *meta = yyjson_obj_get(item, "metadata");
	const char *name = name_of(meta, "name", LOWER ".-"); /* none: the core group */
	uint16_t group = name ? keep(d, name) : 0;
	size_t i, n;
	yyjson_val *v;

	if (!name && yyjson_get_len(yyjson_obj_get(meta, "name")) > 0)
		return 0;
	if (name && group == 0)
		return full(e);
	yyjson_arr_foreach(yyjson_obj_get(item, "versions"), i, n, v)
	{
		if (take_version(d, group, v, e) < 0)
			return -1;
	}
	return 0;
}

static int take_list(struct discovery_doc *d, yyjson_val *root, struct err *e)
{
	yyjson_val *items = yyjson_obj_get(root, "items");
	size_t i, n;
	yyjson_val *item;

	if (!yyjson_equals_str(yyjson_obj_get(root, "kind"), "APIGroupDiscoveryList") ||
	    !yyjson_equals_str(yyjson_obj_get(root, "apiVersion"), "apidiscovery.k8s.io/v2") || !yyjson_is_arr(items))
		return err_set(e, EPROTO, "discovery: not an APIGroupDiscoveryList of version v2");
	yyjson_arr_foreach(items, i, n, item)
	{
		if (take_group(d, item, e) < 0)
			return -1;
	}
	return 0;
}

static void empty(struct discovery_doc *d)
{
	d->rows = 0;
	d->text[0] = '\0';
	d->text_len = 1;
	d->etag[0] = '\0';
}

int discovery_parse(struct discovery_doc *d, char *json, size_t len, struct err *e)
{
	yyjson_read_err why;

	empty(d);
	yyjson_doc *doc = yyjson_read_opts(json, len, YYJSON_READ_INSITU, NULL, &why);
	if (!doc)
		return err_set(e, EPROTO, "discovery: not JSON at byte %zu: %s", why.pos, why.msg);
	int rc = take_list(d, yyjson_doc_get_root(doc), e);
	yyjson_doc_free(doc);
	if (rc < 0)
		empty(d);
	return rc;
}

/* Both documents as one list. */
static const struct discovery_row *row_at(const struct discovery *d, size_t i, const struct discovery_doc **of)
{
	for (size_t k = 0; k < DISCOVERY_SOURCES; k++) {
		*of = &d->doc[k];
		if (i < d->doc[k].rows)
			return &d->doc[k].row[i];
		i -= d->doc[k].rows;
	}
	return NULL;
}

static void show(const struct discovery_doc *d, const struct discovery_row *r, struct discovery_kind *out)
{
	*out = (struct discovery_kind){
		.group = d->text + r->group,
		.version = d->text + r->version,
		.kind = d->text + r->kind,
		.plural = d->text + r->plural,
		.verbs = r->verbs,
		.namespaced = r->namespaced,
	};
}

/* As discovery_at, but with the versions whose kinds are not known. */
static bool any_at(const struct discovery *d, size_t i, struct discovery_kind *out)
{
	const struct discovery_doc *of;
	const struct discovery_row *r = row_at(d, i, &of);

	if (r)
		show(of, r, out);
	return r != NULL;
}

int discovery_at(const struct discovery *d, size_t i, struct discovery_kind *out)
{
	struct discovery_kind k;

	for (size_t at = 0; any_at(d, at, &k); at++) {
		if (k.kind[0] == '\0' || i-- > 0)
			continue;
		*out = k;
		return 0;
	}
	return -1;
}

/* How near a row comes to what was asked for: the nearest is worth mentioning.
 */
enum likeness { UNLIKE, LIKE_GROUP, LIKE_TYPO, LIKE_OTHER_GROUP, LIKE_OTHER_VERSION, LIKE_SILENT, LIKE_ALL };

static enum likeness likeness(const struct discovery_kind *k, const char *group, const char *version, const char *kind)
{
	bool same_group = str_eq(k->group, group);
	bool same_version = same_group && (!version || str_eq(k->version, version));
	bool same_kind = str_eq(k->kind, kind);

	if (k->kind[0] == '\0')
		return same_version ? LIKE_SILENT : UNLIKE;
	if (same_kind)
		return same_version ? LIKE_ALL : same_group ? LIKE_OTHER_VERSION : LIKE_OTHER_GROUP;
	if (!same_version)
		return UNLIKE;
	return str_distance(k->kind, kind, TYPO_CHANGES + 1) <= TYPO_CHANGES ? LIKE_TYPO : LIKE_GROUP;
}

static int not_there(enum likeness how, const struct discovery_kind *near, const char *asked, struct err *e)
{
	const char *slash = near->group[0] ? "/" : "";

	switch (how) {
	case LIKE_SILENT:
		return err_set(e, ENOENT, "no %s: the server of %s%s%s does not answer", asked, near->group, slash,
		               near->version);
	case LIKE_OTHER_VERSION:
	case LIKE_OTHER_GROUP:
		return err_set(e, ENOENT, "no %s; did you mean %s%s%s?", asked, near->group, slash, near->version);
	case LIKE_TYPO:
		return err_set(e, ENOENT, "no %s; did you mean kind '%s'?", asked, near->kind);
	case LIKE_GROUP:
		return err_set(e, ENOENT, "no %s: the API server knows no such kind there", asked);
	default:
		return err_set(e, ENOENT,
		               "no %s: the API server knows no such group and version; is "
		               "its CRD applied?",
		               asked);
	}
}

int discovery_find(const struct discovery *d, const char *group, const char *version, const char *kind,
                   struct discovery_kind *out, struct err *e)
{
	struct discovery_kind k, near = {"", "", "", "", 0, false};
	enum likeness best = UNLIKE;
	char asked[LIMIT_DETAIL];

	for (size_t i = 0; best < LIKE_ALL && any_at(d, i, &k); i++) {
		enum likeness how = likeness(&k, group, version, kind);
		if (how <= best) /* of equals the first: the server's preference */
			continue;
		best = how;
		near = k;
	}
	if (best == LIKE_ALL) {
		*out = near;
		return 0;
	}
	if (!discovery_ready(d))
		return err_set(e, ENOENT, "the API server has not told its kinds yet");
	if (str_format(asked, sizeof(asked), "%s%s%s %s", group, group[0] && version ? "/" : "", version ? version : "",
	               kind) < 0)
		return err_set(e, ENOENT, "no such kind: its name is too long");
	return not_there(best, &near, asked, e);
}

void discovery_prefix(const struct discovery_kind *k, struct buf *b)
{
	if (k->group[0])
		buf_addf(b, "/apis/%s/%s", k->group, k->version);
	else
		buf_addf(b, "/api/%s", k->version);
}

int discovery_split(const char *api_version, char *group, size_t group_cap, char *version, size_t version_cap)
{
	const char *slash = strchr(api_version, '/');
	size_t n = slash ? (size_t)(slash - api_version) : 0;
	const char *rest = slash ? slash + 1 : api_version;

	if ((slash && n == 0) || rest[0] == '\0' || strchr(rest, '/') || n >= group_cap)
		return -1;
	memcpy(group, api_version, n);
	group[n] = '\0';
	return str_copy(version, version_cap, rest);
}

bool discovery_ready(const struct discovery *d)
{
	return d->doc[DISCOVERY_CORE].rows > 0;
}

/* The table of this answer in place of the old one; 304 is only believed of an ETag that we sent. */
static int take_answer(struct discovery *d, struct discovery_doc *doc, const struct kclient_reply *r, struct err *e)
{
	if (r->fault != KCLIENT_OK)
		return err_set(e, EIO, "discovery: %s", r->why);
	if (r->status == 304 && doc->etag[0])
		return 0;
	const struct retry_rule *rule = retry_rule(r->fault, r->status);
	if (r->status != 200 && rule->what == RETRY_DONE)
		return err_set(e, EPROTO, "discovery: status %d", r->status);
	if (r->status != 200)
		return err_set(e, EPROTO, "discovery: %s (status %d)", rule->text, r->status);
	if (discovery_parse(&d->scratch, r->body, r->len, e) < 0)
		return -1;
	if (str_copy(d->scratch.etag, sizeof(d->scratch.etag), r->etag) < 0)
		d->scratch.etag[0] = '\0';
	*doc = d->scratch;
	d->changed = true;
	return 0;
}

static void on_answer(const struct kclient_reply *r, void *arg)
{
	struct discovery_ask *ask = arg;
	struct discovery *d = ask->discovery;
	struct err e = {0};

	ask->call = 0;
	if (take_answer(d, &d->doc[ask - d->ask], r, &e) < 0) {
		discovery_cancel(d);
		d->done(d->changed, r, &e, d->arg);
		return;
	}
	if (d->ask[DISCOVERY_CORE].call == 0 && d->ask[DISCOVERY_GROUPS].call == 0)
		d->done(d->changed, NULL, NULL, d->arg);
}

int discovery_refresh(struct discovery *d, struct kclient *c, discovery_done_fn *done, void *arg, struct err *e)
{
	static const char *const paths[DISCOVERY_SOURCES] = {"/api", "/apis"};

	if (d->ask[DISCOVERY_CORE].call || d->ask[DISCOVERY_GROUPS].call)
		return err_set(e, EBUSY, "discovery: asked already");
	d->client = c;
	d->changed = false;
	d->done = done;
	d->arg = arg;
	for (size_t i = 0; i < DISCOVERY_SOURCES; i++) {
		struct kclient_request q = {
			.method = "GET",
			.path = paths[i],
			.accept = ACCEPT,
			.etag = d->doc[i].etag[0] ? d->doc[i].etag : NULL,
			.timeout_ms = TIMEOUT_MS,
			.max = DISCOVERY_BODY,
			.done = on_answer,
			.arg = &d->ask[i],
		};
		d->ask[i].discovery = d;
		d->ask[i].call = kclient_call(c, &q, e);
		if (d->ask[i].call > 0)
			continue;
		discovery_cancel(d);
		return err_prefix(e, "discovery");
	}
	return 0;
}

void discovery_cancel(struct discovery *d)
{
	for (size_t i = 0; i < DISCOVERY_SOURCES; i++) {
		if (d->ask[i].call)
			kclient_cancel(d->client, d->ask[i].call);
		d->ask[i].call = 0;
	}
}
