/* The program's own log lines. A line says room, object, what, why:
 *   log_warnx("service", "web: exited with status 1 after 3 s");
 * PID 1 writes to /dev/kmsg (non-blocking, kept by pstore, collected by the log role);
 * every other role writes to stderr, which is its log pipe. Keeps errno. Never blocks,
 * never allocates; a sink that is full loses the line and says so with the next one. */
#ifndef HEARTH_BASE_LOG_H
#define HEARTH_BASE_LOG_H

#include "base/err.h"

enum log_level { LOG_ERR = 3, LOG_WARN = 4, LOG_INFO = 6, LOG_DEBUG = 7 };

/* fd: where lines go; kmsg: lines carry the "<level>" prefix of /dev/kmsg. */
void log_init(const char *role, int fd, int kmsg);
void log_info(const char *room, const char *fmt, ...) PRINTF_LIKE(2, 3);
void log_warnx(const char *room, const char *fmt, ...) PRINTF_LIKE(2, 3);
void log_warn(const char *room, const char *fmt, ...) PRINTF_LIKE(2, 3); /* + strerror(errno) */
void log_errx(const char *room, const char *fmt, ...) PRINTF_LIKE(2, 3);
void log_debug(const char *room, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
