/* Files to a table of objects; see manifest.h. Runs in the kube role.
 * Never keeps an object's text, never lets a name pass that could change the meaning of a URL. */
#include "kube/manifest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/dir.h"
#include "base/limits.h"
#include "base/str.h"
#include "base/sys.h"
#include "format/yamljson.h"
#include "kube/docfile.h"
#include "kube/kinds.h"
#include "kube/site.h"

#define WAVE       "argocd.argoproj.io/sync-wave"
#define PRUNE      "hearth.dev/prune"
#define WORD_SHOWN 60
#define FIRST_ROOM 64
#define LOWER      "abcdefghijklmnopqrstuvwxyz"
#define UPPER      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS     "0123456789"

enum field { TOP, API_VERSION, KIND, NAMESPACE, NAME, APP, SYNC_WAVE, MAY_PRUNE, FIELDS };

static const struct yamljson_pick picks[FIELDS] = {
	[TOP] = {.key = {NULL}},
	[API_VERSION] = {.key = {"apiVersion"}},
	[KIND] = {.key = {"kind"}},
	[NAMESPACE] = {.key = {"metadata", "namespace"}},
	[NAME] = {.key = {"metadata", "name"}},
	[APP] = {.key = {"metadata", "labels", MANIFEST_LABEL}},
	[SYNC_WAVE] = {.key = {"metadata", "annotations", WAVE}},
	[MAY_PRUNE] = {.key = {"metadata", "annotations", PRUNE}},
};

/* While files are read. */
struct loader {
	struct manifest *m;
	const char *path; /* of the file */
	struct yamljson work;
	struct yamljson_pick pick[FIELDS];
	char json[YAMLJSON_OBJECT + 1]; /* only what an object needs of it is ever touched */
};

/* FNV-1a with 128 bits. */
static unsigned __int128 hash_more(unsigned __int128 h, const void *data, size_t len)
{
	static const unsigned __int128 prime = ((unsigned __int128)1 << 88) + 0x13b;
	const unsigned char *p = data;

	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * prime;
	return h;
}

static unsigned __int128 hash_begin(void)
{
	return (unsigned __int128)0x6c62272e07bb0142u << 64 | 0x62b821756295c58du;
}

void manifest_hash(unsigned __int128 hash, char text[MANIFEST_HASH])
{
	(void)!str_format(text, MANIFEST_HASH, "%016llx%016llx", (unsigned long long)(hash >> 64),
	                  (unsigned long long)hash);
}

void manifest_name(const struct manifest_object *o, char *text, size_t cap)
{
	(void)snprintf(text, cap, "%s %s%s%s", o->kind, o->namespace, o->namespace[0] ? "/" : "", o->name);
}

/* ---- one object ---- */

static int error_at(const struct loader *l, enum field f, struct err *e, const char *what)
{
	const struct yamljson_pick *p = l->pick[f].len > 0 ? &l->pick[f] : &l->pick[TOP];

	return err_set(e, EINVAL, "%s:%d: %s", l->path, p->line, what);
}

static int bad_value(const struct loader *l, enum field f, struct err *e, const char *name, const char *want)
{
	const struct yamljson_pick *p = &l->pick[f];

	return err_set(e, EINVAL, "%s:%d: %s %.*s is none; use %s", l->path, p->line, name,
	               p->len < WORD_SHOWN ? (int)p->len : WORD_SHOWN, l->json + p->at, want);
}

/* What a text may consist of, so that it is sound in a URL and on a screen, and how long it may be. */
struct rule {
	enum field field;
	const char *name;
	const char *chars;
	size_t longest;
	const char *want;
};

static const struct rule rules[] = {
	{API_VERSION, "apiVersion", LOWER DIGITS ".-/", 253, "GROUP/VERSION or VERSION"},
	{KIND, "kind", LOWER UPPER DIGITS, 63, "a word such as Deployment"},
	{NAMESPACE, "metadata.namespace", LOWER DIGITS "-", 63, "up to 63 small letters, digits and '-'"},
	{NAME, "metadata.name", LOWER UPPER DIGITS ".-_:", 253, "up to 253 letters, digits, '-', '.', '_' and ':'"},
	{APP, "label " MANIFEST_LABEL, LOWER UPPER DIGITS ".-_", 63, "up to 63 letters, digits, '-', '.' and '_'"},
	{SYNC_WAVE, "annotation " WAVE, DIGITS "-", 5, "a whole number from \"-1000\" to \"1000\""},
	{MAY_PRUNE, "annotation " PRUNE, LOWER, 5, "\"true\" or \"false\""},
};

