/* The kernel's command line. Used by stage 1, PID 1 and the storage role; never acts on what it reads. */
#include "host/cmdline.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/paths.h"
#include "base/str.h"

#define WORD         128
#define CMDLINE_TEXT 4096 /* COMMAND_LINE_SIZE is 2048 on x86 */

static int set_slot(struct cmdline *c, const char *value)
{
	if (!str_eq(value, "a") && !str_eq(value, "b"))
		return -1;
	return str_copy(c->slot, sizeof(c->slot), value);
}

static int set_root(struct cmdline *c, const char *value)
{
	const char *p = value;

	if (strlen(value) != 36)
		return -1;
	for (unsigned i = 0; i < 16; i++) {
		if ((i == 4 || i == 6 || i == 8 || i == 10) && *p++ != '-')
			return -1;
		if (str_hex_digit(p[0]) < 0 || str_hex_digit(p[1]) < 0)
			return -1;
		c->uuid[i] = (uint8_t)(str_hex_digit(p[0]) << 4 | str_hex_digit(p[1]));
		p += 2;
	}
	return str_copy(c->uuid_text, sizeof(c->uuid_text), value);
}

static int set_roothash(struct cmdline *c, const char *value)
{
	if (strlen(value) != 64 || strspn(value, "0123456789abcdef") != 64)
		return -1;
	return str_copy(c->roothash, sizeof(c->roothash), value);
}

static int set_kubernetes(struct cmdline *c, const char *value)
{
	if (!str_eq(value, "on") && !str_eq(value, "off"))
		return -1;
	c->no_kubernetes = str_eq(value, "off");
	return 0;
}

static int set_safe(struct cmdline *c, const char *value)
{
	c->safe = value[0] == '\0';
	return c->safe ? 0 : -1;
}

static int set_test(struct cmdline *c, const char *value)
{
	c->hang = str_eq(value, "hang");
	c->hang_early = str_eq(value, "hang-early");
	return c->hang || c->hang_early ? 0 : -1;
}

static const struct {
	const char *key;
	int (*set)(struct cmdline *c, const char *value);
	const char *shape;
} keys[] = {
	{"hearth.slot=", set_slot, "a or b"},
	{"hearth.root=", set_root, "a lower-case UUID"},
	{"hearth.roothash=", set_roothash, "64 lower-case hexadecimal digits"},
	{"hearth.kubernetes=", set_kubernetes, "on or off"},
	{"hearth.safe", set_safe, "without a value"},
	{"hearth.test=", set_test, "hang or hang-early"},
};

static int take_word(struct cmdline *c, const char *word, struct err *e)
{
	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		if (!str_starts(word, keys[i].key))
			continue;
		if (keys[i].set(c, word + strlen(keys[i].key)) < 0)
			return err_set(e, EINVAL, "kernel command line: %s: must be %s", word, keys[i].shape);
	}
	return 0;
}

static bool is_blank(char ch)
{
	return ch == ' ' || ch == '\n' || ch == '\t' || ch == '\0';
}

int cmdline_parse(struct cmdline *c, const char *text, size_t len, struct err *e)
{
	char word[WORD];
	size_t n = 0;

	memset(c, 0, sizeof(*c));
	for (size_t i = 0; i <= len; i++) {
		if (i < len && !is_blank(text[i])) {
			/* A word longer than any of ours is not ours: only its head is kept. */
			if (n < sizeof(word) - 1)
				word[n++] = text[i];
			continue;
		}
		word[n] = '\0';
		n = 0;
		if (take_word(c, word, e) < 0)
			return -1;
	}
	c->has_root = c->uuid_text[0] && c->roothash[0];
	return 0;
}

int cmdline_read(struct cmdline *c, struct err *e)
{
	char text[CMDLINE_TEXT];
	struct buf b;

	buf_init(&b, text, sizeof(text));
	if (file_read(PATH_PROC_CMDLINE, &b, e) < 0)
		return -1;
	return cmdline_parse(c, b.data, b.len, e);
}
