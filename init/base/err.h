/* An error as a value: a code and a message that grows outside-in as it travels up.
 *
 * Convention of the whole program: a function that can fail returns 0 or -1 (or a
 * descriptor or -1) and takes `struct err *` as its last parameter. The callee sets it,
 * each caller on the way up may prefix it, and only the edge that decides what to do
 * logs it, once. `struct err` lives on the caller's stack; it holds no resources. */
#ifndef HEARTH_BASE_ERR_H
#define HEARTH_BASE_ERR_H

#define ERR_TEXT 256

struct err {
	int code;            /* errno-like; 0 means "no error set" */
	char text[ERR_TEXT]; /* always terminated; a longer message ends in "..." */
};

#define MUST_CHECK        __attribute__((warn_unused_result))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))

void err_put(struct err *e, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);
void err_put_sys(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3);
void err_put_prefix(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* -1 where a compiler or checker of the caller's file can see it: after `return err_set(...)` nothing goes on. */
static inline int err_failed(void)
{
	return -1;
}

/* Sets the message. The value is -1 so that `return err_set(...)` reads well. */
#define err_set(e, code, ...) (err_put((e), (code), __VA_ARGS__), err_failed())
/* As err_set with code = errno, and ": <strerror>" appended. */
#define err_sys(e, ...) (err_put_sys((e), __VA_ARGS__), err_failed())
/* Puts "<prefix>: " before the message. The value is -1. */
#define err_prefix(e, ...) (err_put_prefix((e), __VA_ARGS__), err_failed())
/* Forgets the error. */
void err_clear(struct err *e);

#endif
