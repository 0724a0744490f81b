/* What an answer of the API server to one of our requests means, and a sentence for it. Pure. */
#ifndef HEARTH_KUBE_OUTCOME_H
#define HEARTH_KUBE_OUTCOME_H

#include <yyjson.h>

#include "base/buf.h"
#include "kube/retry.h"

enum outcome {
	OUTCOME_OK,
	OUTCOME_TAKEN,   /* 409: a field belongs to another manager */
	OUTCOME_FIXED,   /* 422: what we want cannot be changed on a living object */
	OUTCOME_MISSING, /* 404 */
	OUTCOME_REFUSED, /* the same request would be refused again */
	OUTCOME_LATER,   /* this request again, after a while */
	OUTCOME_HOLD,    /* no request at all for a while: the server does not answer, or asks for patience */
	OUTCOMES,
};

struct outcome_answer {
	enum kclient_fault fault;
	int status;
	unsigned retry_after_s;
	const char *why;  /* of a fault */
	yyjson_val *body; /* NULL: none, or no JSON */
};

enum outcome outcome_of(const struct outcome_answer *a);
/* Adds why it did not work: the server's own sentence, else what the rule says. */
void outcome_text(const struct outcome_answer *a, struct buf *b);
/* Adds "kubectl-edit on .spec.replicas and 2 more": the first conflict of an OUTCOME_TAKEN. */
void outcome_rival(yyjson_val *status, struct buf *b);

#endif
