/* init/kube/inventory.c: the parent of the set, and pruning. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "kube/inventory.h"
#include "unit/kube/json.h"

static struct manifest_object objects[4];
static struct manifest m;
static struct inventory inv;
static struct prune p;
static struct err e;
static char told[4096];
static const char *clean; /* a kind that is known to be so */

static void add(const char *group, const char *kind, const char *ns, const char *name)
{
	struct manifest_object *o = &objects[m.count++];
	*o = (struct manifest_object){
		.group = group, .version = "v1", .kind = kind, .namespace = ns, .name = name, .app = "x"};
}

static int setup(void **state)
{
	(void)state;
	memset(&m, 0, sizeof(m));
	m.object = objects;
	memcpy(m.revision, "0123456789abcdef0123456789abcdef", MANIFEST_HASH);
	told[0] = '\0';
	clean = NULL;
	add("apps", "Deployment", "htpc", "keep");
	add("", "ConfigMap", "utils", "keep");
	add("", "ConfigMap", "kube-system", "keep");
	return inventory_init(&inv, &m, &e);
}

static int teardown(void **state)
{
	(void)state;
	prune_stop(&p);
	return 0;
}

static void read_parent(const char *json)
{
	yyjson_doc *doc = json_doc(json);
	assert_int_equal(inventory_read(&inv, yyjson_doc_get_root(doc), &e), 0);
	yyjson_doc_free(doc);
}

/* --- the parent ------------------------------------------------------------------------------- */

static void the_parent_names_kinds_namespaces_and_the_tool(void **state)
{
	char text[4096];
	struct buf b;
	(void)state;
	buf_init(&b, text, sizeof(text));
	read_parent("{'metadata':{'annotations':{'applyset.kubernetes.io/tooling':'hearth/v1',"
	            "'applyset.kubernetes.io/contains-group-kinds':'Secret,Deployment.apps,Widget.x.dev','hearth.dev/"
	            "paused':'a,b'}}}");
	assert_int_equal(inventory_body(&inv, false, &b, &e), 0);
	assert_string_equal(
		text,
		"{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"hearth-platform\","
		"\"namespace\":\"kube-system\",\"labels\":{\"applyset.kubernetes.io/id\":\"" INVENTORY_ID "\"},"
		"\"annotations\":{\"applyset.kubernetes.io/tooling\":\"hearth/v1\","
		"\"applyset.kubernetes.io/contains-group-kinds\":\"ConfigMap,Deployment.apps,Secret,Widget.x.dev\","
		"\"applyset.kubernetes.io/additional-namespaces\":\"htpc,utils\",\"hearth.dev/paused\":\"a,b\"}}}");
	buf_reset(&b);
	assert_int_equal(inventory_body(&inv, true, &b, &e), 0);
	assert_non_null(strstr(text, "contains-group-kinds\":\"ConfigMap,Deployment.apps\""));
}

static void the_id_is_that_of_its_parent(void **state)
{
	/* echo -n hearth-platform.kube-system.ConfigMap. | sha256sum, in base64url: made with another tool. */
	static const uint8_t sum[32] = {0x00, 0x6b, 0x13, 0xcb, 0x07, 0xa2, 0xb0, 0xa3, 0x71, 0xf0, 0xf7,
	                                0xa2, 0x9c, 0x7c, 0x89, 0x6d, 0x3e, 0x2d, 0x3b, 0x74, 0x6e, 0x88,
	                                0x54, 0x91, 0x5a, 0x9e, 0xfd, 0x20, 0xc1, 0x68, 0xad, 0x43};
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	char text[80] = "applyset-";
	size_t n = strlen(text);
	(void)state;
	for (unsigned bit = 0; bit < 256; bit += 6) {
		unsigned two = (unsigned)sum[bit / 8] << 8 | (bit / 8 + 1 < 32 ? sum[bit / 8 + 1] : 0);
		text[n++] = digits[two >> (10 - bit % 8) & 63];
	}
	memcpy(text + n, "-v1", 4);
	assert_string_equal(text, INVENTORY_ID);
	assert_string_equal(INVENTORY_SELECTOR, "labelSelector="
	                                        "applyset.kubernetes.io%2Fpart-of"
	                                        "%3D" INVENTORY_ID);
}

