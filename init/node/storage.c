/* The storage role: the table of steps from "which disk is ours" to "data mounted". Runs once per boot as root, may
 * block, and must never make a file system on a partition that is not marked as fresh. */
#include "node/storage.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/buf.h"
#include "base/exit.h"
#include "base/file.h"
#include "base/log.h"
#include "base/paths.h"
#include "base/str.h"
#include "base/sys.h"
#include "board.h"
#include "host/bootenv.h"
#include "host/disk.h"
#include "host/gpt.h"
#include "host/identity.h"
#include "host/mounts.h"
#include "host/turn.h"
#include "host/verity.h"
#include "node/copies.h"
#include "node/crash.h"
#include "node/esp.h"
#include "node/fs.h"
#include "node/layout.h"
#include "node/records.h"
#include "node/slot.h"
#include "node/tell.h"
#include "node/unseen.h"

/* What a step needs and what its failure takes away. */
enum part { DISK = 1 << 0, STATE = 1 << 1, DATA = 1 << 2, ESP = 1 << 3 };

#define DEVICE (DISK_NAME + 8)

static struct {
	char disk[DISK_NAME];
	int fd; /* of the disk, -1: not open */
	struct gpt gpt;
	struct layout layout;
	struct identity id;
	struct end last; /* how the last run ended */
	struct unseen unseen;
	bool counted; /* an earlier run of this role in this boot did it */
	struct settings settings;
	struct yaml yaml;
	unsigned lost;    /* mask of enum part */
	bool esp_fixed;   /* by its check, before it was mounted */
	bool esp_damaged; /* beyond that */
	bool retry;       /* a step failed for a reason that may pass */
} st;

static int device_of(unsigned number, char device[DEVICE], struct err *e)
{
	char name[DISK_NAME];

	if (disk_partition_name(st.disk, number, name, e) < 0)
		return -1;
	if (str_format(device, DEVICE, "/dev/%s", name) < 0)
		return err_set(e, ENAMETOOLONG, "%s: name too long", name);
	return 0;
}

static int find_disk(struct err *e)
{
	dev_t root;
	unsigned number;

	if (verity_backing(&root, e) < 0 || disk_of_partition(root, st.disk, &number, e) < 0)
		return -1;
	st.fd = disk_open(st.disk, O_RDWR, e);
	if (st.fd < 0)
		return -1;
	log_info("storage", "the disk of this box is %s (root: partition %u)", st.disk, number);
	return 0;
}

static int random_bytes(uint8_t bytes[16], void *arg)
{
	(void)arg;
	return sys_getrandom(bytes, 16, 0) == 16 ? 0 : -1;
}

static int plan(struct err *e)
{
	enum disk_gpt found;

	if (disk_gpt_read(st.fd, &st.gpt, &found, e) < 0)
		return err_prefix(e, "%s", st.disk);
	if (layout_plan(&st.layout, &st.gpt, random_bytes, NULL, e) < 0)
		return -1;
	if (found != DISK_GPT_GOOD) {
		log_warnx("storage", "%s: the %s partition table is missing or old; repairing it", st.disk,
		          found == DISK_GPT_PRIMARY_BAD ? "primary" : "backup");
		st.layout.changed = true;
	}
	/* The others are told by the steps that bring them up. */
	if (!st.layout.there[LAYOUT_SYSTEM_B])
		log_warnx("storage", "%s: no updates: %s", st.disk, st.layout.missing[LAYOUT_SYSTEM_B].text);
	return 0;
}

/* A partition that did not make it to the disk or to the kernel is not there; the next boot tries again. */
static void take_back(unsigned i, const struct err *why)
{
	if (!st.layout.added[i])
		return;
	st.layout.there[i] = false;
	st.layout.missing[i] = *why;
	st.retry = true;
}

