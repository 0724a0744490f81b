/* The settings as they hold on this box: the shipped file, and over it the copy of the box's own. For roles. */
#ifndef HEARTH_CORE_SETTINGS_FILE_H
#define HEARTH_CORE_SETTINGS_FILE_H

#include "base/err.h"
#include "base/limits.h"
#include "core/settings.h"

/* Storage of the parse, too large for a stack. */
struct settings_room {
	struct yaml yaml;
	char text[LIMIT_FILE];
};

/* A file that is missing has nothing to say. Errors name the box's own file as people know it. */
MUST_CHECK int settings_load(struct settings *s, struct settings_room *r, struct err *e);

#endif
