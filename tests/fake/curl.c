/* See curl.h. */
#define CURL_DISABLE_TYPECHECK
#include "fake/curl.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#undef curl_easy_setopt
#undef curl_easy_getinfo
#undef curl_multi_setopt

struct fake_multi {
	curl_socket_callback on_socket;
	void *socket_arg;
	curl_multi_timer_callback on_timer;
	void *timer_arg;
	bool inside; /* a callback is running */
	void *known; /* what curl_multi_assign gave */
	CURLMsg msg;
};

unsigned fake_curl_handles, fake_curl_lists, fake_curl_multis, fake_curl_globals, fake_curl_made;
curl_socket_t fake_curl_fd;
int fake_curl_what;
void (*fake_curl_on_poll)(int ms);

static struct fake_curl *handles;
static struct fake_multi *newest;
static unsigned fail_at;
static bool fired;

void fake_curl_fail_at(unsigned n)
{
	fail_at = n;
	fired = false;
}

bool fake_curl_fired(void)
{
	return fired;
}

static bool fails(void)
{
	if (fail_at == 0 || --fail_at > 0)
		return false;
	fired = true;
	return true;
}

CURLcode curl_global_init(long flags)
{
	(void)flags;
	if (fails())
		return CURLE_FAILED_INIT;
	fake_curl_globals++;
	return CURLE_OK;
}

void curl_global_cleanup(void)
{
	fake_curl_globals--;
}

CURL *curl_easy_init(void)
{
	struct fake_curl *f = fails() ? NULL : calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->next = handles;
	handles = f;
	fake_curl_handles++;
	return f;
}

void curl_easy_cleanup(CURL *easy)
{
	struct fake_curl *f = easy;

	if (!f)
		return;
	if (f->multi)
		abort(); /* must be removed first */
	for (struct fake_curl **at = &handles; *at; at = &(*at)->next) {
		if (*at != f)
			continue;
		*at = f->next;
		break;
	}
	fake_curl_handles--;
	free(f);
}

static void set_text(char *dst, size_t cap, const char *text)
{
	(void)snprintf(dst, cap, "%s", text);
}

static void set_pointer(struct fake_curl *f, CURLoption option, void *p)
{
	switch (option) {
	case CURLOPT_URL:
		set_text(f->url, sizeof(f->url), p);
		break;
	case CURLOPT_CUSTOMREQUEST:
		set_text(f->method, sizeof(f->method), p);
		break;
	case CURLOPT_POSTFIELDS:
		f->body = p;
		break;
	case CURLOPT_PRIVATE:
		f->private = p;
		break;
	case CURLOPT_WRITEDATA:
		f->write_arg = p;
		break;
	case CURLOPT_HEADERDATA:
		f->header_arg = p;
		break;
	case CURLOPT_ERRORBUFFER:
		f->error_buffer = p;
		break;
	case CURLOPT_HTTPHEADER:
		f->headers[0] = '\0';
		for (struct curl_slist *l = p; l; l = l->next) {
			size_t n = strlen(f->headers);
			(void)snprintf(f->headers + n, sizeof(f->headers) - n, "%s\n", l->data);
		}
		break;
	default:
		break;
	}
}

static void set_blob(struct fake_curl *f, CURLoption option, const struct curl_blob *blob)
{
	if (option == CURLOPT_CAINFO_BLOB)
		f->ca = *blob;
	else if (option == CURLOPT_SSLCERT_BLOB)
		f->cert = *blob;
	else if (option == CURLOPT_SSLKEY_BLOB)
		f->key = *blob;
}

static void set_function(struct fake_curl *f, CURLoption option, va_list *ap)
{
	if (option == CURLOPT_WRITEFUNCTION)
		f->write = va_arg(*ap, curl_write_callback);
	else if (option == CURLOPT_HEADERFUNCTION)
		f->header = va_arg(*ap, size_t(*)(const char *, size_t, size_t, void *));
}

static void set_number(struct fake_curl *f, CURLoption option, long value)
{
	if (f->numbers == FAKE_CURL_NUMBERS)
		abort();
	f->number[f->numbers].option = option;
	f->number[f->numbers++].value = value;
}

CURLcode curl_easy_setopt(CURL *easy, CURLoption option, ...)
{
	struct fake_curl *f = easy;
	va_list ap;

	if (fails())
		return CURLE_OUT_OF_MEMORY;
	va_start(ap, option);
	if (option >= CURLOPTTYPE_BLOB)
		set_blob(f, option, va_arg(ap, struct curl_blob *));
	else if (option >= CURLOPTTYPE_OFF_T)
		f->body_len = va_arg(ap, curl_off_t);
	else if (option >= CURLOPTTYPE_FUNCTIONPOINT)
		set_function(f, option, &ap);
	else if (option >= CURLOPTTYPE_OBJECTPOINT)
		set_pointer(f, option, va_arg(ap, void *));
	else
		set_number(f, option, va_arg(ap, long));
	va_end(ap);
	return CURLE_OK;
}

