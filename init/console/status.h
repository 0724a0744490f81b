/* The status screen: what a person sees first on the serial line, the screen and from `hearth ctl status`. It puts two
 * answers together, `status` and `services`, so that everything that is not ready is named with its reason. Pure. */
#ifndef HEARTH_CONSOLE_STATUS_H
#define HEARTH_CONSOLE_STATUS_H

#include <stdbool.h>
#include <yyjson.h>

#include "base/buf.h"

/* services: root of the `services` answer, or NULL: only the counts are shown. */
void status_render(yyjson_val *status, yyjson_val *services, unsigned width, struct buf *out);
/* The same from JSON text; services may be NULL or no JSON. 0, or -1 when status is no JSON object. */
int status_render_text(const char *status, const char *services, unsigned width, struct buf *out);
/* A row of `services` that is as it should be: ready or done. */
bool status_is_up(yyjson_val *service);

#endif
