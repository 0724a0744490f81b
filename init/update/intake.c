/* A bundle on its way into a slot; see intake.h. Runs in the worker. Nothing but manifest.yaml and manifest.sig may be
 * read before the signature is checked, and nothing may be written before the offer is taken. */
#include "update/intake.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/sys.h"

#define HEAD                                                                                                           \
	(TAR_BLOCK * 2 + TAR_TEXT_MAX + TAR_BLOCK) /* manifest.yaml and manifest.sig at their largest, and a header */
#define HEAD_PART  4096                            /* of it, at once: most manifests are not longer */
#define RUN_BLOCKS 1024                            /* of one request: 4 MiB, so that several can be in flight */
#define RUN_PIECES 64                              /* the same for the kernel: 1 MiB */

_Static_assert(FETCH_PIECE % KERNEL_PIECE == 0 && KERNEL_PIECE % VERITY_BLOCK == 0, "a range comes in whole blocks");

static void progress(struct intake *in, enum msg_phase phase, uint64_t done, uint64_t total)
{
	in->phase = phase;
	in->phase_done = done;
	in->phase_total = total;
	in->hooks.progress(in, phase, done, total, in->hooks.arg);
}

/* n more bytes of the phase. */
static void advance(struct intake *in, size_t n)
{
	uint64_t done = in->phase_done + n;
	progress(in, in->phase, done < in->phase_total ? done : in->phase_total, in->phase_total);
}

/* --- root.verity and the target --------------------------------------------------------------- */

static struct verity wanted(const struct intake *in)
{
	struct verity v;
	update_manifest_verity(in->m, &v);
	return v;
}

static void on_target(void *owner, uint64_t block)
{
	struct intake *in = owner;
	progress(in, in->phase, block * VERITY_BLOCK, in->m->root.blocks * VERITY_BLOCK);
}

static int open_target(struct intake *in, struct err *e)
{
	if (in->target_used)
		target_fini(&in->target);
	in->target_used = true;
	if (target_init(&in->target, in->target_fd, in->m->root.blocks, e) < 0)
		return -1;
	in->target.owner = in;
	in->target.progress = on_target;
	return 0;
}

static int check_tree(struct intake *in, struct err *e)
{
	const struct verity want = wanted(in);
	return target_open(&in->target, &want, in->m->root.hash, e);
}

/* Has an install of the same image been here before? Then its tree is there. */
static int look_at_target(struct intake *in, struct err *e)
{
	struct err none = {0};
	if (open_target(in, e) < 0)
		return -1;
	in->again = check_tree(in, &none) == 0;
	return 0;
}

/* The new tree: it goes to the disk before any block, for it tells the next install that blocks may be there. */
static int close_tree(struct intake *in, struct err *e)
{
	return check_tree(in, e) < 0 ? -1 : target_flush(&in->target, e);
}

/* Of an older release next to nothing lies in the same place; to look for it would be to read the whole slot. */
static int keep_blocks(struct intake *in, struct err *e)
{
	if (in->again && target_resume(&in->target, e) < 0)
		return -1;
	in->kept = in->target.done.count * VERITY_BLOCK;
	return 0;
}

/* --- members that come whole, from the reader of a source without ranges ---------------------- */

static int begin_kernel(struct intake *in, struct err *e)
{
	if (in->hooks.kernel(in, in->hooks.arg, e) < 0)
		return -1;
	kernel_resume(&in->kernel, in->uki);
	return 0;
}

static int begin_image(struct intake *in, struct err *e)
{
	if (keep_blocks(in, e) < 0)
		return -1;
	target_seek(&in->target, 0);
	return 0;
}

static int begin(struct intake *in, enum tar_member which, struct err *e)
{
	switch (which) {
	case TAR_VERITY:
		return look_at_target(in, e);
	case TAR_HASHES:
		return close_tree(in, e) < 0 ? -1 : kernel_init(&in->kernel, in->m->member[TAR_UKI].size, e);
	case TAR_UKI:
		return begin_kernel(in, e);
	default:
		return kernel_finish(&in->kernel, in->m->member[TAR_UKI].sha256, e) < 0 ? -1 : begin_image(in, e);
	}
}

static enum msg_phase phase_of(enum tar_member which)
{
	if (which == TAR_VERITY)
		return MSG_TREE_PHASE;
	return which == TAR_ROOT ? MSG_FETCH_PHASE : MSG_UKI_PHASE;
}

