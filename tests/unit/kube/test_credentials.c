/* kube/credentials */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/str.h"
#include "kube/credentials.h"

/* base64 of "-----BEGIN CERTIFICATE-----\nQ0E=\n-----END CERTIFICATE-----\n" and the like */
#define CA_PEM   "-----BEGIN CERTIFICATE-----\nQ0E=\n-----END CERTIFICATE-----\n"
#define CERT_PEM "-----BEGIN CERTIFICATE-----\nQ0VSVA==\n-----END CERTIFICATE-----\n"
#define KEY_PEM  "-----BEGIN EC PRIVATE KEY-----\nS0VZ\n-----END EC PRIVATE KEY-----\n"
#define CA       "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tClEwRT0KLS0tLS1FTkQgQ0VSVElGSUNBVEUtLS0tLQo="
#define CERT     "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tClEwVlNWQT09Ci0tLS0tRU5EIENFUlRJRklDQVRFLS0tLS0K"
#define KEY      "LS0tLS1CRUdJTiBFQyBQUklWQVRFIEtFWS0tLS0tClMwVloKLS0tLS1FTkQgRUMgUFJJVkFURSBLRVktLS0tLQo="

static const char k3s[] = "apiVersion: v1\n"
			  "clusters:\n"
			  "- cluster:\n"
			  "    certificate-authority-data: " CA "\n"
			  "    server: https://127.0.0.1:6443\n"
			  "  name: default\n"
			  "contexts:\n"
			  "- context:\n"
			  "    cluster: default\n"
			  "    user: default\n"
			  "  name: default\n"
			  "current-context: default\n"
			  "kind: Config\n"
			  "preferences: {}\n"
			  "users:\n"
			  "- name: default\n"
			  "  user:\n"
			  "    client-certificate-data: " CERT "\n"
			  "    client-key-data: " KEY "\n";

static struct yaml y;
static struct credentials c;
static struct err e;

static int setup(void **state)
{
	(void)state;
	c = (struct credentials){.server = "before"};
	e = (struct err){0};
	return 0;
}

static int parse(const char *text)
{
	return credentials_parse(&c, &y, "k.yaml", text, strlen(text), &e);
}

/* k3s's file with `from` replaced. */
static int parse_with(const char *from, const char *to)
{
	static char text[32768];
	const char *at = strstr(k3s, from);

	assert_non_null(at);
	assert_int_equal(str_format(text, sizeof(text), "%.*s%s%s", (int)(at - k3s), k3s, to, at + strlen(from)), 0);
	return parse(text);
}

static void reads_what_k3s_writes(void **state)
{
	(void)state;
	assert_int_equal(parse(k3s), 0);
	assert_string_equal(c.server, "https://127.0.0.1:6443");
	assert_string_equal(c.ca.text, CA_PEM);
	assert_int_equal(c.ca.len, strlen(CA_PEM));
	assert_string_equal(c.cert.text, CERT_PEM);
	assert_string_equal(c.key.text, KEY_PEM);
}

static void takes_the_current_context(void **state)
{
	(void)state;
	assert_int_equal(parse_with("clusters:\n", "clusters:\n- name: other\n  cluster: {server: 'https://o:1'}\n"),
	                 0);
	assert_string_equal(c.server, "https://127.0.0.1:6443");
	assert_int_equal(parse_with("contexts:\n", "contexts:\n- name: odd\n  context: {cluster: x, user: y}\n"), 0);
	assert_int_equal(parse_with("current-context: default", "current-context: absent"), -1);
	assert_string_equal(e.text, "k.yaml:12: there is no context named 'absent' in 'contexts'");
}

