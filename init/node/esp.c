/* The boot partition and its copies; see esp.h. Run by the storage role (repair) and as one-shot services (copies, the
 * later check); blocks on disks. Decides nothing about slots: that an entry is good is what its name says. */
#include "node/esp.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/exit.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/paths.h"
#include "base/str.h"
#include "base/sys.h"
#include "host/mounts.h"
#include "host/turn.h"
#include "node/slot.h"
#include "node/tell.h"

#define FILE_MAX (UINT64_C(64) << 20) /* a UKI has 8 MiB */
#define TEMP     PATH_ESP "/restore.new"

static const struct {
	const char *from, *folder, *to, *name;
} fixed[] = {
	{PATH_LOADER "/BOOTX64.EFI", PATH_ESP "/EFI/BOOT", PATH_ESP "/EFI/BOOT/BOOTX64.EFI", "BOOTX64.EFI"},
	{PATH_LOADER "/loader.conf", PATH_ESP "/loader", PATH_ESP "/loader/loader.conf", "loader.conf"},
};

static uint8_t block[65536];

/* ---- records ---- */

static int take_digest(uint8_t digest[SHA256_BYTES], const char *hex)
{
	if (str_hex(hex, digest, SHA256_BYTES) < 0)
		return -1;
	return str_eq(hex + 2 * (size_t)SHA256_BYTES, "\n") ? 0 : -1;
}

static void add_digest(struct buf *b, const uint8_t digest[SHA256_BYTES])
{
	buf_add_hex(b, digest, SHA256_BYTES);
	buf_add_char(b, '\n');
}

int esp_record_parse(struct esp_record *r, const char *text, size_t len)
{
	char line[ESP_RECORD + 1];

	if (len >= sizeof(line))
		return -1;
	memcpy(line, text, len);
	line[len] = '\0';
	char *hex = strchr(line, ' ');
	if (hex == NULL)
		return -1;
	*hex++ = '\0';
	return bootenv_parse(&r->entry, line) < 0 || take_digest(r->digest, hex) < 0 ? -1 : 0;
}

int esp_record_format(const struct esp_record *r, struct buf *b)
{
	buf_addf(b, "%s ", r->entry.name);
	add_digest(b, r->digest);
	return buf_ok(b) ? 0 : -1;
}

static int path_of(const char *folder, const char *name, const char *suffix, char path[LIMIT_PATH], struct err *e)
{
	if (str_format(path, LIMIT_PATH, "%s/%s%s", folder, name, suffix) < 0)
		return err_set(e, ENAMETOOLONG, "%s: name too long", name);
	return 0;
}

static int copy_path(char slot, const char *suffix, char path[LIMIT_PATH], struct err *e)
{
	return path_of(PATH_DATA_ESP, (const char[]){slot, '\0'}, suffix, path, e);
}

/* code ENOENT: there is none. */
static int read_record(char slot, struct esp_record *r, struct err *e)
{
	char path[LIMIT_PATH], text[ESP_RECORD + 1];
	struct buf b;

	buf_init(&b, text, sizeof(text));
	if (copy_path(slot, "", path, e) < 0 || file_read(path, &b, e) < 0)
		return -1;
	if (esp_record_parse(r, b.data, b.len) < 0 || r->entry.slot != slot)
		return err_set(e, EINVAL, "%s: not a record", path);
	return 0;
}

static int write_record(const struct esp_record *r, struct err *e)
{
	char path[LIMIT_PATH], text[ESP_RECORD + 1];
	struct buf b;

	buf_init(&b, text, sizeof(text));
	if (esp_record_format(r, &b) < 0)
		return err_set(e, EMSGSIZE, "record of %s", r->entry.name);
	return copy_path(r->entry.slot, "", path, e) < 0 ? -1 : file_replace(path, b.data, b.len, 0600, e);
}

/* Of a fixed file. False: none that can be read. */
static bool read_sum(const char *name, uint8_t digest[SHA256_BYTES])
{
	char path[LIMIT_PATH], text[ESP_RECORD + 1];
	struct err ignored;
	struct buf b;

	buf_init(&b, text, sizeof(text));
	return path_of(PATH_DATA_ESP, name, ".sum", path, &ignored) == 0 && file_read(path, &b, &ignored) == 0 &&
	       b.len == 2 * (size_t)SHA256_BYTES + 1 && take_digest(digest, text) == 0;
}