/* The reader has proven the member before by its sum. */
static int on_data(void *arg, enum tar_member which, uint64_t at, const uint8_t *p, size_t n, struct err *e)
{
	struct intake *in = arg;
	if (at == 0 && begin(in, which, e) < 0)
		return -1;
	progress(in, phase_of(which), at + n, in->m->member[which].size);
	if (which == TAR_ROOT)
		return target_feed(&in->target, p, n, e);
	if (which == TAR_VERITY)
		return target_tree(&in->target, p, n, e);
	return which == TAR_HASHES ? kernel_hashes(&in->kernel, at, p, n, e) : kernel_feed(&in->kernel, p, n, e);
}

/* --- the reader: of the manifest, and of all of a source without ranges ----------------------- */

static int on_signer(void *arg, const void *text, size_t len, const uint8_t *sig, size_t sig_len, const char **name,
                     struct err *e)
{
	const struct intake *in = arg;
	return in->hooks.signer(in->hooks.arg, text, len, sig, sig_len, name, e);
}

static int offer(struct intake *in, struct err *e)
{
	in->offered = true;
	return in->hooks.offer(in, in->hooks.arg, e);
}

static int on_manifest(void *arg, const struct update_manifest *m, const char *signer, struct err *e)
{
	struct intake *in = arg;
	uint64_t size = in->source->file.size;
	(void)signer;
	in->m = m;
	in->bundle = reader_offsets(&in->reader, in->at);
	if (size != 0 && size < in->bundle)
		return err_set(e, EBADMSG, "the bundle is cut: it has %llu bytes of %llu", (unsigned long long)size,
		               (unsigned long long)in->bundle);
	if (size > in->bundle)
		return err_set(e, EBADMSG, "the bundle has trailing bytes: %llu more than its manifest says",
		               (unsigned long long)(size - in->bundle));
	return in->stream ? offer(in, e) : 0;
}

static const struct reader_hooks reading = {on_signer, on_manifest, on_data};

static bool at_verity(const struct intake *in)
{
	const struct tar *t = &in->reader.tar;
	return t->state == TAR_IN_HEADER && t->member == TAR_VERITY && t->have == 0;
}

/* In pieces that end where the signature's padding does: what follows is nobody's business yet. */
static int on_head(const struct fetch_range *r, uint64_t at, const void *p, size_t n, void *arg, struct err *e)
{
	struct intake *in = arg;
	const uint8_t *from = p;
	(void)r;
	(void)at;
	for (size_t piece; n > 0 && !at_verity(in); from += piece, n -= piece) {
		piece = TAR_BLOCK - (size_t)(in->reader.tar.at % TAR_BLOCK);
		piece = piece < n ? piece : n;
		if (reader_feed(&in->reader, from, piece, e) < 0)
			return -1;
	}
	return 0;
}

/* --- what stands between the members ----------------------------------------------------------- */

static int on_header(void *arg, enum tar_member which, uint64_t size, struct err *e)
{
	(void)arg;
	(void)which;
	(void)size;
	(void)e;
	return 0;
}

/* Zeros and the next header, or the end; far less than a piece, so it comes at once. */
static int on_frame(const struct fetch_range *r, uint64_t at, const void *p, size_t n, void *arg, struct err *e)
{
	static const struct tar_sink headers = {on_header, NULL, NULL};
	struct intake *in = arg;
	if (at == r->offset) {
		in->frame = in->reader.tar;
		in->frame.sink = &headers;
		tar_behind(&in->frame, (enum tar_member)r->tag, at);
	}
	return tar_feed(&in->frame, p, n, e);
}

static bool next_frame(struct fetch_range *r, void *arg)
{
	struct intake *in = arg;
	const uint64_t which = in->from;
	if (which > TAR_ROOT)
		return false;
	uint64_t at = in->at[which] + in->reader.tar.want[which];
	*r = (struct fetch_range){at, (which < TAR_ROOT ? in->at[which + 1] : in->bundle) - at, which};
	in->from++;
	return true;
}

static int read_frames(struct intake *in, struct err *e)
{
	in->from = TAR_SIGNATURE;
	return source_ranges(in->source, next_frame, on_frame, in, e);
}

