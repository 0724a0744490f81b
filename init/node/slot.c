/* The slot role; see slot.h. Started by PID 1: as a service when the box is healthy, as a helper for a rollback. Blocks
 * on the ESP and on PID 1's answer; never touches what is inside a slot. */
#include "node/slot.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/exit.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/paths.h"
#include "base/str.h"
#include "board.h"
#include "host/bootenv_change.h"
#include "host/mounts.h"
#include "host/release.h"
#include "host/turn.h"
#include "node/tell.h"

/* ---- what PID 1 gets to know ---- */

void slot_sentences(const struct bootenv_entry *en, const struct bootenv_entry *other, char *trial, char *failed,
                    size_t cap)
{
	bool try = bootenv_on_trial(en, other);

	trial[0] = failed[0] = '\0';
	if (try &&
	    str_format(trial, cap, "slot %c, %u %s left", en->slot, en->left, en->left == 1 ? "try" : "tries") < 0)
		trial[0] = '\0';
	if (!try && bootenv_state(en) == BOOTENV_BAD &&
	    str_format(failed, cap, "slot %c runs without a try left: no slot is good", en->slot) < 0)
		failed[0] = '\0';
}

void slot_version(char slot, char version[SLOTS_VERSION])
{
	char path[LIMIT_PATH], text[SLOTS_VERSION + 1];
	struct err ignored;

	version[0] = '\0';
	if (str_format(path, sizeof(path), PATH_STATE_SLOT "%c", slot) < 0 || !mounts_is_mounted(PATH_STATE) ||
	    file_read_line(path, text, sizeof(text), &ignored) < 0)
		return;
	if (!slots_is_version(text) || str_copy(version, SLOTS_VERSION, text) < 0)
		version[0] = '\0';
}

static int write_slots(const struct bootenv *b, char running, struct err *e)
{
	char text[SLOTS_TEXT];
	struct slots s;
	struct buf out;

	slots_from(&s, b);
	slot_version(bootenv_other(running), slots_row(&s, bootenv_other(running))->version);
	release_version(slots_row(&s, running)->version);
	buf_init(&out, text, sizeof(text));
	if (slots_format(&s, &out, e) < 0)
		return -1;
	return file_replace(PATH_RUN_SLOTS, out.data, out.len, 0644, e);
}

/* On: the boot loader would start the other slot when this one is given up; off: that one is bad; unknown: it holds no
 * system. The health gate and safe mode go by it. */
static int tell_other(const struct bootenv_entry *other, struct err *e)
{
	enum bootenv_state state = bootenv_state(other);
	enum fact_value value = state == BOOTENV_EMPTY ? FACT_UNKNOWN : bootenv_starts(other) ? FACT_ON : FACT_OFF;

	return tell_fact("slot-other", value, bootenv_state_name(state), e);
}

static int tell_facts(const struct bootenv_entry *en, const struct bootenv_entry *other, struct err *e)
{
	char trial[LIMIT_DETAIL], failed[LIMIT_DETAIL];

	slot_sentences(en, other, trial, failed, sizeof(trial));
	if (tell_fact("trial-boot", trial[0] ? FACT_ON : FACT_OFF, trial, e) < 0)
		return -1;
	return tell_fact("slot-failed", failed[0] ? FACT_ON : FACT_OFF, failed, e);
}

int slot_tell(bool facts, struct err *e)
{
	struct bootenv b;
	char running;

	if (bootenv_running(&running, e) < 0 || bootenv_read(&b, e) < 0 || write_slots(&b, running, e) < 0)
		return -1;
	if (!facts)
		return 0;
	/* First: whoever hears of a trial wants to know how it may end. */
	const struct bootenv_entry *other = bootenv_of(&b, bootenv_other(running));
	return tell_other(other, e) < 0 ? -1 : tell_facts(bootenv_of(&b, running), other, e);
}

/* ---- what an entry becomes ---- */

/* Each fills *to, which is *from at first; false: nothing to do. */
static bool to_good(const struct bootenv *b, const struct bootenv_entry *from, struct bootenv_entry *to)
{
	(void)b;
	to->counted = false;
	return from->counted;
}

