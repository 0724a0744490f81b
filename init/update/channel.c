/* A channel's index: from text, against the clock, and what to take of it. Runs in the update worker and in the role
 * that looks for updates; parses bytes from outside, so never in PID 1. */
#include "update/channel.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/str.h"

#define FORMAT        1
#define LATEST        (1LL << 40) /* seconds since 1970: far beyond any clock, and sums do not overflow */
#define VALUE_SHOWN   48          /* bytes of a value in a message */
#define DAY           86400
#define SHA256_DIGITS ((size_t)2 * CHANNEL_SHA256)

static const char *text_of(const struct yaml_node *v)
{
	return v->kind == YAML_SCALAR ? v->text : "";
}

static int take_number(const struct yaml *y, const struct yaml_node *v, uint64_t min, uint64_t max, uint64_t *out,
                       struct err *e)
{
	if (v->kind != YAML_SCALAR || str_u64(v->text, max, out) < 0 || *out < min)
		return yaml_error(y, v, e, "%s '%.*s' is none; write a whole number from %llu to %llu", v->key,
		                  VALUE_SHOWN, text_of(v), (unsigned long long)min, (unsigned long long)max);
	return 0;
}

static int take_time(const struct yaml *y, const struct yaml_node *v, int64_t *out, struct err *e)
{
	uint64_t seconds = 0;

	if (take_number(y, v, 1, LATEST, &seconds, e) < 0)
		return -1;
	*out = (int64_t)seconds;
	return 0;
}

static int take_name(const struct yaml *y, const struct yaml_node *v, char dst[LIMIT_NAME], struct err *e)
{
	if (v->kind != YAML_SCALAR || !str_is_name(v->text))
		return yaml_error(y, v, e, "%s '%.*s' is none; use up to %d small letters, digits and '-'", v->key,
		                  VALUE_SHOWN, text_of(v), LIMIT_NAME - 1);
	return str_copy(dst, LIMIT_NAME, v->text); /* fits: str_is_name */
}

/* Both have been read before. */
static int compare(const char *a, const char *b)
{
	struct version left = {{0}}, right = {{0}};

	return version_read(a, &left) < 0 || version_read(b, &right) < 0 ? 0 : version_compare(&left, &right);
}

static int take_version(const struct yaml *y, const struct yaml_node *v, char dst[VERSION_TEXT], struct err *e)
{
	struct version ignored;

	if (v->kind != YAML_SCALAR || version_read(v->text, &ignored) < 0)
		return yaml_error(y, v, e, "%s '%.*s' is none; write one to three numbers with dots, such as 0.2.0",
		                  v->key, VALUE_SHOWN, text_of(v));
	return str_copy(dst, VERSION_TEXT, v->text); /* fits: version_read */
}

static int set_version(const struct yaml *y, const struct yaml_node *v, void *into, struct err *e)
{
	return take_version(y, v, ((struct channel_version *)into)->version, e);
}

static int set_minimum(const struct yaml *y, const struct yaml_node *v, void *into, struct err *e)
{
	return take_version(y, v, ((struct channel_version *)into)->minimum, e);
}

static int set_board(const struct yaml *y, const struct yaml_node *v, void *into, struct err *e)
{
	return take_name(y, v, ((struct channel_version *)into)->board, e);
}

static int set_url(const struct yaml *y, const struct yaml_node *v, void *into, struct err *e)
{
	struct channel_version *to = into;
	struct err why = {0};

	if (v->kind != YAML_SCALAR || url_check_reference(v->text, &why) < 0)
		return yaml_error(y, v, e, "url: %s", v->kind == YAML_SCALAR ? why.text : "write one text");
	return str_copy(to->url, sizeof(to->url), v->text); /* fits: checked */
}

static int set_size(const struct yaml *y, const struct yaml_node *v, void *into, struct err *e)
{
	return take_number(y, v, 1, CHANNEL_BUNDLE, &((struct channel_version *)into)->size, e);
}

static int set_manifest(const struct yaml *y, const struct yaml_node *v, void *into, struct err *e)
{
	struct channel_version *to = into;
	const char *s = text_of(v);

	if (strlen(s) != SHA256_DIGITS || str_hex(s, to->manifest_sha256, CHANNEL_SHA256) < 0)
		return yaml_error(y, v, e, "manifest-sha256 is none; write %zu small hex digits", SHA256_DIGITS);
	return 0;
}

