/* Everything that PID 1 owns, in one struct in static storage. Only the files that conduct include this (init, wire,
 * commands, status, slots); what they conduct knows its own part alone. */
#ifndef HEARTH_BOOT_BOX_H
#define HEARTH_BOOT_BOX_H

#include "boot/control.h"
#include "boot/guard.h"
#include "boot/healthgate.h"
#include "boot/history.h"
#include "boot/identify.h"
#include "boot/owner.h"
#include "boot/problem.h"
#include "boot/say.h"
#include "boot/shutdown.h"
#include "boot/stage.h"
#include "boot/system.h"
#include "core/command.h"
#include "core/event.h"
#include "core/fact.h"
#include "core/names.h"
#include "format/version.h"
#include "host/cmdline.h"
#include "host/net.h"
#include "host/power.h"
#include "loop/loop.h"
#include "service/model.h"

struct box {
	struct loop loop;
	struct facts facts;
	struct events events;
	struct services services;
	struct commands commands;
	struct control control;
	struct stages stages;
	struct shutdown shutdown;
	struct history history;
	struct guard guard;
	struct say say;
	struct problems problems;
	struct owner owner;
	struct power power;
	struct identify identify;
	struct {
		struct healthgate gate;
		struct names before; /* what was well before the update */
		bool early;          /* begun by the boot loader's word, the entries have not been heard of yet */
	} trial;
	struct {
		struct helper mark; /* `hearth slot bad S` */
		struct loop_timer again;
		bool anyway; /* also when that fails */
		enum end_kind kind;
		char why[LIMIT_DETAIL];
	} leave;
	struct cmdline cmdline;
	struct net_table net;        /* storage for `status` */
	uint64_t stage1_ms, init_ms; /* clock_ms when stage 1 and PID 1 began; 0: there was no stage 1 */
	char safe[LIMIT_DETAIL];     /* why the box is in safe mode; "": it is not */
	enum system_state system;
	char system_detail[LIMIT_DETAIL];
	int log_chan;    /* our end of the log service's channel, -1: it does not run */
	bool log_reopen; /* "reopen" is still to be told */
	struct loop_timer log_again, judge, damage, keep_clock, reap, power_later, consoles;
	struct helper keep;
	char version[VERSION_TEXT]; /* that runs */
	char slot;                  /* that runs: 'a', 'b'; '\0': nobody knows */
	struct helper mark;         /* makes the other slot the next one: a rollback */
	struct helper look;         /* at the boot entries, which an update has changed */
	char mark_by[LIMIT_NAME];
	char kube[LIMIT_DETAIL]; /* which k3s is in the image; "": none */
};

#endif