/* The size is known behind the first answer. */
static int read_head(struct intake *in, struct err *e)
{
	const uint64_t *size = &in->source->file.size;
	progress(in, MSG_MANIFEST_PHASE, 0, 0);
	reader_init(&in->reader, &reading, in);
	for (uint64_t at = 0; at < HEAD && (*size == 0 || at < *size) && !at_verity(in); at += HEAD_PART) {
		uint64_t n = *size > 0 && *size - at < HEAD_PART ? *size - at : HEAD_PART;
		if (source_range(in->source, at, n, on_head, in, e) < 0)
			return -1;
	}
	if (!at_verity(in))
		return err_set(e, EBADMSG, "the bundle is cut: it ends in %s", tar_name(in->reader.tar.member));
	return read_frames(in, e);
}

/* --- ranges ------------------------------------------------------------------------------------ */

/* What is above level 0 comes in one range, from the superblock on; leaves by themselves. */
static int take_tree(struct intake *in, uint64_t at, const uint8_t *p, size_t n, struct err *e)
{
	const struct tree *t = &in->target.tree;
	uint64_t upper = t->at.level[0].first * VERITY_BLOCK;
	if (t->at.levels == 0 || at < upper)
		return blockio_write(t->fd, p, n, t->offset + at, e) < 0 ? err_prefix(e, "hash tree") : 0;
	for (; n >= VERITY_BLOCK; p += VERITY_BLOCK, at += VERITY_BLOCK, n -= VERITY_BLOCK) {
		if (leaves_put(&in->leaves, (at - upper) / VERITY_BLOCK, p, e) < 0)
			return -1;
	}
	return 0;
}

static int take(struct intake *in, enum tar_member which, uint64_t at, const uint8_t *p, size_t n, struct err *e)
{
	advance(in, n);
	switch (which) {
	case TAR_VERITY:
		return take_tree(in, at, p, n, e);
	case TAR_HASHES:
		return kernel_hashes(&in->kernel, at, p, n, e);
	case TAR_UKI:
		kernel_seek(&in->kernel, at / KERNEL_PIECE);
		return kernel_feed(&in->kernel, p, n, e);
	default:
		target_seek(&in->target, at / VERITY_BLOCK);
		return target_feed(&in->target, p, n, e);
	}
}

/* A range is of one member. */
static int on_range(const struct fetch_range *r, uint64_t at, const void *p, size_t n, void *arg, struct err *e)
{
	struct intake *in = arg;
	enum tar_member which = TAR_VERITY;
	(void)r;
	while (which < TAR_ROOT && at >= in->at[which + 1])
		which++;
	return take(in, which, at - in->at[which], p, n, e);
}

static int read_range(struct intake *in, uint64_t from, uint64_t bytes, struct err *e)
{
	return source_range(in->source, from, bytes, on_range, in, e);
}

/* --- the hash tree by ranges ------------------------------------------------------------------ */

static bool next_leaves(struct fetch_range *r, void *arg)
{
	struct intake *in = arg;
	struct run run;
	if (!leaves_next(&in->leaves, &run))
		return false;
	uint64_t block = in->target.tree.at.level[0].first + run.first;
	*r = (struct fetch_range){in->at[TAR_VERITY] + block * VERITY_BLOCK, run.count * VERITY_BLOCK, 0};
	return true;
}

/* Each round brings at least one. */
static int read_leaves(struct intake *in, struct err *e)
{
	struct leaves *l = &in->leaves;
	if (leaves_init(l, &in->target.tree, &in->delta, e) < 0 || leaves_resume(l, e) < 0 || leaves_guess(l, e) < 0)
		return -1;
	while (!leaves_all(l)) {
		if (source_ranges(in->source, next_leaves, on_range, in, e) < 0 || leaves_guess(l, e) < 0)
			return -1;
	}
	return 0;
}

/* The superblock has bytes that no hash covers. */
static int check_tree_sum(const struct intake *in, struct err *e)
{
	const struct tree *t = &in->target.tree;
	uint8_t block[VERITY_BLOCK], sum[SHA256_BYTES];
	struct sha256 s;
	sha256_init(&s);
	for (uint64_t i = 0; i < t->at.blocks; i++) {
		if (blockio_read(t->fd, block, sizeof(block), t->offset + i * VERITY_BLOCK, e) < 0)
			return err_prefix(e, "hash tree");
		sha256_add(&s, block, sizeof(block));
	}
	sha256_end(&s, sum);
	if (memcmp(sum, in->m->member[TAR_VERITY].sha256, sizeof(sum)) != 0)
		return err_set(e, EBADMSG, "root.verity: its SHA-256 is not the one in the manifest");
	return 0;
}

