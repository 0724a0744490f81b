/* Whatever PID 1 might answer, as text: no crash, nothing in it that could steer a terminal, and it ends with a line
 * break. The first byte chooses how it is shown and the width. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "console/notice.h"
#include "console/progress.h"
#include "console/render.h"
#include "console/status.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const commands[] = {"help", "status", "services", "facts", "events", "other"};

static void check(const struct buf *b, bool lines)
{
	for (size_t i = 0; i < b->len; i++) {
		unsigned char c = (unsigned char)b->data[i];
		if ((c < 0x20 && c != '\n') || c == 0x7f)
			abort();
	}
	if (lines && b->len && !b->overflow && b->data[b->len - 1] != '\n')
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char json[8192], text[131072], row[2048];
	static const unsigned widths[] = {0, 1, 32, 79, 200};
	static struct progress progress;
	static struct notices notices;
	struct buf out, waiting;
	if (size < 1 || size > sizeof(json))
		return 0;
	memcpy(json, data + 1, size - 1);
	json[size - 1] = '\0';
	unsigned width = widths[data[0] / COUNT_OF(commands) % COUNT_OF(widths)];
	buf_init(&out, text, sizeof(text));
	if (render_answer(commands[data[0] % COUNT_OF(commands)], json, width, &out) < 0 && out.len)
		abort();
	check(&out, true);
	buf_reset(&out);
	(void)status_render_text(json, json, width, &out);
	check(&out, true);
	buf_reset(&out);
	(void)render_event(json, width, &out);
	check(&out, true);
	buf_reset(&out);
	notice_init(&notices);
	(void)notice_event(&notices, json, 1000, width, &out);
	check(&out, true);
	buf_reset(&out);
	buf_init(&waiting, row, sizeof(row));
	progress_init(&progress);
	(void)progress_update(&progress, json, width, &out, &waiting);
	check(&out, true);
	check(&waiting, false);
	return 0;
}
