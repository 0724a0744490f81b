/* Copies of volumes (`snapshots`) as text for people; for console/render, whose rules hold here too. As JSON:
 *
 *   {"snapshots": [{"name", "volume": FOLDER, "taken": RFC 3339, "size": BYTES, "why", "restore": BOOL}],
 *    "next", "update": why all volumes are copied at the next start, or at the first one of a new version}
 *
 * What is not known, or not asked for, is left out. The size is what the copy would take if all of it were written
 * over. */
#ifndef HEARTH_CONSOLE_RENDER_SNAPSHOTS_H
#define HEARTH_CONSOLE_RENDER_SNAPSHOTS_H

#include <yyjson.h>

#include "base/buf.h"

void render_snapshots(yyjson_val *root, unsigned width, struct buf *out);

#endif
