/* The memory of the last run. Runs in the kube role. The file is ours alone, but may hold anything after a fault. */
#include "kube/applied.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "kube/inventory.h"

/* Another label would make other objects of the same bodies. */
#define HEAD "applied " INVENTORY_ID "\n"
#define HASH (MANIFEST_HASH - 1)
#define LINE (HASH + 1 + 8 + 1) /* hash, blank, what we own in hexadecimal, newline */

static int parse_owned(const char *text, uint32_t *owned)
{
	*owned = 0;
	for (unsigned i = 0; i < 8; i++) {
		int digit = str_hex_digit(text[i]);
		if (digit < 0)
			return -1;
		*owned = *owned << 4 | (uint32_t)digit;
	}
	return 0;
}

/* The line of that hash. They stand in the order of the items, so the search begins where the last one ended. */
static const char *find(const char *lines, size_t count, size_t from, const char *hash)
{
	for (size_t i = 0; i < count; i++) {
		const char *line = lines + (from + i) % count * LINE;
		if (memcmp(line, hash, HASH) == 0)
			return line;
	}
	return NULL;
}

static void take(struct items *t, const char *lines, size_t count)
{
	size_t next = 0;
	for (unsigned i = 0; count > 0 && i < t->m->count; i++) {
		char hash[MANIFEST_HASH];
		manifest_hash(t->m->object[i].hash, hash);
		const char *line = find(lines, count, next, hash);
		if (!line || line[HASH] != ' ' || line[LINE - 1] != '\n' ||
		    parse_owned(line + HASH + 1, &t->item[i].owned) < 0)
			continue;
		t->item[i].known = t->item[i].owned != 0;
		if (!t->item[i].known && str_eq(t->m->object[i].kind, "Job"))
			t->item[i].state = ITEM_OVER;
		next = (size_t)(line - lines) / LINE + 1;
	}
}

int applied_read(const char *path, struct items *t, struct err *e)
{
	size_t head = strlen(HEAD), cap = head + (size_t)MANIFEST_OBJECTS * LINE + 1;
	char *text = malloc(cap);
	struct buf b;
	if (!text)
		return err_set(e, ENOMEM, "no memory to read %s", path);
	buf_init(&b, text, cap);
	int rc = file_read(path, &b, e);
	if (rc == 0 && str_starts(text, HEAD))
		take(t, text + head, (b.len - head) / LINE);
	free(text);
	return rc < 0 && e->code != ENOENT ? -1 : 0;
}

int applied_write(const char *path, const struct items *t, struct err *e)
{
	size_t cap = strlen(HEAD) + (size_t)t->m->count * LINE + 1;
	char *text = malloc(cap);
	struct buf b;
	if (!text)
		return err_set(e, ENOMEM, "no memory to write %s", path);
	buf_init(&b, text, cap);
	buf_add(&b, HEAD);
	for (unsigned i = 0; i < t->m->count; i++) {
		char hash[MANIFEST_HASH];
		bool over = t->item[i].state == ITEM_OVER;
		if (!over && (t->item[i].state != ITEM_DONE || t->item[i].owned == 0))
			continue;
		manifest_hash(t->m->object[i].hash, hash);
		buf_addf(&b, "%s %08" PRIx32 "\n", hash, over ? 0 : t->item[i].owned);
	}
	int rc = file_replace(path, text, b.len, 0644, e);
	free(text);
	return rc;
}
