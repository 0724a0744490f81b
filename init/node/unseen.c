/* Starts that left no record; see unseen.h. Run by the storage role; reads two small files, writes one. */
#include "node/unseen.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/paths.h"
#include "base/str.h"
#include "base/sys.h"
#include "node/slot.h"

/* Of one on trial whose starts were counted: when the run before this one was not of this slot, the other one did get
 * as far as a record. One that was good has no counter: its last run is recorded, and says so when it marked itself. */
static bool left_no_record(const struct bootenv_entry *other, const struct end *last)
{
	if (other->used > 0)
		return last->slot[0] == bootenv_other(other->slot);
	return last->kind != END_DAMAGE && last->kind != END_HEALTH_GATE;
}

static void sentence(const struct bootenv_entry *other, char *dst, size_t cap)
{
	char runs = bootenv_other(other->slot);
	int rc;

	if (other->used > 0)
		rc = str_format(dst, cap, "%u %s of slot %c ended before it had a disk; slot %c runs", other->used,
		                other->used == 1 ? "start" : "starts", other->slot, runs);
	else
		rc = str_format(dst, cap, "the root of slot %c is missing or damaged; slot %c runs", other->slot, runs);
	if (rc < 0)
		dst[0] = '\0';
}

void unseen_find(struct unseen *u, const struct bootenv_entry *other, int64_t filled, const struct end *last,
                 const char *known)
{
	memset(u, 0, sizeof(*u));
	if (other == NULL || (other->used == 0 && bootenv_state(other) != BOOTENV_BAD))
		return;
	if (str_format(u->mark, sizeof(u->mark), "%s %" PRId64, other->name, filled) < 0 || str_eq(u->mark, known)) {
		u->mark[0] = '\0';
		return;
	}
	if (!left_no_record(other, last))
		return;
	u->there = true;
	u->end.kind = END_NO_START;
	u->end.slot[0] = other->slot;
	sentence(other, u->end.why, sizeof(u->end.why));
}

/* The record of the slot's version is written with each install. */
static int64_t filled(char slot)
{
	char path[LIMIT_PATH];
	struct stat s;

	if (str_format(path, sizeof(path), PATH_STATE_SLOT "%c", slot) < 0 || sys_stat(path, &s) < 0)
		return 0;
	return s.st_mtime;
}

static int look(struct unseen *u, const struct end *last, struct err *e)
{
	char known[UNSEEN_MARK], version[SLOTS_VERSION], running, other;
	struct bootenv b;

	if (bootenv_running(&running, e) < 0)
		return e->code == ENOENT ? 0 : -1; /* nobody counts its starts */
	if (bootenv_read(&b, e) < 0 || file_read_line(PATH_STATE_UNSEEN, known, sizeof(known), e) < 0)
		return -1;
	other = bootenv_other(running);
	unseen_find(u, bootenv_of(&b, other), filled(other), last, known);
	slot_version(other, version);
	if (str_copy(u->end.version, sizeof(u->end.version), version) < 0)
		u->end.version[0] = '\0';
	return 0;
}

void unseen_look(struct unseen *u, const struct end *last)
{
	struct err e;

	memset(u, 0, sizeof(*u));
	if (look(u, last, &e) < 0)
		log_warnx("storage", "starts of the other slot: %s", e.text);
}

int unseen_keep(const struct unseen *u, struct err *e)
{
	char line[UNSEEN_MARK + 1];

	if (u->mark[0] == '\0')
		return 0;
	if (str_format(line, sizeof(line), "%s\n", u->mark) < 0)
		return err_set(e, ENAMETOOLONG, "%s", PATH_STATE_UNSEEN);
	return file_replace(PATH_STATE_UNSEEN, line, strlen(line), 0644, e);
}
