/* The manifest of a bundle, from YAML. Runs in the worker and in `hearth bundle`.
 * Never reads a file, never takes a number that it has not held against the others. */
#include "update/manifest.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/str.h"
#include "board.h"
#include "update/kernel.h"
#include "update/tree.h"

#define LETTERS     "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS      "0123456789"
#define VALUE_SHOWN 48
#define MIB         (UINT64_C(1) << 20)
#define SLOT_MAX    (BOARD_SYSTEM_MIB * MIB)
#define UKI_MAX     ((BOARD_ESP_MIB / 2 - 8) * MIB) /* one for each slot; the loader and the file system need some */
#define YEAR_9999   UINT64_C(253402300799)

static const char *scalar(const struct yaml_node *v)
{
	return v->kind == YAML_SCALAR ? v->text : "";
}

static int wrong(const struct yaml *y, const struct yaml_node *v, struct err *e, const char *want)
{
	return yaml_error(y, v, e, "%s '%.*s' is none; it must be %s", v->key, VALUE_SHOWN, scalar(v), want);
}

static int set_number(const struct yaml *y, const struct yaml_node *v, uint64_t max, uint64_t *to, struct err *e)
{
	if (str_u64(scalar(v), max, to) == 0 && *to > 0)
		return 0;
	return yaml_error(y, v, e, "%s '%.*s' is none; it must be a number from 1 to %" PRIu64, v->key, VALUE_SHOWN,
	                  scalar(v), max);
}

/* 64 digits, small letters. */
static int set_hash(const struct yaml *y, const struct yaml_node *v, uint8_t to[SHA256_BYTES], struct err *e)
{
	const char *s = scalar(v);

	if (strlen(s) != (size_t)SHA256_BYTES * 2 || str_hex(s, to, SHA256_BYTES) < 0)
		return wrong(y, v, e, "64 hexadecimal digits in small letters");
	return 0;
}

static int set_version(const struct yaml *y, const struct yaml_node *v, char to[VERSION_TEXT], struct err *e)
{
	struct version ignored;

	if (version_read(scalar(v), &ignored) < 0 || str_copy(to, VERSION_TEXT, v->text) < 0)
		return wrong(y, v, e, "up to three numbers such as 0.2.0");
	return 0;
}

/* Text that a terminal only shows: YAML's escapes can name the control characters U+0080 to U+009F too. */
static bool is_plain(const char *s)
{
	for (; *s; s++) {
		if (s[0] == '\xC2' && (uint8_t)s[1] < 0xA0)
			return false;
	}
	return true;
}

static int set_format(const struct yaml *y, const struct yaml_node *v, void *into, struct err *e)
{
	uint64_t format;

	(void)into;
	if (str_u64(scalar(v), UINT64_MAX, &format) == 0 && format == MANIFEST_FORMAT)
		return 0;
	return yaml_error(y, v, e,
	                  "format '%.*s' is not %d, the one that this system reads; install a version in between",
	                  VALUE_SHOWN, scalar(v), MANIFEST_FORMAT);
}

static int set_board(const struct yaml *y, const struct yaml_node *v, void *into, struct err *e)
{
	struct update_manifest *m = into;

	if (!str_is_name(scalar(v)) || str_copy(m->board, sizeof(m->board), v->text) < 0)
		return wrong(y, v, e, "a name such as x86-64-efi");
	return 0;
}

static int set_its_version(const struct yaml *y, const struct yaml_node *v, void *into, struct err *e)
{
	return set_version(y, v, ((struct update_manifest *)into)->version, e);
}

static int set_minimum(const struct yaml *y, const struct yaml_node *v, void *into, struct err *e)
{
	return set_version(y, v, ((struct update_manifest *)into)->minimum, e);
}

static int set_build(const struct yaml *y, const struct yaml_node *v, void *into, struct err *e)
{
	struct update_manifest *m = into;
	const char *s = scalar(v);

	if (s[0] == '\0' || s[strspn(s, LETTERS DIGITS ".-")] != '\0' || str_copy(m->build, sizeof(m->build), s) < 0)
		return wrong(y, v, e, "up to 40 letters, digits, '.' and '-'");
	return 0;
}

static int set_created(const struct yaml *y, const struct yaml_node *v, void *into, struct err *e)
{
	return set_number(y, v, YEAR_9999, &((struct update_manifest *)into)->created, e);
}

static int set_kubernetes(const struct yaml *y, const struct yaml_node *v, void *into, struct err *e)
{
	struct update_manifest *m = into;
	const char *s = scalar(v);

	if (s[0] == '\0' || strpbrk(s, "\n\t") || !is_plain(s) || str_copy(m->kubernetes, sizeof(m->kubernetes), s) < 0)
		return wrong(y, v, e, "one line of up to 63 bytes");
	return 0;
}

