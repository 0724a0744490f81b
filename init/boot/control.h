/* The control sockets: PATH_CONTROL for processes of root (PEER_LOCAL) and one channel per service that asks for it
 * (its rights stand in a table in control.c). Speaks core/proto, calls core/command, feeds events to followers, and
 * passes commands on that a role answers.
 *
 * Nothing that a peer does can block or grow PID 1:
 * - a request is read only while the peer's socket has room for a whole reply, so a peer that does not read stalls
 *   nobody but itself, and is dropped after CONTROL_STALL_MS;
 * - one request per peer and round of the loop;
 * - followers read the ring of events by their own number; one that falls behind the ring is dropped;
 * - when all places are taken, a new peer gets the place of the one that least deserves it (never asked anything,
 *   then idle longest, then followers), so a flood of connections cannot lock anybody out;
 * - what is passed on has a deadline and a bounded number (boot/asks), and is sent only while the role takes it;
 * - malformed messages are answered with PROTO_ERROR;
 * - a descriptor that comes with a request goes on with it when the request is passed on to a role (boot/asks), and is
 *   closed otherwise; from peers whose row in control.c does not say so, none is taken. PID 1 never reads from it. */
#ifndef HEARTH_BOOT_CONTROL_H
#define HEARTH_BOOT_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include "boot/asks.h"
#include "core/command.h"
#include "core/event.h"
#include "core/proto.h"
#include "loop/loop.h"

#define CONTROL_SERVICES 8 /* services with a channel of their own */
#define CONTROL_PEERS    (LIMIT_PEERS + CONTROL_SERVICES)
#define CONTROL_STALL_MS 30000
#define CONTROL_RETRY_MS 1000

struct control;

struct control_peer {
	int fd; /* -1: free */
	struct control *all;
	enum peer kind;
	char name[LIMIT_NAME]; /* of the service; "" for peers of the listening socket */
	bool asked;            /* has sent a good request */
	bool blocked;          /* does not read: waits for room */
	uint64_t used;         /* control->turn of its last request */
	uint64_t cursor;       /* next event to send; 0: no follower */
	uint32_t follow_id;
	struct loop_timer stall;
};

struct control {
	struct loop *loop;
	struct commands *commands;
	struct events *events;
	int listen_fd; /* -1: not there */
	uint64_t turn;
	struct control_peer peer[CONTROL_PEERS];
	struct control_peer *current; /* whose request is being answered */
	uint32_t current_id;
	size_t current_len; /* of its words, which stand in `request` behind the id */
	int current_fd;     /* that came with it, -1: none */
	struct asks asks;
	struct loop_timer pump;   /* events to followers, deferred */
	struct loop_timer again;  /* accepting again after descriptors ran out */
	unsigned dropped, paused; /* how often, since boot */
	char request[LIMIT_REQUEST + 1];
	char reply[LIMIT_REPLY + 1]; /* one to send, or one of a role that is passed on */
};

void control_init(struct control *c, struct loop *l, struct commands *cs, struct events *evs);
/* Opens PATH_CONTROL; may be tried again. */
MUST_CHECK int control_listen(struct control *c, struct err *e);
/* A fresh channel for a service; returns the child's end, close-on-exec. An older channel of that name is closed. */
MUST_CHECK int control_channel(struct control *c, const char *name, struct err *e);
/* An event was added: followers get it from the loop. */
void control_event(struct control *c);
/* For the command "events -f": the peer whose request is being answered follows from event `seq` on. */
MUST_CHECK int control_follow(struct control *c, uint64_t seq, struct err *e);
/* For a command that a role answers: passes the request that is being answered, and the descriptor that came with it,
 * to the channel of that service. COMMAND_LATER, or -1 with e. */
MUST_CHECK int control_relay(struct control *c, const char *service, struct err *e);

/* Writes one event as a JSON object: {"seq","time","ms","kind","name","text"}. */
void control_event_json(struct json *j, const struct event *ev);

#endif
