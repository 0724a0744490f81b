/* Lists copies of volumes and sets marks for libexec/hearth/volumes; see snapshots.h. Runs in the update role, as root.
 * Opens nothing that pods have written. */
#include "update/snapshots.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/dir.h"
#include "base/file.h"
#include "base/log.h"
#include "base/paths.h"
#include "base/str.h"
#include "base/sys.h"
#include "core/settings_file.h"

#define ROOM   "update"
#define FOLDER (NAME_MAX + 1)
#define PATH   (NAME_MAX + 64)
#define ABOUT  256
#define MOST   64 /* copies of a kind that are listed: they fit a reply */
#define TAKE   PATH_DATA_SNAPSHOTS "/take"

/* What there is of a volume: the folder's name, and what its name gets behind it. */
enum kind { BEFORE, NEWER };
static const struct {
	const char *word, *suffix;
} kinds[] = {[BEFORE] = {"before", ""}, [NEWER] = {"newer", ":newer"}};

struct copy {
	enum kind kind;
	char folder[FOLDER];
};

/* --- names ------------------------------------------------------------------------------------ */

/* "pvc-UID_NAMESPACE_CLAIM" to "NAMESPACE/CLAIM"; false: not the name of a volume's folder. */
static bool claim_of(const char *folder, char claim[FOLDER])
{
	const char *namespace = strchr(folder, '_');
	char *slash;

	if (!namespace || str_copy(claim, FOLDER, namespace + 1) < 0)
		return false;
	slash = strchr(claim, '_');
	if (!slash || slash == claim || slash[1] == '\0')
		return false;
	*slash = '/';
	return true;
}

struct search {
	const char *want; /* a claim, or a folder */
	size_t len;
	unsigned found;
	char folder[FOLDER]; /* the last one */
};

static bool search_one(const char *name, void *arg)
{
	struct search *s = arg;
	char claim[FOLDER];

	if (!claim_of(name, claim))
		return true;
	bool is_folder = strlen(name) == s->len && memcmp(name, s->want, s->len) == 0;
	if (is_folder || (strlen(claim) == s->len && memcmp(claim, s->want, s->len) == 0)) {
		s->found++;
		(void)!str_copy(s->folder, sizeof(s->folder), name);
	}
	return !is_folder;
}

/* How many copies of a kind have that name. */
static unsigned search(struct search *s, enum kind kind)
{
	char path[PATH];
	struct err ignored;

	s->found = 0;
	if (str_format(path, sizeof(path), PATH_DATA_SNAPSHOTS "/%s", kinds[kind].word) < 0 ||
	    dir_each(path, search_one, s, &ignored) < 0)
		return 0;
	return s->found;
}

static int find(const char *name, struct copy *c, struct err *e)
{
	bool newer = str_ends(name, kinds[NEWER].suffix);
	struct search s = {.want = name, .len = strlen(name) - (newer ? strlen(kinds[NEWER].suffix) : 0)};

	c->kind = newer ? NEWER : BEFORE;
	if (search(&s, c->kind) == 0)
		return err_set(e, ENOENT, "there is no copy '%.100s'; 'snapshots' lists them", name);
	if (s.found > 1)
		return err_set(e, EINVAL, "several volumes have the claim '%.100s'; write the folder's name instead",
		               name);
	return str_copy(c->folder, sizeof(c->folder), s.folder);
}

static int copy_path(const struct copy *c, const char *folder, const char *below, char path[PATH], struct err *e)
{
	if (str_format(path, PATH, PATH_DATA_SNAPSHOTS "/%s/%s%s", folder, c->folder, below) < 0)
		return err_set(e, ENAMETOOLONG, "%.100s", c->folder);
	return 0;
}

static bool is_there(const struct copy *c, const char *folder, const char *below)
{
	char path[PATH];
	struct stat st;
	struct err ignored;

	return copy_path(c, folder, below, path, &ignored) == 0 && sys_stat(path, &st) == 0;
}