static int set_changes(const struct yaml *y, const struct yaml_node *v, void *into, struct err *e)
{
	struct update_manifest *m = into;

	if (v->kind != YAML_SCALAR || !is_plain(v->text) || str_copy(m->changes, sizeof(m->changes), v->text) < 0)
		return yaml_error(y, v, e, "changes is no text of up to %d bytes; shorten it", MANIFEST_CHANGES - 1);
	return 0;
}

static int set_root_hash(const struct yaml *y, const struct yaml_node *v, void *into, struct err *e)
{
	return set_hash(y, v, ((struct update_manifest *)into)->root.hash, e);
}

static int set_salt(const struct yaml *y, const struct yaml_node *v, void *into, struct err *e)
{
	return set_hash(y, v, ((struct update_manifest *)into)->root.salt, e);
}

static int set_blocks(const struct yaml *y, const struct yaml_node *v, void *into, struct err *e)
{
	return set_number(y, v, SLOT_MAX / VERITY_BLOCK, &((struct update_manifest *)into)->root.blocks, e);
}

static int set_uuid(const struct yaml *y, const struct yaml_node *v, void *into, struct err *e)
{
	static const char form[MANIFEST_UUID] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
	struct update_manifest *m = into;
	const char *s = scalar(v);
	bool good = strlen(s) == sizeof(form) - 1;

	for (size_t i = 0; good && s[i]; i++)
		good = form[i] == '-' ? s[i] == '-' : str_hex_digit(s[i]) >= 0;
	if (!good || str_copy(m->root.uuid, sizeof(m->root.uuid), s) < 0)
		return wrong(y, v, e, "a UUID in small letters");
	return 0;
}

static const struct yaml_key root_keys[] = {
	{"hash", set_root_hash, true}, {"uuid", set_uuid, true}, {"salt", set_salt, true},
	{"blocks", set_blocks, true},  {NULL, NULL, false},
};

static int set_root(const struct yaml *y, const struct yaml_node *v, void *into, struct err *e)
{
	return yaml_walk(y, v, root_keys, into, e);
}

static int set_member_size(const struct yaml *y, const struct yaml_node *v, void *into, struct err *e)
{
	return set_number(y, v, SLOT_MAX, &((struct update_member *)into)->size, e);
}

static int set_member_hash(const struct yaml *y, const struct yaml_node *v, void *into, struct err *e)
{
	return set_hash(y, v, ((struct update_member *)into)->sha256, e);
}

static const struct yaml_key member_keys[] = {
	{"size", set_member_size, true},
	{"sha256", set_member_hash, true},
	{NULL, NULL, false},
};

/* The key is one of tar_name's: yaml_walk has looked it up. */
static int set_member(const struct yaml *y, const struct yaml_node *v, void *into, struct err *e)
{
	struct update_manifest *m = into;
	unsigned which = TAR_VERITY;

	while (which < TAR_ROOT && !str_eq(tar_name(which), v->key))
		which++;
	return yaml_walk(y, v, member_keys, &m->member[which], e);
}

static int set_members(const struct yaml *y, const struct yaml_node *v, void *into, struct err *e)
{
	const struct yaml_key keys[] = {
		{tar_name(TAR_VERITY), set_member, true},
		{tar_name(TAR_HASHES), set_member, true},
		{tar_name(TAR_UKI), set_member, true},
		{tar_name(TAR_ROOT), set_member, true},
		{NULL, NULL, false},
	};

	return yaml_walk(y, v, keys, into, e);
}

static const struct yaml_key keys[] = {
	{"format", set_format, true},
	{"board", set_board, true},
	{"version", set_its_version, true},
	{"build", set_build, true},
	{"created", set_created, true},
	{"minimum", set_minimum, true},
	{"kubernetes", set_kubernetes, true},
	{"changes", set_changes, true},
	{"root", set_root, true},
	{"members", set_members, true},
	{NULL, NULL, false},
};

static const struct yaml_node *find(const struct yaml_node *map, const char *key)
{
	for (const struct yaml_node *n = map->first; n; n = n->next) {
		if (str_eq(n->key, key))
			return n;
	}
	return map;
}

/* A later format may have other keys: it is not their fault that they are not known here. */
static int check_format(const struct yaml *y, const struct yaml_node *root, struct err *e)
{
	const struct yaml_node *n = find(root, "format");

	return n == root ? 0 : set_format(y, n, NULL, e);
}

static int check_size(const struct yaml *y, const struct yaml_node *members, const struct update_manifest *m,
                      enum tar_member which, uint64_t want, struct err *e)
{
	if (m->member[which].size == want)
		return 0;
	return yaml_error(y, find(members, tar_name(which)), e,
	                  "%s has %" PRIu64 " bytes, but %" PRIu64 " blocks need %" PRIu64 "; make the bundle again",
	                  tar_name(which), m->member[which].size, m->root.blocks, want);
}

static int check_sizes(const struct yaml *y, const struct yaml_node *root, const struct update_manifest *m,
                       struct err *e)
{
	const struct yaml_node *members = find(root, "members");
	struct tree_layout l;
	struct err why;

