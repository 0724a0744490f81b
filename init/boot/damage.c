/* What a damaged root sets off; see damage.h. Reads memory only. */
#include "boot/damage.h"

#include "base/str.h"
#include "boot/judge.h"
#include "boot/leave.h"

#define FACT_ROOT  "root-intact"
#define FACT_OTHER "slot-other"
#define FACT_STATE "state-mounted"

bool damage_leaves(const struct facts *facts, char slot, const struct end *last)
{
	const char name[] = {slot, '\0'};
	if (slot == '\0' || fact_get(facts, FACT_ROOT) != FACT_OFF || fact_get(facts, FACT_OTHER) != FACT_ON ||
	    fact_get(facts, FACT_STATE) == FACT_UNKNOWN)
		return false;
	return last == NULL || last->kind != END_DAMAGE || !str_eq(last->slot, name);
}

static void sentence(const struct box *box, char *dst, size_t cap)
{
	const struct fact *f = fact_find(&box->facts, FACT_ROOT);
	if (str_format(dst, cap, "root of slot %c: %.100s", box->slot != '\0' ? box->slot : '?', f->detail) < 0)
		dst[0] = '\0';
}

/* Somebody who asked for safe mode by hand is at it; one that the box took by itself is no reason to stay. */
static void on_damage(struct loop *l, void *arg)
{
	struct box *box = arg;
	char why[LIMIT_DETAIL];
	(void)l;
	if (shutdown_running(&box->shutdown) || box->cmdline.safe ||
	    !damage_leaves(&box->facts, box->slot, history_last(&box->history)))
		return;
	sentence(box, why, sizeof(why));
	leave_slot(box, LEAVE_MARKED, END_DAMAGE, why);
}

static void tell(struct box *box)
{
	char why[LIMIT_DETAIL], text[ERR_TEXT];
	sentence(box, why, sizeof(why));
	if (str_format(text, sizeof(text), "%s; flash again or install an update", why) == 0)
		problem_tell(&box->problems, &box->events, FACT_ROOT, text);
}

void damage_fact(struct box *box, const struct fact *f)
{
	bool root = str_eq(f->name, FACT_ROOT);
	if (!root && !str_eq(f->name, FACT_OTHER) && !str_eq(f->name, FACT_STATE))
		return;
	if (root && f->value == FACT_OFF)
		tell(box);
	else if (root)
		problem_clear(&box->problems, FACT_ROOT);
	if (root)
		judge_later(box);
	/* Behind what else this fact sets off: how the last run ended is read then. */
	loop_after(&box->loop, &box->damage, 0, on_damage, box);
}
