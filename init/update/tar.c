/* The archive of a bundle, read strictly. Runs in the worker and in `hearth bundle`.
 * Never holds more than one block, never skips a byte that it has not compared. */
#include "update/tar.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/str.h"

#define NAME_SHOWN 40 /* bytes of a name from the archive in a message */

/* POSIX.1-2008, pax, "ustar Interchange Format". */
static const struct field {
	const char *name;
	size_t at, len;
} fields[] = {
	{"name", 0, 100},    {"mode", 100, 8},   {"user", 108, 8},           {"group", 116, 8},
	{"size", 124, 12},   {"time", 136, 12},  {"checksum", 148, 8},       {"type", 156, 1},
	{"link", 157, 100},  {"magic", 257, 8},  {"user name", 265, 32},     {"group name", 297, 32},
	{"device", 329, 16}, {"path", 345, 155}, {"last 12 bytes", 500, 12},
};
enum {
	F_NAME,
	F_MODE,
	F_USER,
	F_GROUP,
	F_SIZE,
	F_TIME,
	F_SUM,
	F_TYPE,
	F_LINK,
	F_MAGIC,
	F_UNAME,
	F_GNAME,
	F_DEVICE,
	F_PATH
};

static const uint8_t magic[] = {'u', 's', 't', 'a', 'r', '\0', '0', '0'}; /* with the version, which is "00" */

static const char *const names[TAR_MEMBERS] = {
	[TAR_MANIFEST] = "manifest.yaml",
	[TAR_SIGNATURE] = "manifest.sig",
	[TAR_VERITY] = "root.verity",
	[TAR_HASHES] = "uki.hashes",
	[TAR_UKI] = "uki.efi",
	[TAR_ROOT] = "root.erofs",
};

const char *tar_name(enum tar_member which)
{
	return names[which];
}

static uint64_t padding(uint64_t size)
{
	return (TAR_BLOCK - size % TAR_BLOCK) % TAR_BLOCK;
}

uint64_t tar_offsets(const uint64_t size[TAR_MEMBERS], uint64_t at[TAR_MEMBERS])
{
	uint64_t pos = 0;

	for (unsigned i = 0; i < TAR_MEMBERS; i++) {
		at[i] = pos + TAR_BLOCK;
		pos = at[i] + size[i] + padding(size[i]);
	}
	return pos + TAR_TRAILER;
}

/* Octal digits to the last but one byte of the field, then a zero. */
static void put_octal(uint8_t *block, unsigned f, uint64_t value)
{
	for (size_t i = fields[f].len - 1; i-- > 0; value >>= 3)
		block[fields[f].at + i] = (uint8_t)('0' + (value & 7));
}

static unsigned sum(const uint8_t block[TAR_BLOCK])
{
	unsigned s = 0;

	for (size_t i = 0; i < TAR_BLOCK; i++) {
		bool own = i >= fields[F_SUM].at && i < fields[F_SUM].at + fields[F_SUM].len;
		s += own ? (unsigned)' ' : block[i];
	}
	return s;
}

/* Six digits, a zero and a blank: the one field of another form. */
static void put_sum(uint8_t *block, unsigned s)
{
	uint8_t *p = block + fields[F_SUM].at;

	for (size_t i = 6; i-- > 0; s >>= 3)
		p[i] = (uint8_t)('0' + (s & 7));
	p[6] = '\0';
	p[7] = ' ';
}

void tar_header(enum tar_member which, uint64_t size, uint64_t mtime, uint8_t block[TAR_BLOCK])
{
	memset(block, 0, TAR_BLOCK);
	memcpy(block, names[which], strlen(names[which]));
	put_octal(block, F_MODE, 0644);
	put_octal(block, F_USER, 0);
	put_octal(block, F_GROUP, 0);
	put_octal(block, F_SIZE, size);
	put_octal(block, F_TIME, mtime);
	block[fields[F_TYPE].at] = '0';
	memcpy(block + fields[F_MAGIC].at, magic, sizeof(magic));
	put_sum(block, sum(block));
}

void tar_init(struct tar *t, const struct tar_sink *sink, void *arg)
{
	*t = (struct tar){.sink = sink, .arg = arg, .state = TAR_IN_HEADER, .member = TAR_MANIFEST};
}

void tar_expect(struct tar *t, const uint64_t want[TAR_MEMBERS])
{
	memcpy(t->want, want, sizeof(t->want));
	t->wanted = true;
}

/* Where the header in work begins. */
static uint64_t header_at(const struct tar *t)
{
	return t->at - t->have;
}

/* The part before the first zero, with what a terminal would act on shown as '?'. */
static void shown(const uint8_t *p, size_t len, char text[NAME_SHOWN + 1])
{
	size_t n = 0;

	for (; n < len && n < NAME_SHOWN && p[n] != '\0'; n++)
		text[n] = isprint(p[n]) && p[n] != '\'' ? (char)p[n] : '?';
	text[n] = '\0';
}

