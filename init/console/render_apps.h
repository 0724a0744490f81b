/* The kube role's answers (`apps`, `apps NAME`, `apps diff NAME`, `pods`) as text for people; for console/render, whose
 * rules hold here too. An empty text is no text; "more" is how many of a list did not fit into the answer. As JSON:
 *
 *   apps            {"apps": [{"name", "status", "objects": N, "ready": N, "message"}],
 *                    "revision", "wave": N, "state", "more": N}
 *                   wave: the one that is being applied, else absent; state: a sentence about the whole
 *   apps NAME       {"name", "status", "message", "objects": [{"kind", "namespace", "name", "status", "message"}],
 *                    "history": [{"revision", "time": RFC 3339}], "more": N}
 *   apps diff NAME  {"name", "diff": [{"object", "field", "want", "is"}], "more": N}
 *   pods            {"pods": [{"namespace", "name", "status", "ready": "1/1", "restarts": N, "age": SECONDS, "ip"}],
 *                    "more": N} */
#ifndef HEARTH_CONSOLE_RENDER_APPS_H
#define HEARTH_CONSOLE_RENDER_APPS_H

#include <yyjson.h>

#include "base/buf.h"

void render_apps(yyjson_val *root, unsigned width, struct buf *out);
void render_app(yyjson_val *root, unsigned width, struct buf *out);
void render_diff(yyjson_val *root, unsigned width, struct buf *out);
void render_pods(yyjson_val *root, unsigned width, struct buf *out);

#endif
