/* Log files of the log role: lines, stamps, turning over. Used by one process only. It must never stop taking output:
 * a disk that is full costs lines, not the service that writes them. */
#include "node/logfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/str.h"
#include "base/sys.h"

#define STAMP     26   /* "2026-01-31T12:00:00.123Z " and the end */
#define CHUNK     4096 /* one write: many lines of a busy service, and more than one line of the longest */
#define FILE_NAME (LIMIT_NAME + 16)

/* Finished lines on their way to the file. */
struct batch {
	struct logfile *file;
	struct buf text;
	char data[CHUNK];
};

void logfile_init(struct logfile *f, const char *name, uint64_t max)
{
	memset(f, 0, sizeof(*f));
	(void)!str_copy(f->name, sizeof(f->name), name);
	f->fd = -1;
	f->max = max;
}

/* Number 0 is the file that is written. */
static void file_name(const struct logfile *f, unsigned number, char dst[FILE_NAME])
{
	if (number == 0)
		(void)!str_format(dst, FILE_NAME, "%s.log", f->name);
	else
		(void)!str_format(dst, FILE_NAME, "%s.log.%u", f->name, number);
}

static int open_file(struct logfile *f)
{
	char name[FILE_NAME];
	struct stat st;
	if (f->fd >= 0)
		return 0;
	file_name(f, 0, name);
	f->fd = sys_open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, 0640);
	if (f->fd < 0)
		return -1;
	if (sys_fstat(f->fd, &st) == 0 && S_ISREG(st.st_mode)) {
		f->size = (uint64_t)st.st_size;
		return 0;
	}
	logfile_close(f);
	return -1;
}

void logfile_close(struct logfile *f)
{
	if (f->fd >= 0)
		sys_close(f->fd);
	f->fd = -1;
	f->torn = false;
}

/* NAME.log becomes NAME.log.1, that NAME.log.2; the oldest goes. */
static int turn_over(struct logfile *f)
{
	char from[FILE_NAME], to[FILE_NAME];
	logfile_close(f);
	for (unsigned n = LIMIT_LOG_OLD; n > 0; n--) {
		file_name(f, n - 1, from);
		file_name(f, n, to);
		if (sys_rename(from, to) < 0 && errno != ENOENT)
			return -1;
	}
	return open_file(f);
}

/* How much got in; what a short write leaves is ended with a newline before the next line. */
static size_t write_some(struct logfile *f, const char *data, size_t n)
{
	ssize_t done = sys_write(f->fd, data, n);
	if (done <= 0)
		return 0;
	f->size += (uint64_t)done;
	f->torn = data[done - 1] != '\n';
	return (size_t)done;
}

static unsigned count_lines(const char *data, size_t n)
{
	unsigned lines = 0;
	for (size_t i = 0; i < n; i++)
		lines += data[i] == '\n';
	return lines;
}

/* What has to stand before the next line: the end of a torn one, and how many are missing. */
static bool write_note(struct logfile *f)
{
	char note[STAMP + 64];
	struct buf b;
	if (f->lost == 0 && !f->torn)
		return true;
	buf_init(&b, note, sizeof(note));
	if (f->torn)
		buf_add_char(&b, '\n');
	if (f->lost > 0) {
		char stamp[STAMP];
		clock_format_ms(clock_wall_ms(), stamp, sizeof(stamp));
		buf_addf(&b, "%s ... lost %llu lines\n", stamp, (unsigned long long)f->lost);
	}
	if (write_some(f, b.data, b.len) != b.len)
		return false;
	f->lost = 0;
	return true;
}

static bool make_room(struct logfile *f, size_t n)
{
	if (open_file(f) < 0)
		return false;
	return f->size == 0 || f->size + n <= f->max || turn_over(f) == 0;
}

static void append(struct logfile *f, const char *data, size_t n)
{
	size_t in = make_room(f, n) && write_note(f) ? write_some(f, data, n) : 0;
	f->lost += count_lines(data + in, n - in);
}

