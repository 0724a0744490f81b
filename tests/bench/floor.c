/* The floor of the boot benchmark: what nobody can leave out between the exec of /init and a shell on the serial line.
 * Opens the same verity root, mounts the same file systems as the product (from its own tables), starts a shell; no
 * supervision, no checks, no logs. The disk is the test machine's: vda2 root, vda4 state, vda5 data, vda1 ESP. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/clock.h"
#include "host/cmdline.h"
#include "host/mounts.h"
#include "host/verity.h"

static struct err e;

static void must(int rc, const char *what)
{
	if (rc >= 0)
		return;
	dprintf(STDOUT_FILENO, "FLOOR failed: %s: %s\n", what, e.text);
	pause();
}

static dev_t number_of(const char *device)
{
	struct stat st;
	must(stat(device, &st), device);
	return st.st_rdev;
}

static void open_root(void)
{
	struct cmdline cmd;
	struct verity v;
	dev_t root;
	char path[32];
	int fd = open("/dev/vda2", O_RDONLY | O_CLOEXEC);
	must(cmdline_read(&cmd, &e), "command line");
	must(verity_probe(fd, &v, &e), "verity superblock");
	must(verity_open(&v, number_of("/dev/vda2"), cmd.roothash, &root, &e), "verity");
	(void)snprintf(path, sizeof(path), "/dev/dm-%u", minor(root));
	must(mount(path, "/sysroot", "erofs", MS_RDONLY, NULL), "root");
}

static void enter_root(void)
{
	static const char *const kernel[] = {"/dev", "/proc", "/sys"};
	char to[32];
	for (int i = 0; i < 3; i++) {
		(void)snprintf(to, sizeof(to), "/sysroot%s", kernel[i]);
		must(mount(kernel[i], to, NULL, MS_MOVE, NULL), to);
	}
	must(chdir("/sysroot"), "chdir");
	must(mount(".", "/", NULL, MS_MOVE, NULL), "move");
	must(chroot("."), "chroot");
	must(chdir("/"), "chdir /");
}

static void mount_rest(void)
{
	unsigned count;
	const struct mounts_row *row = mounts_early(&count);
	for (unsigned i = 0; i < count; i++) {
		if (mounts_apply(&row[i], &e) < 0 && row[i].needed)
			must(-1, row[i].target);
	}
	must(mount("/dev/vda4", "/state", "ext4", MS_NOATIME, NULL), "state");
	must(mount("/dev/vda5", "/data", "xfs", MS_NOATIME, "prjquota"), "data");
	must(mount("/dev/vda1", "/boot", "vfat", MS_RDONLY, NULL), "esp");
}

int main(void)
{
	static char name[] = "sh", option[] = "-c",
		    script[] = "read up rest </proc/uptime; echo FLOOR shell $up; exec sh -i";
	char *const argv[] = {name, option, script, NULL};
	unsigned long long start = clock_ms();
	(void)!mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	(void)!mount("proc", "/proc", "proc", 0, NULL);
	(void)!mount("sysfs", "/sys", "sysfs", 0, NULL);
	int tty = open("/dev/ttyS0", O_RDWR);
	for (int i = 0; i < 3; i++)
		dup2(tty, i);
	open_root();
	enter_root();
	mount_rest();
	dprintf(STDOUT_FILENO, "FLOOR start %llu\n", start);
	execv("/bin/sh", argv);
	must(-1, "shell");
	return 1;
}
