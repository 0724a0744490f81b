/* Text form of the box's identity. Written by the storage role, read by PID 1. Pure; opens nothing. */
#include "host/identity.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"

#define CLOCK_MAX UINT64_C(253402300799) /* the end of the year 9999 */
#define BOOTS_MAX UINT64_C(1000000000)

bool identity_is_machine_id(const char *s)
{
	return strlen(s) == IDENTITY_MACHINE_ID - 1 && strspn(s, "0123456789abcdef") == IDENTITY_MACHINE_ID - 1;
}

bool identity_is_hostname(const char *s)
{
	size_t n = strlen(s);

	if (n == 0 || n >= IDENTITY_HOSTNAME || s[0] == '-' || s[n - 1] == '-')
		return false;
	return strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") == n;
}

static bool is_printable(char c)
{
	return c >= ' ' && c < 0x7f;
}

void identity_sentence(char *dst, size_t cap, const char *src)
{
	size_t n = 0;

	while (n + 1 < cap && src[n] != '\0' && src[n] != '\n') {
		dst[n] = src[n];
		if (!is_printable(dst[n]))
			dst[n] = '?';
		n++;
	}
	if (cap > 0)
		dst[n] = '\0';
}

static int set_machine_id(struct identity *id, const char *v)
{
	return identity_is_machine_id(v) ? str_copy(id->machine_id, sizeof(id->machine_id), v) : -1;
}

static int set_hostname(struct identity *id, const char *v)
{
	return identity_is_hostname(v) ? str_copy(id->hostname, sizeof(id->hostname), v) : -1;
}

static int set_boots(struct identity *id, const char *v)
{
	return str_u64(v, BOOTS_MAX, &id->boots);
}

static int set_clock(struct identity *id, const char *v)
{
	uint64_t n;

	if (str_u64(v, CLOCK_MAX, &n) < 0)
		return -1;
	id->clock = (int64_t)n;
	return 0;
}

static int set_last_shutdown(struct identity *id, const char *v)
{
	for (const char *p = v; *p; p++) {
		if (!is_printable(*p))
			return -1;
	}
	return str_copy(id->last_shutdown, sizeof(id->last_shutdown), v);
}

static void put_machine_id(const struct identity *id, struct buf *b)
{
	buf_add(b, id->machine_id);
}

static void put_hostname(const struct identity *id, struct buf *b)
{
	buf_add(b, id->hostname);
}

static void put_boots(const struct identity *id, struct buf *b)
{
	buf_addf(b, "%llu", (unsigned long long)id->boots);
}

static void put_clock(const struct identity *id, struct buf *b)
{
	buf_addf(b, "%lld", (long long)id->clock);
}

static void put_last_shutdown(const struct identity *id, struct buf *b)
{
	buf_add(b, id->last_shutdown);
}

static const struct {
	const char *key;
	int (*set)(struct identity *id, const char *value);
	void (*put)(const struct identity *id, struct buf *b);
} keys[] = {
	{"machine-id", set_machine_id, put_machine_id},
	{"hostname", set_hostname, put_hostname},
	{"boots", set_boots, put_boots},
	{"clock", set_clock, put_clock},
	{"last-shutdown", set_last_shutdown, put_last_shutdown},
};

#define ALL_KEYS ((1u << COUNT_OF(keys)) - 1)

/* One "key=value" line, terminated; *seen collects the keys met. */
static int take_line(struct identity *id, char *line, unsigned *seen, struct err *e)
{
	char *eq = strchr(line, '=');

	if (!eq)
		return err_set(e, EINVAL, "identity: a line without '='");
	*eq = '\0';
	for (unsigned i = 0; i < COUNT_OF(keys); i++) {
		if (!str_eq(line, keys[i].key))
			continue;
		if (*seen & 1u << i)
			return err_set(e, EINVAL, "identity: %s stands there twice", keys[i].key);
		*seen |= 1u << i;
		return keys[i].set(id, eq + 1) < 0 ? err_set(e, EINVAL, "identity: %s has a bad value", keys[i].key)
		                                   : 0;
	}
	return err_set(e, EINVAL, "identity: an unknown key");
}

int identity_parse(struct identity *id, const char *text, size_t len, struct err *e)
{
	char copy[IDENTITY_TEXT];
	unsigned seen = 0;

	memset(id, 0, sizeof(*id));
	if (len >= sizeof(copy))
		return err_set(e, EFBIG, "identity: larger than %d bytes", IDENTITY_TEXT - 1);
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (strlen(copy) != len)
		return err_set(e, EINVAL, "identity: not a text");
	for (char *line = copy; *line;) {
		char *end = strchr(line, '\n');
		if (!end)
			return err_set(e, EINVAL, "identity: the last line is cut");
		*end = '\0';
		if (take_line(id, line, &seen, e) < 0)
			return -1;
		line = end + 1;
	}
	return seen == ALL_KEYS ? 0 : err_set(e, EINVAL, "identity: not complete");
}

int identity_format(const struct identity *id, struct buf *b, struct err *e)
{
	struct identity check;

	for (unsigned i = 0; i < COUNT_OF(keys); i++) {
		buf_addf(b, "%s=", keys[i].key);
		keys[i].put(id, b);
		buf_add_char(b, '\n');
	}
	if (!buf_ok(b))
		return err_set(e, ENOSPC, "identity: does not fit");
	/* What cannot be read back must not be written. */
	return identity_parse(&check, b->data, b->len, e);
}