/* Its name in `snapshots`. */
static void name_of(const struct copy *c, char name[FOLDER + 8])
{
	char claim[FOLDER];
	struct search s = {.want = claim};

	if (!claim_of(c->folder, claim)) {
		(void)!str_copy(name, FOLDER + 8, c->folder);
		return;
	}
	s.len = strlen(claim);
	(void)!str_format(name, FOLDER + 8, "%s%s", search(&s, c->kind) > 1 ? c->folder : claim, kinds[c->kind].suffix);
}

/* --- marks ------------------------------------------------------------------------------------ */

/* Is it to go back? */
static bool is_marked(const struct copy *c)
{
	char path[PATH], text[PATH];
	struct err ignored;

	if (copy_path(c, "restore", "", path, &ignored) < 0 || file_read_line(path, text, sizeof(text), &ignored) < 0)
		return false;
	size_t n = strlen(kinds[c->kind].word);
	return strncmp(text, kinds[c->kind].word, n) == 0 && text[n] == ' ';
}

/* A restore has moved something already, and must come to its end. */
static bool is_moving(const struct copy *c)
{
	return is_there(c, "ready", "") || is_there(c, "newer", "/back");
}

static int set_mark(const char *path, const char *text, struct err *e)
{
	if (file_mkdirs(PATH_DATA_SNAPSHOTS, 0700, e) < 0 || file_mkdirs(PATH_DATA_SNAPSHOTS "/restore", 0700, e) < 0)
		return -1;
	return file_replace(path, text, strlen(text), 0600, e);
}

/* On the disk when it returns: who took it back must not meet it again. */
static int take_back(const char *path, struct err *e)
{
	char folder[PATH];
	char *slash;

	if (sys_unlink(path) < 0)
		return errno == ENOENT ? 0 : err_sys(e, "remove %s", path);
	if (str_copy(folder, sizeof(folder), path) < 0 || !(slash = strrchr(folder, '/')))
		return err_set(e, ENAMETOOLONG, "%.100s", path);
	*slash = '\0';
	return file_flush_folder(folder, e);
}

int snapshots_arm(bool asked, const char *version, struct err *e)
{
	static struct settings settings;
	static struct settings_room room;
	struct err unread = {0};
	char line[ABOUT];

	if (!asked && settings_load(&settings, &room, &unread) < 0)
		log_warnx(ROOM, "a copy of the volumes is made, for the settings can not be read: %s", unread.text);
	else if (!asked && !settings.update.snapshot)
		return take_back(PATH_STATE_SNAPSHOT, e);
	if (str_format(line, sizeof(line), "before version %s\n", version) < 0)
		return err_set(e, EINVAL, "version %.100s", version);
	return file_replace(PATH_STATE_SNAPSHOT, line, strlen(line), 0600, e);
}

/* --- the list --------------------------------------------------------------------------------- */

struct list {
	struct json *j;
	enum kind kind;
	unsigned count;
};

/* "TIME BYTES REASON" */
static void add_about(const struct copy *c, struct json *j)
{
	char path[PATH], text[ABOUT], when[32];
	struct err ignored;
	uint64_t time, bytes;

	if (copy_path(c, kinds[c->kind].word, "/about", path, &ignored) < 0 ||
	    file_read_line(path, text, sizeof(text), &ignored) < 0)
		return;
	char *size = strchr(text, ' '), *reason = size ? strchr(size + 1, ' ') : NULL;
	if (!reason)
		return;
	*size++ = *reason++ = '\0';
	if (str_u64(text, UINT32_MAX, &time) < 0 || str_u64(size, INT64_MAX, &bytes) < 0)
		return;
	clock_format((int64_t)time, when, sizeof(when));
	json_string(j, "taken", when);
	json_int(j, "size", (int64_t)bytes);
	json_string(j, "why", reason);
}