static bool to_bad(const struct bootenv *b, const struct bootenv_entry *from, struct bootenv_entry *to)
{
	(void)b;
	*to = bootenv_as_bad(from);
	return bootenv_state(from) != BOOTENV_BAD;
}

static bool to_next(const struct bootenv *b, const struct bootenv_entry *from, struct bootenv_entry *to)
{
	const struct bootenv_entry *other = bootenv_of(b, bootenv_other(from->slot));

	if (bootenv_state(from) == BOOTENV_BAD) {
		to->left = BOARD_TRIAL_BOOTS;
		to->used = 0;
	} else if (other == NULL || other->generation < from->generation) {
		return false;
	}
	to->generation = bootenv_next_generation(b);
	return true;
}

static const struct verb {
	const char *name;
	bool (*change)(const struct bootenv *b, const struct bootenv_entry *from, struct bootenv_entry *to);
	bool names_slot; /* it is said which slot; else the running one */
	bool needs;      /* a slot without entry is an error */
	const char *done;
} verbs[] = {
	{"good", to_good, false, false, "is good"},
	{"bad", to_bad, true, false, "is bad"},
	{"next", to_next, true, true, "is started next"},
	{"tell", NULL, false, false, ""},
};

static int rename_entry(const struct bootenv *b, const struct bootenv_entry *from, struct bootenv_entry *to,
                        struct err *e)
{
	if (bootenv_unlock(e) < 0)
		return -1;
	int rc = bootenv_change(b, from, to, e);
	bootenv_lock();
	return rc;
}

/* What a power cut left of an earlier change. */
static int sweep(const struct bootenv *b, const struct bootenv_entry *keep, struct err *e)
{
	if (!bootenv_has_leftovers(b, keep))
		return 0;
	if (bootenv_unlock(e) < 0)
		return -1;
	bootenv_sweep(b, keep);
	bootenv_lock();
	return 0;
}

static int change_entry(const struct verb *v, char slot, struct err *e)
{
	struct bootenv b;

	if (bootenv_read(&b, e) < 0)
		return -1;
	const struct bootenv_entry *from = bootenv_of(&b, slot);
	if (from == NULL)
		return v->needs ? err_set(e, ENOENT, "slot %c holds no system", slot) : 0;
	struct bootenv_entry to = *from;
	if (!v->change(&b, from, &to))
		return sweep(&b, from, e);
	if (rename_entry(&b, from, &to, e) < 0)
		return -1;
	log_info("slot", "slot %c %s: %s is now %s", slot, v->done, from->name, to.name);
	return 0;
}

static int change(const struct verb *v, char slot, struct err *e)
{
	int turn = turn_take(e);

	if (turn < 0)
		return -1;
	int rc = change_entry(v, slot, e);
	turn_give(turn);
	return rc;
}

/* ---- the role ---- */

static const struct verb *find_verb(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < COUNT_OF(verbs); i++) {
		const struct verb *v = &verbs[i];
		if (str_eq(argv[1], v->name) && argc == (v->names_slot ? 3 : 2) &&
		    (!v->names_slot || bootenv_is_slot(argv[2])))
			return v;
	}
	return NULL;
}

static int run(const struct verb *v, const char *word, struct err *e)
{
	char slot = '\0';

	if (v->change == NULL)
		return 0;
	if (word)
		slot = word[0];
	else if (bootenv_running(&slot, e) < 0)
		return -1;
	return change(v, slot, e);
}

int slot_main(int argc, char **argv)
{
	const struct verb *v = find_verb(argc, argv);
	struct err e = {0};

	if (v == NULL) {
		log_errx("slot", "usage: hearth slot good | bad a|b | next a|b | tell");
		return EXIT_USAGE;
	}
	if (run(v, v->names_slot ? argv[2] : NULL, &e) < 0) {
		log_errx("slot", "%s: %s; the boot loader goes on as before", v->name, e.text);
		return 1;
	}
	/* The entry is what counts. */
	if (slot_tell(true, &e) < 0)
		log_warnx("slot", "%s", e.text);
	return 0;
}