CURLcode curl_easy_getinfo(CURL *easy, CURLINFO info, ...)
{
	struct fake_curl *f = easy;
	va_list ap;

	va_start(ap, info);
	if (info == CURLINFO_RESPONSE_CODE)
		*va_arg(ap, long *) = f->status;
	else if (info == CURLINFO_PRIVATE)
		*va_arg(ap, void **) = f->private;
	else if (info == CURLINFO_REDIRECT_URL)
		*va_arg(ap, const char **) = f->location;
	else if (info == CURLINFO_HTTP_VERSION)
		*va_arg(ap, long *) = f->http_version;
	else if (info == CURLINFO_REQUEST_SIZE)
		*va_arg(ap, long *) = 100;
	else if (info == CURLINFO_NUM_CONNECTS)
		*va_arg(ap, long *) = 1;
	else
		abort();
	va_end(ap);
	return CURLE_OK;
}

const char *curl_easy_strerror(CURLcode code)
{
	return code == CURLE_OUT_OF_MEMORY ? "Out of memory" : "an error";
}

struct curl_slist *curl_slist_append(struct curl_slist *list, const char *text)
{
	struct curl_slist *fresh = fails() ? NULL : calloc(1, sizeof(*fresh));

	if (!fresh)
		return NULL;
	fresh->data = strdup(text);
	fake_curl_lists++;
	for (struct curl_slist *l = list; l; l = l->next) {
		if (l->next)
			continue;
		l->next = fresh;
		return list;
	}
	return fresh;
}

void curl_slist_free_all(struct curl_slist *list)
{
	while (list) {
		struct curl_slist *next = list->next;
		free(list->data);
		free(list);
		fake_curl_lists--;
		list = next;
	}
}

CURLM *curl_multi_init(void)
{
	if (fails())
		return NULL;
	newest = calloc(1, sizeof(*newest));
	fake_curl_multis++;
	fake_curl_made++;
	return newest;
}

CURLMcode curl_multi_cleanup(CURLM *multi)
{
	for (struct fake_curl *f = handles; f; f = f->next) {
		if (f->multi == multi)
			abort(); /* must be removed first */
	}
	if (newest == multi)
		newest = NULL;
	fake_curl_multis--;
	free(multi);
	return CURLM_OK;
}

CURLMcode curl_multi_setopt(CURLM *multi, CURLMoption option, ...)
{
	struct fake_multi *m = multi;
	va_list ap;

	if (fails())
		return CURLM_OUT_OF_MEMORY;
	va_start(ap, option);
	if (option == CURLMOPT_SOCKETFUNCTION)
		m->on_socket = va_arg(ap, curl_socket_callback);
	else if (option == CURLMOPT_SOCKETDATA)
		m->socket_arg = va_arg(ap, void *);
	else if (option == CURLMOPT_TIMERFUNCTION)
		m->on_timer = va_arg(ap, curl_multi_timer_callback);
	else if (option == CURLMOPT_TIMERDATA)
		m->timer_arg = va_arg(ap, void *);
	va_end(ap);
	return CURLM_OK;
}

CURLMcode curl_multi_assign(CURLM *multi, curl_socket_t fd, void *known)
{
	(void)fd;
	((struct fake_multi *)multi)->known = known;
	return CURLM_OK;
}

CURLMcode curl_multi_add_handle(CURLM *multi, CURL *easy)
{
	if (((struct fake_multi *)multi)->inside)
		return CURLM_RECURSIVE_API_CALL;
	if (fails())
		return CURLM_OUT_OF_MEMORY;
	((struct fake_curl *)easy)->multi = multi;
	return CURLM_OK;
}

CURLMcode curl_multi_remove_handle(CURLM *multi, CURL *easy)
{
	if (((struct fake_multi *)multi)->inside)
		abort();
	((struct fake_curl *)easy)->multi = NULL;
	return CURLM_OK;
}

static void deliver(struct fake_curl *f)
{
	if (f->come && f->write((char *)(uintptr_t)f->come, 1, f->come_len, f->write_arg) != f->come_len)
		fake_curl_end(f, CURLE_WRITE_ERROR, "Failure writing output to destination");
	f->come = NULL;
}