static int write_table(struct err *e)
{
	int rc = 0;

	if (!st.layout.changed)
		return 0;
	for (unsigned i = 0; i < LAYOUT_PARTS && rc == 0; i++)
		rc = st.layout.added[i] ? disk_wipe(st.fd, &st.layout.part[i], e) : 0;
	if (rc == 0)
		rc = disk_gpt_write(st.fd, &st.gpt, e);
	for (unsigned i = 0; i < LAYOUT_PARTS && rc < 0; i++)
		take_back(i, e);
	if (rc < 0)
		st.layout.grown = false;
	return rc;
}

static int tell_kernel(struct err *e)
{
	int rc = 0;

	for (unsigned i = 0; i < LAYOUT_PARTS; i++) {
		const struct gpt_part *p = &st.layout.part[i];
		if (!st.layout.there[i] || disk_kernel_add(st.fd, p, e) == 0)
			continue;
		take_back(i, e);
		rc = -1;
	}
	if (st.layout.grown && disk_kernel_resize(st.fd, &st.layout.part[LAYOUT_DATA], e) < 0)
		rc = -1;
	return rc;
}

static int esp_device(char device[DEVICE], struct err *e)
{
	struct gpt_part p;

	if (!gpt_find(&st.gpt, BOARD_PART_ESP, &p))
		return err_set(e, ENOENT, "no partition " BOARD_PART_ESP);
	return device_of(p.number, device, e);
}

/* Not needed by anything but the boot entries and the seed. What its check cannot repair is repair_esp's. */
static int mount_esp(struct err *e)
{
	char device[DEVICE];

	if (esp_device(device, e) < 0)
		return -1;
	st.esp_damaged = !mounts_is_mounted(PATH_ESP) && fs_check(FS_ESP, device, &st.esp_fixed, e) < 0;
	if (st.esp_damaged)
		log_warnx("storage", "%s", e->text);
	return fs_mount(FS_ESP, device, e);
}

/* A box whose kernel came by other means has no slot that anybody knows, or no entries: trying again changes nothing.
 */
static int tell_slots(bool facts, struct err *e)
{
	if (slot_tell(facts, e) == 0)
		return 0;
	st.retry = st.retry || e->code != ENOENT;
	return -1;
}

static int tell_entries(struct err *e)
{
	return tell_slots(true, e);
}

/* Again, now that the state can be read. */
static int tell_versions(struct err *e)
{
	return tell_slots(false, e);
}

/* The kernel may still have another idea of a partition, from a table before a repair: never format by that. */
static int check_size(const char *device, const struct gpt_part *p, struct err *e)
{
	uint64_t sectors = 0;
	int fd = sys_open(device, O_RDONLY | O_CLOEXEC, 0);

	if (fd < 0)
		return err_sys(e, "%s", device);
	int rc = disk_sectors(fd, &sectors, e);
	sys_close(fd);
	if (rc == 0 && sectors != p->last - p->first + 1)
		return err_set(e, EBUSY, "%s: the kernel sees another size than the partition table; restart the box",
		               device);
	return rc;
}

/* The mark goes only after the file system is on the disk: mkfs flushes, and so does the table's write. */
static int make_fresh(unsigned i, enum fs_id fs, const char *device, struct err *e)
{
	struct gpt_part *p = &st.layout.part[i];

	log_info("storage", "%s: making the file system of %s", device, layout_part_name(i));
	if (check_size(device, p, e) < 0)
		return -1;
	if (fs_make(fs, device, e) < 0) {
		st.retry = true; /* nothing is lost by another try */
		return -1;
	}
	sys_sync();
	p->attributes &= ~GPT_FRESH;
	gpt_set_attributes(&st.gpt, p->number, p->attributes);
	return disk_gpt_write(st.fd, &st.gpt, e);
}

