/* What a terminal sends, garbage included, into the line editor: the line keeps its bounds, what is drawn is plain, and
 * a tiny one-row terminal always agrees with the editor about where the cursor is. Finished lines are split and
 * completed. The first byte chooses the width. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "console/keys.h"
#include "console/line.h"
#include "console/words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned at, columns;

static void must(bool true_always)
{
	if (!true_always)
		abort();
}

static void terminal(const struct buf *b)
{
	must(buf_ok(b));
	for (size_t i = 0; i < b->len; i++) {
		unsigned char c = (unsigned char)b->data[i];
		must(c != '\b' || at > 0);
		if (c == '\r' || c == '\n')
			at = 0;
		else if (c == '\b')
			at--;
		else
			at++;
		must(c == '\r' || c == '\n' || c == '\b' || (c >= 0x20 && c < 0x7f));
		must(at <= columns);
	}
}

static void finished(const char *text)
{
	static struct vocabulary v;
	static bool known;
	struct words w;
	struct words_logs logs;
	struct err e;
	char add[LIMIT_NAME * 2], list[WORDS_COMMANDS * (LIMIT_NAME + 2)];
	struct buf a, l;
	if (!known)
		vocabulary_commands(&v,
		                    "{\"commands\":[{\"name\":\"start\"},{\"name\":\"stop\"},{\"name\":\"logs\"}]}");
	if (!known)
		vocabulary_services(
			&v, "{\"services\":[{\"name\":\"web\"},{\"name\":\"console-a\"},{\"name\":\"console-b\"}]}");
	known = true;
	buf_init(&a, add, sizeof(add));
	buf_init(&l, list, sizeof(list));
	vocabulary_complete(&v, text, (unsigned)strlen(text), &a, &l);
	must(buf_ok(&a) && buf_ok(&l));
	if (words_split(&w, text, &e) == 0 && w.argc) {
		must(w.argc <= WORDS_MAX);
		(void)vocabulary_nearest(&v, w.argv[0]);
		if (words_logs(w.argc, w.argv, &logs, &e) == 0)
			must(logs.name && logs.lines <= WORDS_LOGS_MOST);
	}
}

static void show(struct line *line, struct buf *out)
{
	buf_reset(out);
	line_show(line, out);
	terminal(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct line line;
	struct keys keys;
	char drawn[LINE_OUTPUT];
	struct buf out;
	keys_init(&keys);
	line_init(&line, size ? data[0] : 79);
	columns = line.width;
	at = 0;
	buf_init(&out, drawn, sizeof(drawn));
	show(&line, &out);
	for (size_t i = 1; i < size; i++) {
		buf_reset(&out);
		enum key key = keys_feed(&keys, data[i]); /* sets keys.text */
		enum line_result r = line_key(&line, key, keys.text, &out);
		terminal(&out);
		must(strlen(line.text) == line.length && line.cursor <= line.length && line.past <= LINE_HISTORY);
		if (r == LINE_DONE || r == LINE_TAB)
			finished(line.text);
		if (r == LINE_DONE || r == LINE_INTERRUPT) {
			line_reset(&line);
			show(&line, &out);
		}
		must(at == line.at);
	}
	return 0;
}
