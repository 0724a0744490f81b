/* Stage 1, PID 1 of the initramfs: finds, verifies and mounts the root, then becomes stage 2. It may wait, for its disk
 * and for nothing else; it must never end: a failure is told and the box reboots. */
#include "boot/stage1.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/paths.h"
#include "base/str.h"
#include "base/sys.h"
#include "boot/candidate.h"
#include "boot/fallback.h"
#include "boot/guard.h"
#include "boot/init.h"
#include "boot/say.h"
#include "boot/tries.h"
#include "host/bootenv.h"
#include "host/cmdline.h"
#include "host/disk.h"
#include "host/mounts.h"
#include "host/uevent.h"
#include "host/verity.h"
#include "host/watchdog.h"

#define LINE             400
#define LOOK_MS          1000 /* a lost device event costs at most this */
#define SETTLE_MS        2000 /* for the partition that the loader meant, when another one with the same root is there */
#define SCAN_MS          60000   /* for naming the damaged block */
#define SCAN_BYTES       0x10000 /* one read */
#define ADVICE           "flash again or boot the other slot"
#define READ_MS          2000
#define COUNTDOWN_STEP_S 10 /* how often the reason is repeated: somebody may have just plugged in the screen */

static struct {
	struct say say;
	struct cmdline cmd;
	struct watchdog dog;
	struct disk_list disks, seen;
	struct disk_match match;
	unsigned which;               /* of match */
	struct bootenv_entry started; /* by the boot loader; slot '\0': it does not say */
	bool trial;                   /* that start was one of a new slot's tries */
	unsigned left;                /* of them */
	bool suspect;                 /* it is the root that failed */
	char wanted;                  /* slot that the command line or the boot loader says; '\0': none */
	char slot;                    /* that runs; '\0': nobody knows */
	uint64_t began;               /* clock_ms */
	dev_t root;                   /* the verity device */
	char root_path[LIMIT_NAME];
	int root_fd; /* -1: none */
	_Alignas(VERITY_BLOCK) uint8_t block[SCAN_BYTES];
} s1;

/* On every console, and for the kernel's log. Longer lines than PID 1's: they name disks. */
static void tell(const char *fmt, ...) PRINTF_LIKE(1, 2);
static void tell(const char *fmt, ...)
{
	char text[LINE], line[LINE + 16];
	struct buf b;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	buf_init(&b, line, sizeof(line));
	buf_addf(&b, "hearth: %s\r\n", text);
	for (unsigned i = 0; i < s1.say.count; i++)
		(void)!sys_write(s1.say.fd[i], b.data, b.len);
	log_warnx("stage1", "%s", text);
}

