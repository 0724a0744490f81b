/* The boot entries and their names; see bootenv.h. Used by stage 1 (the variable), the storage, slot and update roles;
 * never by PID 1. Decides nothing: which entry becomes what is up to the roles. */
#include "host/bootenv.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>

#include "base/buf.h"
#include "base/dir.h"
#include "base/file.h"
#include "base/log.h"
#include "base/paths.h"
#include "base/str.h"
#include "base/sys.h"
#include "host/mounts.h"

#define PREFIX     "hearth-"
#define SUFFIX     ".efi"
#define GENERATION 4                                               /* digits, at least */
#define ESP_FLAGS  (MS_REMOUNT | MS_NOSUID | MS_NODEV | MS_NOEXEC) /* what a remount must repeat */
#define ATTRIBUTES 4                                               /* bytes in front of every variable's value */

/* ---- names ---- */

/* 1 to BOOTENV_DIGITS digits; *s moves behind them. */
static int take_number(const char **s, uint32_t *out)
{
	unsigned n = 0;

	*out = 0;
	for (; **s >= '0' && **s <= '9' && n <= BOOTENV_DIGITS; n++)
		*out = *out * 10 + (uint32_t)(*(*s)++ - '0');
	return n == 0 || n > BOOTENV_DIGITS ? -1 : 0;
}

static int take_generation(const char **s, uint32_t *out)
{
	size_t n = strspn(*s, "0123456789");

	if (n < GENERATION || (n > GENERATION && **s == '0'))
		return -1;
	return take_number(s, out);
}

/* "+3", "+2-1", or nothing. */
static int take_counter(const char **s, struct bootenv_entry *en)
{
	en->counted = **s == '+';
	if (!en->counted)
		return 0;
	(*s)++;
	if (take_number(s, &en->left) < 0)
		return -1;
	if (**s != '-')
		return 0;
	(*s)++;
	return take_number(s, &en->used);
}

static bool is_slot(char c)
{
	return c == 'a' || c == 'b';
}

int bootenv_parse(struct bootenv_entry *en, const char *name)
{
	memset(en, 0, sizeof(*en));
	if (!str_starts(name, PREFIX) || str_copy(en->name, sizeof(en->name), name) < 0)
		return -1;
	const char *s = name + strlen(PREFIX);
	if (take_generation(&s, &en->generation) < 0 || *s++ != '-' || !is_slot(*s))
		return -1;
	en->slot = *s++;
	if (take_counter(&s, en) < 0)
		return -1;
	return str_eq(s, SUFFIX) ? 0 : -1;
}

int bootenv_name(struct bootenv_entry *en)
{
	struct buf b;

	if (!is_slot(en->slot) || en->generation > BOOTENV_MOST || en->left > BOOTENV_MOST || en->used > BOOTENV_MOST)
		return -1;
	buf_init(&b, en->name, sizeof(en->name));
	buf_addf(&b, PREFIX "%0*u-%c", GENERATION, en->generation, en->slot);
	if (en->counted)
		buf_addf(&b, "+%u", en->left);
	if (en->counted && en->used > 0)
		buf_addf(&b, "-%u", en->used);
	buf_add(&b, SUFFIX);
	return buf_ok(&b) ? 0 : -1;
}

int bootenv_selected(struct bootenv_entry *en, const uint8_t *data, size_t len)
{
	char name[BOOTENV_NAME] = "";
	size_t n = 0;

	if (len < ATTRIBUTES || len % 2 != 0)
		return -1;
	for (size_t at = ATTRIBUTES; at < len; at += 2) {
		if (data[at] == 0 && data[at + 1] == 0)
			break;
		if (data[at + 1] != 0 || data[at] > 0x7E || n == sizeof(name) - 1)
			return -1;
		name[n++] = (char)data[at];
	}
	name[n] = '\0';
	return bootenv_parse(en, name);
}

bool bootenv_is_slot(const char *s)
{
	return is_slot(s[0]) && s[1] == '\0';
}