static int write_sum(const char *name, const uint8_t digest[SHA256_BYTES], struct err *e)
{
	char path[LIMIT_PATH], text[ESP_RECORD + 1];
	struct buf b;

	buf_init(&b, text, sizeof(text));
	add_digest(&b, digest);
	return path_of(PATH_DATA_ESP, name, ".sum", path, e) < 0 ? -1 : file_replace(path, b.data, b.len, 0600, e);
}

/* ---- files ---- */

/* Passes the file on to out (-1: nowhere) and hashes it. */
static int pump(int in, int out, struct sha256 *s)
{
	uint64_t total = 0;
	ssize_t n;

	while ((n = sys_read(in, block, sizeof(block))) > 0) {
		total += (uint64_t)n;
		errno = EFBIG;
		if (total > FILE_MAX || (out >= 0 && sys_write(out, block, (size_t)n) != n))
			return -1;
		sha256_add(s, block, (size_t)n);
	}
	return n < 0 ? -1 : 0;
}

static int digest_of(const char *path, uint8_t digest[SHA256_BYTES], struct err *e)
{
	struct sha256 s;
	int fd = sys_open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW, 0);

	if (fd < 0)
		return err_sys(e, "%s", path);
	sha256_init(&s);
	int rc = pump(fd, -1, &s) < 0 ? err_sys(e, "read %s", path) : 0;
	sys_close(fd);
	sha256_end(&s, digest);
	return rc;
}

static int write_flushed(int in, const char *to, uint8_t digest[SHA256_BYTES], struct err *e)
{
	struct sha256 s;
	int out = sys_open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (out < 0)
		return err_sys(e, "%s", to);
	sha256_init(&s);
	int rc = pump(in, out, &s) < 0 || sys_fsync(out) < 0 ? err_sys(e, "write %s", to) : 0;
	sys_close(out);
	sha256_end(&s, digest);
	return rc;
}

/* The copy is flushed; digest is of what was read. */
static int copy(const char *from, const char *to, uint8_t digest[SHA256_BYTES], struct err *e)
{
	int in = sys_open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW, 0);

	if (in < 0)
		return err_sys(e, "%s", from);
	int rc = write_flushed(in, to, digest, e);
	sys_close(in);
	return rc;
}

static int move(const char *from, const char *folder, const char *to, struct err *e)
{
	if (sys_rename(from, to) < 0)
		return err_sys(e, "rename %s", from);
	return file_flush_folder(folder, e);
}

static bool has_digest(const char *path, const uint8_t digest[SHA256_BYTES])
{
	uint8_t found[SHA256_BYTES];
	struct err ignored;

	return digest_of(path, found, &ignored) == 0 && memcmp(found, digest, sizeof(found)) == 0;
}

/* ---- copies ---- */

/* 0: there is none, or nothing in it. */
static uint64_t size_of(const char *path)
{
	struct stat s;

	return sys_stat(path, &s) == 0 ? (uint64_t)s.st_size : 0;
}

static bool have_one_size(const char *a, const char *b)
{
	return size_of(a) > 0 && size_of(a) == size_of(b);
}

static bool is_copied(const struct bootenv_entry *en, const struct esp_record *r)
{
	char path[LIMIT_PATH];
	struct err ignored;

	return r->entry.generation == en->generation && copy_path(en->slot, ".efi", path, &ignored) == 0 &&
	       has_digest(path, r->digest);
}

static int keep_entry(const struct bootenv_entry *en, enum esp_look look, struct err *e)
{
	char from[LIMIT_PATH], temp[LIMIT_PATH], to[LIMIT_PATH];
	struct esp_record r, old;
	bool known = read_record(en->slot, &old, e) == 0;

	if (path_of(PATH_ESP_ENTRIES, en->name, "", from, e) < 0 || copy_path(en->slot, ".new", temp, e) < 0 ||
	    copy_path(en->slot, ".efi", to, e) < 0)
		return -1;
	if (known && look == ESP_SIZES && old.entry.generation == en->generation && have_one_size(from, to))
		return 0;
	if (known && is_copied(en, &old))
		return 0;
	if (copy(from, temp, r.digest, e) < 0)
		return -1;
	if (known && old.entry.generation == en->generation && memcmp(old.digest, r.digest, sizeof(r.digest)) != 0)
		return err_set(e, EUCLEAN, "%s and its copy are both damaged", en->name);
	r.entry = *en;
	if (move(temp, PATH_DATA_ESP, to, e) < 0 || write_record(&r, e) < 0)
		return -1;
	log_info("esp", "%s is copied", en->name);
	return 0;
}

