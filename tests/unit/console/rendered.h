/* For tests: an answer as text, which is never wider than asked for. */
#ifndef HEARTH_TESTS_UNIT_CONSOLE_RENDERED_H
#define HEARTH_TESTS_UNIT_CONSOLE_RENDERED_H

#include "console/render.h"

static char data[65536];
static struct buf b;

static const char *render(const char *command, const char *json, unsigned width)
{
	buf_init(&b, data, sizeof(data));
	assert_return_code(render_answer(command, json, width, &b), 0);
	assert_true(buf_ok(&b));
	unsigned column = 0;
	for (const char *p = data; *p; p++) {
		column = *p == '\n' ? 0 : column + 1;
		if (width && column > width)
			fail_msg("wider than %u:\n%s", width, data);
	}
	return data;
}

#endif