static void a_parent_of_another_tool_is_not_ours(void **state)
{
	(void)state;
	yyjson_doc *doc = json_doc("{'metadata':{'annotations':{'applyset.kubernetes.io/tooling':'kubectl/v1.31'}}}");
	assert_int_equal(inventory_read(&inv, yyjson_doc_get_root(doc), &e), -1);
	assert_non_null(strstr(e.text, "kubectl/v1.31"));
	yyjson_doc_free(doc);
}

static void a_list_of_kinds_that_is_too_long_is_refused(void **state)
{
	static char json[INVENTORY_TEXT * 3];
	struct buf b;
	(void)state;
	buf_init(&b, json, sizeof(json));
	buf_add(&b, "{'metadata':{'annotations':{'applyset.kubernetes.io/contains-group-kinds':'");
	for (unsigned i = 0; b.len < INVENTORY_TEXT + 100; i++)
		buf_addf(&b, "%s%s%u.%s", i ? "," : "", "Kind", i, "a-rather-long-group-name-of-somebody.example.com");
	buf_add(&b, "'}}}");
	yyjson_doc *doc = json_doc(json);
	assert_int_equal(inventory_read(&inv, yyjson_doc_get_root(doc), &e), -1);
	yyjson_doc_free(doc);
}

static void apps_are_paused_and_resumed(void **state)
{
	(void)state;
	assert_false(inventory_paused(&inv, "a"));
	assert_int_equal(inventory_pause(&inv, "b", true, &e), 0);
	assert_int_equal(inventory_pause(&inv, "abc", true, &e), 0);
	assert_int_equal(inventory_pause(&inv, "c", true, &e), 0);
	assert_int_equal(inventory_pause(&inv, "c", true, &e), 0);
	assert_string_equal(inv.paused, "b,abc,c");
	assert_true(inventory_paused(&inv, "b"));
	assert_false(inventory_paused(&inv, "ab"));
	assert_false(inventory_paused(&inv, ""));
	assert_int_equal(inventory_pause(&inv, "abc", false, &e), 0);
	assert_string_equal(inv.paused, "b,c");
	assert_int_equal(inventory_pause(&inv, "c", false, &e), 0);
	assert_string_equal(inv.paused, "b");
	assert_int_equal(inventory_pause(&inv, "b", false, &e), 0);
	assert_int_equal(inventory_pause(&inv, "b", false, &e), 0);
	assert_string_equal(inv.paused, "");
	assert_int_equal(inventory_pause(&inv, "a,b", true, &e), -1);
	memset(inv.paused, 'x', sizeof(inv.paused) - 2);
	inv.paused[sizeof(inv.paused) - 2] = '\0';
	assert_int_equal(inventory_pause(&inv, "b", true, &e), -1);
}

/* --- pruning ---------------------------------------------------------------------------------- */

static bool is_wanted(const struct object_id *id, void *arg)
{
	(void)arg;
	return str_eq(id->name, "keep");
}

static void tell(const struct object_id *id, const char *what, void *arg)
{
	size_t n = strlen(told);
	(void)arg;
	assert_int_equal(str_format(told + n, sizeof(told) - n, "%s %s: %s\n", id->kind, id->name, what), 0);
}

#define MEMBER(name) MEMBER_MORE(name, "", "")
#define MEMBER_MORE(name, labels, meta)                                                                                \
	"{'metadata':{'name':'" name "','namespace':'htpc','uid':'uid-" name "','labels':{" labels                     \
	"'applyset.kubernetes.io/part-of':'" INVENTORY_ID "'}" meta "}}"
#define LIST(...) "{'metadata':{},'items':[" __VA_ARGS__ "]}"