/* The text of a field without its quotation marks; *len is 0 when it is not there. */
static const char *text_of(const struct loader *l, enum field f, size_t *len)
{
	const struct yamljson_pick *p = &l->pick[f];

	*len = p->len > 2 ? p->len - 2 : 0;
	return l->json + p->at + (p->len > 2);
}

static int check_rule(const struct loader *l, const struct rule *r, struct err *e)
{
	size_t len;
	const char *text = text_of(l, r->field, &len);

	if (l->pick[r->field].len == 0)
		return 0;
	if (text[-(len > 0)] != '"' || len == 0 || len > r->longest || strspn(text, r->chars) != len)
		return bad_value(l, r->field, e, r->name, r->want);
	/* "." and ".." mean something else in a path. */
	if (strspn(text, ".") == len)
		return bad_value(l, r->field, e, r->name, r->want);
	return 0;
}

static bool ends_with(const char *text, size_t len, const char *suffix)
{
	size_t n = strlen(suffix);

	return len >= n && memcmp(text + len - n, suffix, n) == 0;
}

static int check_fields(const struct loader *l, struct err *e)
{
	size_t len;
	const char *kind = text_of(l, KIND, &len);

	if (l->pick[API_VERSION].len == 0)
		return error_at(l, API_VERSION, e, "no apiVersion; an object needs apiVersion, kind and metadata.name");
	if (l->pick[KIND].len == 0)
		return error_at(l, KIND, e, "no kind; an object needs apiVersion, kind and metadata.name");
	if (l->pick[NAME].len == 0 && ends_with(kind, len, "List"))
		return error_at(l, KIND, e, "a List; write each of its items as a document of its own");
	if (l->pick[NAME].len == 0)
		return error_at(l, NAME, e, "no metadata.name; an object needs apiVersion, kind and metadata.name");
	for (size_t i = 0; i < COUNT_OF(rules); i++) {
		if (check_rule(l, &rules[i], e) < 0)
			return -1;
	}
	return 0;
}

static int read_wave(const struct loader *l, int *wave, struct err *e)
{
	char text[8];
	uint64_t v;
	size_t len;
	const char *from = text_of(l, SYNC_WAVE, &len);

	*wave = 0;
	if (len == 0)
		return 0;
	bool minus = from[0] == '-';
	if (str_format(text, sizeof(text), "%.*s", (int)len - minus, from + minus) < 0 ||
	    str_u64(text, MANIFEST_WAVE, &v) < 0)
		return bad_value(l, SYNC_WAVE, e, "annotation " WAVE, "a whole number from \"-1000\" to \"1000\"");
	*wave = minus ? -(int)v : (int)v;
	return 0;
}

static int read_prune(const struct loader *l, bool *prune, struct err *e)
{
	size_t len;
	const char *text = text_of(l, MAY_PRUNE, &len);

	*prune = len == 4 && memcmp(text, "true", len) == 0;
	if (len == 0 || *prune || (len == 5 && memcmp(text, "false", len) == 0))
		return 0;
	return bad_value(l, MAY_PRUNE, e, "annotation " PRUNE, "\"true\" or \"false\"");
}

static int read_version(const struct loader *l, struct manifest_object *o, struct err *e)
{
	size_t len;
	const char *text = text_of(l, API_VERSION, &len);
	const char *slash = memchr(text, '/', len);
	const char *version = slash ? slash + 1 : text;
	size_t rest = len - (size_t)(version - text);

	if (slash == text || rest == 0 || memchr(version, '/', rest))
		return bad_value(l, API_VERSION, e, "apiVersion", "GROUP/VERSION or VERSION");
	o->group = intern_add(&l->m->names, text, slash ? (size_t)(slash - text) : 0);
	o->version = intern_add(&l->m->names, version, rest);
	return 0;
}

static const char *keep(const struct loader *l, enum field f, const char *other)
{
	size_t len;
	const char *text = text_of(l, f, &len);

	return len > 0 ? intern_add(&l->m->names, text, len) : intern_add(&l->m->names, other, strlen(other));
}

static int read_object(const struct loader *l, struct manifest_object *o, struct err *e)
{
	if (check_fields(l, e) < 0 || read_version(l, o, e) < 0 || read_wave(l, &o->wave, e) < 0 ||
	    read_prune(l, &o->prune, e) < 0)
		return -1;
	o->kind = keep(l, KIND, "");
	o->namespace = keep(l, NAMESPACE, "");
	o->name = keep(l, NAME, "");
	o->app = keep(l, APP, MANIFEST_APP);
	o->line = l->pick[TOP].line;
	if (!o->group || !o->version || !o->kind || !o->namespace || !o->name || !o->app)
		return err_set(e, ENOMEM, "%s:%d: no memory for more names", l->path, o->line);
	return 0;
}

static struct manifest_object *take_place(const struct loader *l, struct err *e)
{
	struct manifest *m = l->m;