static const struct mounts_row kernel_mounts[] = {
	{"devtmpfs", "/dev", "devtmpfs", MS_NOSUID | MS_NOEXEC, "mode=0755", true},
	{"proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL, true},
	{"sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL, true},
};

static int mount_kernel(struct err *e)
{
	for (size_t i = 0; i < COUNT_OF(kernel_mounts); i++) {
		if (mounts_apply(&kernel_mounts[i], e) < 0)
			return -1;
	}
	return 0;
}

static int start_talking(struct err *e)
{
	(void)e; /* a box without any console boots all the same */
	say_take_standard(PATH_CONSOLE);
	int fd = sys_open(PATH_KMSG, O_WRONLY | O_CLOEXEC, 0);
	if (fd >= 0)
		log_init("stage1", fd, 1);
	say_open(&s1.say);
	return 0;
}

static int read_cmdline(struct err *e)
{
	if (cmdline_read(&s1.cmd, e) < 0)
		return -1;
	if (!s1.cmd.has_root)
		return err_set(e, EINVAL, "the kernel command line names no root (hearth.root=, hearth.roothash=)");
	return 0;
}

static void stand_still(void)
{
	tell("hearth.test=hang-early: stage 1 stands still");
	for (;;)
		(void)sys_poll(NULL, 0, -1);
}

/* From here on the machine is started again when something stands still: the kernel, a disk that never answers, or
 * this. Without a watchdog the boot goes on all the same. */
static int start_watchdog(struct err *e)
{
	if (watchdog_open(&s1.dog, GUARD_SECONDS, e) < 0 && e->code != ENOENT)
		log_warnx("stage1", "%s", e->text);
	if (s1.cmd.hang_early)
		stand_still();
	return 0;
}

static void feed(void)
{
	struct err e;

	if (s1.dog.fd >= 0 && watchdog_feed(&s1.dog, &e) < 0)
		log_warnx("stage1", "%s", e.text);
}

static void wait_feeding(struct pollfd *p, nfds_t n, int ms)
{
	feed();
	(void)sys_poll(p, n, ms);
}

/* A command line that names a slot is somebody's test. Without firmware, or another loader, nobody says. */
static int ask_loader(struct err *e)
{
	static const struct mounts_row variables = {
		"efivarfs", PATH_EFIVARS, "efivarfs", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, NULL, false};

	s1.wanted = s1.cmd.slot[0];
	if (s1.wanted != '\0')
		return 0;
	if (mounts_apply(&variables, e) < 0 || bootenv_loader(&s1.started, e) < 0) {
		log_info("stage1", "the boot loader says nothing of a slot: %s", e->text);
		s1.started.slot = '\0';
	}
	s1.wanted = s1.started.slot;
	s1.trial = s1.wanted != '\0' && tries_read(&s1.started, &s1.left, e) == 0;
	return 0;
}

static void tell_waiting(uint64_t waited_ms)
{
	char names[LINE / 2];
	struct buf b;

	buf_init(&b, names, sizeof(names));
	for (unsigned i = 0; i < s1.disks.count; i++)
		buf_addf(&b, " %s", s1.disks.dev[i].name);
	tell("waiting for the disk with the root %s, %u of %u s; disks so far:%s%s%s", s1.cmd.uuid_text,
	     (unsigned)(waited_ms / 1000), STAGE1_ROOT_WAIT_MS / 1000, s1.disks.count > 0 ? names : " none",
	     s1.match.refused[0] ? "; not usable: " : "", s1.match.refused);
}

/* What cannot be asked stays empty. */
static void describe(struct candidate *c, const struct disk_dev *d)
{
	char label[GPT_NAME];
	struct err ignored;
	unsigned number;

	c->name = d->name;
	c->slot = disk_partition_label(d->dev, label, &ignored) == 0 ? candidate_slot(label) : '\0';
	if (disk_of_partition(d->dev, c->disk, &number, &ignored) < 0)
		c->disk[0] = '\0';
}

/* 1: found; 0: not yet; -1: it makes no sense to wait. */
static int look(uint64_t waited_ms, struct err *e)
{
	struct candidate c[DISK_MATCHES];

	if (disk_list_read(&s1.disks, e) < 0)
		return -1;
	disk_match_root(&s1.match, &s1.disks, &s1.seen, s1.cmd.uuid);
	for (unsigned i = 0; i < s1.match.count; i++)
		describe(&c[i], &s1.match.dev[i]);
	if (s1.match.count == 0)
		return 0;
	if (candidate_choose(c, s1.match.count, s1.wanted, &s1.which, e) < 0)
		return -1;
	s1.slot = c[s1.which].slot;
	return s1.slot == '\0' || s1.wanted == '\0' || s1.slot == s1.wanted || waited_ms >= SETTLE_MS;
}

static void wait_change(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	wait_feeding(&p, 1, LOOK_MS);
	if (fd >= 0)
		(void)uevent_drain(fd);
}

static int wait_root(int events, struct err *e)
{
	uint64_t start = clock_ms(), told = start;

	for (;;) {
		uint64_t now = clock_ms();
		int rc = look(now - start, e);
		if (rc != 0)
			return rc < 0 ? -1 : 0;
		if (now - start >= STAGE1_ROOT_WAIT_MS)
			break;
		if (now - told >= STAGE1_TELL_MS) {
			tell_waiting(now - start);
			told = now;
		}
		wait_change(events);
	}
	tell_waiting(STAGE1_ROOT_WAIT_MS);
	return err_set(e, ENODEV, "no disk holds the root %s%s%s; " ADVICE, s1.cmd.uuid_text,
	               s1.match.refused[0] ? "; not usable: " : "", s1.match.refused);
}

static int find_root(struct err *e)
{
	struct err why;
	int events = uevent_open(&why);

	if (events < 0)
		log_warnx("stage1", "%s: looking every second instead", why.text);
	int rc = wait_root(events, e);
	if (events >= 0)
		sys_close(events);
	return rc;
}

/* The partition counts: an update must never write into the running one, whatever its boot entry was called. */
static int settle_slot(struct err *e)
{
	(void)e;
	if (s1.slot == '\0' || s1.cmd.slot[0])
		s1.slot = s1.wanted;
	else if (s1.wanted != '\0' && s1.slot != s1.wanted)
		tell("the boot loader started slot %c, but its root is in slot %c", s1.wanted, s1.slot);
	return 0;
}

static int open_root(struct err *e)
{
	const struct verity *v = &s1.match.verity[s1.which];

	if (verity_open(v, s1.match.dev[s1.which].dev, s1.cmd.roothash, &s1.root, e) < 0)
		return -1;
	log_info("stage1", "root is %s, slot %c, %llu MiB verified by hash", s1.match.dev[s1.which].name,
	         s1.slot ? s1.slot : '?', (unsigned long long)(v->data_blocks / 256));
	if (str_format(s1.root_path, sizeof(s1.root_path), "/dev/dm-%u", minor(s1.root)) < 0)
		return err_set(e, ENAMETOOLONG, "verity device");
	s1.root_fd = sys_open(s1.root_path, O_RDONLY | O_DIRECT | O_CLOEXEC, 0); /* only for name_damage */
	return 0;
}

/* Looks for the first block that the kernel refuses; replaces *e when it finds one. */
static void name_damage(struct err *e)
{
	struct err why;
	uint64_t block = 0, start = clock_ms();
	ssize_t n = 1;

	for (; s1.root_fd >= 0 && n > 0 && clock_ms() - start < SCAN_MS; feed())
		n = verity_read(s1.root_fd, &block, s1.block, sizeof(s1.block), &why);
	if (s1.root_fd >= 0 && n < 0)
		err_set(e, EIO, "block %llu of %s does not match its hash: the system partition is damaged; " ADVICE,
		        (unsigned long long)block, s1.match.dev[s1.which].name);
}

static int refuse_root(struct err *e)
{
	name_damage(e);
	return err_prefix(e, "the root is refused");
}

static int mount_root(struct err *e)
{
	(void)sys_mkdir(PATH_SYSROOT, 0755);
	if (sys_mount(s1.root_path, PATH_SYSROOT, "erofs", MS_RDONLY | MS_NODEV, NULL) == 0)
		return 0;
	err_sys(e, "mount %s", s1.root_path);
	return refuse_root(e);
}

/* Reads the whole program, so that a damaged block of it is told here and not by a PID 1 that dies of SIGBUS. */
static int check_program(struct err *e)
{
	ssize_t n = 1;
	int fd = sys_open(PATH_SYSROOT PATH_SELF, O_RDONLY | O_CLOEXEC, 0);

	while (fd >= 0 && n > 0)
		n = sys_read(fd, s1.block, sizeof(s1.block));
	if (fd >= 0 && n == 0) {
		sys_close(fd);
		return 0;
	}
	err_sys(e, "read " PATH_SELF);
	if (fd >= 0)
		sys_close(fd);
	return refuse_root(e);
}

/* The program of the initramfs is the one of the root, and it is in memory already: bound over its place in the root it
 * serves PID 1 and all roles. No disk that dies can take them along, and nothing is read or hashed twice. */
static int keep_program(struct err *e)
{
	if (sys_mount("/init", PATH_SYSROOT PATH_SELF, NULL, MS_BIND, NULL) < 0) {
		log_warn("stage1", "the program cannot stay in memory");
		return check_program(e);
	}
	if (sys_mount(NULL, PATH_SYSROOT PATH_SELF, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NODEV, NULL) < 0)
		log_warn("stage1", "make " PATH_SELF " read-only");
	return 0;
}

static int switch_root(struct err *e)
{
	for (size_t i = 0; i < COUNT_OF(kernel_mounts); i++) {
		char to[LIMIT_PATH];
		if (str_format(to, sizeof(to), PATH_SYSROOT "%s", kernel_mounts[i].target) < 0 ||
		    mounts_move(kernel_mounts[i].target, to, e) < 0)
			return -1;
	}
	if (sys_chdir(PATH_SYSROOT) < 0)
		return err_sys(e, "chdir " PATH_SYSROOT);
	if (mounts_move(".", "/", e) < 0)
		return -1;
	if (sys_chroot(".") < 0 || sys_chdir("/") < 0)
		return err_sys(e, "chroot " PATH_SYSROOT);
	return 0;
}

/* "HEARTH_WATCHDOG=3" for stage 2; NULL: it opens the watchdog itself. */
static char *hand_watchdog_over(char text[LIMIT_NAME])
{
	struct err e;

	if (s1.dog.fd < 0)
		return NULL;
	if (watchdog_hand_over(&s1.dog, &e) < 0) {
		log_warnx("stage1", "%s", e.text);
		return NULL;
	}
	return str_format(text, LIMIT_NAME, INIT_ENV_WATCHDOG "=%d", s1.dog.fd) < 0 ? NULL : text;
}

static int start_stage2(struct err *e)
{
	static char name[] = "hearth", role[] = "init";
	static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin", home[] = "HOME=/", term[] = "TERM=linux";
	static char slot[] = INIT_ENV_SLOT "=?";
	char began[LIMIT_NAME], trial[LIMIT_NAME], dog[LIMIT_NAME];
	char *argv[] = {name, role, NULL};
	char *envp[8] = {path, home, term, began};
	unsigned n = 4;

	slot[sizeof(slot) - 2] = s1.slot;
	if (str_format(began, sizeof(began), INIT_ENV_STAGE1 "=%llu", (unsigned long long)s1.began) < 0 ||
	    str_format(trial, sizeof(trial), INIT_ENV_TRIAL "=%u", s1.left) < 0)
		return err_set(e, EOVERFLOW, "clock");
	if (s1.slot)
		envp[n++] = slot;
	/* The loader's word is on the entry that it started. */
	if (s1.trial && s1.slot == s1.started.slot)
		envp[n++] = trial;
	envp[n] = hand_watchdog_over(dog);
	sys_execve(PATH_SELF, argv, envp);
	return err_sys(e, "exec " PATH_SELF);
}

/* root: a failure speaks against this slot. */
static const struct {
	const char *what;
	int (*run)(struct err *e);
	bool root;
} steps[] = {
	{"mounts", mount_kernel, false},     {"consoles", start_talking, false},  {"command line", read_cmdline, false},
	{"watchdog", start_watchdog, false}, {"boot loader", ask_loader, false},  {"disk", find_root, true},
	{"slot", settle_slot, false},        {"verity", open_root, true},         {"mount", mount_root, true},
	{"program", keep_program, true},     {"switch root", switch_root, false}, {"stage 2", start_stage2, false},
};

int stage1_run(struct err *e)
{
	memset(&s1, 0, sizeof(s1));
	s1.began = clock_ms();
	s1.root_fd = -1;
	watchdog_init(&s1.dog);
	for (size_t i = 0; i < COUNT_OF(steps); i++) {
		if (steps[i].run(e) == 0)
			continue;
		s1.suspect = steps[i].root && e->code != ENOTUNIQ;
		return err_prefix(e, "cannot boot: %s", steps[i].what);
	}
	return err_set(e, ENOEXEC, "cannot boot: the program ended"); /* not reached: an exec does not return 0 */
}

/* Once: what cannot be marked now cannot be later. */
static bool goes_over(void)
{
	char disk[DISK_NAME] = "";
	struct err e;
	unsigned number;

	if (!s1.suspect || s1.started.slot == '\0')
		return false;
	s1.suspect = false;
	if (s1.match.count > 0 && disk_of_partition(s1.match.dev[s1.which].dev, disk, &number, &e) < 0)
		return false;
	if (fallback_mark(&s1.started, disk, &s1.disks, &e) == 0)
		return true;
	tell("no way to the other slot: %s", e.text);
	return false;
}

static void count_down(const struct err *why)
{
	for (unsigned left = STAGE1_REBOOT_S; left > 0; left -= COUNTDOWN_STEP_S) {
		tell("%s", why->text);
		tell("restart in %u s", left);
		wait_feeding(NULL, 0, COUNTDOWN_STEP_S * 1000);
	}
}

void stage1_refuse(const struct err *why)
{
	struct err ignored;

	if (s1.say.count == 0) /* it failed before there were any */
		(void)start_talking(&ignored);
	if (goes_over()) {
		tell("%s", why->text);
		tell("slot %c is marked bad now; slot %c is started instead", s1.started.slot,
		     bootenv_other(s1.started.slot));
		wait_feeding(NULL, 0, READ_MS);
	} else {
		count_down(why);
	}
	tell("restarting");
	sys_reboot(RB_AUTOBOOT);
}

int stage1_main(int argc, char **argv)
{
	struct err e;

	(void)argc;
	(void)argv;
	if (getpid() != 1)
		return 2;
	if (stage1_run(&e) == 0)
		err_set(&e, EIO, "cannot boot");
	for (;;)
		stage1_refuse(&e);
}
