/* update/manifest: what is taken is sound to the last byte, and a bundle of it has its members where the archive puts
 * them; what is refused is named by line and changes nothing. */
#include <string.h>

#include "base/str.h"
#include "board.h"
#include "fuzz/check.h"
#include "update/kernel.h"
#include "update/manifest.h"
#include "update/tree.h"

#define MIB (UINT64_C(1) << 20)

static struct yaml y;

static bool ends(const char *s, size_t cap)
{
	return memchr(s, '\0', cap) != NULL;
}

/* Nothing that a terminal acts on. */
static void check_text(const char *s, bool lines)
{
	for (; *s; s++)
		FUZZ_CHECK((unsigned char)*s >= ' ' ? *s != 0x7f : lines && (*s == '\n' || *s == '\t'));
}

static void check_sound(const struct update_manifest *m)
{
	struct version v, min;
	struct tree_layout tree;
	struct err e;

	FUZZ_CHECK(str_is_name(m->board) && m->build[0] != '\0' && !strpbrk(m->build, "/ \n'\""));
	FUZZ_CHECK(ends(m->kubernetes, sizeof(m->kubernetes)) && ends(m->changes, sizeof(m->changes)));
	check_text(m->kubernetes, false);
	check_text(m->changes, true);
	FUZZ_CHECK(version_read(m->version, &v) == 0 && version_read(m->minimum, &min) == 0);
	FUZZ_CHECK(version_compare(&min, &v) <= 0 && m->created > 0 && strlen(m->root.uuid) == MANIFEST_UUID - 1);
	FUZZ_CHECK(m->member[TAR_ROOT].size == m->root.blocks * VERITY_BLOCK && m->root.blocks > 0);
	FUZZ_CHECK(tree_layout(&tree, m->root.blocks, &e) == 0 &&
	           m->member[TAR_VERITY].size == tree.blocks * VERITY_BLOCK);
	FUZZ_CHECK(m->member[TAR_ROOT].size + m->member[TAR_VERITY].size <= BOARD_SYSTEM_MIB * MIB);
	FUZZ_CHECK(m->member[TAR_HASHES].size ==
	           (m->member[TAR_UKI].size + KERNEL_PIECE - 1) / KERNEL_PIECE * SHA256_BYTES);
	FUZZ_CHECK(m->member[TAR_UKI].size > 0 && m->member[TAR_UKI].size < BOARD_ESP_MIB / 2 * MIB);
}

static void check_places(const struct update_manifest *m, size_t len)
{
	uint64_t at[TAR_MEMBERS], size[TAR_MEMBERS];
	uint64_t end = 0, whole = update_manifest_offsets(m, len, 71, at);

	update_manifest_sizes(m, len, 71, size);
	for (unsigned i = 0; i < TAR_MEMBERS; i++) {
		FUZZ_CHECK(at[i] >= end + TAR_BLOCK && at[i] < end + 2 * TAR_BLOCK && at[i] % TAR_BLOCK == 0);
		end = at[i] + size[i];
	}
	FUZZ_CHECK(whole >= end + TAR_TRAILER && whole < end + TAR_TRAILER + TAR_BLOCK);
}

/* A box of the same board that runs the minimum may take it, unless that is the same version; an older one may not. */
static void check_allows(const struct update_manifest *m)
{
	const struct update_asked nothing = {false, false}, all = {true, true};
	struct version v, min;
	struct err e = {0};

	FUZZ_CHECK(version_read(m->version, &v) == 0 && version_read(m->minimum, &min) == 0);
	bool same = version_compare(&v, &min) == 0;
	FUZZ_CHECK(update_manifest_allows(m, m->board, m->minimum, &all, &e) == 0);
	FUZZ_CHECK((update_manifest_allows(m, m->board, m->minimum, &nothing, &e) < 0) == same);
	FUZZ_CHECK(update_manifest_allows(m, m->board, m->version, &nothing, &e) < 0);
	FUZZ_CHECK(update_manifest_allows(m, "another", m->minimum, &all, &e) < 0);
	if (version_compare(&min, &(struct version){{0}}) > 0)
		FUZZ_CHECK(update_manifest_allows(m, m->board, "0", &all, &e) < 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct update_manifest m, before;
	struct err e = {0};

	memset(&m, 0x5a, sizeof(m));
	before = m;
	if (update_manifest_parse(&m, &y, "manifest.yaml", (const char *)data, size, &e) < 0) {
		FUZZ_CHECK(str_starts(e.text, "manifest.yaml:"));
		FUZZ_CHECK(memcmp(&m, &before, sizeof(m)) == 0);
		return 0;
	}
	check_sound(&m);
	check_places(&m, size);
	check_allows(&m);
	return 0;
}
