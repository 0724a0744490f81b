/* PID 1's own lines on the consoles; see say.h. Never blocks and never fails. */
#include "boot/say.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/paths.h"
#include "base/str.h"
#include "base/sys.h"

#define LINE 256

static void open_one(struct say *s, const char *path)
{
	if (s->count == SAY_CONSOLES)
		return;
	int fd = sys_open(path, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC | O_APPEND, 0);
	if (fd >= 0)
		s->fd[s->count++] = fd;
}

/* "tty0 ttyS0": tty0 is whichever virtual terminal is in front. */
static void open_named(struct say *s, char *names)
{
	char *rest = names;
	for (char *word = strsep(&rest, " \n"); word != NULL; word = strsep(&rest, " \n")) {
		char path[LIMIT_NAME];
		if (word[0] != '\0' && str_format(path, sizeof(path), "/dev/%s", word) == 0)
			open_one(s, path);
	}
}

void say_open(struct say *s)
{
	char names[LINE];
	struct buf b;
	struct err e;
	while (s->count > 0)
		sys_close(s->fd[--s->count]);
	buf_init(&b, names, sizeof(names));
	if (file_read(PATH_SYS_CONSOLES, &b, &e) == 0)
		open_named(s, names);
	if (s->count == 0)
		open_one(s, PATH_CONSOLE);
}

void say_take_standard(const char *path)
{
	int fd = sys_open(path, O_RDWR | O_NOCTTY, 0);
	if (fd < 0)
		fd = sys_open(PATH_NULL, O_RDWR, 0);
	for (int i = 0; fd >= 0 && i <= STDERR_FILENO; i++) {
		if (i != fd)
			(void)sys_dup2(fd, i);
	}
	if (fd > STDERR_FILENO)
		sys_close(fd);
}

static void vsay(struct say *s, const char *fmt, va_list ap)
{
	static const char head[] = "\rhearth: ";
	char line[LINE];
	memcpy(line, head, sizeof(head));
	int n = vsnprintf(line + sizeof(head) - 1, sizeof(line) - sizeof(head) - 2, fmt, ap);
	if (n < 0)
		return;
	size_t len = strlen(line);
	memcpy(line + len, "\r\n", 2);
	for (unsigned i = 0; i < s->count; i++) {
		if (sys_write(s->fd[i], line, len + 2) < 0)
			continue; /* a stuck terminal must not hold up the box */
	}
}

void say(struct say *s, const char *fmt, ...)
{
	va_list ap;
	if (s->quiet)
		return;
	va_start(ap, fmt);
	vsay(s, fmt, ap);
	va_end(ap);
}

void say_loud(struct say *s, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsay(s, fmt, ap);
	va_end(ap);
}
