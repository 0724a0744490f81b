/* kube/watch: pages and lines of any bytes, one a line, leave a machine that asks for something that can be asked. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "fuzz/check.h"
#include "kube/watch.h"

#define LINE 4096

static bool in_list;

static void on_object(struct watch *w, enum watch_event ev, yyjson_val *object)
{
	(void)w;
	(void)object;
	FUZZ_CHECK(ev != WATCH_LISTED || in_list);
}

static void on_list(struct watch *w, bool complete)
{
	(void)w;
	FUZZ_CHECK(!complete || in_list); /* a list has begun before it is complete */
	in_list = !complete;
}

static const struct watch_ops ops = {on_object, on_list};

static void take(struct watch *w, const char *text, size_t n)
{
	char line[LINE + YYJSON_PADDING_SIZE] = {0};
	struct err e = {0};
	memcpy(line, text, n);
	if (w->state == WATCH_OPEN) {
		int rc = watch_line(w, line, n, &e);
		FUZZ_CHECK(rc == 0 || e.text[0] != '\0');
		FUZZ_CHECK((rc < 0 && e.code == ESTALE) == (w->state == WATCH_LIST));
		return;
	}
	yyjson_doc *doc = yyjson_read(line, n, 0);
	int rc = watch_page(w, yyjson_doc_get_root(doc), &e);
	FUZZ_CHECK(rc == 0 || (e.text[0] != '\0' && w->state == WATCH_LIST && !w->more));
	FUZZ_CHECK(rc < 0 || (w->state == WATCH_OPEN) == !w->more);
	yyjson_doc_free(doc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	char query[4 * WATCH_CONTINUE];
	struct watch w;
	struct buf b;
	in_list = false;
	watch_init(&w, &ops, NULL);
	while (size > 0) {
		const char *end = memchr(text, '\n', size);
		size_t n = end ? (size_t)(end - text) : size;
		take(&w, text, n < LINE ? n : LINE);
		buf_init(&b, query, sizeof(query));
		watch_query(&w, &b);
		FUZZ_CHECK(buf_ok(&b) && !strpbrk(query, " \n\"/#"));
		text += n + (end != NULL);
		size -= n + (end != NULL);
	}
	watch_free(&w);
	return 0;
}