static bool is_clean(const char *group, const char *kind, void *arg)
{
	(void)group;
	(void)arg;
	return clean && str_eq(kind, clean);
}

static const struct prune_ops ops = {is_wanted, is_clean, tell};

static void begin(void)
{
	prune_begin(&p, &inv, &ops, NULL);
}

/* The next request is a list of that kind. */
static void list(const char *kind, const char *json)
{
	struct prune_request r = prune_next(&p);
	assert_int_equal(r.what, PRUNE_LIST);
	assert_string_equal(r.kind, kind);
	assert_true(str_starts(r.text, INVENTORY_SELECTOR "&limit=100"));
	yyjson_doc *doc = json_doc(json);
	prune_listed(&p, yyjson_doc_get_root(doc));
	yyjson_doc_free(doc);
}

static void removes(const char *name)
{
	char want[256];
	struct prune_request r = prune_next(&p);
	assert_int_equal(r.what, PRUNE_REMOVE);
	assert_string_equal(r.name, name);
	assert_string_equal(r.ns, "htpc");
	assert_int_equal(
		str_format(want, sizeof(want),
	                   "{\"kind\":\"DeleteOptions\",\"apiVersion\":\"v1\",\"propagationPolicy\":\"Background\","
	                   "\"preconditions\":{\"uid\":\"uid-%s\"}}",
	                   name),
		0);
	assert_string_equal(r.text, want);
}

static void what_left_the_set_is_deleted(void **state)
{
	(void)state;
	begin();
	list("Deployment", LIST(MEMBER("keep") "," MEMBER("old")));
	list("ConfigMap", LIST(MEMBER("keep") "," MEMBER("keep") "," MEMBER("older")));
	assert_int_equal(p.phase, PRUNE_DELETE);
	list("Deployment", LIST(MEMBER("keep") "," MEMBER("old")));
	removes("old");
	prune_removed(&p);
	list("ConfigMap", LIST(MEMBER("older")));
	removes("older");
	prune_removed(&p);
	assert_int_equal(prune_next(&p).what, PRUNE_END);
	assert_int_equal(p.deleted, 2);
	assert_false(p.refused || p.incomplete);
	assert_string_equal(told, "Deployment old: left the set; deleted\nConfigMap older: left the set; deleted\n");
}

static void nothing_to_do_ends_after_the_count(void **state)
{
	(void)state;
	begin();
	list("Deployment", LIST(MEMBER("keep")));
	list("ConfigMap", LIST());
	assert_int_equal(prune_next(&p).what, PRUNE_END);
}

static void more_than_half_is_not_deleted_unasked(void **state)
{
	(void)state;
	begin();
	list("Deployment", LIST(MEMBER("keep") "," MEMBER("a") "," MEMBER("b") "," MEMBER("c")));
	list("ConfigMap", LIST());
	assert_int_equal(p.phase, PRUNE_DELETE); /* three of six */
	begin();
	list("Deployment", LIST(MEMBER("keep") "," MEMBER("a") "," MEMBER("b") "," MEMBER("c")));
	list("ConfigMap", LIST(MEMBER("d")));
	assert_int_equal(prune_next(&p).what, PRUNE_END);
	assert_true(p.refused);
	assert_int_equal(p.leaving, 4);
	assert_int_equal(p.members, 7);
	static const char *const no[] = {"true", "", "0123456", "0123456789abcdee"};
	char json[128];
	for (size_t i = 0; i < COUNT_OF(no); i++) { /* leave for another revision is none for this one */
		assert_int_equal(str_format(json, sizeof(json),
		                            "{'metadata':{'annotations':{'hearth.dev/shrink':'%s'}}}", no[i]),
		                 0);
		read_parent(json);
		assert_false(inv.shrink);
	}
	read_parent("{'metadata':{'annotations':{'hearth.dev/shrink':'01234567'}}}");
	begin();
	list("Deployment", LIST(MEMBER("keep") "," MEMBER("a") "," MEMBER("b") "," MEMBER("c")));
	list("ConfigMap", LIST(MEMBER("d")));
	assert_int_equal(p.phase, PRUNE_DELETE);
}