static void refuses_with_file_and_line(void **state)
{
	static const struct {
		const char *from, *to, *want;
	} rows[] = {
		{"kind: Config", "kind: Pod", "k.yaml:13: not a kubeconfig; its 'kind' is 'Pod'"},
		{"kind: Config\n", "", "k.yaml:1: key 'kind' is missing; add it"},
		{"https://127", "http://127", "k.yaml:5: 'server' must be https://HOST:PORT"},
		{":6443", ":6443/base", "k.yaml:5: 'server' must be https://HOST:PORT, without a path"},
		{":6443", "\\n", "k.yaml:5: 'server' must be https://HOST:PORT, without a path"},
		{"https://127.0.0.1:6443", "https://", "k.yaml:5: 'server' must be https://HOST:PORT, without a path"},
		{"https://127.0.0.1:6443", "[a]", "k.yaml:5: 'server' must be https://HOST:PORT"},
		{"    server: https://127.0.0.1:6443\n", "", "k.yaml:3: key 'server' is missing; add it"},
		{"user: default", "user: root", "k.yaml:10: there is no user named 'root' in 'users'"},
		{"cluster: default", "cluster: ''", "k.yaml:9: 'cluster' must be a name"},
		{"preferences: {}", "preference: {}",
	         "k.yaml:14: unknown key 'preference'; did you mean 'preferences'?"},
		{"    client-key-data: " KEY "\n", "", "k.yaml:15: the user has no client-key-data; add it"},
		{"    client-key-data: ", "    token: ",
	         "k.yaml:19: 'token' is not supported; use a client certificate, as k3s writes it"},
		{"client-key-data: LS0", "client-key-data: LS#",
	         "k.yaml:19: 'client-key-data' is not base64 of at most 16383 bytes; let k3s write the file anew"},
		{"client-key-data: ", "client-key-data: []  #",
	         "k.yaml:19: 'client-key-data' is not base64 of at most 16383 bytes; let k3s write the file anew"},
		{KEY, "S0VZ",
	         "k.yaml:19: 'client-key-data' holds no private key in PEM form; let k3s write the file anew"},
		{CERT, "Q0VSVElGSUNBVEUtLS0tLQ==",
	         "k.yaml:18: 'client-certificate-data' holds no certificate in PEM form; let k3s write the file anew"},
		{KEY, CERT,
	         "k.yaml:19: 'client-key-data' holds no private key in PEM form; let k3s write the file anew"},
		{CERT, KEY,
	         "k.yaml:18: 'client-certificate-data' holds no certificate in PEM form; let k3s write the file anew"},
		{"    certificate-authority-data: " CA "\n", "",
	         "k.yaml:2: the cluster has no certificate-authority-data; add it"},
		{"clusters:\n- cluster:", "clusters:\n  default:", "k.yaml:2: 'clusters' must be a list"},
		{"  user:\n", "  usr:\n", "k.yaml:16: key 'user' is missing; add it"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_int_equal(parse_with(rows[i].from, rows[i].to), -1);
		assert_string_equal(e.text, rows[i].want);
		assert_string_equal(c.server, "before");
		assert_int_equal(c.key.len, 0);
	}
}

/* RFC 4648 section 10, and what is none: seen through a certificate that ends with the bytes in question. */
static void base64_is_strict(void **state)
{
	static const struct {
		const char *tail; /* behind 3n bytes of a whole certificate */
		const char *want; /* NULL: refused */
	} rows[] = {
		{"", ""},
		{"Zg==", "f"},
		{"Zm8=", "fo"},
		{"Zm9v", "foo"},
		{"Zm9vYg==", "foob"},
		{"Zm9\\n v", "foo"},
		{"+/+/", "\xfb\xff\xbf"},
		{"Z", NULL},
		{"Zg", NULL},
		{"Zg=", NULL},
		{"Zg===", NULL},
		{"Zm=8", NULL},
		{"Zm9v=", NULL},
		{"Zm9v====", NULL},
		{"Zm9-", NULL},
		{"====", NULL},
		{"=", NULL},
	};
	char to[512];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		/* CERT_PEM and two newlines: 63 bytes. */
		assert_int_equal(
			str_format(to, sizeof(to),
		                   "client-certificate-data: \"LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tClEwVlNWQT09"
		                   "Ci0tLS0tRU5EIENFUlRJRklDQVRFLS0tLS0K%s\"",
		                   rows[i].tail),
			0);
		int rc = parse_with("client-certificate-data: " CERT, to);
		assert_int_equal(rc, rows[i].want ? 0 : -1);
		if (rows[i].want)
			assert_string_equal(c.cert.text + strlen(CERT_PEM), rows[i].want);
	}
	/* A zero byte would end the text for whoever reads it. */
	assert_int_equal(parse_with("client-certificate-data: " CERT, "client-certificate-data: " CERT "AAAA"), -1);
}

static void large_certificates_are_refused(void **state)
{
	static const char cert[] = "client-certificate-data: " CERT;
	static char to[30000];
	size_t most = (CREDENTIALS_PEM - 1 - strlen(CERT_PEM)) / 3 * 4;

	(void)state;
	memcpy(to, cert, sizeof(cert) - 1);
	memset(to + sizeof(cert) - 1, 'Z', most);
	assert_int_equal(parse_with(cert, to), 0);
	assert_int_equal(c.cert.len, CREDENTIALS_PEM - 1);
	assert_int_equal(c.cert.text[c.cert.len], '\0');
	memcpy(to + sizeof(cert) - 1 + most, "Zg==", 5); /* one byte more */
	assert_int_equal(parse_with(cert, to), -1);
	memset(to + sizeof(cert) - 1, 'Z', most + 4);
	assert_int_equal(parse_with(cert, to), -1);
}