static int set_released(const struct yaml *y, const struct yaml_node *v, void *into, struct err *e)
{
	return take_time(y, v, &((struct channel_version *)into)->released, e);
}

static int set_withdrawn(const struct yaml *y, const struct yaml_node *v, void *into, struct err *e)
{
	struct channel_version *to = into;

	to->withdrawn = str_eq(text_of(v), "true");
	if (to->withdrawn || str_eq(text_of(v), "false"))
		return 0;
	return yaml_error(y, v, e, "withdrawn '%.*s' is none; write true or false", VALUE_SHOWN, text_of(v));
}

static const struct yaml_key version_keys[] = {
	{"version", set_version, true},
	{"minimum", set_minimum, true},
	{"board", set_board, true},
	{"url", set_url, true},
	{"size", set_size, true},
	{"manifest-sha256", set_manifest, true},
	{"released", set_released, true},
	{"withdrawn", set_withdrawn, false},
	{NULL, NULL, false},
};

/* Sound by itself, and beside the ones before it? */
static int check_version(const struct yaml *y, const struct yaml_node *v, const struct channel *c, struct err *e)
{
	const struct channel_version *last = &c->version[c->versions];

	if (compare(last->minimum, last->version) > 0)
		return yaml_error(y, v, e, "version %s has a minimum above itself; lower it", last->version);
	for (unsigned i = 0; i < c->versions; i++) {
		if (compare(c->version[i].version, last->version) == 0 && str_eq(c->version[i].board, last->board))
			return yaml_error(y, v, e, "version %s stands here twice for %s; keep one", last->version,
			                  last->board);
	}
	return 0;
}

static int set_versions(const struct yaml *y, const struct yaml_node *v, void *into, struct err *e)
{
	struct channel *c = into;

	if (v->kind != YAML_LIST || !v->first)
		return yaml_error(y, v, e, "versions is no list with something in it; write '- {version: ...}' lines");
	for (const struct yaml_node *n = v->first; n; n = n->next) {
		if (c->versions == CHANNEL_VERSIONS)
			return yaml_error(y, n, e, "more than %d versions; remove the oldest", CHANNEL_VERSIONS);
		if (yaml_walk(y, n, version_keys, &c->version[c->versions], e) < 0 || check_version(y, n, c, e) < 0)
			return -1;
		c->versions++;
	}
	return 0;
}

static int set_format(const struct yaml *y, const struct yaml_node *v, void *into, struct err *e)
{
	(void)into;
	if (str_eq(text_of(v), "1"))
		return 0;
	return yaml_error(y, v, e, "format '%.*s' is not known here; this system reads format %d", VALUE_SHOWN,
	                  text_of(v), FORMAT);
}

static int set_channel(const struct yaml *y, const struct yaml_node *v, void *into, struct err *e)
{
	return take_name(y, v, ((struct channel *)into)->name, e);
}

static int set_serial(const struct yaml *y, const struct yaml_node *v, void *into, struct err *e)
{
	return take_number(y, v, 1, INT64_MAX, &((struct channel *)into)->serial, e);
}

static int set_issued(const struct yaml *y, const struct yaml_node *v, void *into, struct err *e)
{
	return take_time(y, v, &((struct channel *)into)->issued, e);
}

static int set_expires(const struct yaml *y, const struct yaml_node *v, void *into, struct err *e)
{
	return take_time(y, v, &((struct channel *)into)->expires, e);
}

static const struct yaml_key keys[] = {
	{"format", set_format, true}, {"channel", set_channel, true}, {"serial", set_serial, true},
	{"issued", set_issued, true}, {"expires", set_expires, true}, {"versions", set_versions, true},
	{NULL, NULL, false},
};

/* A later format has other keys: that it is one is the better message, so it comes before them. */
static int check_format(const struct yaml *y, const struct yaml_node *root, struct err *e)
{
	for (const struct yaml_node *n = root->kind == YAML_MAP ? root->first : NULL; n; n = n->next) {
		if (str_eq(n->key, "format"))
			return set_format(y, n, NULL, e);
	}
	return 0;
}