static int bring_up(unsigned i, enum fs_id fs, struct err *e)
{
	char device[DEVICE];
	bool fixed;

	if (!st.layout.there[i]) {
		*e = st.layout.missing[i];
		return -1;
	}
	if (mounts_is_mounted(fs_target(fs))) /* by an earlier run in this boot */
		return 0;
	if (device_of(st.layout.part[i].number, device, e) < 0)
		return -1;
	if ((st.layout.part[i].attributes & GPT_FRESH) && make_fresh(i, fs, device, e) < 0)
		return -1;
	return fs_check(fs, device, &fixed, e) < 0 ? -1 : fs_mount(fs, device, e);
}

static int bring_up_state(struct err *e)
{
	return bring_up(LAYOUT_STATE, FS_STATE, e);
}

static int bring_up_data(struct err *e)
{
	return bring_up(LAYOUT_DATA, FS_DATA, e);
}

static int take_seed(struct err *e)
{
	return copies_seed(&st.yaml, e);
}

/* True when an earlier run in this boot has counted it already. */
static bool known_already(void)
{
	char text[IDENTITY_TEXT];
	struct err ignored;
	struct buf b;

	buf_init(&b, text, sizeof(text));
	return file_read(PATH_RUN_IDENTITY, &b, &ignored) == 0 && identity_parse(&st.id, b.data, b.len, &ignored) == 0;
}

static int read_records(struct err *e)
{
	st.counted = known_already();
	if (st.counted)
		return 0;
	copies_settings(&st.settings, &st.yaml);
	if (records_load(&st.id, st.settings.hostname, &st.last, e) < 0)
		return -1;
	if (!(st.lost & ESP))
		unseen_look(&st.unseen, &st.last);
	if (st.unseen.there)
		identity_sentence(st.id.last_shutdown, sizeof(st.id.last_shutdown), st.unseen.end.why);
	return 0;
}

/* What the kernel and the watchdog left is of the last start. */
static struct end *last_start(void)
{
	return st.unseen.there ? &st.unseen.end : &st.last;
}

/* A crash explains a last run that did not end in order; one that did may have had an error of the kernel before. */
static int keep_crash(struct err *e)
{
	bool cut = st.unseen.there || st.last.kind == END_POWER_LOSS;
	struct crash c;
	int rc = crash_keep(PATH_PSTORE, cut, &c, e);

	if (c.reason[0])
		records_explain(&st.id, last_start(), crash_kind(c.reason), c.reason);
	if (c.path[0] && cut)
		log_warnx("storage", "the last run ended by %s; its kernel log is kept in %s", st.id.last_shutdown,
		          c.path);
	else if (c.path[0])
		log_warnx("storage", "the kernel of an earlier run left a log (%s); it is kept in %s",
		          c.reason[0] ? c.reason : "no reason in it", c.path);
	return rc;
}

/* What the kernel left explains more than the watchdog, which bites after a panic that hangs, too. */
static int note_end(struct err *e)
{
	char slot[2] = "";
	struct stat s;

	if (st.counted)
		return 0;
	if (sys_stat(PATH_RUN_WATCHDOG, &s) == 0)
		records_explain(&st.id, last_start(), END_WATCHDOG, "the watchdog restarted a box that stood still");
	if (bootenv_running(&slot[0], e) < 0)
		slot[0] = '\0'; /* a box whose kernel came by other means has none */
	if (records_begin(&st.last, slot, e) < 0 || (st.unseen.there && records_note(&st.unseen.end, e) < 0))
		return -1;
	return unseen_keep(&st.unseen, e);
}

static int copy_files(struct err *e)
{
	unsigned bad = copies_to_run();

	return bad == 0 ? 0 : err_set(e, EINVAL, "%u files of " PATH_STATE " were not taken over", bad);
}

/* Last, because PID 1 takes it as the sign that the rest is complete. */
static int publish(struct err *e)
{
	char text[IDENTITY_TEXT], line[IDENTITY_MACHINE_ID + 1];
	struct buf b;

	if (str_format(line, sizeof(line), "%s\n", st.id.machine_id) < 0)
		return err_set(e, EINVAL, "machine id");
	if (file_replace(PATH_RUN_MACHINE_ID, line, strlen(line), 0444, e) < 0)
		return -1;
	buf_init(&b, text, sizeof(text));
	if (identity_format(&st.id, &b, e) < 0)
		return -1;
	return file_replace(PATH_RUN_IDENTITY, b.data, b.len, 0644, e);
}