static void deliver_all(struct fake_multi *m)
{
	m->inside = true;
	for (struct fake_curl *f = handles; f; f = f->next) {
		if (f->multi == m)
			deliver(f);
	}
	m->inside = false;
}

CURLMcode curl_multi_socket_action(CURLM *multi, curl_socket_t fd, int what, int *running)
{
	struct fake_multi *m = multi;

	if (m->inside)
		return CURLM_RECURSIVE_API_CALL;
	fake_curl_fd = fd;
	fake_curl_what = what;
	*running = 0;
	deliver_all(m);
	return CURLM_OK;
}

CURLMcode curl_multi_perform(CURLM *multi, int *running)
{
	*running = 0;
	if (fails())
		return CURLM_OUT_OF_MEMORY;
	deliver_all(multi);
	return CURLM_OK;
}

CURLMcode curl_multi_poll(CURLM *multi, struct curl_waitfd *extra, unsigned n, int ms, int *ready)
{
	(void)multi, (void)extra, (void)n, (void)ready;
	if (fails())
		return CURLM_OUT_OF_MEMORY;
	fake_curl_on_poll(ms);
	return CURLM_OK;
}

CURLMsg *curl_multi_info_read(CURLM *multi, int *left)
{
	struct fake_multi *m = multi;

	*left = 0;
	for (struct fake_curl *f = handles; f; f = f->next) {
		if (f->multi != multi || !f->ending || f->told || f->come)
			continue;
		f->told = true;
		m->msg = (CURLMsg){.msg = CURLMSG_DONE, .easy_handle = f, .data.result = f->end};
		return &m->msg;
	}
	return NULL;
}

struct fake_curl *fake_curl_find(const char *path)
{
	for (struct fake_curl *f = handles; f; f = f->next) {
		size_t url = strlen(f->url), n = strlen(path);
		if (f->multi && !f->ending && url >= n && strcmp(f->url + url - n, path) == 0)
			return f;
	}
	return NULL;
}

static bool has_text(const struct fake_curl *f, const char *text)
{
	return f->multi && !f->ending && (strstr(f->url, text) || strstr(f->headers, text));
}

struct fake_curl *fake_curl_find_text(const char *text)
{
	struct fake_curl *f = handles;

	while (f && !has_text(f, text))
		f = f->next;
	return f;
}

unsigned fake_curl_count_text(const char *text)
{
	unsigned n = 0;

	for (struct fake_curl *f = handles; f; f = f->next)
		n += has_text(f, text);
	return n;
}

long fake_curl_number(const struct fake_curl *f, CURLoption option)
{
	for (size_t i = 0; i < f->numbers; i++) {
		if (f->number[i].option == option)
			return f->number[i].value;
	}
	return -1;
}

void fake_curl_timer(long ms)
{
	if (newest && newest->on_timer)
		newest->on_timer(newest, ms, newest->timer_arg);
}

static void give_line(struct fake_curl *f, const char *line, size_t len)
{
	if (!f->ending && f->header(line, 1, len, f->header_arg) != len)
		fake_curl_end(f, CURLE_WRITE_ERROR, "Failure writing output to destination");
}

void fake_curl_status(struct fake_curl *f, long status, const char *header, ...)
{
	va_list ap;

	f->status = status;
	va_start(ap, header);
	for (const char *h = header; h; h = va_arg(ap, const char *))
		give_line(f, h, strlen(h));
	va_end(ap);
}

void fake_curl_head(struct fake_curl *f, long status, const char *text)
{
	f->status = status;
	while (*text) {
		size_t n = strcspn(text, "\n") + 1;
		give_line(f, text, n);
		text += n;
	}
}

void fake_curl_body(struct fake_curl *f, const char *text, size_t len)
{
	f->come = text;
	f->come_len = len;
	fake_curl_timer(0);
}

void fake_curl_end(struct fake_curl *f, CURLcode code, const char *error)
{
	if (f->ending)
		return;
	f->ending = true;
	f->end = code;
	if (error && f->error_buffer)
		set_text(f->error_buffer, CURL_ERROR_SIZE, error);
	fake_curl_timer(0);
}

void fake_curl_answer(struct fake_curl *f, long status, const char *body)
{
	fake_curl_status(f, status, NULL);
	fake_curl_body(f, body, strlen(body));
	fake_curl_end(f, CURLE_OK, NULL);
}

int fake_curl_watch(curl_socket_t fd, int what)
{
	void *known = newest->known;

	if (what == CURL_POLL_REMOVE)
		newest->known = NULL;
	return newest->on_socket(NULL, fd, what, newest->socket_arg, known);
}
