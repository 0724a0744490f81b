/* A kubeconfig to PEM texts in memory. Runs in the kube role. Never shows a byte of the key. */
#include "kube/credentials.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"

#define SHOWN 40 /* characters of a word from the file in a message */

/* What the tables below fill; file is where relative paths start from. */
struct target {
	const char *file;
	struct credentials *c;
};

static const struct yaml_node *child(const struct yaml_node *map, const char *key)
{
	for (const struct yaml_node *n = map->kind == YAML_MAP ? map->first : NULL; n; n = n->next) {
		if (str_eq(n->key, key))
			return n;
	}
	return NULL;
}

static int base64_value(unsigned char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* RFC 4648 with padding, white space ignored. Bytes written, or -1. */
static long base64_decode(char *dst, size_t cap, const char *src)
{
	uint32_t bits = 0;
	size_t n = 0, digits = 0, pads = 0;

	for (; *src; src++) {
		int v = base64_value((unsigned char)*src);
		if (*src == ' ' || *src == '\n')
			continue;
		if (*src == '=' && ++pads <= 2)
			continue;
		if (v < 0 || pads > 0)
			return -1;
		bits = bits << 6 | (uint32_t)v;
		if (digits++ % 4 == 0)
			continue;
		if (n == cap)
			return -1;
		dst[n++] = (char)(bits >> (6 - 2 * ((digits - 1) % 4)) & 0xff);
	}
	return (digits + pads) % 4 == 0 && digits % 4 != 1 ? (long)n : -1;
}

static int check_pem(const struct yaml *y, const struct yaml_node *v, struct credentials_pem *pem, struct err *e)
{
	bool key = strstr(v->key, "key") != NULL;
	const char *label = key ? "PRIVATE KEY-----" : "CERTIFICATE-----";

	if (memchr(pem->text, '\0', pem->len) || !strstr(pem->text, "-----BEGIN ") || !strstr(pem->text, label))
		return yaml_error(y, v, e, "'%s' holds no %s in PEM form; let k3s write the file anew", v->key,
		                  key ? "private key" : "certificate");
	return 0;
}

static int set_data(const struct yaml *y, const struct yaml_node *v, struct credentials_pem *pem, struct err *e)
{
	long n = v->kind == YAML_SCALAR ? base64_decode(pem->text, sizeof(pem->text) - 1, v->text) : -1;

	pem->len = n < 0 ? 0 : (size_t)n;
	pem->text[pem->len] = '\0';
	if (n < 0)
		return yaml_error(y, v, e, "'%s' is not base64 of at most %d bytes; let k3s write the file anew",
		                  v->key, CREDENTIALS_PEM - 1);
	return check_pem(y, v, pem, e);
}

/* A path beside the kubeconfig, unless it is absolute. */
static int set_file(const struct yaml *y, const struct yaml_node *v, const char *file, struct credentials_pem *pem,
                    struct err *e)
{
	const char *slash = v->text[0] == '/' ? NULL : strrchr(file, '/');
	int folder = slash ? (int)(slash - file) + 1 : 0;
	char path[LIMIT_PATH];
	struct buf b;

	if (v->kind != YAML_SCALAR || v->text[0] == '\0')
		return yaml_error(y, v, e, "'%s' names no file", v->key);
	if (str_format(path, sizeof(path), "%.*s%s", folder, file, v->text) < 0)
		return yaml_error(y, v, e, "'%s': the path is too long", v->key);
	buf_init(&b, pem->text, sizeof(pem->text));
	if (file_read(path, &b, e) < 0)
		return err_prefix(e, "%s:%d", y->file, v->line);
	pem->len = b.len;
	return check_pem(y, v, pem, e);
}

/* The two ways to give each of the three; the key's own name tells which. */
#define PEM_SETTERS(name)                                                                                              \
	static int set_##name##_data(const struct yaml *y, const struct yaml_node *v, void *into, struct err *e)       \
	{                                                                                                              \
		struct target *t = into;                                                                               \
		return set_data(y, v, &t->c->name, e);                                                                 \
	}                                                                                                              \
	static int set_##name##_file(const struct yaml *y, const struct yaml_node *v, void *into, struct err *e)       \
	{                                                                                                              \
		struct target *t = into;                                                                               \
		return t->c->name.len > 0 ? 0 : set_file(y, v, t->file, &t->c->name, e); /* inline data wins */        \
	}
PEM_SETTERS(ca)
PEM_SETTERS(cert)
PEM_SETTERS(key)
#undef PEM_SETTERS

static int set_server(const struct yaml *y, const struct yaml_node *v, void *into, struct err *e)
{
	static const char scheme[] = "https://";
	struct target *t = into;
	size_t n = strlen(v->text);

	if (v->kind != YAML_SCALAR || !str_starts(v->text, scheme))
		return yaml_error(y, v, e, "'server' must be https://HOST:PORT");
	while (n > sizeof(scheme) - 1 && v->text[n - 1] == '/')
		n--;
	size_t host = strspn(v->text + sizeof(scheme) - 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	                                                   "0123456789.-_:[]");
	if (host == 0 || host + sizeof(scheme) - 1 != n)
		return yaml_error(y, v, e, "'server' must be https://HOST:PORT, without a path");
	if (str_format(t->c->server, sizeof(t->c->server), "%.*s", (int)n, v->text) < 0)
		return yaml_error(y, v, e, "'server' is too long");
	return 0;
}

static int skip(const struct yaml *y, const struct yaml_node *v, void *into, struct err *e)
{
	(void)y, (void)v, (void)into, (void)e;
	return 0;
}

static int refuse(const struct yaml *y, const struct yaml_node *v, void *into, struct err *e)
{
	(void)into;
	return yaml_error(y, v, e, "'%s' is not supported; use a client certificate, as k3s writes it", v->key);
}

static const struct yaml_key cluster_keys[] = {
	{"server", set_server, true},
	{"certificate-authority-data", set_ca_data, false},
	{"certificate-authority", set_ca_file, false},
	{"extensions", skip, false},
	{"disable-compression", skip, false},
	{"insecure-skip-tls-verify", refuse, false},
	{"tls-server-name", refuse, false},
	{"proxy-url", refuse, false},
	{NULL, NULL, false},
};

static const struct yaml_key user_keys[] = {
	{"client-certificate-data", set_cert_data, false},
	{"client-certificate", set_cert_file, false},
	{"client-key-data", set_key_data, false},
	{"client-key", set_key_file, false},
	{"extensions", skip, false},
	{"token", refuse, false},
	{"tokenFile", refuse, false},
	{"username", refuse, false},
	{"password", refuse, false},
	{"exec", refuse, false},
	{"auth-provider", refuse, false},
	{"as", refuse, false},
	{"as-uid", refuse, false},
	{"as-groups", refuse, false},
	{"as-user-extra", refuse, false},
	{NULL, NULL, false},
};

static const struct yaml_key context_keys[] = {
	{"cluster", skip, true},     {"user", skip, true}, {"namespace", skip, false},
	{"extensions", skip, false}, {NULL, NULL, false},
};

static const struct yaml_key top_keys[] = {
	{"apiVersion", skip, false},  {"kind", skip, true},        {"clusters", skip, true},
	{"contexts", skip, true},     {"users", skip, true},       {"current-context", skip, true},
	{"preferences", skip, false}, {"extensions", skip, false}, {NULL, NULL, false},
};

/* lists are `- name: NAME` beside `what: {...}`. The mapping of that name, walked by keys. */
static const struct yaml_node *entry(const struct yaml *y, const struct yaml_node *list, const char *what,
                                     const struct yaml_node *name, struct err *e)
{
	if (list->kind != YAML_LIST || name->kind != YAML_SCALAR || name->text[0] == '\0') {
		yaml_error(y, list->kind != YAML_LIST ? list : name, e, "'%s' must be a %s",
		           list->kind != YAML_LIST ? list->key : name->key, list->kind != YAML_LIST ? "list" : "name");
		return NULL;
	}
	for (const struct yaml_node *n = list->first; n; n = n->next) {
		const struct yaml_node *its = child(n, "name");
		const struct yaml_node *body = child(n, what);
		if (!its || !str_eq(its->text, name->text))
			continue;
		if (!body)
			yaml_error(y, n, e, "key '%s' is missing; add it", what);
		return body;
	}
	yaml_error(y, name, e, "there is no %s named '%.*s' in '%s'", what, SHOWN, name->text, list->key);
	return NULL;
}

static int take_entry(const struct yaml *y, const struct yaml_node *list, const char *what,
                      const struct yaml_node *name, const struct yaml_key *keys, struct target *t, struct err *e)
{
	const struct yaml_node *body = entry(y, list, what, name, e);

	return body ? yaml_walk(y, body, keys, t, e) : -1;
}

static int take(const struct yaml *y, const struct yaml_node *root, struct target *t, struct err *e)
{
	if (yaml_walk(y, root, top_keys, NULL, e) < 0)
		return -1;
	const struct yaml_node *kind = child(root, "kind");
	if (!str_eq(kind->text, "Config"))
		return yaml_error(y, kind, e, "not a kubeconfig; its 'kind' is '%.*s'", SHOWN, kind->text);
	const struct yaml_node *context =
		entry(y, child(root, "contexts"), "context", child(root, "current-context"), e);
	if (!context || yaml_walk(y, context, context_keys, NULL, e) < 0)
		return -1;
	if (take_entry(y, child(root, "clusters"), "cluster", child(context, "cluster"), cluster_keys, t, e) < 0 ||
	    take_entry(y, child(root, "users"), "user", child(context, "user"), user_keys, t, e) < 0)
		return -1;
	if (t->c->ca.len == 0)
		return yaml_error(y, child(root, "clusters"), e,
		                  "the cluster has no certificate-authority-data; add it");
	if (t->c->cert.len == 0 || t->c->key.len == 0)
		return yaml_error(y, child(root, "users"), e, "the user has no client-%s-data; add it",
		                  t->c->cert.len == 0 ? "certificate" : "key");
	return 0;
}

int credentials_parse(struct credentials *c, struct yaml *y, const char *file, const char *text, size_t len,
                      struct err *e)
{
	struct target t = {.file = file, .c = calloc(1, sizeof(*c))};
	struct yaml_node *root;

	if (!t.c)
		return err_set(e, ENOMEM, "%s: out of memory", file);
	int rc = yaml_parse(y, file, text, len, &root, e) < 0 ? -1 : take(y, root, &t, e);
	if (rc == 0)
		*c = *t.c;
	credentials_wipe(t.c);
	free(t.c);
	return rc;
}

int credentials_read(struct credentials *c, const char *path, struct err *e)
{
	struct scratch {
		struct yaml y;
		char text[LIMIT_FILE + 1];
	} *s = malloc(sizeof(*s));
	struct buf b;

	if (!s)
		return err_set(e, ENOMEM, "%s: out of memory", path);
	buf_init(&b, s->text, sizeof(s->text));
	int rc = file_read(path, &b, e) < 0 ? -1 : credentials_parse(c, &s->y, path, s->text, b.len, e);
	explicit_bzero(s, sizeof(*s)); /* the key in base64 */
	free(s);
	return rc;
}

void credentials_wipe(struct credentials *c)
{
	explicit_bzero(&c->key, sizeof(c->key));
}
