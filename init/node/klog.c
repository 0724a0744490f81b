/* The klog role: /dev/kmsg to stdout, which is its log pipe. It must not lose its place in the kernel's ring, and waits
 * in its loop, never in a write, while the pipe is full. */
#include "node/klog.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/exit.h"
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "base/sys.h"
#include "host/verity.h"
#include "loop/loop.h"
#include "loop/signals.h"
#include "node/report.h"

#define ROOM      "klog"
#define LINE      4096 /* under PIPE_BUF: a write into a pipe with room is whole */
#define SEQ_BYTES 21   /* 20 digits and a newline, so that the file is replaced by one write */

static const char *const level_names[] = {"emerg", "alert", "crit", "err", "warn", "notice", "info", "debug"};

static struct klog {
	struct loop loop;
	int kmsg;
	int seq_fd;         /* KLOG_SEQ, -1: not kept */
	uint64_t next;      /* number of the record that is due; 0: whatever comes */
	uint64_t kept;      /* what KLOG_SEQ says */
	struct report root; /* fact root-intact, told once */
	bool failed;
	bool overrun;    /* the kernel said that the ring went round */
	bool has_record; /* record holds one that is not printed yet */
	size_t record_len;
	char record[KLOG_RECORD];
} klog;

/* Decimal digits up to `end`; moves *p behind it. */
static bool take_number(const char **p, const char *limit, char end, uint64_t *out)
{
	uint64_t v = 0;
	const char *s = *p;
	for (; s < limit && *s >= '0' && *s <= '9'; s++) {
		unsigned d = (unsigned)(*s - '0');
		if (v > (UINT64_MAX - d) / 10)
			return false;
		v = v * 10 + d;
	}
	if (s == *p || s == limit || *s != end)
		return false;
	*p = s + 1;
	*out = v;
	return true;
}

int kmsg_parse(const char *data, size_t len, struct kmsg *m)
{
	uint64_t prio = 0;
	const char *p = data, *limit = data + len;
	if (!take_number(&p, limit, ',', &prio) || prio > 0xffff || !take_number(&p, limit, ',', &m->seq))
		return -1;
	/* Time, flag and whatever later kernels add. */
	const char *text = memchr(p, ';', (size_t)(limit - p));
	if (!text)
		return -1;
	text++;
	const char *end = memchr(text, '\n', (size_t)(limit - text));
	m->level = prio & 7;
	m->facility = (unsigned)(prio >> 3);
	m->text = text;
	m->len = (size_t)((end ? end : limit) - text);
	return 0;
}

/* The byte that "\xNN" at p stands for, or -1. */
static int escaped(const char *p, size_t len)
{
	if (len < 4 || p[0] != '\\' || p[1] != 'x' || str_hex_digit(p[2]) < 0 || str_hex_digit(p[3]) < 0)
		return -1;
	return str_hex_digit(p[2]) * 16 + str_hex_digit(p[3]);
}

static void add_head(const struct kmsg *m, struct buf *b)
{
	buf_addf(b, "%s %s", level_names[m->level & 7], m->facility == 0 ? "kernel: " : "");
}

void kmsg_format(const struct kmsg *m, struct buf *b)
{
	size_t i = 0;
	add_head(m, b);
	while (i < m->len) {
		int c = escaped(m->text + i, m->len - i);
		if (c == '\n' && i + 4 < m->len) {
			buf_add_char(b, '\n');
			add_head(m, b);
		} else if (c >= 0x80 || c == '\\' || c == '\t') {
			buf_add_char(b, (char)c);
		} else if (c >= 0 && c != '\n') {
			buf_add_n(b, m->text + i, 4);
		} else if (c < 0) {
			buf_add_char(b, m->text[i]);
		}
		i += c >= 0 ? 4 : 1;
	}
	buf_add_char(b, '\n');
}

/* Moves *p behind the word when it stands there. */
static bool take_word(const char **p, const char *limit, const char *word)
{
	size_t n = strlen(word);
	if ((size_t)(limit - *p) < n || memcmp(*p, word, n) != 0)
		return false;
	*p += n;
	return true;
}