static bool list_one(const char *folder, void *arg)
{
	struct list *l = arg;
	struct copy c = {.kind = l->kind};
	char name[FOLDER + 8];

	if (!claim_of(folder, name) || str_copy(c.folder, sizeof(c.folder), folder) < 0 ||
	    !is_there(&c, kinds[c.kind].word, "/data"))
		return true;
	name_of(&c, name);
	json_open_object(l->j, NULL);
	json_string(l->j, "name", name);
	json_string(l->j, "volume", folder);
	add_about(&c, l->j);
	json_bool(l->j, "restore", is_marked(&c));
	json_close_object(l->j);
	return ++l->count < MOST;
}

static void list(struct json *j)
{
	char path[PATH], take[ABOUT], update[ABOUT];
	struct list l = {.j = j};
	struct err none;

	json_open_list(j, "snapshots");
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		l.kind = (enum kind)i;
		if (str_format(path, sizeof(path), PATH_DATA_SNAPSHOTS "/%s", kinds[i].word) == 0)
			(void)!dir_each(path, list_one, &l, &none);
	}
	json_close_list(j);
	/* The reasons of copies that are asked for; "": none is. */
	(void)!file_read_line(TAKE, take, sizeof(take), &none);
	(void)!file_read_line(PATH_STATE_SNAPSHOT, update, sizeof(update), &none);
	if (take[0])
		json_string(j, "next", take);
	if (update[0])
		json_string(j, "update", update);
}

/* --- orders ----------------------------------------------------------------------------------- */

static int take(struct snapshots *s, const char *name, struct json *j, struct err *e)
{
	(void)s;
	(void)name;
	if (set_mark(TAKE, "asked for by hand\n", e) < 0)
		return -1;
	json_string(j, "message", "every volume is copied at the next start of the box, before Kubernetes starts");
	return 0;
}

struct home {
	const struct copy *copy;
	char path[PATH]; /* "": not found */
};

static bool home_one(const char *name, void *arg)
{
	struct home *h = arg;
	char path[PATH + FOLDER];
	struct stat st;

	if (name[0] == '.' || str_format(path, sizeof(path), PATH_DATA_VOLUMES "/%s/%s", name, h->copy->folder) < 0 ||
	    sys_stat(path, &st) < 0 || !S_ISDIR(st.st_mode))
		return true;
	return str_format(h->path, sizeof(h->path), PATH_DATA_VOLUMES "/%s", name) < 0;
}

static int restore(struct snapshots *s, const char *name, struct json *j, struct err *e)
{
	char mark[PATH], line[PATH + 16], text[PATH + 128];
	struct err ignored;
	struct copy c;
	struct home h = {.copy = &c};

	(void)s;
	if (find(name, &c, e) < 0)
		return -1;
	if (is_moving(&c))
		return err_set(e, EBUSY, "%.100s is on its way back; restart the box", name);
	if (c.kind == BEFORE && is_there(&c, "newer", ""))
		return err_set(e, EBUSY,
		               "%.100s:newer is still kept from an earlier restore; restore or remove that first",
		               name);
	if (dir_each(PATH_DATA_VOLUMES, home_one, &h, &ignored) < 0 || !h.path[0])
		return err_set(e, ENOENT, "%.100s: its volume is no more below " PATH_DATA_VOLUMES, name);
	if (copy_path(&c, "restore", "", mark, e) < 0 ||
	    str_format(line, sizeof(line), "%s %s\n", kinds[c.kind].word, h.path) < 0 ||
	    str_format(
		    text, sizeof(text),
		    "%s goes back at the next start of the box; 'reboot' does that now, 'snapshots cancel' prevents it",
		    name) < 0)
		return err_set(e, ENAMETOOLONG, "%.100s", name);
	if (set_mark(mark, line, e) < 0)
		return -1;
	json_string(j, "message", text);
	return 0;
}

static void clear(struct snapshots *s);

static void on_cleared(pid_t pid, const struct child_exit *how, void *arg)
{
	struct snapshots *s = arg;

	(void)pid;
	if (how->signaled || how->status != 0)
		log_warnx(ROOM, PATH_VOLUMES " clear: failed; the next start of the box does it again");
	if (s->again)
		clear(s);
}

