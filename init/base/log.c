/* The program's own log lines, from every role to its one sink: /dev/kmsg or the log pipe on stderr.
 * It never blocks, allocates, fails or changes errno: a line that the sink does not take is counted, and
 * the count is told with the next line that it does take. */
#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/str.h"
#include "base/sys.h"

#define LINE_MAX_BYTES 512 /* under the 1 KiB record of /dev/kmsg and under PIPE_BUF: one write is one line */

/* The sink of this process; file-static because a log call must be possible from everywhere. */
static struct {
	int fd;
	bool kmsg;
	char ident[LIMIT_NAME]; /* who speaks, in the kernel log that all share */
	unsigned long lost;
} sink = {.fd = STDERR_FILENO, .ident = "hearth"};

static const char *const level_names[] = {
	[LOG_ERR] = "err",
	[LOG_WARN] = "warn",
	[LOG_INFO] = "info",
	[LOG_DEBUG] = "debug",
};

void log_init(const char *role, int fd, int kmsg)
{
	sink.fd = fd;
	sink.kmsg = kmsg != 0;
	sink.lost = 0;
	/* PID 1 speaks as the program itself. */
	bool plain = str_eq(role, "init") || str_eq(role, "hearth");
	if (plain || str_format(sink.ident, sizeof(sink.ident), "hearth-%s", role) < 0)
		memcpy(sink.ident, "hearth", sizeof("hearth"));
}

/* A log line is one line of text, whatever a name or an answer from outside contained. */
static void flatten(char *s)
{
	for (; *s != '\0'; s++) {
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			*s = ' ';
	}
}

/* A pipe or terminal with room takes the line without blocking; /dev/kmsg never blocks and cannot be polled. */
static bool has_room(void)
{
	struct pollfd p = {.fd = sink.fd, .events = POLLOUT};
	return sink.kmsg || (sys_poll(&p, 1, 0) == 1 && (p.revents & POLLOUT));
}

static bool put(enum log_level level, const char *room, const char *text)
{
	char line[LINE_MAX_BYTES];
	struct buf b;
	buf_init(&b, line, sizeof(line) - 1); /* the newline always fits */
	if (sink.kmsg)
		buf_addf(&b, "<%d>%s: %s: %s", (int)level, sink.ident, room, text);
	else
		buf_addf(&b, "%s %s: %s", level_names[level], room, text);
	flatten(line);
	if (!buf_ok(&b))
		memset(line + b.len - 3, '.', 3);
	line[b.len++] = '\n';
	return has_room() && sys_write(sink.fd, line, b.len) == (ssize_t)b.len;
}

static bool put_lost(void)
{
	char text[LIMIT_NAME];
	if (sink.lost == 0)
		return true;
	if (str_format(text, sizeof(text), "lost %lu lines", sink.lost) < 0 || !put(LOG_WARN, "log", text))
		return false;
	sink.lost = 0;
	return true;
}

static void vlog(enum log_level level, const char *room, int code, const char *fmt, va_list ap)
{
	int saved = errno;
	char text[LINE_MAX_BYTES];
	int n = vsnprintf(text, sizeof(text), fmt, ap);
	if (n < 0)
		text[0] = '\0';
	if (n >= 0 && (size_t)n < sizeof(text) && code != 0) {
		struct buf b;
		buf_init(&b, text + n, sizeof(text) - (size_t)n);
		buf_addf(&b, ": %s", strerror(code));
	}
	if (!put_lost() || !put(level, room, text))
		sink.lost++;
	errno = saved;
}

#define LOG_FN(name, level, code)                                                                                      \
	void name(const char *room, const char *fmt, ...)                                                              \
	{                                                                                                              \
		va_list ap;                                                                                            \
		va_start(ap, fmt);                                                                                     \
		vlog(level, room, code, fmt, ap);                                                                      \
		va_end(ap);                                                                                            \
	}
LOG_FN(log_info, LOG_INFO, 0)
LOG_FN(log_warnx, LOG_WARN, 0)
LOG_FN(log_warn, LOG_WARN, errno)
LOG_FN(log_errx, LOG_ERR, 0)
LOG_FN(log_debug, LOG_DEBUG, 0)
#undef LOG_FN
