/* The front door: one program, many roles. `hearth ROLE ...` runs that role's main function and ends with its exit
 * code. It holds no state and decides nothing but which role this process is. */
#include <stdio.h>
#include <unistd.h>

#include "base/exit.h"
#include "base/str.h"
#include "boot/check.h"
#include "boot/init.h"
#include "boot/stage1.h"
#include "console/auth.h"
#include "console/cert.h"
#include "console/ctl.h"
#include "console/owner.h"
#include "console/screen.h"
#include "console/web.h"
#include "kube/kube.h"
#include "node/esp.h"
#include "node/keep.h"
#include "node/klog.h"
#include "node/log.h"
#include "node/network.h"
#include "node/quota.h"
#include "node/scrub.h"
#include "node/slot.h"
#include "node/storage.h"
#include "node/unmount.h"
#include "update/bundle.h"
#include "update/update.h"
#include "update/worker.h"

static const struct {
	const char *name;
	int (*main)(int argc, char **argv); /* argv[0] is the role's name */
	const char *help;
} roles[] = {
	{"ctl", ctl_main, "ask PID 1: hearth ctl help"},
	{"check", check_main, "check service files and settings: hearth check [FILE|FOLDER...]"},
	{"update", update_main, "service: installs new versions"},
	{"update-worker", worker_main, "reads a bundle and writes a slot; started by update"},
	{"bundle", bundle_main, "look at a bundle: hearth bundle info|verify [--keys FOLDER] FILE"},
	{"init", init_main, "PID 1 of the running system"},
	{"stage1", stage1_main, "PID 1 in the initramfs: finds and opens the root"},
	{"storage", storage_main, "service: disks, file systems, identity"},
	{"slot", slot_main, "changes which slot the boot loader prefers: hearth slot good | bad SLOT | next SLOT"},
	{"esp", esp_main, "service: the boot partition: copies of what it must hold, check and repair"},
	{"network", network_main, "service: interfaces and DHCP"},
	{"log", log_main, "service: writes the logs of all services"},
	{"klog", klog_main, "service: the kernel's log"},
	{"scrub", scrub_main, "service: reads the whole root once in the background"},
	{"console", console_main, "service: screen and line editor on a terminal"},
	{"cert", cert_main, "service: makes the certificate of the HTTPS console"},
	{"web", web_main, "service: the HTTPS console"},
	{"owner", owner_main, "service: the owner's login and sessions"},
	{"auth", auth_main, "hashes one password for the owner service"},
	{"kube", kube_main, "service: applies the embedded manifests and keeps them true"},
	{"quota", quota_main, "bounds a folder of the data partition: hearth quota DIR [BYTES]"},
	{"keep", keep_main, "keeps one small record in the state partition"},
	{"unmount", unmount_main, "unmounts the disks at shutdown"},
};

static int usage(void)
{
	fprintf(stderr, "usage: hearth ROLE [ARGUMENT...]\n");
	for (size_t i = 0; i < COUNT_OF(roles); i++)
		fprintf(stderr, "  %-13s  %s\n", roles[i].name, roles[i].help);
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	/* The kernel starts /init and adds words of its command line that it does not know. */
	if (getpid() == 1 && (argc < 2 || str_eq(argv[0], "/init")))
		return stage1_main(argc, argv);
	for (size_t i = 0; argc > 1 && i < COUNT_OF(roles); i++) {
		if (str_eq(argv[1], roles[i].name))
			return roles[i].main(argc - 1, argv + 1);
	}
	return usage();
}