static int check_life(const struct yaml *y, const struct yaml_node *root, const struct channel *c, struct err *e)
{
	if (c->expires <= c->issued || c->expires - c->issued > CHANNEL_LIFE)
		return yaml_error(y, root, e, "expires is not after issued, or more than %lld days",
		                  CHANNEL_LIFE / DAY);
	return 0;
}

static int parse(struct channel *c, struct yaml *y, const struct channel_text *t, struct err *e)
{
	struct yaml_node *root;

	if (yaml_parse(y, t->file, t->text, t->len, &root, e) < 0 || check_format(y, root, e) < 0 ||
	    yaml_walk(y, root, keys, c, e) < 0)
		return -1;
	return check_life(y, root, c, e);
}

int channel_read(struct channel *c, struct yaml *y, const struct channel_text *t, channel_check_fn *prove, void *arg,
                 struct err *e)
{
	struct channel fresh = {0};

	if (t->len > CHANNEL_MAX)
		return err_set(e, EINVAL, "%s: larger than %d bytes", t->file, CHANNEL_MAX);
	if (prove(t->text, t->len, t->sig, t->sig_len, arg, e) < 0)
		return err_prefix(e, "%s", t->file);
	if (parse(&fresh, y, t, e) < 0) {
		e->code = EINVAL;
		return -1;
	}
	*c = fresh;
	return 0;
}

int channel_fresh(const struct channel *c, const struct channel_now *now, struct err *e)
{
	char then[32], here[32];

	clock_format(now->wall, here, sizeof(here));
	if (c->serial < now->last_serial)
		return err_set(e, EEXIST, "channel %s goes back: edition %llu, but %llu was seen already", c->name,
		               (unsigned long long)c->serial, (unsigned long long)now->last_serial);
	clock_format(c->expires, then, sizeof(then));
	if (c->expires <= now->wall)
		return err_set(e, ESTALE, "channel %s has expired at %s (now %s%s): an old edition is shown", c->name,
		               then, here, now->synced ? "" : ", not synchronised");
	if (c->issued <= now->wall + CHANNEL_SLACK)
		return 0;
	clock_format(c->issued, then, sizeof(then));
	if (!now->synced)
		return err_set(e, EAGAIN,
		               "the clock (%s) is not synchronised and behind channel %s of %s: whether that has "
		               "expired shows when the time is known",
		               here, c->name, then);
	return err_set(e, EINVAL, "channel %s is from the future: issued %s, now %s", c->name, then, here);
}

static bool is_newer(const struct channel_version *v, const struct channel_version *than)
{
	return !than || compare(v->version, than->version) > 0;
}

static void say(const struct channel_choice *o, const char *running, char *text, size_t cap)
{
	struct buf b;

	buf_init(&b, text, cap);
	if (o->withdrawn)
		buf_addf(&b, "%s was withdrawn; ", running);
	if (!o->newest)
		buf_addf(&b, "nothing newer than %s", running);
	else if (!o->take)
		buf_addf(&b, "%s needs at least %s, and no version here leads there from %s", o->newest->version,
		         o->newest->minimum, running);
	else if (o->take != o->newest)
		buf_addf(&b, "%s, on the way to %s, which needs at least %s", o->take->version, o->newest->version,
		         o->newest->minimum);
	else
		buf_addf(&b, "%s can be installed", o->take->version);
}

int channel_choose(const struct channel *c, const char *running, const char *board, struct channel_choice *out,
                   struct err *e)
{
	struct version ignored;

	*out = (struct channel_choice){0};
	if (version_read(running, &ignored) < 0)
		return err_set(e, EINVAL, "'%.*s', which runs, is no version", VALUE_SHOWN, running);
	for (unsigned i = 0; i < c->versions; i++) {
		const struct channel_version *v = &c->version[i];
		int order = compare(v->version, running);
		if (!str_eq(v->board, board))
			continue;
		out->withdrawn = out->withdrawn || (order == 0 && v->withdrawn);
		if (order <= 0 || v->withdrawn)
			continue;
		if (is_newer(v, out->newest))
			out->newest = v;
		/* The newest one that can be reached is never a detour: where an older one leads, it leads too. */
		if (compare(v->minimum, running) <= 0 && is_newer(v, out->take))
			out->take = v;
	}
	say(out, running, out->text, sizeof(out->text));
	return 0;
}
