/* The way to the API server: credentials, the client, which kinds there are; and whether it answers.
 *
 * Waits for the kubeconfig, opens the client, reads the kinds, then calls opened. Reads the credentials anew and starts
 * over when the server does not know us any more (401, TLS): closed, later opened again. A server that does not answer
 * is no reason for that: connections come back by themselves, and whoever calls tries again. Every reply that anybody
 * gets passes link_note, so that it is known at once, and in one place, whether the server is there. */
#ifndef HEARTH_KUBE_LINK_H
#define HEARTH_KUBE_LINK_H

#include <stdbool.h>

#include "base/limits.h"
#include "kube/client.h"
#include "kube/credentials.h"
#include "kube/discovery.h"
#include "kube/object.h"
#include "kube/retry.h"
#include "loop/loop.h"

#define LINK_LOOK_MS  500   /* for the kubeconfig; a stat */
#define LINK_SOON_MS  500   /* between two reads of the kinds for one that is not known: that of a new CRD comes soon */
#define LINK_KINDS_MS 16000 /* it does not seem to come: each time twice as long, up to this */

struct link_hooks {
	void (*opened)(void *arg);
	void (*closed)(void *arg);
	/* Kinds have been read again, as link_refresh asked, or it failed. */
	void (*kinds)(void *arg);
	/* Up or down, and why. */
	void (*changed)(bool up, const char *text, void *arg);
};

enum link_phase { LINK_CREDENTIALS, LINK_KINDS, LINK_OPEN };

struct link {
	struct loop *loop;
	const char *kubeconfig;
	const struct link_hooks *hooks;
	void *arg;
	enum link_phase phase;
	struct credentials credentials;
	struct kclient client;
	struct discovery discovery;
	struct loop_timer timer; /* of the phase */
	struct loop_timer login; /* start over */
	struct loop_timer again; /* kinds */
	struct retry retry;
	bool refreshing;
	bool wanted; /* a refresh came while one was under way */
	uint64_t refreshed;
	uint64_t pause_ms; /* between two reads */
	uint32_t random;
	bool up;
	char text[LIMIT_DETAIL]; /* as hooks.changed was told */
};

/* kubeconfig and hooks must outlive l. Nothing happens before link_start. */
void link_init(struct link *l, struct loop *loop, const char *kubeconfig, const struct link_hooks *hooks, void *arg);
void link_start(struct link *l);
void link_stop(struct link *l);
void link_note(struct link *l, const struct kclient_reply *r);
/* Reads the kinds again: at once, or (now false) after a pause, because one is not known. */
void link_refresh(struct link *l, bool now);
/* Adds the path of an object (name "" : of the collection in ns, or of all namespaces when ns is ""). version NULL: the
 * preferred one. An error: the kind is not served, or namespace and kind do not fit. */
MUST_CHECK int link_path(const struct link *l, const struct object_id *id, const char *version, struct buf *b,
                         struct err *e);
uint32_t link_random(struct link *l);

#endif
