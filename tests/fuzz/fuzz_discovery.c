/* kube/discovery: whatever an API server sends, the table is sound, each of its kinds is found again by its own name,
 * and names are fit for a path. */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "fuzz/check.h"
#include "kube/discovery.h"

#define LOWER "abcdefghijklmnopqrstuvwxyz0123456789"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

static struct discovery d;

static void check_text(const struct discovery_doc *doc, uint16_t at)
{
	FUZZ_CHECK(at < doc->text_len && memchr(doc->text + at, '\0', doc->text_len - at));
}

static void check_sound(const struct discovery_doc *doc)
{
	FUZZ_CHECK(doc->rows <= DISCOVERY_KINDS && doc->text_len <= DISCOVERY_TEXT && doc->text_len > 0);
	FUZZ_CHECK(doc->text[0] == '\0' && doc->text[doc->text_len - 1] == '\0');
	for (size_t i = 0; i < doc->rows; i++) {
		check_text(doc, doc->row[i].group);
		check_text(doc, doc->row[i].version);
		check_text(doc, doc->row[i].kind);
		check_text(doc, doc->row[i].plural);
	}
}

static void check_kind(const struct discovery_kind *k)
{
	struct discovery_kind again;
	struct err e = {0};

	FUZZ_CHECK(k->version[0] && k->kind[0] && k->plural[0]);
	FUZZ_CHECK(k->group[strspn(k->group, LOWER ".-")] == '\0' && k->version[strspn(k->version, LOWER)] == '\0');
	FUZZ_CHECK(k->plural[strspn(k->plural, LOWER ".-")] == '\0' && k->kind[strspn(k->kind, LOWER UPPER)] == '\0');
	FUZZ_CHECK(discovery_find(&d, k->group, k->version, k->kind, &again, &e) == 0);
	FUZZ_CHECK(str_eq(again.group, k->group) && str_eq(again.version, k->version) && str_eq(again.kind, k->kind));
	FUZZ_CHECK(discovery_find(&d, k->group, NULL, k->kind, &again, &e) == 0);
	FUZZ_CHECK(discovery_find(&d, k->group, "no", k->kind, &again, &e) < 0 || str_eq(again.version, "no"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct discovery_doc *doc = &d.doc[DISCOVERY_CORE];
	struct discovery_kind k;
	struct err e = {0};
	char *json = calloc(1, size + KCLIENT_PAD);

	FUZZ_CHECK(json);
	memcpy(json, data, size);
	int rc = discovery_parse(doc, json, size, &e);
	free(json);
	check_sound(doc);
	FUZZ_CHECK(rc == 0 || (doc->rows == 0 && str_starts(e.text, "discovery: ")));
	size_t i;
	for (i = 0; discovery_at(&d, i, &k) == 0; i++)
		check_kind(&k);
	FUZZ_CHECK(i <= doc->rows);
	return 0;
}
