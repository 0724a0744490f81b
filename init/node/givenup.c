/* A new slot without a word of its own; see givenup.h. Run by the storage role, once per boot. */
#include "node/givenup.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/paths.h"
#include "base/str.h"
#include "base/sys.h"
#include "node/records.h"
#include "node/slot.h"

/* A clock that was behind makes a record look older than the install: then its version tells. */
static bool has_told(const struct ends *all, char slot, const struct givenup_install *in)
{
	const char name[] = {slot, '\0'};

	for (unsigned i = 0; i < all->count; i++) {
		const struct end *n = &all->end[i];
		if (str_eq(n->slot, name) && (n->time >= in->time || str_eq(n->version, in->version)))
			return true;
	}
	return false;
}

const struct bootenv_entry *givenup_find(const struct bootenv *b, char running, const struct givenup_install *in,
                                         const struct ends *all)
{
	const struct bootenv_entry *mine = bootenv_of(b, running), *other = bootenv_of(b, bootenv_other(running));

	if (mine == NULL || other == NULL || other->generation < mine->generation || other->used == 0)
		return NULL;
	return has_told(all, other->slot, in) ? NULL : other;
}

/* code ENOENT: by the flash tool, or so long ago that nobody knows. */
static int read_install(char slot, struct givenup_install *in, struct err *e)
{
	char path[LIMIT_PATH], version[SLOTS_VERSION];
	struct stat s;

	if (str_format(path, sizeof(path), PATH_STATE_SLOT "%c", slot) < 0)
		return err_set(e, ENAMETOOLONG, PATH_STATE_SLOT);
	if (sys_stat(path, &s) < 0)
		return err_sys(e, "%s", path);
	slot_version(slot, version);
	in->time = s.st_mtime;
	return str_copy(in->version, sizeof(in->version), version) < 0 ? err_set(e, EINVAL, "%s", path) : 0;
}

static int make_end(struct end *n, const struct bootenv_entry *en, const struct givenup_install *in)
{
	*n = (struct end){.kind = END_HEALTH_GATE, .slot = {en->slot, '\0'}};
	memcpy(n->version, in->version, sizeof(n->version));
	/* Never before the install, so that it is told once. */
	n->time = clock_wall() > in->time ? clock_wall() : in->time;
	return str_format(n->why, sizeof(n->why),
	                  "slot %c%s%s did not get as far as its disks in %u %s; the boot loader went back to slot %c",
	                  en->slot, in->version[0] ? ", version " : "", in->version, en->used,
	                  en->used == 1 ? "start" : "starts", bootenv_other(en->slot));
}

int givenup_note(struct identity *id, char running, struct err *e)
{
	static struct ends all; /* the role has one thread */
	struct givenup_install in;
	struct bootenv b;
	struct end n;

	if (read_install(bootenv_other(running), &in, e) < 0)
		return e->code == ENOENT ? 0 : -1;
	if (bootenv_read(&b, e) < 0 || records_read_ends(&all, e) < 0)
		return -1;
	const struct bootenv_entry *other = givenup_find(&b, running, &in, &all);
	if (other == NULL)
		return 0;
	if (make_end(&n, other, &in) < 0)
		return err_set(e, EMSGSIZE, "why slot %c was given up", other->slot);
	ends_add(&all, &n);
	if (records_write_ends(&all, e) < 0)
		return -1;
	log_warnx("storage", "%s", n.why);
	identity_sentence(id->last_shutdown, sizeof(id->last_shutdown), n.why);
	return 0;
}