static void what_is_kept_does_not_count_as_staying(void **state)
{
	(void)state;
	read_parent("{'metadata':{'annotations':{'applyset.kubernetes.io/contains-group-kinds':'Namespace'}}}");
	begin();
	list("Deployment", LIST(MEMBER("a") "," MEMBER("b") "," MEMBER("c") "," MEMBER("d")));
	list("ConfigMap", LIST());
	list("Namespace", LIST(MEMBER("n1") "," MEMBER("n2") "," MEMBER("n3")));
	assert_int_equal(p.kept, 3);
	assert_true(p.refused);
}

static void an_empty_set_deletes_nothing(void **state)
{
	(void)state;
	m.count = 0;
	assert_int_equal(inventory_init(&inv, &m, &e), 0);
	read_parent("{'metadata':{'annotations':{'applyset.kubernetes.io/contains-group-kinds':'Secret'}}}");
	begin();
	list("Secret", LIST(MEMBER("a")));
	assert_int_equal(prune_next(&p).what, PRUNE_END);
	assert_true(p.refused);
	begin();
	list("Secret", LIST(MEMBER("a") "," MEMBER_MORE(
			       "b", "", ",'deletionTimestamp':'t'"))); /* nor the smaller half of what is there */
	assert_true(p.refused);
}

static void what_may_hold_data_goes_only_when_it_says_so(void **state)
{
	(void)state;
	read_parent(
		"{'metadata':{'annotations':{'applyset.kubernetes.io/contains-group-kinds':"
		"'PersistentVolumeClaim,Namespace,PersistentVolume,CustomResourceDefinition.apiextensions.k8s.io'}}}");
	begin();
	list("Deployment", LIST(MEMBER("keep") "," MEMBER("keep") "," MEMBER("keep")));
	list("ConfigMap", LIST());
	list("PersistentVolumeClaim",
	     LIST(MEMBER("data") "," MEMBER_MORE("scratch", "", ",'annotations':{'hearth.dev/prune':'true'}")));
	list("Namespace", LIST(MEMBER("home")));
	list("PersistentVolume", LIST(MEMBER("disk")));
	list("CustomResourceDefinition", LIST(MEMBER("things")));
	assert_int_equal(p.kept, 4);
	assert_int_equal(p.leaving, 1);
	list("Deployment", LIST());
	list("ConfigMap", LIST());
	list("PersistentVolumeClaim",
	     LIST(MEMBER("data") "," MEMBER_MORE("scratch", "", ",'annotations':{'hearth.dev/prune':'true'}")));
	removes("scratch");
	prune_removed(&p);
	list("Namespace", LIST(MEMBER("home")));
	list("PersistentVolume", LIST(MEMBER("disk")));
	list("CustomResourceDefinition", LIST(MEMBER("things")));
	assert_int_equal(p.deleted, 1);
	assert_int_equal(p.kept, 4);
	assert_non_null(strstr(told, "Namespace home: left the set; kept"));
}

static void others_paused_and_leaving_ones_are_not_touched(void **state)
{
	(void)state;
	assert_int_equal(inventory_pause(&inv, "resting", true, &e), 0);
	begin();
	list("Deployment", LIST("{'metadata':{'name':'stray','uid':'u'}},"
	                        "{'metadata':{'name':'theirs','uid':'u','labels':{'applyset.kubernetes.io/"
	                        "part-of':'applyset-x-v1'}}},"
	                        "{'metadata':{'name':'nouid','labels':{'applyset.kubernetes.io/part-of':'" INVENTORY_ID
	                        "'}}}," MEMBER_MORE("mine", "'app.kubernetes.io/name':'resting',",
	                                            "") "," MEMBER_MORE("going", "", ",'deletionTimestamp':'t'")));
	list("ConfigMap", LIST());
	assert_int_equal(prune_next(&p).what, PRUNE_END);
	assert_int_equal(p.leaving, 0);
	assert_false(p.refused);
}