/* 0..TAR_MEMBERS - 1, or -1: no member is called so. */
static int find_name(const uint8_t block[TAR_BLOCK])
{
	for (int i = 0; i < TAR_MEMBERS; i++) {
		if (memcmp(block, names[i], strlen(names[i]) + 1) == 0)
			return i;
	}
	return -1;
}

static int refuse_name(const struct tar *t, struct err *e)
{
	const uint8_t *h = t->header;
	const char *want = names[t->member];
	char name[NAME_SHOWN + 1];
	int found = find_name(h);

	shown(h, fields[F_NAME].len, name);
	if (h[fields[F_PATH].at] != '\0' || memchr(h, '/', fields[F_NAME].len) || str_eq(name, "..") ||
	    str_eq(name, "."))
		return err_set(e, EBADMSG,
		               "member '%s' at byte %" PRIu64 " is in a folder; the names of a bundle are plain", name,
		               header_at(t));
	if (found < 0)
		return err_set(e, EBADMSG, "a member '%s' at byte %" PRIu64 ", which no bundle has; %s belongs here",
		               name, header_at(t), want);
	if (found < (int)t->member)
		return err_set(e, EBADMSG, "%s stands twice in the bundle, again at byte %" PRIu64 "; %s belongs here",
		               names[found], header_at(t), want);
	return err_set(e, EBADMSG, "%s at byte %" PRIu64 " is out of order; %s belongs here", names[found],
	               header_at(t), want);
}

static int refuse_type(const struct tar *t, struct err *e)
{
	uint8_t type = t->header[fields[F_TYPE].at];
	const char *what = "of an unknown type";

	if (type == 'x' || type == 'g')
		what = "a pax header";
	else if (type == 'L' || type == 'K' || type == 'S' || type == 'M' || type == 'V' || type == 'D')
		what = "a GNU header";
	else if (type == '1' || type == '2')
		what = "a link";
	else if (type == '5')
		what = "a folder";
	else if (type == '3' || type == '4' || type == '6')
		what = "a device";
	return err_set(e, EBADMSG, "the member at byte %" PRIu64 " is %s; a bundle has plain files only", header_at(t),
	               what);
}

static int refuse_size(const struct tar *t, struct err *e)
{
	const char *name = names[t->member];

	if (t->member == TAR_MANIFEST && t->size > TAR_TEXT_MAX)
		return err_set(e, EFBIG, "%s has %" PRIu64 " bytes; %d are allowed", name, t->size, TAR_TEXT_MAX);
	if (t->member == TAR_SIGNATURE && t->size > TAR_SIG_MAX)
		return err_set(e, EFBIG, "%s has %" PRIu64 " bytes; %d are allowed", name, t->size, TAR_SIG_MAX);
	if (t->wanted && t->size != t->want[t->member])
		return err_set(e, EBADMSG, "%s has %" PRIu64 " bytes; the manifest says %" PRIu64, name, t->size,
		               t->want[t->member]);
	return 0;
}

/* -1: not digits to the last byte but one and then a zero. */
static int get_octal(const uint8_t *block, unsigned f, uint64_t *value)
{
	const uint8_t *p = block + fields[f].at;

	*value = 0;
	for (size_t i = 0; i < fields[f].len - 1; i++) {
		if (p[i] < '0' || p[i] > '7')
			return -1;
		*value = *value << 3 | (uint64_t)(p[i] - '0');
	}
	return p[fields[f].len - 1] == '\0' ? 0 : -1;
}

/* All that is known of the member has been read from its header: what else is there? */
static int compare(const struct tar *t, uint64_t mtime, struct err *e)
{
	uint8_t right[TAR_BLOCK];

	tar_header(t->member, t->size, mtime, right);
	put_sum(right, sum(t->header)); /* it is right for what stands there; what stands there is the question */
	for (size_t i = 0; i < COUNT_OF(fields); i++) {
		if (memcmp(t->header + fields[i].at, right + fields[i].at, fields[i].len) != 0)
			return err_set(e, EBADMSG,
			               "the header of %s at byte %" PRIu64 " has another %s than those of a bundle",
			               names[t->member], header_at(t), fields[i].name);
	}
	return 0;
}

static bool is_zero(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] != 0)
			return false;
	}
	return true;
}

/* Damage first, then what kind of archive it is, then which member. */
static int check_kind(const struct tar *t, struct err *e)
{
	uint8_t right[TAR_BLOCK];
	const uint8_t *h = t->header;

	memcpy(right, h, TAR_BLOCK);
	put_sum(right, sum(h));
	if (is_zero(h, TAR_BLOCK))
		return err_set(e, EBADMSG, "the archive ends at byte %" PRIu64 "; %s is missing", header_at(t),
		               names[t->member]);
	if (memcmp(right, h, TAR_BLOCK) != 0) {
		if (t->at == TAR_BLOCK && memcmp(h + fields[F_MAGIC].at, magic, 5) != 0)
			return err_set(e, EBADMSG, "not a bundle: it does not begin as a tar archive does");
		return err_set(e, EBADMSG,
		               "a damaged header at byte %" PRIu64 ", where that of %s belongs: wrong checksum",
		               header_at(t), names[t->member]);
	}
	if (h[fields[F_TYPE].at] != '0')
		return refuse_type(t, e);
	if (memcmp(h + fields[F_MAGIC].at, magic, sizeof(magic)) != 0)
		return err_set(e, EBADMSG,
		               "the header at byte %" PRIu64 " is not ustar; a bundle is no other kind of archive",
		               header_at(t));
	if (find_name(h) != (int)t->member || h[fields[F_PATH].at] != '\0')
		return refuse_name(t, e);
	return 0;
}