static int tell_state(struct err *e)
{
	char detail[LIMIT_DETAIL];

	if (str_format(detail, sizeof(detail), PATH_STATE " on %s, start %llu of this box", st.disk,
	               (unsigned long long)st.id.boots) < 0)
		detail[0] = '\0';
	return tell_fact("state-mounted", FACT_ON, detail, e);
}

static int grow_data(struct err *e)
{
	char device[DEVICE];
	bool grew;

	if (device_of(st.layout.part[LAYOUT_DATA].number, device, e) < 0 || fs_grow_data(device, &grew, e) < 0)
		return -1;
	if (grew)
		log_info("storage", "%s: grown to the end of the disk", device);
	return 0;
}

/* Folders of the data partition, and where the programs look for them. */
static const struct {
	const char *from, *to;
	mode_t mode;
} binds[] = {
	{PATH_DATA_LOG, PATH_LOGS, 0750},
	{PATH_DATA "/pod-logs", "/var/log/pods", 0755},
	{PATH_DATA "/containerd", "/var/lib/containerd", 0711},
	{PATH_DATA "/k3s", "/var/lib/rancher/k3s", 0755},
	{PATH_DATA "/k3s-etc", "/etc/rancher", 0755},
	{PATH_DATA "/kubelet", "/var/lib/kubelet", 0755},
	{PATH_DATA "/cni", "/var/lib/cni", 0755},
};

static int bind_folders(struct err *e)
{
	for (size_t i = 0; i < COUNT_OF(binds); i++) {
		if (file_mkdirs(binds[i].from, binds[i].mode, e) < 0)
			return -1;
		if (mounts_is_mounted(binds[i].to))
			continue;
		if (file_mkdirs(binds[i].to, 0755, e) < 0 || mounts_bind(binds[i].from, binds[i].to, e) < 0)
			return -1;
	}
	return 0;
}

/* The first settings of a box are the only thing in there that has no copy. */
static int make_esp_anew(struct err *e)
{
	char device[DEVICE];

	if (esp_device(device, e) < 0)
		return -1;
	log_warnx("storage", "%s: making the boot partition anew", device);
	return fs_make(FS_ESP, device, e) < 0 ? -1 : fs_mount(FS_ESP, device, e);
}

static int restore_esp(struct buf *done, struct err *e)
{
	char slot;

	if (!(st.lost & ESP))
		return esp_restore(st.esp_fixed || st.esp_damaged ? ESP_WHOLE : ESP_SIZES, done, e);
	if (bootenv_running(&slot, e) < 0)
		return -1;
	if (!esp_has_copy(slot))
		return err_set(e, ENOENT, "it does not mount, and there is no whole copy of the boot entry of slot %c",
		               slot);
	if (make_esp_anew(e) < 0)
		return -1;
	st.lost &= ~(unsigned)ESP;
	return esp_restore(ESP_WHOLE, done, e);
}

static int restore_in_turn(struct buf *done, struct err *e)
{
	int turn = turn_take(e);

	if (turn < 0)
		return -1;
	int rc = restore_esp(done, e);
	turn_give(turn);
	return rc;
}

/* The copies are in PATH_DATA. Before that is told, so that a damaged entry is back before anybody changes it. */
static int repair_esp(struct err *e)
{
	char text[LIMIT_DETAIL - 16], detail[LIMIT_DETAIL] = "";
	struct err ignored;
	struct buf done;

	buf_init(&done, text, sizeof(text));
	if (st.esp_fixed)
		buf_add(&done, "file system");
	int rc = restore_in_turn(&done, e);
	if (done.len > 0 && str_format(detail, sizeof(detail), "repaired: %s", text) < 0)
		detail[0] = '\0';
	if (tell_fact("boot-partition", rc < 0 ? FACT_OFF : FACT_ON, rc < 0 ? e->text : detail, &ignored) < 0)
		log_warnx("storage", "%s", ignored.text);
	return rc < 0 ? -1 : done.len > 0 ? tell_slots(true, e) : 0;
}

