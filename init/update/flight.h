/* One request of update/fetch: a handle of libcurl, what it asks for, what has come of it. Its answer is judged when
 * the head is there (update/answer), its body goes to the caller in whole pieces. A request that is lost keeps the
 * bytes that have come, and goes on behind them when it is started again. */
#ifndef HEARTH_UPDATE_FLIGHT_H
#define HEARTH_UPDATE_FLIGHT_H

#include <curl/curl.h>

#include "base/buf.h"
#include "update/answer.h"
#include "update/transfer.h"

enum flight_state {
	FLIGHT_FREE,
	FLIGHT_FLYING,
	FLIGHT_LOST, /* waits to be started again */
};

/* What all flights of one call of fetch have in common. */
struct flight_plan {
	const struct fetch_config *config;
	struct fetch_count *count;
	struct fetch_file *file;
	fetch_data_fn *data;
	void *arg;
	struct buf *document; /* fetch_get */
	char url[URL_MAX];    /* where to ask: the file's, or where that led to */
	/* When anything came last, when bytes that were wanted came last: time of the server, see busy_ms. */
	uint64_t heard_ms, wanted_ms;
	bool refused;     /* the caller's function has ended it */
	uint64_t busy_ms; /* spent in the caller's function so far: no time of the server's */
};

struct flight {
	enum flight_state state;
	struct flight_plan *plan;
	CURL *easy;
	struct curl_slist *headers;
	struct answer_want want;
	struct fetch_range range;
	uint64_t at;   /* the next byte to come, from the beginning of the file */
	uint64_t skip; /* bytes to throw away before */
	uint64_t junk; /* bytes of a body that nobody wants */
	size_t held;   /* bytes in piece */
	struct answer answer;
	bool judged;
	enum answer_verdict verdict;
	struct err error;      /* of the verdict, or of the body; code 0: none */
	bool lies;             /* error is about the body: final */
	bool got;              /* bytes that were wanted have come since it was started */
	bool again;            /* started after trouble */
	bool original;         /* the place a redirect led to refused it: asked where the file is said to be, once */
	bool https, elsewhere; /* where it asks: so, and not where the file is said to be */
	unsigned redirects;    /* in a row */
	uint64_t from_ms;      /* the time-out for silence runs since */
	uint64_t from_bytes, bytes; /* came until then, until now */
	char why[CURL_ERROR_SIZE];
	char piece[FETCH_PIECE];
};

enum flight_end {
	FLIGHT_DONE,
	FLIGHT_MOVED,  /* plan->url is the new place */
	FLIGHT_AGAIN,  /* e says what is the matter; it may pass */
	FLIGHT_FAILED, /* e says what is the matter */
};

/* Takes a free one for a range, the rest of the file or a document. */
void flight_take(struct flight *f, struct flight_plan *plan, const struct answer_want *want,
                 const struct fetch_range *range);
/* A handle of libcurl that asks for what has not come yet; the caller adds it to its multi handle. */
MUST_CHECK int flight_start(struct flight *f, uint64_t now_ms, struct err *e);
/* libcurl is through with it, and the multi handle has let go of it. */
enum flight_end flight_ended(struct flight *f, CURLcode code, struct err *e);
/* Gives the handle back; what has come stays. The multi handle has let go of it. */
void flight_drop(struct flight *f);

#endif
