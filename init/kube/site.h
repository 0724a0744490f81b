/* Values of this site for the manifests: `${site.NAME}` in a scalar is replaced by the value that `site:` in the
 * settings gives NAME (core/settings: names, sizes). All other text with '$' passes untouched: `${OTHER}`, `$NAME`,
 * and `$${site.NAME}`, whose first '$' stays, too. A value is not looked through again.
 * A variable without a value, or with an empty one, is an error: "${site.X} is not set; set site.X in the settings". */
#ifndef HEARTH_KUBE_SITE_H
#define HEARTH_KUBE_SITE_H

#include "core/settings.h"
#include "format/yamljson.h"

/* Reads the shipped settings and, over them, those of the box (PATH_RUN_SETTINGS). A broken file is an error: to go on
 * with the shipped values would move a whole platform to another domain. */
MUST_CHECK int site_load(struct settings *s, struct err *e);
/* yamljson_find_fn; arg is a const struct settings. */
int site_find(const char *text, size_t len, struct yamljson_piece *p, void *arg, struct err *e);

#endif
