/* Strings: bounded copies and strict number parsing. Truncation fails instead of cutting. */
#ifndef HEARTH_BASE_STR_H
#define HEARTH_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

/* 0, or -1 when src does not fit (dst is then empty). */
MUST_CHECK int str_copy(char *dst, size_t cap, const char *src);
/* snprintf that fails on truncation: 0 or -1. */
MUST_CHECK int str_format(char *dst, size_t cap, const char *fmt, ...) PRINTF_LIKE(3, 4);
bool str_eq(const char *a, const char *b);
bool str_starts(const char *s, const char *prefix);
/* Something, and then the suffix. */
bool str_ends(const char *s, const char *suffix);
/* Decimal only, whole string, no sign, no blanks; 0 or -1. */
MUST_CHECK int str_u64(const char *s, uint64_t max, uint64_t *out);
/* "30s", "500ms", "2m", "1h" to milliseconds; 0 or -1. */
MUST_CHECK int str_duration_ms(const char *s, uint64_t *out);
/* "512K", "64M", "2G" or plain bytes to bytes; 0 or -1. */
MUST_CHECK int str_size(const char *s, uint64_t *out);
/* Value of a lower-case hexadecimal digit, or -1. */
int str_hex_digit(char c);
/* The first 2n lower-case hexadecimal digits of s as n bytes; 0, or -1: there are not so many. What stands behind them
 * is the caller's. */
MUST_CHECK int str_hex(const char *s, uint8_t *to, size_t n);
/* A service, fact or command name: [a-z][a-z0-9-]*, at most LIMIT_NAME - 1 bytes. */
bool str_is_name(const char *s);
/* FNV-1a, 32 bits, over n bytes, going on from h; the first h is STR_HASH. For tables and for noticing changes, not
 * against anybody who makes collisions. */
#define STR_HASH 2166136261u
uint32_t str_hash(uint32_t h, const char *s, size_t n);
/* Levenshtein distance, at most `cap`: for "did you mean". */
unsigned str_distance(const char *a, const char *b, unsigned cap);

#endif
