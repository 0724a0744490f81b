/* Bytes of a terminal to keys: control characters and the escape sequences of VT100-like terminals, the Linux screen
 * included. A pure state machine; sequences it does not know are swallowed whole, and no input can confuse it for
 * longer than KEYS_SEQUENCE bytes. Text is ASCII: names and commands are; other bytes are ignored. */
#ifndef HEARTH_CONSOLE_KEYS_H
#define HEARTH_CONSOLE_KEYS_H

#include <stdbool.h>

#define KEYS_SEQUENCE 24

enum key {
	KEY_NONE,  /* nothing yet, or nothing of interest */
	KEY_TEXT,  /* keys->text */
	KEY_ENTER, /* CR, LF or CR LF */
	KEY_TAB,
	KEY_BACKSPACE, /* BS or DEL */
	KEY_DELETE,
	KEY_LEFT,
	KEY_RIGHT,
	KEY_WORD_LEFT,
	KEY_WORD_RIGHT,
	KEY_UP,
	KEY_DOWN,
	KEY_HOME,
	KEY_END,
	KEY_KILL_END,   /* Ctrl-K */
	KEY_KILL_START, /* Ctrl-U */
	KEY_KILL_WORD,  /* Ctrl-W */
	KEY_CLEAR,      /* Ctrl-L */
	KEY_INTERRUPT,  /* Ctrl-C */
	KEY_EOF         /* Ctrl-D */
};

struct keys {
	int state;
	unsigned length; /* bytes of the sequence so far */
	unsigned number; /* its first parameter */
	bool first;      /* still in the first parameter */
	bool modified;   /* Ctrl or Alt stands in the second parameter */
	bool after_cr;   /* an LF now belongs to the Enter before */
	char text;
};

void keys_init(struct keys *k);
enum key keys_feed(struct keys *k, unsigned char byte);

#endif
