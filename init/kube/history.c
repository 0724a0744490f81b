/* The history of applied revisions. Runs in the kube role. The file is ours alone, but may hold anything after a fault.
 */
#include "kube/history.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/str.h"

#define LINE 96 /* of the file, with room to spare */

static void append(struct history *h, const struct history_entry *entry)
{
	if (h->count == HISTORY_ENTRIES) {
		memmove(h->entry, h->entry + 1, sizeof(h->entry) - sizeof(h->entry[0]));
		h->count--;
	}
	h->entry[h->count++] = *entry;
}

/* One line, terminated. */
static bool parse(char *line, struct history_entry *entry)
{
	uint64_t objects = 0;
	char *rest = line;
	const char *time = strsep(&rest, " "), *revision = strsep(&rest, " ");
	if (!rest || str_u64(rest, MANIFEST_OBJECTS, &objects) < 0)
		return false;
	entry->objects = (unsigned)objects;
	return str_copy(entry->time, sizeof(entry->time), time) == 0 &&
	       str_copy(entry->revision, sizeof(entry->revision), revision) == 0;
}

int history_read(struct history *h, const char *path, struct err *e)
{
	char text[HISTORY_ENTRIES * LINE];
	struct history_entry entry;
	struct buf b;
	h->count = 0;
	if (str_copy(h->path, sizeof(h->path), path) < 0)
		return err_set(e, ENAMETOOLONG, "%s: too long", path);
	buf_init(&b, text, sizeof(text));
	if (file_read(path, &b, e) < 0)
		return e->code == ENOENT ? 0 : -1;
	for (char *rest = text, *line; (line = strsep(&rest, "\n")) != NULL;) {
		if (parse(line, &entry))
			append(h, &entry);
	}
	return 0;
}

int history_add(struct history *h, const char *revision, unsigned objects, struct err *e)
{
	char text[HISTORY_ENTRIES * LINE];
	struct history_entry entry = {.objects = objects};
	struct buf b;
	if (h->count > 0 && str_eq(h->entry[h->count - 1].revision, revision))
		return 0;
	clock_format(clock_wall(), entry.time, sizeof(entry.time));
	if (str_copy(entry.revision, sizeof(entry.revision), revision) < 0)
		return err_set(e, EINVAL, "'%s' is no revision", revision);
	append(h, &entry);
	buf_init(&b, text, sizeof(text));
	for (unsigned i = 0; i < h->count; i++)
		buf_addf(&b, "%s %s %u\n", h->entry[i].time, h->entry[i].revision, h->entry[i].objects);
	return file_replace(h->path, text, b.len, 0644, e);
}