static char folder[] = "/tmp/hearth-credentials-XXXXXX";

static const char *in_folder(const char *name)
{
	static char path[4][128];
	static unsigned next;
	char *p = path[next++ % 4];

	assert_int_equal(str_format(p, 128, "%s/%s", folder, name), 0);
	return p;
}

static void write_file(const char *name, const char *text)
{
	assert_int_equal(file_replace(in_folder(name), text, strlen(text), 0600, &e), 0);
}

static int make_folder(void **state)
{
	(void)state;
	return setup(state) < 0 || !mkdtemp(folder);
}

static int remove_folder(void **state)
{
	static const char *const names[] = {"ca.crt", "k.yaml", "client.key"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(names); i++)
		(void)unlink(in_folder(names[i]));
	return rmdir(folder);
}

static void certificates_may_be_files(void **state)
{
	static char text[8192];
	char want[256];

	(void)state;
	write_file("ca.crt", CA_PEM);
	write_file("client.key", KEY_PEM);
	assert_int_equal(str_format(text, sizeof(text),
	                            "kind: Config\ncurrent-context: c\n"
	                            "contexts: [{name: c, context: {cluster: a, user: b}}]\n"
	                            "clusters:\n- name: a\n  cluster:\n    server: https://[::1]:6443/\n"
	                            "    certificate-authority: ca.crt\n"
	                            "users:\n- name: b\n  user:\n    client-certificate-data: " CERT "\n"
	                            "    client-key: %s\n",
	                            in_folder("client.key")),
	                 0);
	write_file("k.yaml", text);
	assert_int_equal(credentials_read(&c, in_folder("k.yaml"), &e), 0);
	assert_string_equal(c.server, "https://[::1]:6443");
	assert_string_equal(c.ca.text, CA_PEM);
	assert_int_equal(c.ca.len, strlen(CA_PEM));
	assert_string_equal(c.key.text, KEY_PEM);
	write_file("ca.crt", KEY_PEM);
	assert_int_equal(credentials_read(&c, in_folder("k.yaml"), &e), -1);
	assert_non_null(strstr(e.text, "k.yaml:8: 'certificate-authority' holds no certificate in PEM form"));
	(void)unlink(in_folder("ca.crt"));
	assert_int_equal(credentials_read(&c, in_folder("k.yaml"), &e), -1);
	assert_int_equal(str_format(want, sizeof(want), "%s:8: open %s: No such file or directory", in_folder("k.yaml"),
	                            in_folder("ca.crt")),
	                 0);
	assert_string_equal(e.text, want);
	assert_string_equal(c.ca.text, CA_PEM); /* the old ones are still good */
}

static void data_wins_over_a_file(void **state)
{
	static const char data[] = "    certificate-authority-data: " CA "\n";
	char both[512];

	(void)state;
	for (int file_first = 0; file_first < 2; file_first++) {
		assert_int_equal(str_format(both, sizeof(both), "%s%s%s",
		                            file_first ? "    certificate-authority: /dev/null\n" : "", data,
		                            file_first ? "" : "    certificate-authority: /nonexistent\n"),
		                 0);
		int rc = parse_with(data, both);
		assert_int_equal(rc, file_first ? -1 : 0); /* what is named must be good all the same */
	}
}

static void a_file_that_is_not_there_is_told(void **state)
{
	(void)state;
	assert_int_equal(credentials_read(&c, "/nonexistent/k3s.yaml", &e), -1);
	assert_string_equal(e.text, "open /nonexistent/k3s.yaml: No such file or directory");
}

static void the_key_is_wiped(void **state)
{
	static const struct credentials_pem zero;

	(void)state;
	assert_int_equal(parse(k3s), 0);
	credentials_wipe(&c);
	assert_memory_equal(&c.key, &zero, sizeof(zero));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(reads_what_k3s_writes, setup),
		cmocka_unit_test_setup(takes_the_current_context, setup),
		cmocka_unit_test_setup(refuses_with_file_and_line, setup),
		cmocka_unit_test_setup(base64_is_strict, setup),
		cmocka_unit_test_setup(large_certificates_are_refused, setup),
		cmocka_unit_test_setup_teardown(certificates_may_be_files, make_folder, remove_folder),
		cmocka_unit_test_setup(data_wins_over_a_file, setup),
		cmocka_unit_test_setup(a_file_that_is_not_there_is_told, setup),
		cmocka_unit_test_setup(the_key_is_wiped, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