static int tell_data(struct err *e)
{
	char detail[LIMIT_DETAIL];
	struct statvfs v;
	unsigned long long mib = 0;

	if (sys_statvfs(PATH_DATA, &v) == 0)
		mib = (unsigned long long)v.f_blocks * v.f_frsize / 1048576;
	if (str_format(detail, sizeof(detail), PATH_DATA " on %s, %llu MiB", st.disk, mib) < 0)
		detail[0] = '\0';
	return tell_fact("data-mounted", FACT_ON, detail, e);
}

/* In this order. needs: skipped when one of these is lost; breaks: lost when it fails. */
static const struct step {
	const char *what;
	int (*run)(struct err *e);
	unsigned needs, breaks;
	bool transient; /* a failure may pass: the service is started again */
} steps[] = {
	{"find the disk", find_disk, 0, DISK | STATE | DATA | ESP, true},
	{"read the partition table", plan, DISK, DISK | STATE | DATA | ESP, true},
	{"write the partition table", write_table, DISK, 0, true},
	{"tell the kernel", tell_kernel, DISK, 0, true},
	{"mount " PATH_ESP, mount_esp, DISK, ESP, false},
	{"boot entries", tell_entries, ESP, 0, false},
	{"bring up " PATH_STATE, bring_up_state, DISK | STATE, STATE, false},
	{"first settings", take_seed, STATE, 0, false},
	{"records", read_records, STATE, STATE, true},
	{"kernel log of the last run", keep_crash, STATE, 0, false},
	{"how the last run ended", note_end, STATE, 0, true},
	{"copies for PID 1", copy_files, STATE, 0, false},
	{"versions of the slots", tell_versions, STATE | ESP, 0, false},
	{"identity", publish, STATE, STATE, true},
	{"tell PID 1", tell_state, STATE, 0, true},
	{"bring up " PATH_DATA, bring_up_data, DISK | DATA, DATA, false},
	{"grow " PATH_DATA, grow_data, DATA, 0, false},
	{"folders of " PATH_DATA, bind_folders, DATA, DATA, true},
	{"contents of " PATH_ESP, repair_esp, DISK, 0, false},
	{"tell PID 1", tell_data, DATA, 0, true},
};

static void tell_lost(unsigned lost, const char *why)
{
	static const struct {
		unsigned part;
		const char *fact;
	} facts[] = {{STATE, "state-mounted"}, {DATA, "data-mounted"}};
	struct err e;

	for (size_t i = 0; i < COUNT_OF(facts); i++) {
		if (!(lost & facts[i].part) || tell_fact(facts[i].fact, FACT_OFF, why, &e) == 0)
			continue;
		log_warnx("storage", "%s", e.text);
		st.retry = true;
	}
}

static void run_step(const struct step *s)
{
	struct err e = {0};

	if ((st.lost & s->needs) || s->run(&e) == 0)
		return;
	log_errx("storage", "%s: %s", s->what, e.text);
	st.retry = st.retry || s->transient;
	unsigned lost = s->breaks & ~st.lost;
	st.lost |= s->breaks;
	tell_lost(lost, e.text);
}

int storage_main(int argc, char **argv)
{
	(void)argv;
	if (argc != 1)
		return EXIT_USAGE;
	memset(&st, 0, sizeof(st));
	st.fd = -1;
	for (size_t i = 0; i < COUNT_OF(steps); i++)
		run_step(&steps[i]);
	if (st.fd >= 0)
		sys_close(st.fd);
	return st.retry ? 1 : 0;
}
