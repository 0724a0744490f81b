/* What the state of the system follows from; see judge.h. Reads memory only. */
#include "boot/judge.h"

#include <string.h>

#include "base/str.h"

#define VERDICT (LIMIT_DETAIL + LIMIT_NAME)

static const struct service *failed_service(const struct services *ss)
{
	for (unsigned i = 0; i < ss->count; i++) {
		if (ss->service[i].state == SERVICE_FAILED)
			return &ss->service[i];
	}
	return NULL;
}

/* A slot on trial that did not get well, and has no other one to go back to. */
static const char *trial_why(const struct box *box)
{
	return box->trial.gate.state == HEALTHGATE_ALONE ? box->trial.gate.why : "";
}

/* What is wrong, as event and sentence; SYSTEM_EV_COUNT: boot has not ended, and nothing forces a decision.
 * *healthy: nothing that speaks against this slot. */
static enum system_event verdict(const struct box *box, struct buf *why, bool *healthy)
{
	const struct stage *stage;
	enum stage_policy worst = stages_verdict(&box->stages, &stage);
	const struct service *failed = failed_service(&box->services);
	*healthy = false;
	if (worst == STAGE_RESCUE) {
		buf_addf(why, "%s: %s", stage->row->name, stage->detail);
		return SYSTEM_EV_LOST;
	}
	if (box->system == SYSTEM_BOOTING && !stages_settled(&box->stages))
		return SYSTEM_EV_COUNT;
	if (worst == STAGE_DEGRADED)
		buf_addf(why, "%s: %s", stage->row->name, stage->detail);
	else if (fact_get(&box->facts, "root-intact") == FACT_OFF)
		buf_add(why, "the root is damaged");
	else if (failed != NULL)
		buf_addf(why, "service %s: %s", failed->def.name, failed->detail);
	else
		*healthy = true;
	if (*healthy && worst == STAGE_OUTSIDE)
		buf_addf(why, "%s: %s", stage->row->name, stage->detail);
	if (why->len == 0)
		buf_add(why, trial_why(box));
	return why->len == 0 ? SYSTEM_EV_GOOD : SYSTEM_EV_BAD;
}

bool judge_healthy(const struct box *box)
{
	char why[VERDICT];
	struct buf b;
	bool healthy;
	buf_init(&b, why, sizeof(why));
	(void)verdict(box, &b, &healthy);
	return healthy;
}

void judge_system(struct box *box, enum system_event ev, const char *why)
{
	enum system_state next = system_next(box->system, ev);
	if (str_copy(box->system_detail, sizeof(box->system_detail), why) < 0) {
		memcpy(box->system_detail, why, sizeof(box->system_detail) - 1);
		box->system_detail[sizeof(box->system_detail) - 1] = '\0';
	}
	if (next == box->system)
		return;
	box->system = next;
	event_add(&box->events, EVENT_SYSTEM, "system", "%s%s%s", system_state_name(next), *why ? ": " : "", why);
}

/* Why a slot that nothing speaks against is not kept all the same; "": it is. */
static const char *not_yet(const struct box *box)
{
	if (box->safe[0])
		return "safe mode";
	return healthgate_allows(&box->trial.gate) ? "" : "the new slot is on trial, see health";
}

/* Whoever keeps the slot waits for this fact. */
static void tell_healthy(struct box *box, const char *but)
{
	fact_set(&box->facts, "healthy", *but ? FACT_OFF : FACT_ON, but);
	if (!*but)
		history_well(&box->history);
}

static void on_judge(struct loop *l, void *arg)
{
	struct box *box = arg;
	char why[VERDICT];
	struct buf b;
	bool healthy;
	(void)l;
	if (box->system == SYSTEM_STOPPING)
		return;
	if (stages_over(&box->stages))
		fact_set(&box->facts, "started", FACT_ON, "");
	buf_init(&b, why, sizeof(why));
	enum system_event ev = verdict(box, &b, &healthy);
	if (ev == SYSTEM_EV_COUNT)
		return;
	judge_system(box, ev, why);
	if (box->safe[0] && ev != SYSTEM_EV_LOST)
		judge_system(box, SYSTEM_EV_SAFE, box->safe);
	tell_healthy(box, healthy ? not_yet(box) : why);
}

void judge_later(struct box *box)
{
	if (!box->judge.armed)
		loop_after(&box->loop, &box->judge, 0, on_judge, box);
}
