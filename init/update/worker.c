/* The worker's main function: the cage, the messages, pausing. What is done with the bytes stands in update/intake. It
 * must not say DONE unless all of the target was read back, and never decides whether a bundle may be installed. */
#include "update/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/exit.h"
#include "base/log.h"
#include "base/paths.h"
#include "base/str.h"
#include "base/sys.h"
#include "core/cage.h"
#include "update/intake.h"
#include "update/msg.h"
#include "update/order.h"
#include "update/signature.h"

#define ROOM        "update-worker"
#define EVERY_MS    500
#define PATIENCE_MS 30000 /* for a conductor that does not read */
#define SENDER_MS   5000  /* for a part, before it is said that none comes */

static struct {
	const char *url;
	const char *keys_folder;
	struct fetch_config config;
	bool show, index;
	uint64_t pipe;  /* bytes in it; 0: the source is none */
	uint64_t parts; /* bytes of an upload in parts; 0: the source is none */
	struct signature_keys keys;
	struct source source;
	struct intake intake;
	uint64_t told; /* clock_ms of the last PROGRESS */
	enum msg_phase phase;
	bool waiting;
} worker; /* set in parse: with values of its own here it would be a sixth of the program's file */

/* --- messages --------------------------------------------------------------------------------- */

static void wait_for(short events)
{
	struct pollfd p = {.fd = WORKER_CHANNEL, .events = events};
	if (sys_poll(&p, 1, events & POLLOUT ? PATIENCE_MS : -1) == 0)
		exit(EXIT_FAILURE);
}

/* With nobody to tell there is nothing to do: the conductor is gone, or about to end us. */
static void say(const struct msg *m)
{
	struct err e = {0};
	while (msg_send(WORKER_CHANNEL, m, -1, &e) < 0) {
		if (e.code != EAGAIN)
			exit(EXIT_FAILURE);
		wait_for(POLLOUT);
	}
}

/* The next message, if there is one. */
static bool hear(struct msg *m, int *fd)
{
	struct err e = {0};
	int rc = msg_recv(WORKER_CHANNEL, m, fd, &e);
	if (rc > 0)
		return true;
	if (rc < 0 && e.code == EAGAIN)
		return false;
	exit(EXIT_FAILURE);
}

static void hear_next(struct msg *m, int *fd)
{
	while (!hear(m, fd))
		wait_for(POLLIN);
}

static void wait_for_resume(void)
{
	struct msg m;
	do {
		hear_next(&m, NULL);
	} while (m.kind != MSG_RESUME);
}

static bool on_tick(void *arg)
{
	struct msg m;
	(void)arg;
	if (hear(&m, NULL) && m.kind == MSG_PAUSE)
		wait_for_resume();
	return true;
}

static void on_progress(struct intake *in, enum msg_phase phase, uint64_t done, uint64_t total, void *arg)
{
	const struct msg m = {.kind = MSG_PROGRESS, .progress = {phase, done, total, source_fetched(in->source)}};
	struct err e = {0};
	uint64_t now = clock_ms();
	(void)arg;
	if (phase == worker.phase && now - worker.told < EVERY_MS && !worker.waiting)
		return;
	(void)on_tick(NULL);
	worker.phase = phase;
	worker.told = now;
	worker.waiting = false;
	/* A conductor that is behind gets the next one. */
	if (msg_send(WORKER_CHANNEL, &m, -1, &e) < 0 && e.code != EAGAIN)
		exit(EXIT_FAILURE);
}

static void on_wait(const struct fetch_wait *w, void *arg)
{
	struct msg m = {.kind = MSG_WAITING};
	size_t n = strnlen(w->why, sizeof(m.waiting.why) - 1);
	(void)arg;
	worker.waiting = true; /* the next progress is told at once */
	if (!w->waiting)
		return;
	memcpy(m.waiting.why, w->why, n);
	say(&m);
}

static void say_no_sender(void)
{
	static const char why[] = "nobody sends it; choose it again in the page of this box";
	struct msg m = {.kind = MSG_WAITING};
	memcpy(m.waiting.why, why, sizeof(why));
	say(&m);
	worker.waiting = true;
}

/* Until it comes: a page that is closed may be opened again. */
static int on_part(uint64_t from, uint64_t length, void *arg, struct err *e)
{
	const struct msg want = {.kind = MSG_WANT, .want = {from, length}};
	struct pollfd p = {.fd = WORKER_CHANNEL, .events = POLLIN};
	struct msg m;
	int fd;
	(void)arg;
	(void)e;
	say(&want);
	if (sys_poll(&p, 1, SENDER_MS) == 0)
		say_no_sender();
	for (;;) {
		hear_next(&m, &fd);
		if (m.kind == MSG_PAUSE)
			wait_for_resume();
		else if (m.kind == MSG_PART && fd >= 0)
			return fd;
	}
}

static int on_signer(void *arg, const void *text, size_t len, const uint8_t *sig, size_t sig_len, const char **name,
                     struct err *e)
{
	(void)arg;
	return signature_check(&worker.keys, text, len, sig, sig_len, name, e);
}

