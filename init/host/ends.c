/* Text form of how runs ended; see ends.h. Pure; opens nothing. */
#include "host/ends.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/str.h"

#define UPTIME_MAX UINT64_C(9999999999) /* three hundred years */
#define WORD       32

static const char *const names[] = {
#define X(id, name) name,
	END_KINDS(X)
#undef X
};

const char *end_kind_name(enum end_kind k)
{
	return (size_t)k < COUNT_OF(names) ? names[k] : "?";
}

static int set_kind(struct end *n, const char *word)
{
	for (unsigned i = 0; i < COUNT_OF(names); i++) {
		if (!str_eq(names[i], word))
			continue;
		n->kind = (enum end_kind)i;
		return 0;
	}
	/* A newer version knows more of them; the rest of the line tells. */
	n->kind = END_ASKED;
	return str_is_name(word) ? 0 : -1;
}

static int set_time(struct end *n, const char *word)
{
	uint64_t v;

	if (str_u64(word, END_TIME_MAX, &v) < 0)
		return -1;
	n->time = (int64_t)v;
	return 0;
}

static int set_uptime(struct end *n, const char *word)
{
	return str_u64(word, UPTIME_MAX, &n->uptime);
}

static int set_slot(struct end *n, const char *word)
{
	return str_copy(n->slot, sizeof(n->slot), str_eq(word, "-") ? "" : word);
}

static int set_version(struct end *n, const char *word)
{
	return str_copy(n->version, sizeof(n->version), str_eq(word, "-") ? "" : word);
}

static int set_well(struct end *n, const char *word)
{
	n->well = str_eq(word, "well");
	return n->well || str_eq(word, "ill") ? 0 : -1;
}

static int (*const words[])(struct end *n, const char *word) = {
	set_kind, set_time, set_uptime, set_slot, set_version, set_well,
};

static bool is_printable(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (s[i] < ' ' || s[i] >= 0x7f)
			return false;
	}
	return true;
}

int end_parse(struct end *n, const char *line)
{
	char word[WORD];
	size_t len = strcspn(line, "\n");

	memset(n, 0, sizeof(*n));
	if (!is_printable(line, len))
		return -1;
	for (size_t i = 0; i < COUNT_OF(words); i++) {
		size_t w = strcspn(line, " \n");
		if (w == 0 || line[w] != ' ' || str_format(word, sizeof(word), "%.*s", (int)w, line) < 0 ||
		    words[i](n, word) < 0)
			return -1;
		line += w + 1;
		len -= w + 1;
	}
	return str_format(n->why, sizeof(n->why), "%.*s", (int)len, line);
}

static const char *or_dash(const char *s)
{
	return s[0] != '\0' ? s : "-";
}

int end_format(const struct end *n, struct buf *b, struct err *e)
{
	char line[END_LINE];
	struct end check;

	/* What cannot be read back must not be written. */
	if (str_format(line, sizeof(line), "%s %" PRId64 " %" PRIu64 " %s %s %s %s\n", end_kind_name(n->kind), n->time,
	               n->uptime, or_dash(n->slot), or_dash(n->version), n->well ? "well" : "ill", n->why) < 0 ||
	    end_parse(&check, line) < 0 || !str_eq(check.why, n->why) || !str_eq(check.version, n->version))
		return err_set(e, EINVAL, "how a run ended: a field has a bad value");
	buf_add(b, line);
	return buf_ok(b) ? 0 : err_set(e, ENOSPC, "how runs ended: does not fit");
}

unsigned ends_parse(struct ends *all, const char *text, size_t len)
{
	char line[END_LINE];
	struct end n;
	unsigned bad = 0;

	memset(all, 0, sizeof(*all));
	for (size_t at = 0; at < len;) {
		const char *end = memchr(text + at, '\n', len - at);
		size_t size = end ? (size_t)(end - text) - at : len - at;
		bool whole = end && size < sizeof(line);
		if (whole) {
			memcpy(line, text + at, size);
			line[size] = '\0';
		}
		/* A NUL would hide what follows it. */
		if (whole && strlen(line) == size && end_parse(&n, line) == 0)
			ends_add(all, &n);
		else
			bad++;
		at += size + (end != NULL);
	}
	return bad;
}

int ends_format(const struct ends *all, struct buf *b, struct err *e)
{
	for (unsigned i = 0; i < all->count; i++) {
		if (end_format(&all->end[i], b, e) < 0)
			return -1;
	}
	return 0;
}

void ends_add(struct ends *all, const struct end *n)
{
	if (all->count == ENDS_KEPT) {
		all->count--;
		memmove(&all->end[0], &all->end[1], sizeof(all->end[0]) * all->count);
	}
	all->end[all->count++] = *n;
}

bool end_is_crash(enum end_kind k)
{
	return k == END_WATCHDOG || k == END_PANIC || k == END_PID1_FAULT;
}

unsigned ends_crashes(const struct ends *all, const char *slot)
{
	unsigned i = all->count;

	while (i > 0 && end_is_crash(all->end[i - 1].kind) && !all->end[i - 1].well &&
	       str_eq(all->end[i - 1].slot, slot))
		i--;
	return all->count - i;
}
