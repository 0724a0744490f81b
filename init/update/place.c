/* The disk's side of an update; see place.h. Runs in the update role, as root. Never touches the running slot or its
 * boot entry. */
#include "update/place.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "base/sys.h"
#include "board.h"
#include "format/sha256.h"
#include "host/bootenv.h"
#include "host/release.h"
#include "host/turn.h"
#include "update/blockio.h"
#include "update/snapshots.h"

#define ROOM      "update"
#define ESP_SPARE (1u << 20) /* what FAT itself takes, and the boot loader's own files may grow */
#define STATE_DIR PATH_STATE "/update"
#define DATA_DIR  PATH_DATA "/update"

void place_init(struct place *p)
{
	memset(p, 0, sizeof(*p));
	p->target = p->running = p->source = p->kernel = -1;
}

static int check_trial(const struct place *p, struct err *e)
{
	struct bootenv b;
	if (bootenv_read(&b, e) < 0)
		return -1;
	const struct bootenv_entry *en = bootenv_of(&b, p->half.running);
	/* The other one may be the only one that is known to work. */
	if (bootenv_on_trial(en, bootenv_of(&b, p->half.other)))
		return err_set(e, EBUSY, "slot %c is on trial itself; an update can come when it has proved good",
		               p->half.running);
	return 0;
}

static int stand_in(struct place *p, const struct place_stand_in *t, struct err *e)
{
	struct stat st;
	if (sys_stat(t->target, &st) < 0)
		return err_sys(e, "%s", t->target);
	p->half.running = t->slot;
	p->half.other = bootenv_other(t->slot);
	p->half.other_bytes = (uint64_t)st.st_size;
	return 0;
}

int place_find(struct place *p, const struct place_stand_in *t, struct err *e)
{
	int rc = t->target ? stand_in(p, t, e) : halves_find(&p->half, e);
	return rc < 0 ? -1 : check_trial(p, e);
}

static int open_slot(const char *file, const char *name, int flags, struct err *e)
{
	if (!file)
		return disk_open(name, flags, e);
	int fd = sys_open(file, flags | O_CLOEXEC, 0);
	return fd < 0 ? err_sys(e, "%s", file) : fd;
}

