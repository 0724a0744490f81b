/* The JSON of an object as it is sent: rendered from its manifest, with the label of our set, and the
 * stringData of a Secret in its data. */
#ifndef HEARTH_KUBE_BODY_H
#define HEARTH_KUBE_BODY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "kube/manifest.h"

/* The caller frees it. NULL with e: the file is gone or has changed, no memory, labels that are no mapping,
 * a Secret that secret_data refuses. */
char *body_render(const struct manifest *m, unsigned index, size_t *len, struct err *e);
/* The manifest carries the annotation with the value "true". */
bool body_allows(const struct manifest *m, unsigned index, const char *annotation);
/* Puts a label into an object's compact JSON; label and value are plain ASCII. Pure. An error: does not fit, metadata
 * or labels are no mappings. */
MUST_CHECK int body_label(struct buf *json, const char *label, const char *value, struct err *e);

#endif
