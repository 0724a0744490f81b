/* A stand-in for the part of libcurl that kube/easy, kube/client and update/fetch use. Nothing is sent: a test looks at
 * the calls that are in flight and says what comes back. What it says is delivered from curl_multi_socket_action, as
 * with the real one, so the test steps its loop in between. Calls into the multi handle from inside a callback are
 * refused, as there. Without a loop (update/fetch), curl_multi_poll calls the test instead, and curl_multi_perform
 * delivers. */
#ifndef HEARTH_TESTS_FAKE_CURL_H
#define HEARTH_TESTS_FAKE_CURL_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

#define FAKE_CURL_NUMBERS 24

/* An easy handle. */
struct fake_curl {
	struct fake_curl *next; /* all that are alive */
	void *multi;            /* in flight there, or NULL */
	char url[4096];
	char method[16];
	char headers[512]; /* "Accept: …\nContent-Type: …\n" */
	const char *body;
	curl_off_t body_len;
	struct curl_blob ca, cert, key;
	struct {
		CURLoption option;
		long value;
	} number[FAKE_CURL_NUMBERS];
	size_t numbers;
	/* What comes back. */
	long status;
	const char *come;
	size_t come_len;
	bool ending;
	bool told; /* the message of its end has been taken */
	CURLcode end;
	const char *error;
	const char *location; /* of a redirect */
	long http_version;    /* CURL_HTTP_VERSION_… */
	/* Callbacks. */
	void *private, *write_arg, *header_arg;
	char *error_buffer;
	curl_write_callback write;
	size_t (*header)(const char *p, size_t size, size_t n, void *arg);
};

extern unsigned fake_curl_handles; /* alive */
extern unsigned fake_curl_lists;   /* elements of lists alive */
extern unsigned fake_curl_multis;  /* alive */
extern unsigned fake_curl_globals; /* curl_global_init without its cleanup */
extern unsigned fake_curl_made;    /* multi handles so far */
/* What the last curl_multi_socket_action was told. */
extern curl_socket_t fake_curl_fd;
extern int fake_curl_what;

/* In place of waiting: the test answers, and lets time go by. */
extern void (*fake_curl_on_poll)(int ms);

/* The n-th call that can fail does so, once; 0: none. */
void fake_curl_fail_at(unsigned n);
bool fake_curl_fired(void);
/* The newest call in flight whose URL ends with this path; NULL: none. */
struct fake_curl *fake_curl_find(const char *path);
/* The newest one in flight with this in its URL or its headers; and how many there are. */
struct fake_curl *fake_curl_find_text(const char *text);
unsigned fake_curl_count_text(const char *text);
long fake_curl_number(const struct fake_curl *f, CURLoption option);
/* Status and header lines ("ETag: x\r\n…"; NULL: none) are there at once; borrowed text, until the next step. A line
 * that its owner does not want ends the call. */
void fake_curl_status(struct fake_curl *f, long status, const char *header, ...);
/* The same as one text: the status line first, the blank line last. */
void fake_curl_head(struct fake_curl *f, long status, const char *text);
void fake_curl_body(struct fake_curl *f, const char *text, size_t len);
void fake_curl_end(struct fake_curl *f, CURLcode code, const char *error);
/* All three: a whole answer. */
void fake_curl_answer(struct fake_curl *f, long status, const char *body);
/* curl asks for a descriptor to be watched: CURL_POLL_IN…, CURL_POLL_REMOVE. */
int fake_curl_watch(curl_socket_t fd, int what);
/* curl asks for a timer. */
void fake_curl_timer(long ms);

#endif