bool kmsg_damage(const struct kmsg *m, struct kmsg_damage *d)
{
	const char *p = m->text, *limit = m->text + m->len;
	uint64_t high, low;
	if (m->facility != 0 || !take_word(&p, limit, "device-mapper: verity: ") ||
	    !take_number(&p, limit, ':', &high) || !take_number(&p, limit, ':', &low) || high > UINT16_MAX ||
	    low > UINT32_MAX || !take_word(&p, limit, " "))
		return false;
	d->dev = makedev((unsigned)high, (unsigned)low);
	d->tree = take_word(&p, limit, "metadata");
	if (!d->tree && !take_word(&p, limit, "data"))
		return false;
	return take_word(&p, limit, " block ") && take_number(&p, limit, ' ', &d->block) &&
	       take_word(&p, limit, "is corrupted");
}

/* Asked once more, past the page cache: a bit that fell over in memory, or on a cable, is no damaged root. */
static bool reads_well_now(const struct kmsg_damage *d)
{
	static _Alignas(VERITY_BLOCK) uint8_t content[VERITY_BLOCK];
	struct err ignored;
	uint64_t block = d->block;
	int fd = d->tree ? -1 : verity_open_root(&ignored);
	if (fd < 0)
		return false;
	ssize_t n = verity_read(fd, &block, content, sizeof(content), &ignored);
	sys_close(fd);
	return n > 0;
}

/* The first one is what people get to know: where one block is damaged, others follow. */
static void look_for_damage(const struct kmsg *m)
{
	char text[LIMIT_DETAIL];
	struct kmsg_damage d;
	struct err ignored;
	dev_t root;
	if (klog.root.value != FACT_UNKNOWN || !kmsg_damage(m, &d))
		return;
	if ((verity_backing(&root, &ignored) == 0 && root != d.dev) || reads_well_now(&d))
		return;
	if (str_format(text, sizeof(text), "block %llu%s is damaged", (unsigned long long)d.block,
	               d.tree ? ", of its hash tree," : "") == 0)
		report_set(&klog.root, FACT_OFF, text);
}

static void keep_place(void)
{
	char text[SEQ_BYTES + 1];
	if (klog.seq_fd < 0 || klog.kept == klog.next)
		return;
	if (str_format(text, sizeof(text), "%020llu\n", (unsigned long long)klog.next) == 0 &&
	    sys_pwrite(klog.seq_fd, text, SEQ_BYTES, 0) == SEQ_BYTES)
		klog.kept = klog.next;
}

/* Where the process before this one stopped in this boot; 0 when there was none. */
static uint64_t find_place(void)
{
	char text[64];
	struct buf b;
	struct err e = {0};
	uint64_t seq = 0;
	buf_init(&b, text, sizeof(text));
	klog.seq_fd = sys_open(KLOG_SEQ, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (klog.seq_fd < 0) {
		log_warn(ROOM, "%s: a new start will repeat lines", KLOG_SEQ);
		return 0;
	}
	if (file_read(KLOG_SEQ, &b, &e) < 0)
		return 0;
	text[strcspn(text, "\n")] = '\0';
	return str_u64(text, UINT64_MAX, &seq) == 0 ? seq : 0;
}

static bool has_room(void)
{
	struct pollfd p = {.fd = STDOUT_FILENO, .events = POLLOUT};
	return sys_poll(&p, 1, 0) == 1 && (p.revents & POLLOUT);
}

static bool print(const char *data, size_t n)
{
	return has_room() && sys_write(STDOUT_FILENO, data, n) == (ssize_t)n;
}

/* The record that was read goes out; false: it has to wait. */
static bool print_record(void)
{
	struct kmsg m;
	char line[LINE];
	struct buf b;
	if (kmsg_parse(klog.record, klog.record_len, &m) < 0) {
		log_warnx(ROOM, "a record of the kernel that is not understood");
		klog.has_record = false;
		return true;
	}
	/* Numbers that are missing are records that the ring has lost; those before are known already. */
	buf_init(&b, line, sizeof(line));
	if (klog.next > 0 && m.seq > klog.next)
		buf_addf(&b, "warn kernel: lost %llu messages\n", (unsigned long long)(m.seq - klog.next));
	else if (klog.overrun)
		buf_add(&b, "warn kernel: lost messages\n");
	if (m.seq >= klog.next)
		kmsg_format(&m, &b);
	if (!buf_ok(&b))
		line[b.len - 1] = '\n';
	if (b.len > 0 && !print(line, b.len))
		return false;
	klog.has_record = false;
	klog.overrun = false;
	if (m.seq >= klog.next) {
		look_for_damage(&m);
		klog.next = m.seq + 1;
	}
	return true;
}

/* Ends the role as failed; PID 1 starts it again, and it goes on where it stopped. */
static void give_up(struct loop *l)
{
	klog.failed = true;
	loop_quit(l);
}

/* True when there is a record to print. */
static bool read_record(struct loop *l)
{
	ssize_t n = sys_read(klog.kmsg, klog.record, sizeof(klog.record));
	if (n > 0) {
		klog.record_len = (size_t)n;
		klog.has_record = true;
		return true;
	}
	if (n < 0 && errno == EPIPE) {
		klog.overrun = true; /* the next read gives the oldest record that is left */
		return false;
	}
	if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		log_warn(ROOM, "%s", PATH_KMSG);
		give_up(l);
	}
	return false;
}