static int keep_sum(const char *name, const char *path, struct err *e)
{
	uint8_t digest[SHA256_BYTES];

	if (read_sum(name, digest))
		return 0;
	return digest_of(path, digest, e) < 0 ? -1 : write_sum(name, digest, e);
}

int esp_keep(enum esp_look look, struct err *e)
{
	struct bootenv b;
	int rc = 0;

	if (!mounts_is_mounted(PATH_DATA))
		return err_set(e, ENOENT, PATH_DATA " is not mounted");
	if (file_mkdirs(PATH_DATA_ESP, 0700, e) < 0 || bootenv_read(&b, e) < 0)
		return -1;
	for (size_t i = 0; i < COUNT_OF(fixed); i++) {
		if (keep_sum(fixed[i].name, fixed[i].to, e) < 0)
			rc = -1;
	}
	for (unsigned i = 0; i < BOOTENV_SLOTS; i++) {
		const struct bootenv_entry *en = bootenv_of(&b, bootenv_slot(i));
		if (bootenv_state(en) == BOOTENV_GOOD && keep_entry(en, look, e) < 0)
			rc = -1;
	}
	return rc;
}

bool esp_has_copy(char slot)
{
	struct esp_record r;
	struct err ignored;

	return read_record(slot, &r, &ignored) == 0 && is_copied(&r.entry, &r);
}

/* ---- repair ---- */

/* Over whatever is there. */
static int put_back(const char *from, const char *folder, const char *to, const uint8_t digest[SHA256_BYTES],
                    struct err *e)
{
	uint8_t written[SHA256_BYTES];

	if (bootenv_unlock(e) < 0)
		return -1;
	int rc = file_mkdirs(folder, 0755, e);
	if (rc == 0)
		rc = copy(from, TEMP, written, e);
	if (rc == 0 && memcmp(written, digest, sizeof(written)) != 0)
		rc = err_set(e, EUCLEAN, "%s is damaged", from);
	if (rc == 0)
		rc = move(TEMP, folder, to, e);
	bootenv_lock();
	return rc;
}

static void note(struct buf *done, const char *name)
{
	buf_addf(done, "%s%s", done->len > 0 ? ", " : "", name);
	log_warnx("esp", "%s was missing or damaged, and is put back", name);
}

/* Without a sum (before the first one is written, or without PATH_DATA) only what cannot be read at all is damaged. */
static bool is_whole(const char *name, const char *path)
{
	uint8_t digest[SHA256_BYTES], want[SHA256_BYTES];
	struct err ignored;

	return digest_of(path, digest, &ignored) == 0 &&
	       (!read_sum(name, want) || memcmp(digest, want, sizeof(digest)) == 0);
}

static int restore_loader(struct buf *done, struct err *e)
{
	uint8_t digest[SHA256_BYTES];
	struct err ignored;

	for (size_t i = 0; i < COUNT_OF(fixed); i++) {
		if (is_whole(fixed[i].name, fixed[i].to))
			continue;
		if (digest_of(fixed[i].from, digest, e) < 0 ||
		    put_back(fixed[i].from, fixed[i].folder, fixed[i].to, digest, e) < 0)
			return -1;
		if (read_sum(fixed[i].name, digest) && digest_of(fixed[i].to, digest, &ignored) == 0 &&
		    write_sum(fixed[i].name, digest, e) < 0)
			return -1;
		note(done, fixed[i].name);
	}
	return 0;
}

static int restore_entry(const struct bootenv *b, char slot, enum esp_look look, struct buf *done, struct err *e)
{
	const struct bootenv_entry *en = bootenv_of(b, slot);
	char from[LIMIT_PATH], to[LIMIT_PATH];
	struct esp_record r;
	struct err why;

	if (read_record(slot, &r, &why) < 0) { /* none, or nonsense: the next copy replaces it */
		if (why.code != ENOENT && why.code != EINVAL)
			*e = why;
		return why.code == ENOENT || why.code == EINVAL ? 0 : -1;
	}
	if (en != NULL && en->generation != r.entry.generation)
		return 0;
	const char *name = en != NULL ? en->name : r.entry.name;
	if (path_of(PATH_ESP_ENTRIES, name, "", to, e) < 0 || copy_path(slot, ".efi", from, e) < 0)
		return -1;
	if (en != NULL && ((look == ESP_SIZES && have_one_size(to, from)) || has_digest(to, r.digest)))
		return 0;
	if (put_back(from, PATH_ESP_ENTRIES, to, r.digest, e) < 0)
		return -1;
	note(done, name);
	return 0;
}

