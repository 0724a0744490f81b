/* How the last runs ended (`boots`) as text for people; for console/render, whose rules hold here too. As JSON:
 *
 *   {"boots": [{"time": RFC 3339, "slot", "version", "kind", "reason", "uptime": SECONDS, "well": BOOL}]}
 *
 * newest first; an empty text is one that is not known. */
#ifndef HEARTH_CONSOLE_RENDER_BOOTS_H
#define HEARTH_CONSOLE_RENDER_BOOTS_H

#include <yyjson.h>

#include "base/buf.h"

void render_boots(yyjson_val *root, unsigned width, struct buf *out);

#endif