	if (tree_layout(&l, m->root.blocks, &why) < 0)
		return yaml_error(y, find(find(root, "root"), "blocks"), e, "%s; make the image smaller", why.text);
	if (check_size(y, members, m, TAR_ROOT, m->root.blocks * VERITY_BLOCK, e) < 0 ||
	    check_size(y, members, m, TAR_VERITY, l.blocks * VERITY_BLOCK, e) < 0)
		return -1;
	if (m->member[TAR_UKI].size > UKI_MAX)
		return yaml_error(y, find(members, tar_name(TAR_UKI)), e,
		                  "uki.efi has %" PRIu64 " bytes, the ESP has room for %" PRIu64 "; make it smaller",
		                  m->member[TAR_UKI].size, (uint64_t)UKI_MAX);
	if (m->member[TAR_HASHES].size != kernel_hash_bytes(m->member[TAR_UKI].size))
		return yaml_error(y, find(members, tar_name(TAR_HASHES)), e,
		                  "uki.hashes has %" PRIu64 " bytes, but uki.efi of %" PRIu64 " needs %" PRIu64
		                  "; make the bundle again",
		                  m->member[TAR_HASHES].size, m->member[TAR_UKI].size,
		                  kernel_hash_bytes(m->member[TAR_UKI].size));
	return 0;
}

/* -1, 0, 1; both texts have been read before. */
static int compare(const char *a, const char *b)
{
	struct version x = {{0}}, y = {{0}};

	(void)!version_read(a, &x);
	(void)!version_read(b, &y);
	return version_compare(&x, &y);
}

static int check_whole(const struct yaml *y, const struct yaml_node *root, const struct update_manifest *m,
                       struct err *e)
{
	if (compare(m->minimum, m->version) > 0)
		return yaml_error(y, find(root, "minimum"), e,
		                  "minimum %s is newer than version %s; no box could go on from it", m->minimum,
		                  m->version);
	return check_sizes(y, root, m, e);
}

int update_manifest_parse(struct update_manifest *m, struct yaml *y, const char *file, const char *text, size_t len,
                          struct err *e)
{
	struct update_manifest fresh = {0};
	struct yaml_node *root;

	if (yaml_parse(y, file, text, len, &root, e) < 0 || check_format(y, root, e) < 0 ||
	    yaml_walk(y, root, keys, &fresh, e) < 0 || check_whole(y, root, &fresh, e) < 0)
		return -1;
	*m = fresh;
	return 0;
}

int update_manifest_allows(const struct update_manifest *m, const char *board, const char *running,
                           const struct update_asked *asked, struct err *e)
{
	struct version ignored;

	if (!str_eq(m->board, board))
		return err_set(e, EINVAL, "the bundle is for the board %s, this box is %s; take the bundle for %s",
		               m->board, board, board);
	if (version_read(running, &ignored) < 0)
		return err_set(e, EINVAL, "the running version '%.*s' is none", VALUE_SHOWN, running);
	if (compare(running, m->minimum) < 0)
		return err_set(e, EPERM,
		               "version %s cannot follow %s, which runs here; install %s or a later one before",
		               m->version, running, m->minimum);
	int order = compare(m->version, running);
	if (order < 0 && !asked->older)
		return err_set(e, EPERM,
		               "version %s is older than %s, which runs here; ask for the older one to go back",
		               m->version, running);
	if (order == 0 && !asked->same)
		return err_set(e, EALREADY, "version %s runs already; ask for the same one to install it again",
		               m->version);
	return 0;
}

void update_manifest_sizes(const struct update_manifest *m, size_t text_len, size_t sig_len, uint64_t size[TAR_MEMBERS])
{
	for (unsigned i = 0; i < TAR_MEMBERS; i++)
		size[i] = m->member[i].size;
	size[TAR_MANIFEST] = text_len;
	size[TAR_SIGNATURE] = sig_len;
}

uint64_t update_manifest_offsets(const struct update_manifest *m, size_t text_len, size_t sig_len,
                                 uint64_t at[TAR_MEMBERS])
{
	uint64_t size[TAR_MEMBERS];

	update_manifest_sizes(m, text_len, sig_len, size);
	return tar_offsets(size, at);
}

void update_manifest_verity(const struct update_manifest *m, struct verity *want)
{
	const char *s = m->root.uuid;

	*want = (struct verity){.data_blocks = m->root.blocks,
	                        .hash_start = m->root.blocks + 1, /* behind the image and the superblock */
	                        .salt_len = sizeof(m->root.salt)};
	memcpy(want->salt, m->root.salt, sizeof(m->root.salt));
	for (size_t i = 0; i < sizeof(want->uuid); i++, s += 2) {
		s += *s == '-';
		want->uuid[i] = (uint8_t)(str_hex_digit(s[0]) << 4 | str_hex_digit(s[1]));
	}
}
