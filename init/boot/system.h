/* The state of the box as a whole, as a pure table state x event -> next state: no memory, no system calls.
 *
 *   booting   some boot stage is still under way.
 *   running   every stage is done and nothing that matters is wrong.
 *   degraded  the box works, but a stage has failed or something that matters is wrong; heals by itself.
 *   safe      the system runs without the user's workloads, because it was told to.
 *   stopping  a reboot, power-off or halt is under way; nothing leads back.
 *   rescue    something without which nothing works is missing; PID 1 keeps trying, consoles say what it is. */
#ifndef HEARTH_BOOT_SYSTEM_H
#define HEARTH_BOOT_SYSTEM_H

#define SYSTEM_STATES(X)                                                                                               \
	X(BOOTING, "booting")                                                                                          \
	X(RUNNING, "running")                                                                                          \
	X(DEGRADED, "degraded")                                                                                        \
	X(SAFE, "safe")                                                                                                \
	X(STOPPING, "stopping")                                                                                        \
	X(RESCUE, "rescue")

#define SYSTEM_EVENTS(X)                                                                                               \
	X(GOOD, "good") /* every boot stage has ended and nothing is wrong */                                          \
	X(BAD, "bad")   /* every boot stage has ended, and something that matters is wrong */                          \
	X(LOST, "lost") /* a stage of policy rescue has failed */                                                      \
	X(SAFE, "safe") /* safe mode was asked for */                                                                  \
	X(STOP, "stop") /* shutdown begins */

enum system_state {
#define X(id, name) SYSTEM_##id,
	SYSTEM_STATES(X)
#undef X
		SYSTEM_STATE_COUNT
};

enum system_event {
#define X(id, name) SYSTEM_EV_##id,
	SYSTEM_EVENTS(X)
#undef X
		SYSTEM_EV_COUNT
};

enum system_state system_next(enum system_state s, enum system_event ev);
const char *system_state_name(enum system_state s);
const char *system_event_name(enum system_event ev);

#endif