static int take_header(struct tar *t, struct err *e)
{
	uint64_t mtime = 0;

	if (check_kind(t, e) < 0)
		return -1;
	if (get_octal(t->header, F_SIZE, &t->size) < 0 || get_octal(t->header, F_TIME, &mtime) < 0)
		return err_set(e, EBADMSG, "the header of %s at byte %" PRIu64 " has a size or time in an unusual form",
		               names[t->member], header_at(t));
	if (t->member == TAR_MANIFEST)
		t->mtime = mtime;
	if (compare(t, t->mtime, e) < 0 || refuse_size(t, e) < 0)
		return -1;
	t->have = 0;
	t->left = t->size;
	t->state = TAR_IN_DATA;
	return t->sink->begin(t->arg, t->member, t->size, e);
}

/* From a member's data to what stands behind them, and from zeros that are through to what they end. */
static void go_on(struct tar *t)
{
	if (t->state == TAR_IN_DATA) {
		t->state = TAR_IN_PADDING;
		t->left = padding(t->size);
	}
	if (t->state == TAR_IN_PADDING && t->left == 0) {
		bool last = t->member == TAR_ROOT;
		t->member = last ? t->member : t->member + 1;
		t->state = last ? TAR_IN_TRAILER : TAR_IN_HEADER;
		t->left = last ? TAR_TRAILER : 0;
	}
	if (t->state == TAR_IN_TRAILER && t->left == 0)
		t->state = TAR_DONE;
}

static int settle(struct tar *t, struct err *e)
{
	bool ends = t->state == TAR_IN_DATA && t->left == 0;

	if (ends && t->sink->end(t->arg, t->member, e) < 0)
		return -1;
	if (ends || t->state != TAR_IN_DATA)
		go_on(t);
	return 0;
}

void tar_behind(struct tar *t, enum tar_member which, uint64_t at)
{
	t->member = which;
	t->size = t->want[which];
	t->at = at;
	t->have = 0;
	t->state = TAR_IN_DATA;
	go_on(t);
}

static int take_zeros(const struct tar *t, const uint8_t *p, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] != 0)
			return err_set(e, EBADMSG, "not zero behind %s, at byte %" PRIu64 " of the bundle",
			               names[t->member], t->at - n + i);
	}
	return 0;
}

/* The first n of the bytes, all of one part. */
static int take(struct tar *t, const uint8_t *p, size_t n, struct err *e)
{
	t->at += n;
	switch (t->state) {
	case TAR_IN_HEADER:
		memcpy(t->header + t->have, p, n);
		t->have += n;
		return t->have == TAR_BLOCK ? take_header(t, e) : 0;
	case TAR_IN_DATA:
		t->left -= n;
		return t->sink->data(t->arg, t->member, p, n, e);
	case TAR_IN_PADDING:
	case TAR_IN_TRAILER:
		t->left -= n;
		return take_zeros(t, p, n, e);
	case TAR_DONE:
		return err_set(e, EBADMSG, "something stands behind the end of the bundle, from byte %" PRIu64 " on",
		               t->at - n);
	default:
		return err_set(e, EBADMSG, "the bundle has been refused");
	}
}

int tar_feed(struct tar *t, const void *bytes, size_t n, struct err *e)
{
	const uint8_t *p = bytes;

	while (n > 0) {
		uint64_t part = t->state == TAR_IN_HEADER ? TAR_BLOCK - t->have : t->left;
		size_t some = part > 0 && part < n ? (size_t)part : n;
		if (take(t, p, some, e) < 0 || settle(t, e) < 0) {
			t->state = TAR_REFUSED;
			return -1;
		}
		p += some;
		n -= some;
	}
	return 0;
}

int tar_finish(const struct tar *t, struct err *e)
{
	const char *name = names[t->member];

	if (t->state == TAR_DONE)
		return 0;
	if (t->state == TAR_REFUSED)
		return err_set(e, EBADMSG, "the bundle has been refused");
	if (t->state == TAR_IN_HEADER)
		return err_set(e, EBADMSG, "the bundle is cut: it ends at byte %" PRIu64 ", before %s", t->at, name);
	if (t->state == TAR_IN_DATA)
		return err_set(e, EBADMSG,
		               "the bundle is cut: it ends at byte %" PRIu64 ", %" PRIu64 " bytes before the end of %s",
		               t->at, t->left, name);
	return err_set(e, EBADMSG, "the bundle is cut: it ends at byte %" PRIu64 ", in the zeros behind %s", t->at,
	               name);
}