/* Below /data others may have put links: none is followed. */
static int open_source(const char *path, struct err *e)
{
	struct stat st;
	int fd = sys_open_no_links(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 && errno == ELOOP)
		return err_set(e, ELOOP, "%s: there is a symbolic link in that path, which is not followed", path);
	if (fd < 0)
		return err_sys(e, "%s", path);
	if (sys_fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	sys_close(fd);
	return err_set(e, EINVAL, "%s is no plain file", path);
}

int place_is_pipe(int fd, struct err *e)
{
	struct stat st;
	if (fd < 0 || sys_fstat(fd, &st) < 0 || !S_ISFIFO(st.st_mode))
		return err_set(e, EINVAL, "an upload comes with its bytes; the page of this box sends one");
	return 0;
}

int place_pipe(struct place *p, int fd, struct err *e)
{
	if (place_is_pipe(fd, e) < 0)
		return -1;
	p->source = sys_fcntl(fd, F_DUPFD_CLOEXEC, 0);
	return p->source < 0 ? err_sys(e, "the pipe of the upload") : 0;
}

int place_open(struct place *p, const struct place_stand_in *t, const struct order *o, bool write, struct err *e)
{
	if (o->kind == ORDER_USB)
		p->source = usb_open(p->half.disk, p->found, e);
	else if (o->kind == ORDER_FILE)
		p->source = open_source(o->source, e);
	if (p->source < 0 && o->kind != ORDER_URL && o->kind != ORDER_PARTS)
		return -1;
	p->running = open_slot(t->running, p->half.running_name, O_RDONLY, e);
	if (p->running < 0)
		return -1;
	if (!write)
		return 0;
	/* O_EXCL: refused while anything has the partition mounted or mapped. */
	p->target = open_slot(t->target, p->half.other_name, O_RDWR | O_EXCL, e);
	return p->target < 0 ? -1 : 0;
}

/* --- before anything is changed --------------------------------------------------------------- */

/* "hearth-b.new": never an entry, so nothing boots it and nobody counts it. */
static struct bootenv_entry temporary(const struct place *p)
{
	struct bootenv_entry en = {.slot = p->half.other};
	(void)!str_format(en.name, sizeof(en.name), "hearth-%c.new", p->half.other);
	return en;
}

static uint64_t size_of(const char *name)
{
	char path[LIMIT_PATH];
	struct stat st;
	struct err ignored;
	return bootenv_path(name, path, &ignored) == 0 && sys_stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
}

/* What is free on the ESP when the target's entries and an old temporary file are gone. */
static int check_esp(const struct place *p, uint64_t kernel, struct err *e)
{
	const struct bootenv_entry temp = temporary(p);
	struct bootenv b;
	struct statvfs v;
	if (bootenv_read(&b, e) < 0)
		return -1;
	if (sys_statvfs(PATH_ESP, &v) < 0)
		return err_sys(e, PATH_ESP);
	uint64_t room = (uint64_t)v.f_bavail * v.f_frsize + size_of(temp.name);
	for (unsigned i = 0; i < b.count; i++)
		room += b.entry[i].slot == p->half.other ? size_of(b.entry[i].name) : 0;
	if (room >= kernel + ESP_SPARE)
		return 0;
	return err_set(e, ENOSPC, "no room on the ESP: the kernel has %" PRIu64 " KiB, %" PRIu64 " KiB are free",
	               kernel / 1024, room / 1024);
}

int place_check(const struct place *p, const struct update_manifest *m, const struct order *o, struct err *e)
{
	const struct update_asked asked = {.older = o->older, .same = o->again};
	uint64_t need = m->member[TAR_ROOT].size + m->member[TAR_VERITY].size;
	char running[VERSION_TEXT];
	release_version(running);
	if (update_manifest_allows(m, BOARD_NAME, running, &asked, e) < 0)
		return -1;
	if (need > p->half.other_bytes)
		return err_set(e, ENOSPC, "the image needs %" PRIu64 " MiB, slot %c has %" PRIu64, (need >> 20) + 1,
		               p->half.other, p->half.other_bytes >> 20);
	return check_esp(p, m->member[TAR_UKI].size, e);
}

/* --- what is changed -------------------------------------------------------------------------- */

static int slot_record(char slot, char path[LIMIT_PATH], struct err *e)
{
	if (str_format(path, LIMIT_PATH, PATH_STATE_SLOT "%c", slot) < 0)
		return err_set(e, ENAMETOOLONG, PATH_STATE_SLOT);
	return 0;
}

static int remove_entries(char slot, struct err *e)
{
	struct bootenv b;
	if (bootenv_read(&b, e) < 0 || bootenv_unlock(e) < 0)
		return -1;
	int rc = bootenv_remove(&b, slot, e);
	bootenv_lock();
	return rc;
}

int place_mark(struct place *p, struct err *e)
{
	char record[LIMIT_PATH];
	int turn = slot_record(p->half.other, record, e) < 0 ? -1 : turn_take(e);
	int rc = turn < 0 ? -1 : remove_entries(p->half.other, e);
	turn_give(turn);
	if (rc < 0)
		return err_prefix(e, "slot %c", p->half.other);
	if (sys_unlink(record) < 0 && errno != ENOENT)
		log_warn(ROOM, "remove %s", record);
	return 0;
}

static int open_kernel(struct place *p, const char *path, struct err *e)
{
	if (bootenv_unlock(e) < 0)
		return -1;
	p->kernel = sys_open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (p->kernel >= 0)
		return 0;
	err_sys(e, "%s", path);
	bootenv_lock();
	return -1;
}

/* Once it is open, nobody else's turn makes the ESP read-only. */
int place_kernel(struct place *p, struct err *e)
{
	const struct bootenv_entry temp = temporary(p);
	char path[LIMIT_PATH];
	int turn = bootenv_path(temp.name, path, e) < 0 ? -1 : turn_take(e);
	int rc = turn < 0 ? -1 : open_kernel(p, path, e);
	turn_give(turn);
	return rc;
}

static int write_records(const struct place *p, const char *version, const struct names *healthy, struct err *e)
{
	char path[LIMIT_PATH], line[VERSION_TEXT + 2];
	static char text[NAMES_TEXT];
	struct buf b;
	buf_init(&b, text, sizeof(text));
	if (file_mkdirs(STATE_DIR, 0755, e) < 0 || slot_record(p->half.other, path, e) < 0 ||
	    names_format(healthy, &b, e) < 0)
		return -1;
	if (str_format(line, sizeof(line), "%s\n", version) < 0)
		return err_set(e, EINVAL, "version %s", version);
	if (file_replace(path, line, strlen(line), 0644, e) < 0)
		return -1;
	return file_replace(PATH_STATE_APPS, b.data, b.len, 0644, e);
}

static int add_entry(const struct place *p, struct err *e)
{
	const struct bootenv_entry temp = temporary(p);
	struct bootenv b;
	if (bootenv_read(&b, e) < 0)
		return -1;
	struct bootenv_entry en = {.slot = p->half.other,
	                           .counted = true,
	                           .generation = bootenv_next_generation(&b),
	                           .left = BOARD_TRIAL_BOOTS};
	return bootenv_rename(&temp, &en, e);
}

static int check_kernel(const struct place *p, const struct update_member *want, struct err *e)
{
	uint8_t sum[SHA256_BYTES];
	uint64_t size;
	if (blockio_sum(p->kernel, sum, &size, e) < 0)
		return err_prefix(e, "read the kernel back");
	if (size != want->size || memcmp(sum, want->sha256, sizeof(sum)) != 0)
		return err_set(e, EBADMSG, "the kernel on the ESP is not the one that was signed");
	return 0;
}

/* As long as it is open the ESP stays writable, whoever has a turn. */
static void close_kernel(struct place *p)
{
	if (p->kernel < 0)
		return;
	sys_close(p->kernel);
	p->kernel = -1;
	bootenv_lock();
}

int place_arm(struct place *p, const struct update_manifest *m, const struct order *o, const struct names *healthy,
              struct err *e)
{
	if (p->kernel < 0)
		return err_set(e, EPROTO, "there is no kernel");
	if (check_kernel(p, &m->member[TAR_UKI], e) < 0)
		return -1;
	if (sys_fsync(p->kernel) < 0)
		return err_sys(e, "flush the kernel to the ESP");
	if (write_records(p, m->version, healthy, e) < 0 || snapshots_arm(o->snapshot, m->version, e) < 0 ||
	    place_write_job(NULL, e) < 0)
		return -1;
	int turn = turn_take(e);
	if (turn < 0)
		return -1;
	int rc = add_entry(p, e);
	close_kernel(p);
	turn_give(turn);
	return rc;
}

void place_write_last(const char *text)
{
	struct err e = {0};
	if (file_mkdirs(DATA_DIR, 0755, &e) < 0 || file_replace(PLACE_LAST, text, strlen(text), 0644, &e) < 0)
		log_warnx(ROOM, "%s", e.text);
}

void place_read_last(char *text, size_t cap)
{
	struct err ignored;
	struct buf b;
	buf_init(&b, text, cap);
	if (file_read(PLACE_LAST, &b, &ignored) < 0)
		text[0] = '\0';
}

/* What was put into the other slot; "" when nobody knows. */
static void other_version(const struct place *p, char version[VERSION_TEXT])
{
	char path[LIMIT_PATH], line[VERSION_TEXT + 1];
	struct err ignored;
	version[0] = '\0';
	if (slot_record(p->half.other, path, &ignored) == 0 && file_read_line(path, line, sizeof(line), &ignored) == 0)
		(void)!str_copy(version, VERSION_TEXT, line);
}

static bool is_newer(const char *a, const char *b)
{
	struct version left, right;
	return version_read(a, &left) == 0 && version_read(b, &right) == 0 && version_compare(&left, &right) > 0;
}

bool place_given_up(const struct place *p, char version[VERSION_TEXT])
{
	char now[VERSION_TEXT];
	struct bootenv b;
	struct err ignored;
	other_version(p, version);
	if (version[0] == '\0' || bootenv_read(&b, &ignored) < 0)
		return false;
	const struct bootenv_entry *other = bootenv_of(&b, p->half.other), *running = bootenv_of(&b, p->half.running);
	if (bootenv_state(other) == BOOTENV_BAD)
		return true;
	release_version(now);
	return bootenv_state(other) == BOOTENV_GOOD && running && running->generation > other->generation &&
	       is_newer(version, now);
}

bool place_armed(const struct place *p, char version[VERSION_TEXT])
{
	struct bootenv b;
	struct err ignored;
	version[0] = '\0';
	if (bootenv_read(&b, &ignored) < 0)
		return false;
	const struct bootenv_entry *other = bootenv_of(&b, p->half.other), *running = bootenv_of(&b, p->half.running);
	if (bootenv_state(other) != BOOTENV_TRIAL || other->used > 0 ||
	    (running && running->generation > other->generation))
		return false;
	other_version(p, version);
	return true;
}

static void shut(int *fd)
{
	if (*fd >= 0)
		sys_close(*fd);
	*fd = -1;
}

static void forget_kernel(const struct place *p)
{
	const struct bootenv_entry temp = temporary(p);
	char path[LIMIT_PATH];
	struct stat st;
	struct err e;
	if (bootenv_path(temp.name, path, &e) < 0 || sys_stat(path, &st) < 0)
		return;
	if (bootenv_unlock(&e) < 0 || sys_unlink(path) < 0 || bootenv_flush(&e) < 0)
		log_warnx(ROOM, "%s stays on the ESP", temp.name);
	bootenv_lock();
}

/* Also when there is no turn to be had: left writable the ESP is at risk in a power cut. */
static void drop_kernel(struct place *p, bool forget)
{
	struct err e;
	int turn = turn_take(&e);
	if (turn < 0)
		log_warnx(ROOM, "%s", e.text);
	close_kernel(p);
	if (forget && p->half.other)
		forget_kernel(p);
	turn_give(turn);
}

void place_drop(struct place *p, bool forget)
{
	shut(&p->target);
	shut(&p->running);
	shut(&p->source);
	if (p->kernel >= 0 || forget)
		drop_kernel(p, forget);
}

/* --- the record of an install ----------------------------------------------------------------- */

static int remove_job(struct err *e)
{
	if (sys_unlink(PLACE_JOB) < 0)
		return errno == ENOENT ? 0 : err_sys(e, "remove " PLACE_JOB);
	return file_flush_folder(DATA_DIR, e);
}

int place_write_job(const struct order *o, struct err *e)
{
	char text[ORDER_RECORD];
	struct buf b;
	if (!o)
		return remove_job(e);
	buf_init(&b, text, sizeof(text));
	order_record(o, &b);
	if (!buf_ok(&b))
		return err_set(e, EMSGSIZE, PLACE_JOB);
	return file_mkdirs(DATA_DIR, 0755, e) < 0 ? -1 : file_replace(PLACE_JOB, b.data, b.len, 0644, e);
}

int place_read_job(struct order *o, struct err *e)
{
	char text[ORDER_RECORD];
	struct buf b;
	struct err gone;
	buf_init(&b, text, sizeof(text));
	if (file_read(PLACE_JOB, &b, e) < 0)
		return e->code == ENOENT ? 0 : -1;
	if (order_read(o, PLACE_JOB, b.data, b.len, e) == 0)
		return 1;
	(void)!place_write_job(NULL, &gone);
	return -1;
}
