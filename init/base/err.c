/* Errors as values: builds the code and the one-line message that travel up. Every role runs it.
 * It holds nothing, logs nothing and never fails; what does not fit ends in "...". */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Marks a cut message; `want` is what vsnprintf would have needed. */
static void mark_cut(char text[ERR_TEXT], size_t want)
{
	if (want >= ERR_TEXT)
		memcpy(text + ERR_TEXT - 4, "...", 4);
}

/* Formats into a copy first, because an argument may be the text of the very error being set. */
static size_t format(char text[ERR_TEXT], const char *fmt, va_list ap)
{
	int n = vsnprintf(text, ERR_TEXT, fmt, ap);
	if (n >= 0)
		return (size_t)n;
	text[0] = '\0';
	return 0;
}

/* Puts text + sep + tail into e->text; neither may live in *e. */
static void join(struct err *e, const char *text, size_t want, const char *tail)
{
	int n = snprintf(e->text, sizeof(e->text), "%s: %s", text, tail);
	mark_cut(e->text, n < 0 || want >= ERR_TEXT ? want : (size_t)n);
}

void err_put(struct err *e, int code, const char *fmt, ...)
{
	char text[ERR_TEXT];
	va_list ap;
	va_start(ap, fmt);
	size_t want = format(text, fmt, ap);
	va_end(ap);
	mark_cut(text, want);
	memcpy(e->text, text, sizeof(text));
	e->code = code != 0 ? code : EIO; /* 0 would read as "no error" */
}

void err_put_sys(struct err *e, const char *fmt, ...)
{
	int code = errno != 0 ? errno : EIO;
	char text[ERR_TEXT];
	va_list ap;
	va_start(ap, fmt);
	size_t want = format(text, fmt, ap);
	va_end(ap);
	join(e, text, want, strerror(code));
	e->code = code;
}

void err_put_prefix(struct err *e, const char *fmt, ...)
{
	char text[ERR_TEXT], old[ERR_TEXT];
	va_list ap;
	va_start(ap, fmt);
	size_t want = format(text, fmt, ap);
	va_end(ap);
	memcpy(old, e->text, sizeof(old));
	join(e, text, want, old);
}

void err_clear(struct err *e)
{
	e->code = 0;
	e->text[0] = '\0';
}
