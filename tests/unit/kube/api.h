/* For tests of what stands on kube/client: the client's functions, answered by the test; credentials that are always
 * good; a link that is open. Included once per test program: it defines the functions themselves. */
#ifndef HEARTH_TESTS_UNIT_KUBE_API_H
#define HEARTH_TESTS_UNIT_KUBE_API_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "fake/sys.h"
#include "kube/link.h"
#include "unit/kube/json.h"

#define API_CALLS 96

static inline void api_no_news(void *arg)
{
	(void)arg;
}

static inline void api_no_change(bool up, const char *text, void *arg)
{
	(void)up;
	(void)text;
	(void)arg;
}

/* For a link whose news nobody wants. */
__attribute__((unused)) static const struct link_hooks api_quiet = {api_no_news, api_no_news, api_no_news,
                                                                    api_no_change};

static struct api {
	struct {
		uint32_t id; /* 0: free, or ended */
		char method[8], path[KCLIENT_PATH], accept[128], type[64];
		char *body;
		struct kclient_request r;
	} call[API_CALLS];
	unsigned count;
	uint32_t last;
	bool open, no_room;
	unsigned taken; /* by others */
	unsigned opens;
} api;

int kclient_open(struct kclient *c, struct loop *l, const struct credentials *credentials, struct err *e)
{
	(void)c;
	(void)l;
	(void)credentials;
	(void)e;
	api.open = true;
	api.opens++;
	return 0;
}

static void api_drop(unsigned i)
{
	api.call[i].id = 0;
	free(api.call[i].body);
	api.call[i].body = NULL;
}

void kclient_close(struct kclient *c)
{
	(void)c;
	api.open = false;
	for (unsigned i = 0; i < API_CALLS; i++)
		api_drop(i);
}

uint32_t kclient_call(struct kclient *c, const struct kclient_request *r, struct err *e)
{
	unsigned i = 0;
	(void)c;
	char *body = r->body ? strndup(r->body, r->body_len) : NULL;
	if (r->give_body)
		free(r->body);
	while (i < API_CALLS && api.call[i].id)
		i++;
	if (!api.open || api.no_room || i == API_CALLS) {
		free(body);
		err_put(e, api.open ? ENOSPC : ENOTCONN, "no place for a call");
		return 0;
	}
	assert_int_equal(str_copy(api.call[i].method, sizeof(api.call[i].method), r->method), 0);
	assert_int_equal(str_copy(api.call[i].path, sizeof(api.call[i].path), r->path), 0);
	assert_int_equal(str_copy(api.call[i].accept, sizeof(api.call[i].accept), r->accept ? r->accept : ""), 0);
	assert_int_equal(str_copy(api.call[i].type, sizeof(api.call[i].type), r->type ? r->type : ""), 0);
	api.call[i].body = body;
	api.call[i].r = *r;
	api.call[i].id = ++api.last;
	return api.last;
}

void kclient_cancel(struct kclient *c, uint32_t id)
{
	(void)c;
	for (unsigned i = 0; id && i < API_CALLS; i++) {
		if (api.call[i].id == id)
			api_drop(i);
	}
}

unsigned kclient_free(const struct kclient *c)
{
	(void)c;
	return api.no_room ? 0 : API_CALLS - api.taken;
}

int credentials_read(struct credentials *c, const char *path, struct err *e)
{
	(void)path;
	(void)e;
	return str_copy(c->server, sizeof(c->server), "https://127.0.0.1:6443");
}

void credentials_wipe(struct credentials *c)
{
	c->server[0] = '\0';
}

static inline unsigned api_open_calls(void)
{
	unsigned n = 0;
	for (unsigned i = 0; i < API_CALLS; i++)
		n += api.call[i].id != 0;
	return n;
}

/* Index of the call under way whose method is this and whose path begins so; -1: none. */
static inline int api_find(const char *method, const char *path)
{
	for (unsigned i = 0; i < API_CALLS; i++) {
		if (api.call[i].id && str_eq(api.call[i].method, method) && str_starts(api.call[i].path, path))
			return (int)i;
	}
	return -1;
}

static inline unsigned api_get(const char *method, const char *path)
{
	int i = api_find(method, path);
	if (i < 0) {
		for (unsigned k = 0; k < API_CALLS; k++)
			if (api.call[k].id)
				print_message("under way: %s %s\n", api.call[k].method, api.call[k].path);
		fail_msg("no %s of %s is under way", method, path);
	}
	return (unsigned)i;
}

static inline char *api_padded(const char *json, size_t *len)
{
	char *quoted = json_quoted(json);
	*len = strlen(quoted);
	char *text = calloc(1, *len + KCLIENT_PAD);
	assert_non_null(text);
	memcpy(text, quoted, *len);
	free(quoted);
	return text;
}

