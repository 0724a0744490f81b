/* Every absolute path that the program uses. */
#ifndef HEARTH_BASE_PATHS_H
#define HEARTH_BASE_PATHS_H

#define PATH_SELF             "/usr/bin/hearth"
#define PATH_CONTROL          "/run/hearth/control" /* SOCK_SEQPACKET, root only */
#define PATH_RUN              "/run/hearth"
#define PATH_SERVICES         "/etc/hearth/services" /* shipped service files */
#define PATH_SETTINGS_DEFAULT "/etc/hearth/settings.yaml"
#define PATH_BUILD_EPOCH      "/usr/share/hearth/build-epoch"
#define PATH_UPDATE_KEYS      "/etc/hearth/update-keys"            /* public keys of bundles: current.pem, next.pem */
#define PATH_CA               "/etc/ssl/certs/ca-certificates.crt" /* whom https believes */
#define PATH_KUBE_INSIDE      "/usr/share/hearth/kube"             /* one line: which k3s is in the image */
#define PATH_OS_RELEASE       "/etc/os-release"
#define PATH_PASSWD           "/etc/passwd"
#define PATH_CGROUP           "/sys/fs/cgroup"
#define PATH_CGROUP_SERVICES  PATH_CGROUP "/hearth"  /* one cgroup per service below */
#define PATH_STATE            "/state"               /* ext4: identity, settings, keys, records */
#define PATH_DATA             "/data"                /* XFS: logs, volumes, k3s */
#define PATH_STATE_SERVICES   PATH_STATE "/services" /* service files of this box */
#define PATH_STATE_SETTINGS   PATH_STATE "/settings.yaml"
#define PATH_STATE_CLOCK      PATH_STATE "/clock" /* last known good time, text seconds */
#define PATH_STATE_ID         PATH_STATE "/machine-id"
#define PATH_STATE_TLS        PATH_STATE "/tls"
#define PATH_STATE_OWNER      PATH_STATE "/owner"         /* the owner's login: console/owner_record.h */
#define PATH_STATE_BOOTS      PATH_STATE "/boots"         /* number of boots so far */
#define PATH_LOGS             "/var/log/hearth"           /* bind of PATH_DATA/log once data is mounted */
#define PATH_POD_LOGS         "/var/log/pods"             /* the kubelet writes NAMESPACE_NAME_UID/CONTAINER/N.log */
#define PATH_KUBECONFIG       "/etc/rancher/k3s/k3s.yaml" /* the administrator's, from k3s; on PATH_DATA */
#define PATH_STATE_LAST       PATH_STATE "/last-shutdown" /* how this run ends, a line of host/ends.h */
#define PATH_STATE_APPS       PATH_STATE "/update/apps-before" /* see core/names.h: healthy at an update */
#define PATH_STATE_ENDS       PATH_STATE "/ends"               /* how the last runs ended, see host/ends.h */
#define PATH_STATE_UNSEEN     PATH_STATE "/unseen"             /* see node/unseen.h */
#define PATH_STATE_CRASH      PATH_STATE "/crash"              /* kernel logs of runs that crashed: NUMBER.txt */
#define PATH_STATE_SLOT       PATH_STATE "/update/slot-"    /* and the slot: one line, the version that was put there */
#define PATH_STATE_CHANNELS   PATH_STATE "/update/channel"  /* see update/memory.h */
#define PATH_STATE_FAILED     PATH_STATE "/update/failed"   /* idem */
#define PATH_STATE_SNAPSHOT   PATH_STATE "/update/snapshot" /* volumes are to be copied at an update's first start */
#define PATH_DATA_LOG         PATH_DATA "/log"
#define PATH_DATA_VOLUMES     PATH_DATA "/volumes"   /* CLASS/pvc-UID_NAMESPACE_CLAIM, made by local-path-provisioner */
#define PATH_DATA_SNAPSHOTS   PATH_DATA "/snapshots" /* copies of them, see update/snapshots.h */
#define PATH_RUN_IDENTITY     PATH_RUN "/identity"   /* what the storage role found in the state partition */
#define PATH_RUN_SETTINGS     PATH_RUN "/settings.yaml"  /* copy of PATH_STATE_SETTINGS */
#define PATH_RUN_SERVICES     PATH_RUN "/services"       /* copies of PATH_STATE_SERVICES */
#define PATH_RUN_ENDS         PATH_RUN "/ends"           /* copy of PATH_STATE_ENDS */
#define PATH_RUN_APPS         PATH_RUN "/apps-before"    /* copy of PATH_STATE_APPS */
#define PATH_RUN_WATCHDOG     PATH_RUN "/watchdog-reset" /* the last run was ended by the watchdog */
#define PATH_RUN_STICK        PATH_RUN "/stick"          /* where a stick is mounted, for a moment */
#define PATH_RUN_MACHINE_ID   "/run/machine-id"          /* /etc/machine-id points here */
#define PATH_RUN_SLOT         PATH_RUN "/slot"           /* "a" or "b": the running slot; absent when nobody knows */
#define PATH_RUN_SLOTS        PATH_RUN "/slots"          /* what is known of both slots, see host/slots.h */
#define PATH_RUN_ESP_TURN     PATH_RUN "/esp-turn"       /* see host/turn.h */
#define PATH_RUN_TIME_SERVERS PATH_RUN "/time-servers"   /* from the settings, one per line; read by the time service */
#define PATH_ESP              "/boot"
#define PATH_ESP_ENTRIES      PATH_ESP "/EFI/Linux" /* one UKI per slot, see host/bootenv.h */
#define PATH_ESP_SEED         PATH_ESP "/hearth.yaml" /* first settings of a box, written by any computer after flashing */
#define PATH_LOADER           "/usr/share/hearth/esp" /* the boot loader and loader.conf, to repair PATH_ESP from */
#define PATH_DATA_ESP         PATH_DATA "/esp"        /* copies of the boot entries, see node/esp.h */
#define PATH_WEB_ROOT         PATH_RUN "/web-root"    /* empty; the root of the web role */

