/* PID 1's answers (JSON) as text for people: pure functions, shared by the console and `hearth ctl`.
 *
 * Known answers get a rendering of their own; any other object is shown as indented "key: value" lines, so a new
 * command of PID 1 needs no change here. Every line ends with a line break and is at most `width` columns wide (0: no
 * limit); strings are cleaned of control characters. `json` is NUL-terminated. */
#ifndef HEARTH_CONSOLE_RENDER_H
#define HEARTH_CONSOLE_RENDER_H

#include "base/buf.h"

/* The answer to `command`. 0, or -1 when json is no JSON object (nothing is added then). */
int render_answer(const char *command, const char *json, unsigned width, struct buf *out);
/* One event of `events -f`. 0 or -1. */
int render_event(const char *json, unsigned width, struct buf *out);
/* A message of any length, "why" wrapped after "prefix: " (prefix NULL: none). */
void render_message(const char *prefix, const char *why, unsigned width, struct buf *out);

#endif
