/* format/yaml: whatever the text, a tree with sound lines and keys, or one message with file and line. */
#include <string.h>

#include "base/str.h"
#include "format/yaml.h"
#include "fuzz/check.h"

static struct yaml y;
static size_t lines;

static size_t check_tree(const struct yaml_node *n, bool in_map)
{
	size_t count = 1;

	FUZZ_CHECK(n->line >= 1 && (size_t)n->line <= lines);
	FUZZ_CHECK((n->key != NULL) == in_map);
	FUZZ_CHECK(n->kind == YAML_SCALAR ? n->first == NULL : n->text[0] == '\0');
	FUZZ_CHECK(n->text[0] == '\0' || (n->text >= y.text && n->text + strlen(n->text) < y.text + y.text_len));
	for (const struct yaml_node *c = n->first; c; c = c->next) {
		FUZZ_CHECK(c->line >= n->line);
		for (const struct yaml_node *d = c->next; d && n->kind == YAML_MAP; d = d->next)
			FUZZ_CHECK(!str_eq(c->key, d->key));
		count += check_tree(c, n->kind == YAML_MAP);
	}
	return count;
}

/* "f.yaml:LINE: what; what to do" */
static void check_message(const struct err *e)
{
	uint64_t line;
	char digits[24] = "";

	FUZZ_CHECK(e->code != 0 && str_starts(e->text, "f.yaml:"));
	size_t n = strcspn(e->text + 7, ":");
	FUZZ_CHECK(n < sizeof(digits) && str_starts(e->text + 7 + n, ": "));
	memcpy(digits, e->text + 7, n);
	FUZZ_CHECK(str_u64(digits, lines, &line) == 0 && line >= 1);
	FUZZ_CHECK(strstr(e->text, "; "));
}

static int set(const struct yaml *from, const struct yaml_node *v, void *into, struct err *e)
{
	(void)into;
	return v->text[0] ? 0 : yaml_error(from, v, e, "nothing there; write something");
}

static const struct yaml_key keys[] = {{"name", set, true}, {"command", set, false}, {NULL, NULL, false}};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct yaml_node *root = NULL;
	struct err e = {0};

	lines = 1;
	for (size_t i = 0; i + 1 < size; i++)
		lines += data[i] == '\n';
	if (yaml_parse(&y, "f.yaml", (const char *)data, size, &root, &e) < 0) {
		check_message(&e);
		return 0;
	}
	FUZZ_CHECK(size <= LIMIT_FILE && root && root->kind == YAML_MAP);
	FUZZ_CHECK(check_tree(root, false) == y.nodes);
	if (yaml_walk(&y, root, keys, NULL, &e) < 0)
		check_message(&e);
	return 0;
}
