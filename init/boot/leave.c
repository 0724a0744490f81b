/* Leaving the running slot; see leave.h. What touches the ESP is a helper. */
#include "boot/leave.h"

#include "base/log.h"
#include "base/str.h"

#define PROBLEM "leave"
#define MARK_MS 30000 /* for a file of the ESP, on a slow stick */

static void mark(struct box *box);

static void on_again(struct loop *l, void *arg)
{
	struct box *box = arg;
	(void)l;
	if (!shutdown_running(&box->shutdown) && fact_get(&box->facts, "slot-other") == FACT_ON)
		mark(box);
}

static void go(struct box *box, bool marked)
{
	if (marked || box->leave.anyway) {
		shutdown_restart(&box->shutdown, box->leave.kind, box->leave.why);
		return;
	}
	problem_tell(&box->problems, &box->events, PROBLEM,
	             "this slot should be left, but could not be marked bad; see the kernel's log");
	loop_after(&box->loop, &box->leave.again, LEAVE_AGAIN_MS, on_again, box);
}

static void on_marked(bool ok, void *arg)
{
	if (!ok)
		log_warnx("leave", "the slot could not be marked bad");
	go(arg, ok);
}

static void mark(struct box *box)
{
	const char slot[] = {box->slot, '\0'};
	const char *const words[] = {"slot", "bad", slot, NULL};
	struct helper *h = &box->leave.mark;
	struct err e;
	if (h->running)
		return;
	loop_cancel(&box->loop, &box->leave.again);
	h->loop = &box->loop;
	h->fn = on_marked;
	h->arg = box;
	if (helper_run(h, words, MARK_MS, &e) == 0)
		return;
	log_warnx("leave", "%s", e.text);
	go(box, false);
}

void leave_slot(struct box *box, enum leave_how how, enum end_kind kind, const char *why)
{
	if (box->leave.mark.running)
		return;
	box->leave.anyway = how == LEAVE_ANYWAY;
	box->leave.kind = kind;
	if (str_copy(box->leave.why, sizeof(box->leave.why), why) < 0)
		box->leave.why[0] = '\0';
	problem_clear(&box->problems, PROBLEM);
	mark(box);
}