char bootenv_other(char slot)
{
	return slot == 'a' ? 'b' : 'a';
}

char bootenv_slot(unsigned index)
{
	return index == 0 ? 'a' : 'b';
}

/* ---- questions ---- */

enum bootenv_state bootenv_state(const struct bootenv_entry *en)
{
	if (en == NULL)
		return BOOTENV_EMPTY;
	if (!en->counted)
		return BOOTENV_GOOD;
	return en->left > 0 ? BOOTENV_TRIAL : BOOTENV_BAD;
}

const char *bootenv_state_name(enum bootenv_state s)
{
	static const char *const names[] = {"empty", "good", "trial", "bad"};

	return (size_t)s < COUNT_OF(names) ? names[s] : "?";
}

bool bootenv_starts(const struct bootenv_entry *en)
{
	enum bootenv_state s = bootenv_state(en);

	return s == BOOTENV_GOOD || s == BOOTENV_TRIAL;
}

bool bootenv_on_trial(const struct bootenv_entry *en, const struct bootenv_entry *other)
{
	enum bootenv_state s = bootenv_state(en);

	return s == BOOTENV_TRIAL || (s == BOOTENV_BAD && bootenv_state(other) == BOOTENV_GOOD);
}

struct bootenv_entry bootenv_as_bad(const struct bootenv_entry *en)
{
	struct bootenv_entry bad = *en;

	bad.counted = true;
	bad.left = 0;
	return bad;
}

static bool is_before(const struct bootenv_entry *a, const struct bootenv_entry *b)
{
	if (a->generation != b->generation)
		return a->generation > b->generation;
	if (bootenv_state(a) != bootenv_state(b))
		return bootenv_state(a) < bootenv_state(b);
	return a->left != b->left ? a->left > b->left : a->used < b->used;
}

const struct bootenv_entry *bootenv_of(const struct bootenv *b, char slot)
{
	const struct bootenv_entry *best = NULL;

	for (unsigned i = 0; i < b->count; i++) {
		const struct bootenv_entry *en = &b->entry[i];
		if (en->slot == slot && !en->empty && (best == NULL || is_before(en, best)))
			best = en;
	}
	return best;
}

uint32_t bootenv_next_generation(const struct bootenv *b)
{
	uint32_t highest = 0;

	for (unsigned i = 0; i < b->count; i++)
		highest = b->entry[i].generation > highest ? b->entry[i].generation : highest;
	return highest + 1;
}

/* ---- the folder ---- */

struct reading {
	struct bootenv *b;
	bool full;
};

static bool take_entry(const char *name, void *arg)
{
	struct reading *r = arg;
	struct bootenv_entry en;

	if (bootenv_parse(&en, name) < 0)
		return true;
	r->full = r->b->count == BOOTENV_ENTRIES;
	if (!r->full)
		r->b->entry[r->b->count++] = en;
	return !r->full;
}

int bootenv_path(const char *name, char path[LIMIT_PATH], struct err *e)
{
	if (str_format(path, LIMIT_PATH, PATH_ESP_ENTRIES "/%s", name) < 0)
		return err_set(e, ENAMETOOLONG, "%s: name too long", name);
	return 0;
}

static int look_inside(struct bootenv *b, struct err *e)
{
	char path[LIMIT_PATH];
	struct stat st;

	for (unsigned i = 0; i < b->count; i++) {
		if (bootenv_path(b->entry[i].name, path, e) < 0)
			return -1;
		if (sys_stat(path, &st) < 0)
			return err_sys(e, "%s", path);
		b->entry[i].empty = st.st_size == 0;
	}
	return 0;
}

int bootenv_read(struct bootenv *b, struct err *e)
{
	struct reading r = {.b = b};

	b->count = 0;
	if (!mounts_is_mounted(PATH_ESP))
		return err_set(e, ENOENT, PATH_ESP " is not mounted");
	if (dir_each(PATH_ESP_ENTRIES, take_entry, &r, e) < 0)
		return -1;
	if (r.full)
		return err_set(e, E2BIG, PATH_ESP_ENTRIES " has more than %u boot entries; remove copies",
		               BOOTENV_ENTRIES);
	return look_inside(b, e);
}