/* A child, for a copy may have very many files. */
static void clear(struct snapshots *s)
{
	static const char *const argv[] = {PATH_VOLUMES, "clear", NULL};
	static const char *const envp[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL};
	struct child_spec spec;
	struct err e = {0};

	s->again = s->clear.pid > 0;
	if (s->again)
		return;
	child_spec_init(&spec);
	spec.argv = argv;
	spec.envp = envp;
	spec.fds[1] = spec.fds[2] = STDERR_FILENO;
	if (child_spawn(&s->clear, &spec, on_cleared, s, &e) < 0)
		log_warnx(ROOM, "%s", e.text);
}

static int remove_copy(struct snapshots *s, const char *name, struct json *j, struct err *e)
{
	char from[PATH], to[PATH], text[PATH + 32];
	struct copy c;

	if (find(name, &c, e) < 0)
		return -1;
	if (is_marked(&c) || is_moving(&c))
		return err_set(e, EBUSY, "%.100s is to go back; 'snapshots cancel' first", name);
	if (file_mkdirs(PATH_DATA_SNAPSHOTS "/gone", 0700, e) < 0 ||
	    copy_path(&c, kinds[c.kind].word, "", from, e) < 0 || copy_path(&c, "gone", "", to, e) < 0)
		return -1;
	if (sys_rename(from, to) < 0)
		return errno == ENOTEMPTY || errno == EEXIST
		               ? err_set(e, EBUSY, "an older copy of it is being removed; try again in a moment")
		               : err_sys(e, "remove %s", from);
	clear(s);
	(void)!str_format(text, sizeof(text), "%s is removed", name);
	json_string(j, "message", text);
	return 0;
}

struct cancel {
	unsigned moving;
	int rc;
	struct err *e;
};

static bool cancel_one(const char *folder, void *arg)
{
	struct cancel *k = arg;
	struct copy c = {.kind = BEFORE};
	char path[PATH];

	if (folder[0] == '.' || str_copy(c.folder, sizeof(c.folder), folder) < 0)
		return true;
	if (is_moving(&c)) {
		k->moving++;
		return true;
	}
	if (k->rc == 0)
		k->rc = copy_path(&c, "restore", "", path, k->e) < 0 ? -1 : take_back(path, k->e);
	return true;
}

static int cancel(struct snapshots *s, const char *name, struct json *j, struct err *e)
{
	struct cancel k = {.e = e};
	struct err none;

	(void)s;
	(void)name;
	(void)!dir_each(PATH_DATA_SNAPSHOTS "/restore", cancel_one, &k, &none);
	if (k.rc < 0 || take_back(TAKE, e) < 0 || take_back(PATH_STATE_SNAPSHOT, e) < 0)
		return -1;
	json_string(j, "message",
	            k.moving > 0 ? "no copy is made; a volume that is half-way back goes on at the next start"
	                         : "no volume is copied or goes back at the next start");
	return 0;
}

int snapshots_order(struct snapshots *s, unsigned argc, const char *const *argv, struct json *j, struct err *e)
{
	static const struct {
		const char *word;
		unsigned words;
		int (*fn)(struct snapshots *s, const char *name, struct json *j, struct err *e);
	} verbs[] = {{"take", 2, take}, {"restore", 3, restore}, {"remove", 3, remove_copy}, {"cancel", 2, cancel}};
	size_t i = 0;

	if (argc < 2) {
		list(j);
		return 0;
	}
	while (i < COUNT_OF(verbs) && !str_eq(argv[1], verbs[i].word))
		i++;
	if (i == COUNT_OF(verbs))
		return err_set(e, EINVAL, "'%.40s' is none of take, restore, remove and cancel", argv[1]);
	if (argc < verbs[i].words)
		return err_set(e, EINVAL, "%s: which one? Write snapshots %s NAME", argv[1], argv[1]);
	if (argc > verbs[i].words)
		return err_set(e, EINVAL, "%s: too many words", argv[1]);
	return verbs[i].fn(s, argc > 2 ? argv[2] : "", j, e);
}