static void send_batch(struct batch *b)
{
	if (b->text.len > 0)
		append(b->file, b->text.data, b->text.len);
	buf_reset(&b->text);
}

static void begin_batch(struct batch *b, struct logfile *f)
{
	b->file = f;
	buf_init(&b->text, b->data, sizeof(b->data));
}

/* A file is for a terminal too: whatever the service prints, a line stays one line. */
static void add_printable(struct buf *b, const char *data, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)data[i];
		if ((c < ' ' && c != '\t') || c == 0x7f)
			buf_addf(b, "\\x%02x", c);
		else
			buf_add_char(b, (char)c);
	}
}

/* The line as it is kept; escapes may make it longer than it came. */
static void end_line(struct batch *b, int64_t wall_ms)
{
	struct logfile *f = b->file;
	char text[STAMP + LIMIT_LOG_LINE], stamp[STAMP];
	struct buf line;
	if (f->len > 0 && f->line[f->len - 1] == '\r')
		f->len--;
	buf_init(&line, text, sizeof(text));
	clock_format_ms(wall_ms, stamp, sizeof(stamp));
	buf_addf(&line, "%s ", stamp);
	add_printable(&line, f->line, f->len);
	f->len = 0;
	if (CHUNK - 1 - b->text.len < line.len + sizeof(LOGFILE_CUT "\n"))
		send_batch(b);
	buf_add_n(&b->text, line.data, line.len);
	if (f->cutting || !buf_ok(&line))
		buf_add(&b->text, LOGFILE_CUT);
	buf_add_char(&b->text, '\n');
}

void logfile_put(struct logfile *f, const char *data, size_t n, int64_t wall_ms)
{
	struct batch b;
	begin_batch(&b, f);
	for (size_t i = 0; i < n; i++) {
		if (data[i] == '\n') {
			end_line(&b, wall_ms);
			f->cutting = false;
		} else if (f->len < sizeof(f->line)) {
			f->line[f->len++] = data[i];
		} else {
			f->cutting = true;
		}
	}
	send_batch(&b);
}

void logfile_flush(struct logfile *f, int64_t wall_ms)
{
	struct batch b;
	if (f->len == 0)
		return;
	begin_batch(&b, f);
	end_line(&b, wall_ms);
	send_batch(&b);
}

/* Copies in whole lines, so that turning over never parts one. */
static int copy_lines(struct logfile *f, int fd, const char *name, struct err *e)
{
	char data[CHUNK];
	size_t have = 0;
	for (;;) {
		ssize_t n = sys_read(fd, data + have, sizeof(data) - have);
		if (n < 0)
			return err_sys(e, "read %s", name);
		if (n == 0)
			break;
		have += (size_t)n;
		size_t whole = have;
		while (whole > 0 && data[whole - 1] != '\n')
			whole--;
		if (whole == 0 && have == sizeof(data))
			whole = have;
		if (whole > 0)
			append(f, data, whole);
		have -= whole;
		memmove(data, data + whole, have);
	}
	if (have > 0 && have < sizeof(data)) { /* torn by a full disk */
		data[have] = '\n';
		append(f, data, have + 1);
	}
	return 0;
}

int logfile_take_over(struct logfile *f, const char *folder, struct err *e)
{
	char name[FILE_NAME], path[LIMIT_PATH];
	int rc = 0;
	for (unsigned n = LIMIT_LOG_OLD + 1; n-- > 0 && rc == 0;) {
		file_name(f, n, name);
		if (str_format(path, sizeof(path), "%s/%s", folder, name) < 0)
			return err_set(e, ENAMETOOLONG, "%s/%s: name too long", folder, name);
		int fd = sys_open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0);
		if (fd < 0 && errno == ENOENT)
			continue;
		if (fd < 0)
			return err_sys(e, "open %s", path);
		rc = copy_lines(f, fd, name, e);
		sys_close(fd);
		if (rc == 0 && sys_unlink(path) < 0)
			rc = err_sys(e, "unlink %s", path);
	}
	return rc;
}