static inline void api_end(unsigned i, enum kclient_fault fault, int status, const char *json)
{
	struct kclient_reply reply = {.fault = fault, .status = status, .etag = "", .why = fault ? "no answer" : ""};
	struct kclient_request r = api.call[i].r;
	reply.body = api_padded(json, &reply.len);
	api_drop(i);
	r.done(&reply, r.arg);
	free(reply.body);
}

/* The call that looks so is answered. */
static inline void api_answer(const char *method, const char *path, int status, const char *json)
{
	api_end(api_get(method, path), KCLIENT_OK, status, json);
}

static inline void api_line(const char *path, const char *json)
{
	unsigned i = api_get("GET", path);
	size_t len;
	char *text = api_padded(json, &len);
	assert_non_null(api.call[i].r.on_line);
	api.call[i].r.on_line(text, len, api.call[i].r.arg);
	free(text);
}

static struct loop api_loop;
static struct link api_link;
static struct err api_err;
static char api_file[] = "/tmp/hearth-kubeconfig-XXXXXX";

static inline void api_nothing(struct loop *l, void *arg)
{
	(void)l;
	(void)arg;
}

/* Lets ms go by and everything that is due happen. */
static inline void api_wait(int64_t ms)
{
	struct loop_timer t = {0};
	fake_clock_ms += ms;
	for (int i = 0; i < 4; i++) {
		loop_after(&api_loop, &t, 0, api_nothing, NULL);
		assert_int_equal(loop_step(&api_loop, &api_err), 0);
	}
	loop_cancel(&api_loop, &t);
}

#define API_RESOURCE(kind, plural, scope)                                                                              \
	"{'resource':'" plural "','responseKind':{'group':'','version':'v1','kind':'" kind "'},'scope':'" scope        \
	"','singularResource':'x','verbs':['create','delete','get','list','patch','watch']}"
#define API_CORE                                                                                                                                  \
	"{'kind':'APIGroupDiscoveryList','apiVersion':'apidiscovery.k8s.io/v2','items':[{'metadata':{'name':''},"                                 \
	"'versions':[{'version':'v1','freshness':'Current','resources':[" API_RESOURCE("ConfigMap", "configmaps", "Namespaced") "," API_RESOURCE( \
		"Node", "nodes",                                                                                                                  \
		"Cluster") "," API_RESOURCE("Namespace", "namespaces",                                                                            \
	                                    "Cluster") "," API_RESOURCE("Secret", "secrets",                                                      \
	                                                                "Namespaced") "," API_RESOURCE("Pod", "pods",                             \
	                                                                                               "Namespaced") "]}]}]}"
#define API_GROUPS                                                                                                     \
	"{'kind':'APIGroupDiscoveryList','apiVersion':'apidiscovery.k8s.io/v2','items':[{'metadata':{'name':'apps'},"  \
	"'versions':[{'version':'v1','freshness':'Current','resources':[{'resource':'deployments','responseKind':"     \
	"{'group':'apps','version':'v1','kind':'Deployment'},'scope':'Namespaced','verbs':['get','patch']}]}]}]}"

/* Answers the two questions of discovery. */
static inline void api_kinds(void)
{
	api_end(api_get("GET", "/apis"), KCLIENT_OK, 200, API_GROUPS);
	for (unsigned i = 0; i < API_CALLS; i++) {
		if (api.call[i].id && str_eq(api.call[i].path, "/api")) {
			api_end(i, KCLIENT_OK, 200, API_CORE);
			return;
		}
	}
	fail_msg("no GET of /api is under way");
}

/* The same, but nothing is new. */
static inline void api_not_changed(void)
{
	for (unsigned i = 0; i < API_CALLS; i++) {
		if (api.call[i].id && str_starts(api.call[i].path, "/api"))
			api_end(i, KCLIENT_OK, 304, "");
	}
}

static inline int api_setup(const struct link_hooks *hooks)
{
	fake_reset();
	fake_clock_ms = 1000000;
	memset(&api, 0, sizeof(api));
	memset(&api_loop, 0, sizeof(api_loop));
	memcpy(api_file + sizeof(api_file) - 7, "XXXXXX", 6);
	int fd = mkstemp(api_file);
	if (fd < 0 || loop_init(&api_loop, &api_err) < 0)
		return -1;
	close(fd);
	link_init(&api_link, &api_loop, api_file, hooks, NULL);
	return 0;
}

static inline void api_start(void)
{
	link_start(&api_link);
	api_wait(0);
	api_kinds();
}

static inline int api_teardown(void)
{
	link_stop(&api_link);
	loop_fini(&api_loop);
	unlink(api_file);
	fake_reset();
	return 0;
}

#endif
