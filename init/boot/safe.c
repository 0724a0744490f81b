/* Safe mode; see safe.h. The decision is pure; entering it sets facts and says so on both consoles. */
#include "boot/safe.h"

#include "base/str.h"
#include "boot/judge.h"
#include "boot/leave.h"
#include "boot/trial.h"
#include "host/identity.h"

#define WHAT_TO_DO                                                                                                     \
	"in safe mode neither Kubernetes nor the box's own services are started. `boots` shows what happened; "        \
	"`rollback` takes the other slot, `update` a new version, `reboot` tries again"

bool safe_decide(bool asked, const struct facts *facts, const struct ends *past, const char *slot, struct buf *why)
{
	const struct fact *failed = fact_find(facts, "slot-failed");
	if (asked)
		buf_add(why, "asked for on the kernel command line");
	else if (failed != NULL && failed->value == FACT_ON && fact_get(facts, "slot-other") == FACT_OFF)
		buf_addf(why, "no slot is good%s%.100s", failed->detail[0] != '\0' ? ": " : "", failed->detail);
	else if (ends_crashes(past, slot) >= SAFE_CRASHES)
		buf_addf(why, "%u runs in a row crashed before they got well; the last: %.80s",
		         ends_crashes(past, slot), past->end[past->count - 1].why);
	return why->len > 0;
}

bool safe_leaves(const struct facts *facts, const struct ends *past, const char *slot)
{
	unsigned most = fact_get(facts, "trial-boot") == FACT_ON ? SAFE_CRASHES : 2 * SAFE_CRASHES;
	return fact_get(facts, "slot-other") == FACT_ON && ends_crashes(past, slot) >= most;
}

/* Marked or not at all: it would come back here, and try again. */
static void leave(struct box *box)
{
	char why[LIMIT_DETAIL];
	if (str_format(why, sizeof(why), "slot %c: %.140s", box->slot, box->safe) == 0)
		leave_slot(box, LEAVE_MARKED, END_HEALTH_GATE, why);
}

static void enter(struct box *box, const char *why)
{
	char text[LIMIT_DETAIL], fact[LIMIT_DETAIL + sizeof("safe mode: ")];
	identity_sentence(box->safe, sizeof(box->safe), why);
	if (str_format(fact, sizeof(fact), "safe mode: %s", why) < 0 ||
	    str_format(text, sizeof(text), "safe mode: %.140s", why) < 0)
		return;
	fact_set(&box->facts, "kubernetes", FACT_OFF, fact);
	judge_system(box, SYSTEM_EV_SAFE, box->safe);
	problem_tell(&box->problems, &box->events, "safe", text);
	problem_tell(&box->problems, &box->events, "safe-help", WHAT_TO_DO);
	say_loud(&box->say, "%s", text);
	say_loud(&box->say, "%s", WHAT_TO_DO);
	trial_stop(box, "safe mode"); /* a person is at it */
}

bool safe_look(struct box *box)
{
	char why[LIMIT_DETAIL];
	struct buf b;
	buf_init(&b, why, sizeof(why));
	const char slot[] = {box->slot, '\0'};
	if (box->safe[0] == '\0' && safe_decide(box->cmdline.safe, &box->facts, &box->history.past, slot, &b)) {
		enter(box, why);
		if (!box->cmdline.safe && safe_leaves(&box->facts, &box->history.past, slot))
			leave(box);
	}
	return box->safe[0] != '\0';
}