	if (m->count == MANIFEST_OBJECTS) {
		err_put(e, ENOSPC, "%s:%d: more than %d objects", l->path, l->pick[TOP].line, MANIFEST_OBJECTS);
		return NULL;
	}
	if (m->count == m->room) {
		unsigned room = m->room > 0 ? m->room * 2 : FIRST_ROOM;
		struct manifest_object *more = realloc(m->object, room * sizeof(*more));
		if (!more) {
			err_put(e, ENOMEM, "%s: out of memory", l->path);
			return NULL;
		}
		m->object = more;
		m->room = room;
	}
	return memset(&m->object[m->count], 0, sizeof(*m->object));
}

/* Only the whole set says what `site` is read from: a changed value changes the hash. */
static int render(const struct manifest *m, struct yamljson *work, struct yamljson_in in, struct buf *out,
                  struct err *e)
{
	union {
		const struct settings *from;
		void *to;
	} site = {m->site}; /* site_find only reads it */

	in.find = site_find;
	in.arg = site.to;
	return yamljson_convert(work, &in, out, e);
}

static int add_document(struct loader *l, const struct docfile_doc *d, struct err *e)
{
	struct yamljson_in in = {.file = l->path, .line = d->line, .text = d->text, .len = d->len};
	struct buf b;

	buf_init(&b, l->json, sizeof(l->json));
	in.pick = l->pick;
	in.picks = FIELDS;
	if (render(l->m, &l->work, in, &b, e) < 0)
		return -1;
	if (b.len == 0)
		return 0;
	struct manifest_object *o = take_place(l, e);
	if (!o || read_object(l, o, e) < 0)
		return -1;
	o->file = (uint8_t)(l->m->files - 1);
	o->at = d->at;
	o->len = (uint32_t)d->len;
	o->doc_line = d->line;
	o->size = (uint32_t)b.len;
	o->hash = hash_more(hash_begin(), b.data, b.len);
	l->m->count++;
	return 0;
}

/* ---- files ---- */

static int read_file(struct loader *l, struct err *e)
{
	struct docfile f;
	struct docfile_doc d;
	int rc;

	if (docfile_open(&f, l->path, e) < 0)
		return -1;
	while ((rc = docfile_next(&f, &d, e)) > 0) {
		rc = add_document(l, &d, e);
		if (rc < 0)
			break;
	}
	docfile_close(&f);
	return rc;
}

struct names {
	char *name[MANIFEST_FILES];
	unsigned count;
	int code; /* why collecting ended early */
};

