/* Who talks to whom inside PID 1, in one place: facts to stages, events to log and consoles, services' channels and
 * log pipes, what a mounted disk sets off, what the system's state follows from. */
#ifndef HEARTH_BOOT_WIRE_H
#define HEARTH_BOOT_WIRE_H

#include "boot/box.h"

/* The stage of the boot that is not there, nor what stands below it, when Kubernetes is left out. */
#define WIRE_KUBERNETES "kubernetes"

#define WIRE_CONSOLES    "consoles"
#define WIRE_CONSOLES_MS 500

/* Connects the parts of *box, which are initialised. */
MUST_CHECK int wire_init(struct box *box, struct err *e);
/* Adds a problem of a source (see problem.h) and tells it. */
void wire_problem(struct box *box, const char *source, const char *text);
/* Starts the image's consoles, before all the rest is read, and sets the fact WIRE_CONSOLES as soon as they have had
 * their turn (ready, or failed), at the latest after WIRE_CONSOLES_MS: PID 1, which does one thing after the other, has
 * nothing else to do until they have their first answers. */
void wire_consoles(struct box *box);
/* Loads the service files of the image; a stage's start function. */
MUST_CHECK int wire_services(struct box *box, struct err *e);
/* Applies identity and settings and loads the box's own services, once the state is mounted; idem. */
MUST_CHECK int wire_state(struct box *box, struct err *e);
void wire_shutdown(struct box *box, enum shutdown_how how, const char *by);
/* See shutdown_restart: for an update, a rollback, the health gate. */
void wire_restart(struct box *box, enum end_kind kind, const char *why);
/* A boot stage changed; arg is the box. When none is under way any more for the first time, the fact `started` is set:
 * what would only be in the way of the start waits for it. */
void wire_stage(const struct stage *s, void *arg);

#endif