static void say_manifest(const struct intake *in, uint64_t fetch)
{
	static struct msg m;
	m.kind = MSG_MANIFEST;
	m.manifest.bundle = in->bundle;
	m.manifest.fetch = fetch;
	m.manifest.text_len = (uint32_t)in->reader.text_len;
	m.manifest.sig_len = (uint32_t)in->reader.sig_len;
	memcpy(m.manifest.text, in->reader.text, in->reader.text_len);
	memcpy(m.manifest.sig, in->reader.sig, in->reader.sig_len);
	say(&m);
}

/* Until that message comes; what else comes meanwhile is too late or too early to matter. */
static int await(enum msg_kind kind)
{
	struct msg m;
	int fd;
	do {
		hear_next(&m, &fd);
	} while (m.kind != kind);
	return fd;
}

static int on_offer(struct intake *in, void *arg, struct err *e)
{
	(void)arg;
	if (worker.show)
		return err_set(e, ECANCELED, "only a look");
	say_manifest(in, 0);
	(void)await(MSG_GO);
	return 0;
}

static int on_kernel(struct intake *in, void *arg, struct err *e)
{
	const struct msg m = {.kind = MSG_KERNEL};
	(void)arg;
	say(&m);
	in->uki = await(MSG_KERNEL);
	return in->uki < 0 ? err_set(e, EPROTO, "no file for the kernel") : 0;
}

/* --- the cage --------------------------------------------------------------------------------- */

/* Files are opened for reading (names of servers, certificates), threads made (libcurl resolves names in one). */
static const uint16_t allowed[] = {
	SYS_read,
	SYS_readv,
	SYS_pread64,
	SYS_io_setup,
	SYS_io_submit,
	SYS_io_getevents,
	SYS_io_destroy,
	SYS_write,
	SYS_writev,
	SYS_pwrite64,
	SYS_lseek,
	SYS_close,
	SYS_fstat,
	SYS_stat,
	SYS_newfstatat,
	SYS_fcntl,
	SYS_ioctl, /* sizes of devices, non-blocking sockets */
	SYS_fsync,
	SYS_fdatasync,
	SYS_fadvise64,
	SYS_ftruncate,
	SYS_memfd_create,
	SYS_socket,
	SYS_socketpair,
	SYS_pipe2,
	SYS_eventfd2,
	SYS_connect,
	SYS_bind,
	SYS_sendto,
	SYS_recvfrom,
	SYS_sendmsg,
	SYS_recvmsg,
	SYS_shutdown,
	SYS_getsockname,
	SYS_getpeername,
	SYS_getsockopt,
	SYS_setsockopt,
	SYS_poll,
	SYS_brk,
	SYS_munmap,
	SYS_mremap,
	SYS_madvise,
	SYS_membarrier,
	SYS_futex,
	SYS_set_robust_list,
	SYS_set_tid_address,
	SYS_gettid,
	SYS_getpid,
	SYS_sched_yield,
	SYS_clock_gettime,
	SYS_gettimeofday,
	SYS_nanosleep,
	SYS_clock_nanosleep,
	SYS_getrandom,
	SYS_uname,
	SYS_rt_sigaction,
	SYS_rt_sigreturn,
	SYS_rt_sigprocmask,
	SYS_restart_syscall,
	SYS_exit,
	SYS_exit_group,
};

static const struct cage_call with[] = {
	{SYS_open, {CAGE_NONE_OF(1, O_WRONLY | O_RDWR | O_CREAT | O_TRUNC)}},
	{SYS_openat, {CAGE_NONE_OF(2, O_WRONLY | O_RDWR | O_CREAT | O_TRUNC)}},
	{SYS_mmap, {CAGE_NONE_OF(2, PROT_EXEC)}},
	{SYS_mprotect, {CAGE_NONE_OF(2, PROT_EXEC)}},
	{SYS_clone, {{0, false, CLONE_NEWUSER | CLONE_VFORK | CLONE_THREAD, CLONE_THREAD}}},
};

static const struct cage_filter filter = {allowed, COUNT_OF(allowed), with, COUNT_OF(with)};

static const struct cage_limit limits[] = {
	{RLIMIT_NOFILE, 64, "files"},
	{RLIMIT_DATA, 32 << 20, "memory"}, /* twice what it takes: stacks of threads count whole */
	{RLIMIT_NPROC, 16, "threads"},
	{RLIMIT_CORE, 0, "core"},
};

static int enter_cage(struct err *e)
{
	if (cage_limits(limits, COUNT_OF(limits), e) < 0)
		return -1;
	return cage_close(&filter, e);
}

/* --- main ------------------------------------------------------------------------------------- */

