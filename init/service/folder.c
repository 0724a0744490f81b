/* The names of the service files of one folder. Run by PID 1 and `hearth check`. Allocates nothing. */
#include "service/folder.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/dir.h"
#include "base/str.h"

static bool add(const char *name, void *arg)
{
	struct folder *f = arg;
	if (name[0] == '.' || (!str_ends(name, ".yaml") && !str_ends(name, ".yml")))
		return true;
	if (f->count == LIMIT_SERVICES) {
		f->lost++;
		return true;
	}
	size_t n = strlen(name);
	if (n >= FOLDER_NAME)
		n = FOLDER_NAME - 1;
	memcpy(f->name[f->count], name, n);
	f->name[f->count++][n] = '\0';
	return true;
}

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

int folder_read(struct folder *f, const char *path, struct err *e)
{
	f->count = f->lost = 0;
	int rc = dir_each(path, add, f, e);
	if (rc < 0 && e->code == ENOENT)
		rc = 0;
	qsort(f->name, f->count, sizeof(f->name[0]), compare);
	return rc;
}
