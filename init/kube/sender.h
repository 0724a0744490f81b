/* Sends the engine's requests over the link, and gives it the answers. */
#ifndef HEARTH_KUBE_SENDER_H
#define HEARTH_KUBE_SENDER_H

#include "kube/apply.h"
#include "kube/link.h"

#define SENDER_KEEP 8 /* places of the client that applies leave to watches and answers */

struct sender;

struct sender_flight {
	struct sender *sender;
	unsigned flight;
	uint32_t call;
};

struct sender {
	struct link *link;
	struct apply *apply;
	void (*seen)(void *arg); /* the engine has something to do */
	void *arg;
	struct sender_flight flight[APPLY_FLIGHTS];
};

void sender_init(struct sender *s, struct link *link, struct apply *apply);
/* apply_ops.send */
enum apply_sent sender_send(struct sender *s, const struct apply_call *c, struct err *e);
/* No answer comes any more. */
void sender_close(struct sender *s);

#endif