static void clean_kinds_are_not_asked_for(void **state)
{
	(void)state;
	clean = "Deployment";
	begin();
	list("ConfigMap", LIST(MEMBER("old")));
	list("ConfigMap", LIST(MEMBER("old")));
	removes("old");
	prune_removed(&p);
	assert_int_equal(prune_next(&p).what, PRUNE_END);
	clean = "ConfigMap";
	begin();
	list("Deployment", LIST(MEMBER("old")));
	clean = "Deployment"; /* it has gone by itself */
	list("Deployment", LIST(MEMBER("old")));
	removes("old");
	prune_removed(&p);
	list("ConfigMap", LIST());
	assert_int_equal(prune_next(&p).what, PRUNE_END);
	m.count = 1; /* one kind, and clean */
	assert_int_equal(inventory_init(&inv, &m, &e), 0);
	begin();
	assert_int_equal(prune_next(&p).what, PRUNE_END);
	assert_false(p.refused || p.incomplete);
}

static void lists_come_in_pages(void **state)
{
	(void)state;
	begin();
	list("Deployment", "{'metadata':{'continue':'a+/='},'items':[" MEMBER("keep") "," MEMBER("keep") "]}");
	struct prune_request r = prune_next(&p);
	assert_non_null(strstr(r.text, "&continue=a%2B%2F%3D"));
	list("Deployment", LIST(MEMBER("old")));
	list("ConfigMap", LIST());
	list("Deployment", "{'metadata':{'continue':'x'},'items':[" MEMBER("old") "]}");
	removes("old");
	prune_removed(&p);
	list("Deployment", LIST(MEMBER("old2"))); /* the second page */
	removes("old2");
	prune_skip(&p, false); /* gone by itself */
	list("ConfigMap", LIST());
	assert_int_equal(prune_next(&p).what, PRUNE_END);
	assert_int_equal(p.deleted, 1);
	assert_false(p.incomplete);
}

static void what_fails_leaves_the_rest_and_is_remembered(void **state)
{
	(void)state;
	begin();
	list("Deployment", LIST(MEMBER("keep") "," MEMBER("keep") "," MEMBER("a") "," MEMBER("b")));
	prune_skip(&p, true); /* ConfigMaps could not be listed */
	assert_true(p.incomplete);
	list("Deployment", LIST(MEMBER("a") "," MEMBER("b")));
	removes("a");
	prune_skip(&p, true);
	removes("b");
	prune_removed(&p);
	list("ConfigMap", LIST());
	assert_int_equal(prune_next(&p).what, PRUNE_END);
	assert_int_equal(p.deleted, 1);
}

static void rubbish_is_no_list(void **state)
{
	(void)state;
	begin();
	list("Deployment", "[]");
	list("ConfigMap", "{'items':{}}");
	assert_int_equal(prune_next(&p).what, PRUNE_END);
	prune_listed(&p, NULL);
	prune_removed(&p);
	prune_skip(&p, true);
	assert_int_equal(prune_next(&p).what, PRUNE_END);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_parent_names_kinds_namespaces_and_the_tool),
		TEST(the_id_is_that_of_its_parent),
		TEST(a_parent_of_another_tool_is_not_ours),
		TEST(a_list_of_kinds_that_is_too_long_is_refused),
		TEST(apps_are_paused_and_resumed),
		TEST(what_left_the_set_is_deleted),
		TEST(nothing_to_do_ends_after_the_count),
		TEST(more_than_half_is_not_deleted_unasked),
		TEST(what_is_kept_does_not_count_as_staying),
		TEST(an_empty_set_deletes_nothing),
		TEST(what_may_hold_data_goes_only_when_it_says_so),
		TEST(others_paused_and_leaving_ones_are_not_touched),
		TEST(clean_kinds_are_not_asked_for),
		TEST(lists_come_in_pages),
		TEST(what_fails_leaves_the_rest_and_is_remembered),
		TEST(rubbish_is_no_list),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
