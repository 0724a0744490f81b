/* One line of the head of an HTTP answer, as libcurl hands it over: "Name: value\r\n" (RFC 9112 5). Pure. */
#ifndef HEARTH_FORMAT_HEADER_H
#define HEARTH_FORMAT_HEADER_H

#include <stdbool.h>
#include <stddef.h>

/* Is the line (len bytes) of that name, in whatever case? Then dst gets its value without the white space around it;
 * one with a NUL or too long for dst is as if it were empty. */
bool header_is(const char *line, size_t len, const char *name, char *dst, size_t cap);

#endif