int bootenv_unlock(struct err *e)
{
	if (sys_mount(NULL, PATH_ESP, NULL, ESP_FLAGS, NULL) < 0)
		return err_sys(e, "make " PATH_ESP " writable");
	return 0;
}

/* Left writable it is at risk in a power cut. */
void bootenv_lock(void)
{
	if (sys_mount(NULL, PATH_ESP, NULL, ESP_FLAGS | MS_RDONLY, NULL) < 0)
		log_warn("bootenv", "make " PATH_ESP " read-only again");
}

int bootenv_flush(struct err *e)
{
	return file_flush_folder(PATH_ESP_ENTRIES, e);
}

int bootenv_rename(const struct bootenv_entry *from, struct bootenv_entry *to, struct err *e)
{
	char old[LIMIT_PATH], now[LIMIT_PATH];
	struct stat st;

	if (bootenv_name(to) < 0)
		return err_set(e, ERANGE, "%s: no name for what it shall be", from->name);
	if (bootenv_path(from->name, old, e) < 0 || bootenv_path(to->name, now, e) < 0)
		return -1;
	if (str_eq(from->name, to->name))
		return 0;
	int rc = sys_stat(now, &st);
	if (rc == 0 && st.st_size > 0)
		return err_set(e, EEXIST, "rename %s to %s: that is there already", from->name, to->name);
	if (rc < 0 && errno != ENOENT)
		return err_sys(e, "%s", now);
	if (sys_rename(old, now) < 0)
		return err_sys(e, "rename %s to %s", from->name, to->name);
	return bootenv_flush(e);
}

int bootenv_unlink(const char *name, struct err *e)
{
	char path[LIMIT_PATH];

	if (bootenv_path(name, path, e) < 0)
		return -1;
	/* While it is open the kernel keeps its clusters. */
	int fd = sys_open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW, 0);
	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, "%s", path);
	int rc = sys_unlink(path) < 0 ? err_sys(e, "remove %s", path) : bootenv_flush(e);
	sys_close(fd);
	return rc;
}

int bootenv_remove(const struct bootenv *b, char slot, struct err *e)
{
	char path[LIMIT_PATH];
	unsigned removed = 0;

	if (str_format(path, sizeof(path), PATH_DATA_ESP "/%c", slot) == 0 && sys_unlink(path) < 0 && errno != ENOENT &&
	    errno != EROFS)
		return err_sys(e, "remove %s", path);
	for (unsigned i = 0; i < b->count; i++) {
		if (b->entry[i].slot != slot)
			continue;
		if (removed > 0 && bootenv_unlock(e) < 0)
			return -1;
		if (bootenv_unlink(b->entry[i].name, e) < 0)
			return -1;
		removed++;
	}
	if (removed > 1 && bootenv_unlock(e) < 0)
		return -1;
	return bootenv_flush(e);
}

int bootenv_loader(struct bootenv_entry *en, struct err *e)
{
	char value[ATTRIBUTES + 2 * BOOTENV_NAME + 1];
	struct buf b;

	buf_init(&b, value, sizeof(value));
	if (file_read(PATH_EFI_SELECTED, &b, e) < 0)
		return -1;
	if (bootenv_selected(en, (const uint8_t *)b.data, b.len) < 0)
		return err_set(e, EINVAL, "the boot loader started something that is not a slot of ours");
	return 0;
}

int bootenv_running(char *slot, struct err *e)
{
	char text[8];
	struct buf b;

	buf_init(&b, text, sizeof(text));
	if (file_read(PATH_RUN_SLOT, &b, e) < 0)
		return err_prefix(e, "which slot runs is not known");
	text[strcspn(text, "\n")] = '\0';
	if (!bootenv_is_slot(text))
		return err_set(e, EINVAL, PATH_RUN_SLOT ": '%s' is no slot", text);
	*slot = text[0];
	return 0;
}