/* root.verity to byte `offset` of fd, where some of it may be. */
static int read_tree(struct intake *in, int fd, uint64_t offset, struct err *e)
{
	const struct verity want = wanted(in);
	struct tree *t = &in->target.tree;
	int rc = 0;
	if (tree_layout(&t->at, want.data_blocks, e) < 0)
		return -1;
	t->fd = fd;
	t->offset = offset;
	uint64_t upper = t->at.levels > 0 ? t->at.level[0].first : t->at.blocks;
	progress(in, MSG_TREE_PHASE, 0, in->m->member[TAR_VERITY].size);
	if (read_range(in, in->at[TAR_VERITY], upper * VERITY_BLOCK, e) < 0)
		return -1;
	if (tree_open(t, fd, offset, &want, in->m->root.hash, e) < 0)
		return err_prefix(e, "root.verity");
	if (t->at.levels > 0)
		rc = read_leaves(in, e);
	leaves_fini(&in->leaves);
	return rc < 0 ? -1 : check_tree_sum(in, e);
}

/* The tree that an earlier install has put there is as good as a fetched one: it is checked all the same. */
static int need_tree(struct intake *in, struct err *e)
{
	struct err old = {0};
	if (look_at_target(in, e) < 0)
		return -1;
	if (in->again && check_tree_sum(in, &old) == 0)
		return 0;
	if (read_tree(in, in->target_fd, in->m->root.blocks * VERITY_BLOCK, e) < 0)
		return -1;
	return close_tree(in, e);
}

/* A running slot that cannot be read spares nothing, but hinders nothing either. */
static void read_running(struct intake *in)
{
	const struct verity salt = wanted(in);
	struct err none = {0};
	if (in->running_fd >= 0)
		(void)!delta_read(&in->delta, in->running_fd, &salt, &none);
}

/* --- the image by ranges ---------------------------------------------------------------------- */

static int copy_local(struct intake *in, struct err *e)
{
	progress(in, MSG_LOOK_PHASE, 0, 0);
	if (keep_blocks(in, e) < 0)
		return -1;
	if (in->delta.count == 0)
		return 0;
	progress(in, MSG_COPY_PHASE, 0, 0);
	int rc = target_copy(&in->target, &in->delta, in->running_fd, e);
	delta_fini(&in->delta);
	in->copied = in->target.copied * VERITY_BLOCK;
	return rc;
}

static bool next_blocks(struct fetch_range *r, void *arg)
{
	struct intake *in = arg;
	struct run run;
	if (!blockset_missing(&in->target.done, in->from, in->gap, RUN_BLOCKS, &run))
		return false;
	in->from = run.first + run.count;
	*r = (struct fetch_range){in->at[TAR_ROOT] + run.first * VERITY_BLOCK, run.count * VERITY_BLOCK, 0};
	return true;
}

static int read_blocks(struct intake *in, struct err *e)
{
	uint64_t fetch;
	in->from = 0;
	in->gap = delta_gap(&in->target.done, &fetch);
	progress(in, MSG_FETCH_PHASE, 0, fetch * VERITY_BLOCK);
	return source_ranges(in->source, next_blocks, on_range, in, e);
}

static int check_target(struct intake *in, struct err *e)
{
	progress(in, MSG_CHECK_PHASE, 0, in->m->root.blocks * VERITY_BLOCK);
	return target_finish(&in->target, e);
}

/* --- the kernel by ranges --------------------------------------------------------------------- */

/* An earlier install may have left the whole of it. */
static bool have_uki(const struct intake *in)
{
	uint8_t sum[SHA256_BYTES];
	uint64_t size;
	struct err ignored;
	return blockio_sum(in->uki, sum, &size, &ignored) == 0 && size == in->m->member[TAR_UKI].size &&
	       memcmp(sum, in->m->member[TAR_UKI].sha256, sizeof(sum)) == 0;
}

/* The list, and what can be had of the kernel here. */
static int read_hashes(struct intake *in, struct err *e)
{
	if (kernel_init(&in->kernel, in->m->member[TAR_UKI].size, e) < 0)
		return -1;
	progress(in, MSG_UKI_PHASE, 0, in->m->member[TAR_HASHES].size);
	if (read_range(in, in->at[TAR_HASHES], in->m->member[TAR_HASHES].size, e) < 0 ||
	    kernel_check_hashes(&in->kernel, in->m->member[TAR_HASHES].sha256, e) < 0)
		return -1;
	if (in->uki >= 0)
		kernel_resume(&in->kernel, in->uki);
	return in->kernel_fd < 0 ? 0 : kernel_copy(&in->kernel, in->kernel_fd, e);
}