static int parse(int argc, char **argv)
{
	worker.show = argc > 1 && str_eq(argv[1], "show");
	worker.index = argc > 1 && str_eq(argv[1], "index");
	if (argc < 3 || argc % 2 == 0 || (!worker.show && !worker.index && !str_eq(argv[1], "install")))
		return -1;
	worker.url = argv[2];
	worker.keys_folder = PATH_UPDATE_KEYS;
	worker.config = (struct fetch_config){.ca_file = PATH_CA, .stop_fd = -1};
	for (int i = 3; i < argc; i += 2) {
		if (str_eq(argv[i], "--keys"))
			worker.keys_folder = argv[i + 1];
		else if (str_eq(argv[i], "--ca"))
			worker.config.ca_file = argv[i + 1];
		else if (str_eq(argv[i], "--pipe") && str_u64(argv[i + 1], ORDER_MOST, &worker.pipe) == 0)
			continue;
		else if (str_eq(argv[i], "--parts") && str_u64(argv[i + 1], ORDER_MOST, &worker.parts) == 0)
			continue;
		else
			return -1;
	}
	return 0;
}

static bool is_open(int fd)
{
	return sys_fcntl(fd, F_GETFD, 0) >= 0;
}

/* The signature is asked for last: an edition that comes in between is noticed by it. */
static int get_index(struct fetch *f, struct msg_index *m, struct err *e)
{
	char beside[URL_MAX];
	const char *signer;
	struct buf text, sig;
	buf_init(&text, m->text, sizeof(m->text));
	buf_init(&sig, m->sig, sizeof(m->sig));
	if (url_suffix(beside, worker.url, ".sig", e) < 0)
		return -1;
	if (fetch_get(f, worker.url, &text, e) < 0)
		return err_prefix(e, "the index");
	if (fetch_get(f, beside, &sig, e) < 0)
		return err_prefix(e, "the signature beside the index");
	m->text_len = (uint32_t)text.len;
	m->sig_len = (uint32_t)sig.len;
	if (signature_check(&worker.keys, m->text, text.len, (const uint8_t *)m->sig, sig.len, &signer, e) < 0)
		return err_prefix(e, "%s", CHANNEL_FILE);
	return 0;
}

static int run_index(struct err *e)
{
	static struct msg m;
	struct fetch f;
	m.kind = MSG_INDEX;
	if (fetch_open(&f, &worker.config, e) < 0)
		return -1;
	int rc = get_index(&f, &m.index, e);
	if (rc == 0)
		say(&m);
	fetch_close(&f);
	return rc;
}

static int open_source(struct err *e)
{
	int fd = str_eq(worker.url, "-") ? WORKER_SOURCE : -1;
	if (worker.pipe > 0)
		return source_open_pipe(&worker.source, fd, worker.pipe, &worker.config, e);
	if (worker.parts > 0) {
		source_open_parts(&worker.source, worker.parts, on_part, &worker.config);
		return 0;
	}
	return source_open(&worker.source, fd, worker.url, &worker.config, e);
}

static int run(struct err *e)
{
	struct intake *in = &worker.intake;
	uint64_t fetch = 0;
	worker.config.tick = on_tick;
	worker.config.on_wait = on_wait;
	if (worker.index)
		return run_index(e);
	if (open_source(e) < 0)
		return -1;
	in->source = &worker.source;
	in->running_fd = is_open(WORKER_RUNNING) ? WORKER_RUNNING : -1;
	in->kernel_fd = is_open(WORKER_KERNEL) ? WORKER_KERNEL : -1;
	in->target_fd = WORKER_TARGET;
	in->uki = -1;
	in->hooks = (struct intake_hooks){on_signer, on_offer, on_kernel, on_progress, NULL};
	int rc = worker.show ? intake_show(in, &fetch, e) : intake_install(in, e);
	if (rc == 0 && worker.show)
		say_manifest(in, fetch);
	intake_fini(in);
	source_close(&worker.source);
	return rc;
}

static void say_end(int rc, const struct err *e)
{
	const struct intake *in = &worker.intake;
	struct msg m = {.kind = rc < 0 ? MSG_FAILED : MSG_DONE};
	if (rc < 0) {
		m.failed.again = e->code == ESTALE || e->code == EOPNOTSUPP; /* another worker begins without ranges */
		memcpy(m.failed.why, e->text, sizeof(m.failed.why));
	} else {
		m.done = (struct msg_done){in->copied, in->kept, source_fetched(&worker.source)};
	}
	say(&m);
}

int worker_main(int argc, char **argv)
{
	struct err e = {0};
	log_init(ROOM, STDERR_FILENO, 0);
	if (parse(argc, argv) < 0) {
		log_errx(ROOM, "usage: hearth update-worker install|show|index URL|- [--keys FOLDER] [--ca FILE] "
		               "[--pipe SIZE | --parts SIZE]");
		return EXIT_USAGE;
	}
	int rc = signature_load(&worker.keys, worker.keys_folder, &e);
	if (rc == 0)
		rc = enter_cage(&e);
	if (rc == 0)
		rc = run(&e);
	say_end(rc, &e);
	return EXIT_SUCCESS;
}
