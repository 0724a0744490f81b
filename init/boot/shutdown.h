/* The ordered end: a table of phases, each with a deadline, ending in reboot(2).
 *
 *   stop     services end in the reverse order of their start; three minutes for all of them together.
 *   kill     SIGKILL to every process that is left, twice.
 *   record   the state partition remembers why and when (`hearth keep`).
 *   unmount  the disks (`hearth unmount`).
 *   reboot   reboot(2), repeated until the kernel does it.
 *
 * Each phase says on the consoles what it does. A second Ctrl-Alt-Del goes on to the next phase; seven within two
 * seconds restart the box at once. Once begun there is no way back, but a later request may still change how it ends.
 */
#ifndef HEARTH_BOOT_SHUTDOWN_H
#define HEARTH_BOOT_SHUTDOWN_H

#include <stdbool.h>
#include <stdint.h>

#include "boot/helper.h"
#include "boot/history.h"
#include "boot/say.h"
#include "core/event.h"
#include "core/fact.h"
#include "loop/loop.h"
#include "service/model.h"

enum shutdown_how { SHUTDOWN_REBOOT, SHUTDOWN_POWEROFF, SHUTDOWN_HALT };

enum shutdown_phase { PHASE_IDLE, PHASE_STOP, PHASE_KILL, PHASE_RECORD, PHASE_UNMOUNT, PHASE_REBOOT, PHASE_COUNT };

#define SHUTDOWN_TICK_MS  50
#define SHUTDOWN_TELL_MS  5000 /* how often it says what it still waits for */
#define SHUTDOWN_BURST    7
#define SHUTDOWN_BURST_MS 2000

struct shutdown {
	struct loop *loop;
	struct services *services;
	struct facts *facts;
	struct events *events;
	struct say *say;
	struct history *history;
	void (*begun)(void *arg);                          /* told once, before anything is stopped; may be NULL */
	void (*leaving)(enum shutdown_how how, void *arg); /* told before each reboot(2); may be NULL */
	void *arg;

	enum shutdown_phase phase;
	enum shutdown_how how;
	enum end_kind kind;
	char why[LIMIT_DETAIL]; /* "reboot asked for by Ctrl-Alt-Del" */
	uint64_t phase_since, told;
	unsigned kills;
	bool helper_done;
	struct loop_timer tick;
	struct helper helper[2];          /* keep, unmount: a stuck one must not stand in the way of the next */
	uint64_t presses[SHUTDOWN_BURST]; /* times of the last Ctrl-Alt-Dels */
	unsigned press;
};

/* by: "Ctrl-Alt-Del", "the power button", "a command". The pointers of *s are set by its owner. */
void shutdown_ask(struct shutdown *s, enum shutdown_how how, const char *by);
/* The same with what it is for in place of the name of how: "rollback to slot b", and its kind. */
void shutdown_ask_for(struct shutdown *s, enum shutdown_how how, enum end_kind kind, const char *what, const char *by);
/* The box itself wants to start again, and why says why: "the update to 0.2.0". Ends that people asked for go first: no
 * effect while a shutdown is under way. */
void shutdown_restart(struct shutdown *s, enum end_kind kind, const char *why);
/* Ctrl-Alt-Del: asks for a reboot, hurries one that is under way, forces one when pressed in a burst. */
void shutdown_ctrl_alt_del(struct shutdown *s);
bool shutdown_running(const struct shutdown *s);
/* Its phase is that much past its own deadline, which cannot be while timers fire. */
bool shutdown_is_late(const struct shutdown *s, uint32_t grace_ms);
const char *shutdown_how_name(enum shutdown_how how); /* "reboot", "power-off", "halt" */

#endif