static void on_kmsg(struct loop *l, int fd, uint32_t events, void *arg);

static void on_room(struct loop *l, int fd, uint32_t events, void *arg)
{
	struct err e = {0};
	(void)events;
	(void)arg;
	loop_del(l, fd);
	if (loop_add(l, klog.kmsg, EPOLLIN, on_kmsg, NULL, &e) < 0) {
		log_errx(ROOM, "%s", e.text);
		give_up(l);
	}
}

/* Listens to stdout instead of the kernel until there is room. */
static void wait_for_room(struct loop *l)
{
	struct err e = {0};
	loop_del(l, klog.kmsg);
	if (loop_add(l, STDOUT_FILENO, EPOLLOUT, on_room, NULL, &e) < 0) {
		log_errx(ROOM, "%s", e.text);
		give_up(l);
	}
}

static void on_kmsg(struct loop *l, int fd, uint32_t events, void *arg)
{
	(void)fd;
	(void)events;
	(void)arg;
	for (unsigned i = 0; i < KLOG_ROUND; i++) {
		if (!klog.has_record && !read_record(l))
			break;
		if (!print_record()) {
			wait_for_room(l);
			break;
		}
	}
	keep_place();
}

static void on_signal(struct loop *l, int signo, void *arg)
{
	(void)signo;
	(void)arg;
	loop_quit(l);
}

static void close_one(int fd)
{
	if (fd >= 0)
		sys_close(fd);
}

static int set_up(struct err *e)
{
	static const int signals[] = {SIGTERM, SIGINT, 0};
	memset(&klog, 0, sizeof(klog));
	klog.kmsg = klog.seq_fd = -1;
	report_init(&klog.root, &klog.loop, "root-intact");
	if (loop_init(&klog.loop, e) < 0 || signals_init(&klog.loop, signals, on_signal, NULL, e) < 0)
		return -1;
	klog.next = klog.kept = find_place();
	klog.kmsg = sys_open(PATH_KMSG, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0);
	if (klog.kmsg < 0)
		return err_sys(e, "%s", PATH_KMSG);
	return loop_add(&klog.loop, klog.kmsg, EPOLLIN, on_kmsg, NULL, e);
}

int klog_main(int argc, char **argv)
{
	struct err e = {0};
	(void)argv;
	if (argc != 1) {
		log_errx(ROOM, "takes no arguments");
		return EXIT_USAGE;
	}
	int rc = set_up(&e) < 0 || loop_run(&klog.loop, &e) < 0 ? EXIT_SYSTEM : 0;
	if (rc != 0)
		log_errx(ROOM, "%s", e.text);
	keep_place();
	report_fini(&klog.root);
	signals_fini(&klog.loop);
	loop_fini(&klog.loop);
	close_one(klog.kmsg);
	close_one(klog.seq_fd);
	return klog.failed ? EXIT_SYSTEM : rc;
}
