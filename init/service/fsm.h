/* The service machine as a pure table: state x event -> next state + actions. No system calls, no memory. */
#ifndef HEARTH_SERVICE_FSM_H
#define HEARTH_SERVICE_FSM_H

#include "service/model.h"

enum fsm_action {
	ACT_START = 1 << 0,   /* spawn the program */
	ACT_STOP = 1 << 1,    /* send the stop signal */
	ACT_KILL = 1 << 2,    /* SIGKILL the whole cgroup */
	ACT_TIMER = 1 << 3,   /* arm the new state's deadline */
	ACT_CLEANUP = 1 << 4, /* kill what is left in the cgroup, close the notify pipe */
	ACT_BACKOFF = 1 << 5, /* arm the back-off timer, double the delay */
	ACT_SETTLE = 1 << 6,  /* look again at everybody who depends on this one (and at itself) */
	ACT_AGAIN = 1 << 7,   /* remember: its end is followed by a start without back-off */
	ACT_FRESH = 1 << 8    /* forget the back-off: a person asked, or it did what it should */
};

struct fsm_step {
	enum service_state next;
	unsigned actions;
	bool legal; /* false: the event cannot happen in that state; the caller logs it and stays */
};

/* What the table's conditions look at; plain values so that the table stays pure. */
struct fsm_input {
	enum service_type type;
	enum service_restart restart;
	bool want_up;
	bool restarting;
};

struct fsm_step fsm_next(enum service_state s, enum service_event ev, const struct fsm_input *in);

#endif
