/* A complaint of libyaml as "FILE:LINE: what; what to do", for the readers in this folder. Pure. */
#ifndef HEARTH_FORMAT_YAMLERR_H
#define HEARTH_FORMAT_YAMLERR_H

#include <stddef.h>
#include <yaml.h>

#include "base/err.h"

/* The text that is read. */
struct yamlerr_text {
	const char *file; /* name for messages */
	const char *text;
	size_t len;
	int first; /* line of its first byte in the file, 1-based */
	int last;  /* of its last one; libyaml counts one more behind the last newline */
};

int yamlerr_line(const struct yamlerr_text *t, const yaml_mark_t *mark);
/* "FILE:LINE: message"; returns -1. */
int yamlerr_at(const struct yamlerr_text *t, int line, struct err *e, const char *message);
/* After yaml_parser_parse has failed; returns -1. */
int yamlerr_refused(const struct yamlerr_text *t, const yaml_parser_t *p, struct err *e);
/* An anchor, alias or tag at this event is an error: -1; else 0. */
MUST_CHECK int yamlerr_reference(const struct yamlerr_text *t, const yaml_event_t *ev, struct err *e);

#endif
