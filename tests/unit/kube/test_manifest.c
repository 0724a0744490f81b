/* init/kube/manifest.c */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "fake/sys.h"
#include "kube/manifest.h"

static char folder[64];
static struct settings site;
static struct manifest m;
static struct err e;
static char json[4096];

static const char *path_of(const char *name)
{
	static char path[128];

	assert_int_equal(str_format(path, sizeof(path), "%s/%s", folder, name), 0);
	return path;
}

static void put(const char *name, const char *text)
{
	FILE *f = fopen(path_of(name), "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
	assert_int_equal(fclose(f), 0);
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	err_clear(&e);
	memset(&m, 0xa5, sizeof(m)); /* needs no set-up */
	settings_default(&site);
	return str_format(folder, sizeof(folder), "/tmp/hearth-manifest-XXXXXX") < 0 || !mkdtemp(folder) ? -1 : 0;
}

static int teardown(void **state)
{
	char command[96];

	(void)state;
	manifest_free(&m);
	/* NOLINTNEXTLINE(cert-env33-c): our own folder */
	return str_format(command, sizeof(command), "rm -r %s", folder) < 0 ? -1 : system(command);
}

static int load(void)
{
	return manifest_load(&m, folder, &site, &e);
}

/* "Kind namespace/name, ..." in the table's order. */
static const char *names(void)
{
	static char list[2048];
	char name[128];
	struct buf b;

	buf_init(&b, list, sizeof(list));
	for (unsigned i = 0; i < m.count; i++) {
		manifest_name(&m.object[i], name, sizeof(name));
		buf_addf(&b, "%s%s", i ? ", " : "", name);
	}
	return list;
}

static void reads_what_an_object_says_of_itself(void **state)
{
	(void)state;
	put("a.yaml", "# none\n---\n\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: transmission\n"
	              "  namespace: htpc\n  labels: {app.kubernetes.io/name: torrents, other: x}\n  annotations:\n"
	              "    argocd.argoproj.io/sync-wave: \"-5\"\n    hearth.dev/prune: 'true'\nspec: {replicas: 1}\n");
	put("b.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: htpc}\n");
	assert_int_equal(load(), 0);
	assert_int_equal(m.count, 2);
	const struct manifest_object *o = &m.object[0];
	assert_string_equal(o->group, "apps");
	assert_string_equal(o->version, "v1");
	assert_string_equal(o->kind, "Deployment");
	assert_string_equal(o->namespace, "htpc");
	assert_string_equal(o->name, "transmission");
	assert_string_equal(o->app, "torrents");
	assert_int_equal(o->wave, -5);
	assert_true(o->prune);
	assert_string_equal(m.file[o->file], path_of("a.yaml"));
	assert_int_equal(o->line, 4);
	assert_int_equal(o->doc_line, 2);
	assert_int_equal(o->at, 7);
	o++;
	assert_string_equal(o->group, "");
	assert_string_equal(o->version, "v1");
	assert_string_equal(o->namespace, "");
	assert_string_equal(o->app, "platform");
	assert_int_equal(o->wave, 0);
	assert_false(o->prune);
	assert_string_equal(m.file[o->file], path_of("b.yaml"));
}

static void object(struct buf *b, const char *kind, const char *namespace, const char *name, int wave)
{
	buf_addf(b, "---\napiVersion: v1\nkind: %s\nmetadata:\n  name: %s\n", kind, name);
	if (namespace[0])
		buf_addf(b, "  namespace: %s\n", namespace);
	if (wave)
		buf_addf(b, "  annotations: {argocd.argoproj.io/sync-wave: '%d'}\n", wave);
}

static void waves_then_kinds_then_names(void **state)
{
	char text[4096];
	struct buf b;

	(void)state;
	buf_init(&b, text, sizeof(text));
	object(&b, "Ingress", "a", "x", -1);
	object(&b, "Certificate", "a", "x", 0);
	object(&b, "Deployment", "b", "x", 0);
	object(&b, "Deployment", "a", "z", 0);
	object(&b, "Deployment", "a", "x", 0);
	object(&b, "Service", "a", "x", 0);
	object(&b, "Namespace", "", "a", 0);
	object(&b, "Namespace", "", "late", 7);
	object(&b, "CustomResourceDefinition", "", "c.d", 0);
	put("all.yaml", text);
	assert_int_equal(load(), 0);
	assert_string_equal(names(), "Ingress a/x, Namespace a, CustomResourceDefinition c.d, Service a/x, "
	                             "Deployment a/x, Deployment a/z, Deployment b/x, Certificate a/x, Namespace late");
}

static void files_by_name_and_only_yaml(void **state)
{
	(void)state;
	put("b.yaml", "apiVersion: v1\nkind: X\nmetadata: {name: b}\n");
	put("a.yaml", "apiVersion: v1\nkind: X\nmetadata: {name: a}\n");
	put("c.yml", "bad: [");
	put(".d.yaml", "bad: [");
	put("README", "bad: [");
	assert_int_equal(load(), 0);
	assert_int_equal(m.files, 2);
	assert_string_equal(m.file[0], path_of("a.yaml"));
	assert_string_equal(names(), "X a, X b");
	manifest_free(&m);
	assert_int_equal(manifest_load(&m, path_of("b.yaml"), &site, &e), 0);
	assert_string_equal(names(), "X b");
}

static void a_body_is_the_same_again(void **state)
{
	struct buf b;
	unsigned fds = fake_open_fds();

	(void)state;
	put("a.yaml", "a: &x\n");
	put("a.yaml",
	    "---\n# x\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {domain: \"${site.domain}\"}\n"
	    "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n");
	assert_int_equal(load(), 0);
	buf_init(&b, json, sizeof(json));
	assert_int_equal(manifest_body(&m, 0, &b, &e), 0);
	assert_string_equal(json, "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"a\"},"
	                          "\"data\":{\"domain\":\"home.arpa\"}}");
	assert_int_equal(m.object[0].size, b.len);
	assert_int_equal(manifest_body(&m, 1, &b, &e), 0);
	assert_int_equal(b.len, m.object[0].size + m.object[1].size);
	/* Exactly enough room, then one byte less. */
	buf_init(&b, json, m.object[0].size + 1);
	assert_int_equal(manifest_body(&m, 0, &b, &e), 0);
	buf_init(&b, json, m.object[0].size);
	assert_int_equal(manifest_body(&m, 0, &b, &e), -1);
	assert_int_equal(e.code, EFBIG);
	assert_int_equal(fake_open_fds(), fds);
}

static void a_changed_file_is_noticed(void **state)
{
	struct buf b;

	(void)state;
	put("a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: one}\n");
	assert_int_equal(load(), 0);
	put("a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: two}\n");
	buf_init(&b, json, sizeof(json));
	assert_int_equal(manifest_body(&m, 0, &b, &e), -1);
	assert_int_equal(e.code, ESTALE);
	assert_true(str_ends(e.text, "a.yaml:1: changed since it was read"));
	put("a.yaml", "apiVersion: v1\n");
	assert_int_equal(manifest_body(&m, 0, &b, &e), -1);
	assert_int_equal(e.code, ESTALE);
	assert_int_equal(unlink(path_of("a.yaml")), 0);
	assert_int_equal(manifest_body(&m, 0, &b, &e), -1);
	assert_int_equal(e.code, ENOENT);
}

#define HEAD "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"

/* Comments, order of files and layout do not matter; text and values of the site do. */
static void the_revision_tells_changes(void **state)
{
	char revision[MANIFEST_HASH];

	(void)state;
	put("a.yaml", HEAD "data: {k: one, d: '${site.domain}'}\n");
	assert_int_equal(load(), 0);
	assert_int_equal(strlen(m.revision), 32);
	assert_true(str_copy(revision, sizeof(revision), m.revision) == 0);
	unsigned __int128 hash = m.object[0].hash;
	manifest_free(&m);
	put("a.yaml", "# other\n" HEAD "data:\n  k: one\n  d: ${site.domain}\n");
	assert_int_equal(load(), 0);
	assert_string_equal(m.revision, revision);
	assert_true(m.object[0].hash == hash);
	manifest_free(&m);
	assert_true(str_copy(site.site[0].text, SETTINGS_VALUE, "example.org") == 0);
	assert_int_equal(load(), 0);
	assert_string_not_equal(m.revision, revision);
	assert_true(m.object[0].hash != hash);
	manifest_free(&m);
	settings_default(&site);
	put("b.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n");
	assert_int_equal(load(), 0);
	assert_string_not_equal(m.revision, revision);
}

/* The reference values of FNV-1a 128. */
static void the_hash_is_fnv(void **state)
{
	char text[MANIFEST_HASH];

	(void)state;
	put("a.yaml", HEAD);
	assert_int_equal(load(), 0);
	unsigned __int128 h = (unsigned __int128)0x6c62272e07bb0142u << 64 | 0x62b821756295c58du;
	const char *body = "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"a\"}}";
	for (; *body; body++)
		h = (h ^ (unsigned char)*body) * (((unsigned __int128)1 << 88) + 0x13b);
	assert_true(m.object[0].hash == h);
	manifest_hash((unsigned __int128)0x0123456789abcdefu << 64 | 0xfedcba9876543210u, text);
	assert_string_equal(text, "0123456789abcdeffedcba9876543210");
}

static void refuses(void **state)
{
	static const struct {
		const char *text, *want; /* want: behind the path */
	} rows[] = {
		{"# x\n\nkind: X\n", ":3: no apiVersion; an object needs apiVersion, kind and metadata.name"},
		{"apiVersion: v1\n", ":1: no kind; an object needs"},
		{"---\n---\napiVersion: v1\nkind: X\n", ":3: no metadata.name; an object needs"},
		{"apiVersion: v1\nkind: X\nmetadata: {generateName: a}\n", ":1: no metadata.name"},
		{"apiVersion: v1\nkind: List\nitems: []\n", ":2: a List; write each of its items as a document"},
		{"apiVersion: v1\nkind: ConfigMapList\nitems: []\n", ":2: a List"},
		{"apiVersion: 1\nkind: X\nmetadata: {name: a}\n",
	         ":1: apiVersion 1 is none; use GROUP/VERSION or VERSION"},
		{"apiVersion: a/b/c\nkind: X\nmetadata: {name: a}\n", ":1: apiVersion \"a/b/c\" is none"},
		{"apiVersion: /v1\nkind: X\nmetadata: {name: a}\n", ":1: apiVersion \"/v1\" is none"},
		{"apiVersion: apps/\nkind: X\nmetadata: {name: a}\n", ":1: apiVersion \"apps/\" is none"},
		{"apiVersion: v1\nkind: [X]\nmetadata: {name: a}\n",
	         ":2: kind [ is none; use a word such as Deployment"},
		{"apiVersion: v1\nkind: X/y\nmetadata: {name: a}\n", ":2: kind \"X/y\" is none"},
		{"apiVersion: v1\nkind: X\nmetadata:\n  name: a/b\n",
	         ":4: metadata.name \"a/b\" is none; use up to 253"},
		{"apiVersion: v1\nkind: X\nmetadata: {name: ..}\n", ":3: metadata.name \"..\" is none"},
		{"apiVersion: v1\nkind: X\nmetadata: {name: '%2e'}\n", ":3: metadata.name \"%2e\" is none"},
		{"apiVersion: v1\nkind: X\nmetadata: {name: 7}\n", ":3: metadata.name 7 is none"},
		{"apiVersion: v1\nkind: X\nmetadata: {name: ''}\n", ":3: metadata.name \"\" is none"},
		{"apiVersion: v1\nkind: X\nmetadata: {name: a, namespace: A}\n",
	         ":3: metadata.namespace \"A\" is none"},
		{HEAD "  namespace: a\n", ":4: "},
		{"apiVersion: v1\nkind: X\nmetadata: {name: a, labels: {app.kubernetes.io/name: 'a b'}}\n",
	         ":3: label app.kubernetes.io/name \"a b\" is none"},
		{"apiVersion: v1\nkind: X\nmetadata: {name: a, annotations: {argocd.argoproj.io/sync-wave: x}}\n",
	         ":3: annotation argocd.argoproj.io/sync-wave \"x\" is none; use a whole number"},
		{"apiVersion: v1\nkind: X\nmetadata: {name: a, annotations: {argocd.argoproj.io/sync-wave: 1}}\n",
	         ":3: annotation argocd.argoproj.io/sync-wave 1 is none; use a whole number from \"-1000\""},
		{"apiVersion: v1\nkind: X\nmetadata: {name: a, annotations: {argocd.argoproj.io/sync-wave: '1001'}}\n",
	         ":3: annotation argocd.argoproj.io/sync-wave \"1001\" is none"},
		{"apiVersion: v1\nkind: X\nmetadata: {name: a, annotations: {argocd.argoproj.io/sync-wave: '--1'}}\n",
	         ":3: annotation argocd.argoproj.io/sync-wave \"--1\" is none"},
		{"apiVersion: v1\nkind: X\nmetadata: {name: a, annotations: {hearth.dev/prune: 'yes'}}\n",
	         ":3: annotation hearth.dev/prune \"yes\" is none; use \"true\" or \"false\""},
		{"apiVersion: v1\nkind: X\nmetadata: {name: a, annotations: {hearth.dev/prune: true}}\n",
	         ":3: annotation hearth.dev/prune true is none"},
		{HEAD "data:\n  a: ${site.email}\n", ":5: ${site.email} is not set; set site.email in the settings"},
		{HEAD "---\n" HEAD, ":5: ConfigMap a stands here and in "},
		{"", ": no object in it"},
		{"# x\n---\n", ": no object in it"},
		{"- a\n", ":1: not a mapping"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		put("a.yaml", rows[i].text);
		if (manifest_load(&m, path_of("a.yaml"), &site, &e) == 0)
			fail_msg("taken: %s", rows[i].text);
		assert_int_equal(m.count, 0);
		assert_true(str_starts(e.text, path_of("a.yaml")));
		if (!str_starts(e.text + strlen(path_of("a.yaml")), rows[i].want))
			fail_msg("%s\n%s", e.text, rows[i].want);
	}
}

static void the_same_twice_names_both_places(void **state)
{
	char want[256];

	(void)state;
	put("a.yaml", "\n\n" HEAD);
	put("b.yaml", "---\n" HEAD "  \n");
	/* Another wave, another version: still the same. */
	put("b.yaml", "apiVersion: v2\nkind: ConfigMap\nmetadata:\n  name: a\n"
	              "  annotations: {argocd.argoproj.io/sync-wave: '-3'}\n");
	assert_int_equal(load(), -1);
	assert_int_equal(str_format(want, sizeof(want),
	                            "%s/b.yaml:1: ConfigMap a stands here and in %s/a.yaml:3; keep one", folder,
	                            folder),
	                 0);
	assert_string_equal(e.text, want);
	/* Other group, other namespace: others. */
	put("b.yaml", "apiVersion: x/v1\nkind: ConfigMap\nmetadata: {name: a}\n---\n"
	              "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: b}\n");
	assert_int_equal(load(), 0);
	assert_int_equal(m.count, 3);
}

static void folders_are_told_apart(void **state)
{
	char name[16];

	(void)state;
	assert_int_equal(load(), -1);
	assert_true(str_ends(e.text, ": no *.yaml file in it"));
	assert_int_equal(manifest_load(&m, "/none/such", &site, &e), -1);
	assert_int_equal(e.code, ENOENT);
	for (int i = 0; i <= MANIFEST_FILES; i++) {
		assert_int_equal(str_format(name, sizeof(name), "%02d.yaml", i), 0);
		put(name, "");
	}
	assert_int_equal(load(), -1);
	assert_true(str_ends(e.text, ": more than 32 files"));
}

static void many(unsigned count)
{
	FILE *f = fopen(path_of("many.yaml"), "w");

	assert_non_null(f);
	for (unsigned i = 0; i < count; i++)
		(void)fprintf(
			f,
			"---\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: app-%u\n  namespace: n%u\n"
			"  labels: {app.kubernetes.io/name: app-%u}\nspec: {replicas: %u}\n",
			i, i % 7, i / 4, i);
	assert_int_equal(fclose(f), 0);
}

static void a_thousand_objects_take_less_than_a_mebibyte(void **state)
{
	struct buf b;

	(void)state;
	many(1000);
	assert_int_equal(load(), 0);
	assert_int_equal(m.count, 1000);
	/* 1,000 names, 250 apps, 7 namespaces, some bytes each. */
	assert_true(m.room * sizeof(m.object[0]) < (200 << 10));
	assert_null(m.names.slot);
	for (unsigned i = 0; i < m.count; i++) {
		buf_init(&b, json, sizeof(json));
		assert_int_equal(manifest_body(&m, i, &b, &e), 0);
		assert_non_null(strstr(json, m.object[i].name));
	}
}

static void objects_have_an_end(void **state)
{
	(void)state;
	many(MANIFEST_OBJECTS);
	assert_int_equal(load(), 0);
	manifest_free(&m);
	many(MANIFEST_OBJECTS + 1);
	assert_int_equal(load(), -1);
	assert_true(str_ends(e.text, ": more than 2000 objects"));
}

static void failures_leave_nothing(void **state)
{
	unsigned fds = fake_open_fds();

	(void)state;
	put("a.yaml", HEAD);
	put("b.yaml", "apiVersion: v1\nkind: X\nmetadata: {name: b}\n");
	for (unsigned n = 1;; n++) {
		fake_fail_at(n, EIO);
		int rc = load();
		if (!fake_fired())
			break;
		if (rc < 0)
			assert_int_equal(e.code, EIO);
		assert_int_equal(m.count, rc < 0 ? 0 : 2);
		manifest_free(&m);
	}
	assert_int_equal(fake_open_fds(), fds);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(reads_what_an_object_says_of_itself, setup, teardown),
		cmocka_unit_test_setup_teardown(waves_then_kinds_then_names, setup, teardown),
		cmocka_unit_test_setup_teardown(files_by_name_and_only_yaml, setup, teardown),
		cmocka_unit_test_setup_teardown(a_body_is_the_same_again, setup, teardown),
		cmocka_unit_test_setup_teardown(a_changed_file_is_noticed, setup, teardown),
		cmocka_unit_test_setup_teardown(the_revision_tells_changes, setup, teardown),
		cmocka_unit_test_setup_teardown(the_hash_is_fnv, setup, teardown),
		cmocka_unit_test_setup_teardown(refuses, setup, teardown),
		cmocka_unit_test_setup_teardown(the_same_twice_names_both_places, setup, teardown),
		cmocka_unit_test_setup_teardown(folders_are_told_apart, setup, teardown),
		cmocka_unit_test_setup_teardown(a_thousand_objects_take_less_than_a_mebibyte, setup, teardown),
		cmocka_unit_test_setup_teardown(objects_have_an_end, setup, teardown),
		cmocka_unit_test_setup_teardown(failures_leave_nothing, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