/* What the kernel gives. */
#define PATH_CONSOLE         "/dev/console"
#define PATH_KMSG            "/dev/kmsg"
#define PATH_WATCHDOG        "/dev/watchdog0"
#define PATH_PMSG            "/dev/pmsg0"
#define PATH_NULL            "/dev/null"
#define PATH_DM_CONTROL      "/dev/mapper/control"
#define PATH_PSTORE          "/sys/fs/pstore"
#define PATH_EFIVARS         "/sys/firmware/efi/efivars"
#define PATH_EFI_SELECTED    PATH_EFIVARS "/LoaderEntrySelected-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
#define PATH_EFI_COUNTED     PATH_EFIVARS "/LoaderBootCountPath-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
#define PATH_EFI_ENTRIES     PATH_EFIVARS "/LoaderEntries-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
#define PATH_SYS_BLOCK       "/sys/block"
#define PATH_SYS_BLOCK_DEV   "/sys/dev/block"
#define PATH_SYS_CONSOLES    "/sys/class/tty/console/active"
#define PATH_SYS_RTC         "/sys/class/rtc/rtc0/since_epoch"
#define PATH_PROC_CMDLINE    "/proc/cmdline"
#define PATH_PROC_PARTITIONS "/proc/partitions"
#define PATH_PROC_MOUNTS     "/proc/self/mountinfo"
#define PATH_PROC_MEMINFO    "/proc/meminfo"
#define PATH_PROC_SYS        "/proc/sys"
#define PATH_PROC_OOM        "/proc/self/oom_score_adj"
#define PATH_INPUT           "/dev/input"
#define PATH_SYS_CPUS        "/sys/devices/system/cpu/online"
#define PATH_PROC_LOADAVG    "/proc/loadavg"
#define PATH_SYSROOT         "/sysroot" /* where stage 1 mounts the root */

/* Helper programs of the image. */
#define PATH_E2FSCK      "/usr/sbin/e2fsck"
#define PATH_MKE2FS      "/usr/sbin/mke2fs"
#define PATH_FSCK_FAT    "/usr/sbin/fsck.fat"
#define PATH_MKFS_FAT    "/usr/sbin/mkfs.fat"
#define PATH_MKFS_XFS    "/usr/sbin/mkfs.xfs"
#define PATH_XFS_GROWFS  "/usr/sbin/xfs_growfs"
#define PATH_VOLUMES     "/usr/libexec/hearth/volumes" /* copies volumes, puts them back */
#define PATH_UDHCPC      "/bin/udhcpc"
#define PATH_DHCP_SCRIPT "/usr/libexec/hearth/dhcp" /* sets what a DHCP lease says */

#endif
