/* What update/fetch and its single requests have in common: limits, settings, counters, ranges. See update/fetch.h. */
#ifndef HEARTH_UPDATE_TRANSFER_H
#define HEARTH_UPDATE_TRANSFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define FETCH_CONNECTIONS 4     /* HTTP/1.1: as many as a browser of old made */
#define FETCH_FLIGHTS     16    /* ranges in flight over HTTP/2 */
#define FETCH_PIECE       65536 /* bytes in a piece */
#define FETCH_REDIRECTS   5
#define FETCH_BASE_MS     500   /* the first wait is at most this long */
#define FETCH_CAP_MS      60000 /* and no later one is longer */
#define FETCH_FLOOR_MS    100   /* chance makes no busy loop */
#define FETCH_AFTER_S     3600  /* more is not believed of Retry-After */
#define FETCH_STALL_MS    30000 /* a transfer that brings */
#define FETCH_STALL_BYTES 1024  /* less than this in that time is given up, and tried again */
#define FETCH_CONNECT_MS  30000

/* What is waited for. why is valid during the callback. */
struct fetch_wait {
	bool waiting;      /* false: it goes on, bytes come again */
	uint64_t since_ms; /* clock_ms when the trouble began */
	uint64_t next_ms;  /* clock_ms of the next try */
	unsigned tries;    /* in vain since then */
	const char *why;   /* "http://host: connection refused" */
};

/* All pointers are borrowed until fetch_close. */
struct fetch_config {
	const char *ca_file;     /* PEM: the authorities for https; NULL: ca_pem */
	const char *ca_pem;      /* the same as text, the pinned one; NULL too: https is refused */
	int stop_fd;             /* stops when it is readable (or hung up); -1: none. It is not read */
	bool (*tick)(void *arg); /* called at least every second; false stops. NULL: none */
	void (*on_wait)(const struct fetch_wait *w, void *arg); /* NULL: none */
	void *arg;
	uint64_t give_up_ms; /* without a byte that was not there yet; 0: never */
	/* 0: as the names above say. Tests have less time. */
	uint32_t stall_ms, stall_bytes, connect_ms, base_ms, cap_ms;
};

/* Bytes that really went over the line, as far as HTTP knows: without TLS, TCP, IP. */
struct fetch_count {
	uint64_t body;    /* received, also what was thrown away */
	uint64_t headers; /* received */
	uint64_t sent;    /* requests */
	uint64_t requests;
	uint64_t connections;
	uint64_t redirects;
	uint64_t retries; /* requests after trouble */
};

struct fetch_range {
	uint64_t offset;
	uint64_t length; /* at least 1 */
	uint64_t tag;    /* the caller's: comes back with each piece */
};

/* The next range to ask for; false: there is none any more. */
typedef bool fetch_next_fn(struct fetch_range *r, void *arg);
/* A piece of range r, at the absolute offset `at` of the file. Pieces of one range come in order and without gaps, each
 * FETCH_PIECE long but the last one; pieces of different ranges come in any order. No byte comes twice. -1 with e ends
 * the fetch with that error. May not call into fetch. */
typedef int fetch_data_fn(const struct fetch_range *r, uint64_t at, const void *data, size_t len, void *arg,
                          struct err *e);

#endif
