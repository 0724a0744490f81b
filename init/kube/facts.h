/* The facts of the kube role: kube-*, node-ready, and one per app. */
#ifndef HEARTH_KUBE_FACTS_H
#define HEARTH_KUBE_FACTS_H

#include "base/limits.h"
#include "kube/apply.h"

#define FACTS (ITEMS_APPS + 8) /* one per app, and those of the role itself */

/* "app-NAME"; what may not stand in the name of a fact becomes '-', what does not fit is cut. */
void facts_app_name(const char *app, char name[LIMIT_NAME]);

#endif
