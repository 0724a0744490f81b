/* Terminal bytes to keys. Runs in the console role. Pure. */
#include "console/keys.h"

#include <string.h>

#include "base/str.h"

enum { STATE_GROUND, STATE_ESCAPE, STATE_CSI, STATE_SS3, STATE_LINUX_FUNCTION };

#define ESC 0x1b

static const struct {
	unsigned char byte;
	enum key key;
} control[] = {
	{0x01, KEY_HOME},      {0x02, KEY_LEFT},  {0x03, KEY_INTERRUPT},  {0x04, KEY_EOF},
	{0x05, KEY_END},       {0x06, KEY_RIGHT}, {0x08, KEY_BACKSPACE},  {0x09, KEY_TAB},
	{0x0b, KEY_KILL_END},  {0x0c, KEY_CLEAR}, {0x0d, KEY_ENTER},      {0x0a, KEY_ENTER},
	{0x0e, KEY_DOWN},      {0x10, KEY_UP},    {0x15, KEY_KILL_START}, {0x17, KEY_KILL_WORD},
	{0x7f, KEY_BACKSPACE},
};

/* The last byte of ESC [ ... or ESC O ...; `plain` without, `modified` with Ctrl or Alt. */
static const struct {
	char final;
	enum key plain, modified;
} final_keys[] = {
	{'A', KEY_UP, KEY_UP},          {'B', KEY_DOWN, KEY_DOWN}, {'C', KEY_RIGHT, KEY_WORD_RIGHT},
	{'D', KEY_LEFT, KEY_WORD_LEFT}, {'H', KEY_HOME, KEY_HOME}, {'F', KEY_END, KEY_END},
	{'M', KEY_ENTER, KEY_ENTER}, /* ESC O M: Enter of the number pad */
};

/* ESC [ NUMBER ~ */
static const struct {
	unsigned number;
	enum key key;
} tilde[] = {{1, KEY_HOME}, {7, KEY_HOME}, {3, KEY_DELETE}, {4, KEY_END}, {8, KEY_END}};

void keys_init(struct keys *k)
{
	memset(k, 0, sizeof(*k));
}

static enum key ground(struct keys *k, unsigned char byte)
{
	bool after_cr = k->after_cr;
	k->after_cr = byte == '\r';
	if (byte == '\n' && after_cr)
		return KEY_NONE;
	if (byte == ESC) {
		k->state = STATE_ESCAPE;
		k->length = 0;
		return KEY_NONE;
	}
	if (byte >= 0x20 && byte < 0x7f) {
		k->text = (char)byte;
		return KEY_TEXT;
	}
	for (size_t i = 0; i < COUNT_OF(control); i++)
		if (control[i].byte == byte)
			return control[i].key;
	return KEY_NONE;
}

static enum key escape(struct keys *k, unsigned char byte)
{
	k->state = STATE_GROUND;
	if (byte == '[' || byte == 'O') {
		k->state = byte == '[' ? STATE_CSI : STATE_SS3;
		k->number = 0;
		k->first = true;
		k->modified = false;
		return KEY_NONE;
	}
	if (byte == 'b')
		return KEY_WORD_LEFT;
	if (byte == 'f')
		return KEY_WORD_RIGHT;
	if (byte == 0x7f || byte == 0x08)
		return KEY_KILL_WORD;
	/* A person pressed Escape and went on typing: nothing they type may get lost. */
	return ground(k, byte);
}

static enum key sequence_end(struct keys *k, unsigned char byte)
{
	k->state = STATE_GROUND;
	if (byte == '~') {
		for (size_t i = 0; i < COUNT_OF(tilde); i++)
			if (tilde[i].number == k->number)
				return tilde[i].key;
		return KEY_NONE;
	}
	for (size_t i = 0; i < COUNT_OF(final_keys); i++)
		if (final_keys[i].final == (char)byte)
			return k->modified ? final_keys[i].modified : final_keys[i].plain;
	return KEY_NONE;
}

static enum key sequence(struct keys *k, unsigned char byte)
{
	if (byte >= 0x40 && byte < 0x7f) {
		/* ESC [ [ A: a function key of the Linux screen; one more byte belongs to it. */
		if (byte == '[' && k->state == STATE_CSI && k->length == 1) {
			k->state = STATE_LINUX_FUNCTION;
			return KEY_NONE;
		}
		return sequence_end(k, byte);
	}
	if (byte < 0x20 || byte >= 0x7f) {
		/* A broken sequence: the byte counts for itself (Ctrl-C above all). */
		k->state = STATE_GROUND;
		return ground(k, byte);
	}
	if (byte == ';')
		k->first = false;
	else if (byte >= '0' && byte <= '9' && k->first)
		k->number = k->number < 1000 ? k->number * 10 + (byte - '0') : k->number;
	else if (byte >= '3' && byte <= '8')
		k->modified = true;
	return KEY_NONE;
}

enum key keys_feed(struct keys *k, unsigned char byte)
{
	if (k->state == STATE_GROUND)
		return ground(k, byte);
	if (++k->length > KEYS_SEQUENCE)
		k->state = STATE_GROUND;
	switch (k->state) {
	case STATE_ESCAPE:
		k->length = 0;
		return escape(k, byte);
	case STATE_CSI:
	case STATE_SS3:
		return sequence(k, byte);
	case STATE_LINUX_FUNCTION:
		k->state = STATE_GROUND;
		return KEY_NONE;
	default:
		return ground(k, byte);
	}
}