static bool on_name(const char *name, void *arg)
{
	struct names *n = arg;

	if (name[0] == '.' || !str_ends(name, ".yaml"))
		return true;
	if (n->count == MANIFEST_FILES) {
		n->code = ENOSPC;
		return false;
	}
	n->name[n->count] = strdup(name);
	if (n->name[n->count])
		n->count++;
	else
		n->code = ENOMEM;
	return n->code == 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int add_path(struct manifest *m, const char *folder, const char *name, struct err *e)
{
	char path[LIMIT_PATH];

	if (str_format(path, sizeof(path), "%s%s%s", folder, folder[0] ? "/" : "", name) < 0)
		return err_set(e, ENAMETOOLONG, "%s/%s: path too long", folder, name);
	m->file[m->files] = strdup(path);
	if (!m->file[m->files])
		return err_set(e, ENOMEM, "%s: out of memory", path);
	m->files++;
	return 0;
}

static int list_folder(struct manifest *m, const char *path, struct err *e)
{
	struct names n = {.count = 0};
	int rc = dir_each(path, on_name, &n, e);

	if (rc == 0 && n.code == ENOSPC)
		rc = err_set(e, n.code, "%s: more than %d files", path, MANIFEST_FILES);
	else if (rc == 0 && n.code != 0)
		rc = err_set(e, n.code, "%s: out of memory", path);
	else if (rc == 0 && n.count == 0)
		rc = err_set(e, ENOENT, "%s: no *.yaml file in it", path);
	qsort(n.name, n.count, sizeof(n.name[0]), by_name);
	for (unsigned i = 0; i < n.count; i++) {
		if (rc == 0)
			rc = add_path(m, path, n.name[i], e);
		free(n.name[i]);
	}
	return rc;
}

static int list_files(struct manifest *m, const char *path, struct err *e)
{
	struct stat st;

	if (sys_stat(path, &st) < 0)
		return err_sys(e, "%s", path);
	return S_ISDIR(st.st_mode) ? list_folder(m, path, e) : add_path(m, "", path, e);
}

/* ---- the set ---- */

static int compare_id(const struct manifest_object *a, const struct manifest_object *b)
{
	int d = strcmp(a->namespace, b->namespace);

	d = d ? d : strcmp(a->name, b->name);
	d = d ? d : strcmp(a->kind, b->kind);
	return d ? d : strcmp(a->group, b->group);
}

/* Among the same: in order of their places. */
static int by_id(const void *pa, const void *pb)
{
	const struct manifest_object *a = pa, *b = pb;
	int d = compare_id(a, b);

	if (d)
		return d;
	if (a->file != b->file)
		return a->file < b->file ? -1 : 1;
	return a->at < b->at ? -1 : a->at > b->at;
}

/* As by_id sorted them. */
static int check_twice(const struct manifest *m, struct err *e)
{
	char name[WORD_SHOWN * 2];

	for (unsigned i = 1; i < m->count; i++) {
		const struct manifest_object *a = &m->object[i - 1], *b = &m->object[i];
		if (compare_id(a, b) != 0)
			continue;
		manifest_name(b, name, sizeof(name));
		return err_set(e, EEXIST, "%s:%d: %s stands here and in %s:%d; keep one", m->file[b->file], b->line,
		               name, m->file[a->file], a->line);
	}
	return 0;
}

static int by_turn(const void *pa, const void *pb)
{
	const struct manifest_object *a = pa, *b = pb;
	unsigned ka = kinds_rank(a->kind), kb = kinds_rank(b->kind);

	if (a->wave != b->wave)
		return a->wave < b->wave ? -1 : 1;
	if (ka != kb)
		return ka < kb ? -1 : 1;
	return compare_id(a, b);
}

static void make_revision(struct manifest *m)
{
	unsigned __int128 h = hash_begin();

	for (unsigned i = 0; i < m->count; i++) {
		const struct manifest_object *o = &m->object[i];
		const char *const id[] = {o->group, o->kind, o->namespace, o->name};
		for (size_t k = 0; k < COUNT_OF(id); k++)
			h = hash_more(h, id[k], strlen(id[k]) + 1);
		h = hash_more(h, &o->hash, sizeof(o->hash));
	}
	manifest_hash(h, m->revision);
}

static int load(struct loader *l, const char *path, struct err *e)
{
	struct manifest *m = l->m;

	if (list_files(m, path, e) < 0)
		return -1;
	unsigned files = m->files;
	for (m->files = 1; m->files <= files; m->files++) {
		l->path = m->file[m->files - 1];
		if (read_file(l, e) < 0) {
			m->files = files;
			return -1;
		}
	}
	m->files = files;
	if (m->count == 0)
		return err_set(e, ENOENT, "%s: no object in it", path);
	qsort(m->object, m->count, sizeof(*m->object), by_id);
	if (check_twice(m, e) < 0)
		return -1;
	qsort(m->object, m->count, sizeof(*m->object), by_turn);
	return 0;
}

int manifest_load(struct manifest *m, const char *path, const struct settings *site, struct err *e)
{
	struct loader *l = malloc(sizeof(*l));

	*m = (struct manifest){.site = site};
	if (!l)
		return err_set(e, ENOMEM, "manifests: out of memory");
	l->m = m;
	memcpy(l->pick, picks, sizeof(picks));
	int rc = load(l, path, e);
	free(l);
	intern_seal(&m->names);
	if (rc < 0)
		manifest_free(m);
	else
		make_revision(m);
	return rc;
}

void manifest_free(struct manifest *m)
{
	free(m->object);
	for (unsigned i = 0; i < m->files; i++)
		free(m->file[i]);
	intern_free(&m->names);
	*m = (struct manifest){.count = 0};
}

static int body(const struct manifest *m, const struct manifest_object *o, char *text, struct buf *out, struct err *e)
{
	const char *path = m->file[o->file];
	struct yamljson_in in = {.file = path, .line = o->doc_line, .text = text, .len = o->len};
	struct yamljson *work = malloc(sizeof(*work));
	size_t from = out->len;

	if (!work)
		return err_set(e, ENOMEM, "%s: out of memory", path);
	int rc = docfile_again(path, o->at, text, o->len, e);
	if (rc == 0)
		rc = render(m, work, in, out, e);
	free(work);
	if (rc == 0 && hash_more(hash_begin(), out->data + from, out->len - from) != o->hash)
		return err_set(e, ESTALE, "%s:%d: changed since it was read", path, o->line);
	return rc;
}

int manifest_body(const struct manifest *m, unsigned index, struct buf *out, struct err *e)
{
	const struct manifest_object *o = &m->object[index];
	char *text = malloc(o->len);

	if (!text)
		return err_set(e, ENOMEM, "%s: out of memory", m->file[o->file]);
	int rc = body(m, o, text, out, e);
	free(text);
	return rc;
}