static bool next_pieces(struct fetch_range *r, void *arg)
{
	struct intake *in = arg;
	const uint64_t bytes = in->m->member[TAR_UKI].size;
	struct run run;
	if (!kernel_run(&in->kernel, in->from, RUN_PIECES, &run))
		return false;
	in->from = run.first + run.count;
	uint64_t at = run.first * KERNEL_PIECE, n = run.count * KERNEL_PIECE;
	*r = (struct fetch_range){in->at[TAR_UKI] + at, n < bytes - at ? n : bytes - at, 0};
	return true;
}

static int read_kernel(struct intake *in, struct err *e)
{
	if (in->hooks.kernel(in, in->hooks.arg, e) < 0)
		return -1;
	if (have_uki(in))
		return 0;
	if (read_hashes(in, e) < 0)
		return -1;
	in->from = 0;
	progress(in, MSG_UKI_PHASE, 0, kernel_missing(&in->kernel));
	if (source_ranges(in->source, next_pieces, on_range, in, e) < 0)
		return -1;
	return kernel_finish(&in->kernel, in->m->member[TAR_UKI].sha256, e);
}

static int install_ranges(struct intake *in, struct err *e)
{
	if (offer(in, e) < 0)
		return -1;
	read_running(in);
	if (need_tree(in, e) < 0 || copy_local(in, e) < 0 || read_blocks(in, e) < 0)
		return -1;
	return check_target(in, e) < 0 ? -1 : read_kernel(in, e);
}

/* --- a source without ------------------------------------------------------------------------- */

static int on_stream(const struct fetch_range *r, uint64_t at, const void *p, size_t n, void *arg, struct err *e)
{
	struct intake *in = arg;
	(void)r;
	(void)at;
	return reader_feed(&in->reader, p, n, e);
}

static int install_stream(struct intake *in, struct err *e)
{
	in->stream = true;
	reader_init(&in->reader, &reading, in);
	if (source_whole(in->source, on_stream, in, e) < 0 || reader_finish(&in->reader, e) < 0)
		return -1;
	return check_target(in, e);
}

/* --- all of it -------------------------------------------------------------------------------- */

int intake_install(struct intake *in, struct err *e)
{
	struct err ignored;
	int rc = read_head(in, e);
	if (rc == 0)
		rc = install_ranges(in, e);
	else if (e->code == EOPNOTSUPP)
		rc = install_stream(in, e);
	/* What has come is there for the next one. */
	if (rc < 0 && in->target_used)
		(void)!target_flush(&in->target, &ignored);
	return rc;
}

static int count_blocks(struct intake *in, uint64_t *blocks, struct err *e)
{
	struct blockset none = {0}, here = {0};
	struct delta_plan plan;
	int rc = blockset_init(&none, in->m->root.blocks, e);
	if (rc == 0)
		rc = blockset_init(&here, in->m->root.blocks, e);
	if (rc == 0)
		rc = delta_plan(&in->delta, &in->target.tree, &none, 0, &here, &plan, e);
	if (rc == 0)
		(void)delta_gap(&here, blocks);
	blockset_fini(&here);
	blockset_fini(&none);
	return rc;
}

/* With the tree in memory, for nothing may be written for a look. What it has taken until here, an install takes too.
 */
static int count_missing(struct intake *in, int memory, uint64_t *fetch, struct err *e)
{
	uint64_t blocks = 0;
	read_running(in);
	if (read_tree(in, memory, 0, e) < 0 || count_blocks(in, &blocks, e) < 0 || read_hashes(in, e) < 0)
		return -1;
	*fetch = source_fetched(in->source) + blocks * VERITY_BLOCK + kernel_missing(&in->kernel);
	return 0;
}

int intake_show(struct intake *in, uint64_t *fetch, struct err *e)
{
	*fetch = 0;
	int rc = read_head(in, e);
	if (rc < 0 && e->code == EOPNOTSUPP)
		return install_stream(in, e) < 0 && in->offered ? 0 : -1;
	if (rc < 0)
		return -1;
	int memory = sys_memfd_create("root.verity", MFD_CLOEXEC);
	if (memory < 0)
		return err_sys(e, "memory for the hash tree");
	rc = count_missing(in, memory, fetch, e);
	sys_close(memory);
	return rc;
}

void intake_fini(struct intake *in)
{
	if (in->target_used)
		target_fini(&in->target);
	in->target_used = false;
	delta_fini(&in->delta);
	kernel_fini(&in->kernel);
}