int esp_restore(enum esp_look look, struct buf *done, struct err *e)
{
	struct bootenv b;
	int rc = restore_loader(done, e);

	/* A folder that is gone holds no entries. */
	if (bootenv_read(&b, e) < 0 && (e->code != ENOENT || !mounts_is_mounted(PATH_ESP)))
		return -1;
	for (unsigned i = 0; i < BOOTENV_SLOTS; i++) {
		if (restore_entry(&b, bootenv_slot(i), look, done, e) < 0)
			rc = -1;
	}
	return rc;
}

/* ---- the role ---- */

static bool loader_is_whole(void)
{
	for (size_t i = 0; i < COUNT_OF(fixed); i++) {
		if (!is_whole(fixed[i].name, fixed[i].to))
			return false;
	}
	return true;
}

static bool slot_is_whole(const struct bootenv *b, char slot)
{
	const struct bootenv_entry *en = bootenv_of(b, slot);
	char path[LIMIT_PATH];
	struct esp_record r;
	struct err ignored;

	if (read_record(slot, &r, &ignored) < 0)
		return bootenv_state(en) != BOOTENV_GOOD;
	if (en == NULL || en->generation != r.entry.generation)
		return en != NULL && bootenv_state(en) != BOOTENV_GOOD;
	return path_of(PATH_ESP_ENTRIES, en->name, "", path, &ignored) == 0 && has_digest(path, r.digest) &&
	       is_copied(en, &r);
}

bool esp_is_whole(void)
{
	struct bootenv b;
	struct err ignored;

	if (!loader_is_whole() || bootenv_read(&b, &ignored) < 0)
		return false;
	for (unsigned i = 0; i < BOOTENV_SLOTS; i++) {
		if (!slot_is_whole(&b, bootenv_slot(i)))
			return false;
	}
	return true;
}

static int keep(struct err *e)
{
	int turn = turn_take(e);

	if (turn < 0)
		return -1;
	int rc = esp_keep(ESP_SIZES, e);
	turn_give(turn);
	return rc;
}

/* Copies last: what was put back needs none. */
static int mend(struct buf *done, struct err *e)
{
	struct err why;
	int turn = turn_take(e);

	if (turn < 0)
		return -1;
	int rc = esp_restore(ESP_WHOLE, done, e);
	if (esp_keep(ESP_WHOLE, &why) < 0 && rc == 0) {
		*e = why;
		rc = -1;
	}
	turn_give(turn);
	return rc;
}

/* The fact is the storage role's, until there is something new. */
static int tell(int rc, const struct buf *done, struct err *e)
{
	char detail[LIMIT_DETAIL] = "";
	struct err why = *e;

	if (rc == 0 && done->len == 0)
		return 0;
	if (rc == 0 && str_format(detail, sizeof(detail), "repaired: %s", done->data) < 0)
		detail[0] = '\0';
	if (tell_fact("boot-partition", rc < 0 ? FACT_OFF : FACT_ON, rc < 0 ? why.text : detail, e) < 0)
		return -1;
	return done->len > 0 ? slot_tell(true, e) : 0;
}

static int check(struct err *e)
{
	char text[LIMIT_DETAIL - 16];
	struct buf done;

	if (sys_set_idle() < 0)
		log_warn("esp", "no idle priority");
	if (!mounts_is_mounted(PATH_ESP))
		return err_set(e, ENOENT, PATH_ESP " is not mounted");
	if (esp_is_whole())
		return 0;
	buf_init(&done, text, sizeof(text));
	int rc = mend(&done, e);
	if (rc < 0)
		log_errx("esp", "%s", e->text);
	return tell(rc, &done, e);
}

int esp_main(int argc, char **argv)
{
	bool checks = argc == 2 && str_eq(argv[1], "check");
	struct err e = {0};

	if (argc != 1 && !checks)
		return EXIT_USAGE;
	if ((checks ? check(&e) : keep(&e)) == 0)
		return 0;
	log_errx("esp", "%s: %s", checks ? "boot partition" : "copies of the boot entries", e.text);
	return e.code == ENOENT ? 0 : 1; /* no entries, no disk: trying again changes nothing */
}
