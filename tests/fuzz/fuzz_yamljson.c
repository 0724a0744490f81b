/* format/yamljson, format/yamltype and kube/site: whatever the text, its documents are all of it; each becomes JSON
 * that a strict reader takes, the same when asked again, or one message with file and line. */
#include <string.h>
#include <yyjson.h>

#include "base/str.h"
#include "format/yamljson.h"
#include "fuzz/check.h"
#include "kube/site.h"

#define JSON 65536

static struct yamljson y;
static struct settings site;
static char json[2][JSON];

/* "f.yaml:LINE: what" */
static void check_message(const struct err *e, uint64_t last)
{
	uint64_t line;
	char digits[24] = "";

	FUZZ_CHECK(e->code != 0 && str_starts(e->text, "f.yaml:"));
	size_t n = strcspn(e->text + 7, ":");
	FUZZ_CHECK(n < sizeof(digits) && str_starts(e->text + 7 + n, ": "));
	memcpy(digits, e->text + 7, n);
	FUZZ_CHECK(str_u64(digits, last, &line) == 0 && line >= 1);
}

static void check_pick(const struct yamljson_pick *p, const char *text, yyjson_val *root)
{
	yyjson_val *v = root;

	for (unsigned i = 0; i < YAMLJSON_PICK && p->key[i]; i++)
		v = yyjson_obj_get(v, p->key[i]);
	FUZZ_CHECK((v != NULL) == (p->len > 0));
	if (yyjson_is_str(v))
		FUZZ_CHECK(text[p->at] == '"' && text[p->at + p->len - 1] == '"');
	else if (v)
		FUZZ_CHECK(text[p->at] != '"');
}

static void check_json(const char *text, size_t len, const struct yamljson_pick *pick, unsigned picks)
{
	yyjson_doc *doc = yyjson_read(text, len, YYJSON_READ_NUMBER_AS_RAW);

	FUZZ_CHECK(doc && yyjson_is_obj(yyjson_doc_get_root(doc)));
	FUZZ_CHECK(!memchr(text, '\n', len)); /* compact: no blanks between the tokens */
	for (unsigned i = 0; i < picks; i++)
		check_pick(&pick[i], text, yyjson_doc_get_root(doc));
	yyjson_doc_free(doc);
}

static void convert(const char *text, const struct yamljson_doc *d, int last)
{
	struct yamljson_pick pick[] = {
		{.key = {NULL}}, {.key = {"kind"}}, {.key = {"metadata", "name"}}, {.key = {"spec", "a", "b", "c"}}};
	struct yamljson_in in = {.file = "f.yaml", .line = d->line, .text = text + d->at, .len = d->len};
	struct buf out[2];
	struct err e = {0};

	in.find = site_find;
	in.arg = &site;
	in.pick = pick;
	in.picks = COUNT_OF(pick);
	buf_init(&out[0], json[0], JSON);
	buf_init(&out[1], json[1], JSON);
	if (yamljson_convert(&y, &in, &out[0], &e) < 0) {
		check_message(&e, (uint64_t)last);
		return;
	}
	FUZZ_CHECK(buf_ok(&out[0]));
	if (out[0].len > 0)
		check_json(json[0], out[0].len, pick, COUNT_OF(pick));
	FUZZ_CHECK(yamljson_convert(&y, &in, &out[1], &e) == 0 && str_eq(json[0], json[1]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct yamljson_doc d = {.len = 0};
	size_t at = 0;
	int last = 1;

	if (size > JSON / 8)
		return 0;
	settings_default(&site);
	site.site[0] = (struct settings_value){"domain", "home.arpa"};
	site.site[1] = (struct settings_value){"n", "0x10"};
	for (size_t i = 0; i < size; i++)
		last += text[i] == '\n';
	while (yamljson_next(text, size, true, &d)) {
		FUZZ_CHECK(d.at == at && d.len > 0);
		at += d.len;
		convert(text, &d, last);
	}
	FUZZ_CHECK(at == size);
	return 0;
}
