/* A bundle on its way into a slot; see intake.h. Runs in the worker. Nothing but manifest.yaml and manifest.sig may be
 * read before the signature is checked, and nothing may be written before the offer is taken. */
#include "update/intake.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/str.h"
#include "base/sys.h"

#define HEAD                                                                                                           \
	(TAR_BLOCK * 2 + TAR_TEXT_MAX + TAR_BLOCK) /* manifest.yaml and manifest.sig at their largest, and a header */
#define RUN_BLOCKS 1024                            /* of one request: 4 MiB, so that several can be in flight */

static void progress(struct intake *in, enum msg_phase phase, uint64_t done, uint64_t total)
{
	in->phase = phase;
	in->phase_done = done;
	in->phase_total = total;
	in->hooks.progress(in, phase, done, total, in->hooks.arg);
}

/* --- root.verity and the target --------------------------------------------------------------- */

static void hex_to_bytes(const char *text, uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n && text[0] && text[1]; text++) {
		if (*text == '-')
			continue;
		bytes[i++] = (uint8_t)(str_hex_digit(text[0]) << 4 | str_hex_digit(text[1]));
		text++;
	}
}

static struct verity wanted(const struct intake *in)
{
	struct verity v = {.data_blocks = in->m->root.blocks, .hash_start = in->m->root.blocks + 1};
	hex_to_bytes(in->m->root.uuid, v.uuid, sizeof(v.uuid));
	v.salt_len = sizeof(in->m->root.salt);
	memcpy(v.salt, in->m->root.salt, sizeof(in->m->root.salt));
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

/* Of an older release next to nothing lies in the same place; to look for it would be to read the whole slot. */
static int keep_blocks(struct intake *in, struct err *e)
{
	if (in->again && target_resume(&in->target, e) < 0)
		return -1;
	in->kept = in->target.done.count * VERITY_BLOCK;
	return 0;
}

static int check_sum(struct intake *in, enum tar_member which, struct err *e)
{
	uint8_t sum[SHA256_BYTES];
	sha256_end(&in->sum, sum);
	if (memcmp(sum, in->m->member[which].sha256, sizeof(sum)) != 0)
		return err_set(e, EBADMSG, "%s: its SHA-256 is not the one in the manifest", tar_name(which));
	return 0;
}

/* --- uki.efi ---------------------------------------------------------------------------------- */

static int take_uki(const struct intake *in, const uint8_t *p, size_t n, struct err *e)
{
	while (n > 0) {
		ssize_t wrote = sys_write(in->uki, p, n);
		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote <= 0)
			return err_sys(e, "write the kernel to the ESP");
		p += wrote;
		n -= (size_t)wrote;
	}
	return 0;
}

static int empty_uki(struct intake *in, struct err *e)
{
	if (in->stream && in->hooks.kernel(in, in->hooks.arg, e) < 0)
		return -1;
	return sys_ftruncate(in->uki, 0) < 0 ? err_sys(e, "empty the temporary kernel") : 0;
}

/* An earlier install may have left the whole of it. */
static bool have_uki(struct intake *in)
{
	uint8_t sum[SHA256_BYTES];
	uint64_t size;
	struct err ignored;
	return blockio_sum(in->uki, sum, &size, &ignored) == 0 && size == in->m->member[TAR_UKI].size &&
	       memcmp(sum, in->m->member[TAR_UKI].sha256, sizeof(sum)) == 0;
}

/* --- members, whichever way they come --------------------------------------------------------- */

static int begin(struct intake *in, enum tar_member which, struct err *e)
{
	sha256_init(&in->sum);
	if (which == TAR_VERITY)
		return look_at_target(in, e);
	if (which == TAR_UKI)
		return empty_uki(in, e);
	if (keep_blocks(in, e) < 0)
		return -1;
	target_seek(&in->target, 0);
	return 0;
}

static enum msg_phase phase_of(enum tar_member which)
{
	if (which == TAR_VERITY)
		return MSG_TREE_PHASE;
	return which == TAR_UKI ? MSG_UKI_PHASE : MSG_FETCH_PHASE;
}

static int take(struct intake *in, enum tar_member which, const uint8_t *p, size_t n, struct err *e)
{
	enum msg_phase phase = phase_of(which);
	uint64_t done = phase == in->phase ? in->phase_done : 0;
	progress(in, phase, done + n, in->m->member[which].size);
	if (which == TAR_ROOT)
		return target_feed(&in->target, p, n, e);
	sha256_add(&in->sum, p, n);
	return which == TAR_UKI ? take_uki(in, p, n, e) : target_tree(&in->target, p, n, e);
}

static int end(struct intake *in, enum tar_member which, struct err *e)
{
	if (which == TAR_ROOT)
		return 0;
	if (check_sum(in, which, e) < 0)
		return -1;
	if (which == TAR_UKI)
		return 0;
	/* Before any block: it is what tells the next install that blocks may be there. */
	return check_tree(in, e) < 0 ? -1 : target_flush(&in->target, e);
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

/* Of a source without ranges: members begin and end where the next one does. */
static int on_data(void *arg, enum tar_member which, uint64_t at, const uint8_t *p, size_t n, struct err *e)
{
	struct intake *in = arg;
	if (at == 0 && which != TAR_VERITY && end(in, which - 1, e) < 0)
		return -1;
	if (at == 0 && begin(in, which, e) < 0)
		return -1;
	return take(in, which, p, n, e);
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

static int read_head(struct intake *in, struct err *e)
{
	uint64_t size = in->source->file.size;
	progress(in, MSG_MANIFEST_PHASE, 0, 0);
	reader_init(&in->reader, &reading, in);
	if (source_range(in->source, 0, size > 0 && size < HEAD ? size : HEAD, on_head, in, e) < 0)
		return -1;
	return at_verity(in) ? 0
	                     : err_set(e, EBADMSG, "the bundle is cut: it ends in %s", tar_name(in->reader.tar.member));
}

/* --- a source with ranges --------------------------------------------------------------------- */

/* A member with what stands before and behind it: its header, its bytes, zeros, the next one's header. */
struct piece {
	struct intake *in;
	enum tar_member which;
	fetch_data_fn *data;                  /* NULL: as `data` above has it */
	uint64_t start, body, pad, next, end; /* where these begin */
	uint8_t header[TAR_BLOCK], after[TAR_BLOCK];
};

static struct piece piece_of(struct intake *in, enum tar_member which)
{
	struct piece p = {.in = in, .which = which};
	p.body = in->at[which];
	p.start = p.body - TAR_BLOCK;
	p.pad = p.body + in->m->member[which].size;
	p.end = in->at[which + 1];
	p.next = p.end - TAR_BLOCK;
	tar_header(which, in->m->member[which].size, in->reader.tar.mtime, p.header);
	tar_header(which + 1, in->m->member[which + 1].size, in->reader.tar.mtime, p.after);
	return p;
}

static int check_same(const uint8_t *is, const uint8_t *want, size_t n, uint64_t at, struct err *e)
{
	static const uint8_t zeros[TAR_TRAILER];
	if (memcmp(is, want ? want : zeros, n) == 0)
		return 0;
	return err_set(e, EBADMSG, "the bundle is damaged near byte %llu: %s", (unsigned long long)at,
	               want ? "not the header that belongs there" : "no zeros between two members");
}

static int on_piece(const struct fetch_range *r, uint64_t at, const void *from, size_t n, void *arg, struct err *e)
{
	struct piece *p = arg;
	const uint8_t *bytes = from;
	(void)r;
	while (n > 0) {
		uint64_t until = at < p->body ? p->body : at < p->pad ? p->pad : at < p->next ? p->next : p->end;
		size_t part = until - at < n ? (size_t)(until - at) : n;
		int rc = 0;
		if (at < p->body)
			rc = check_same(bytes, p->header + (at - p->start), part, at, e);
		else if (at < p->pad)
			rc = p->data ? p->data(r, at, bytes, part, p->in, e) : take(p->in, p->which, bytes, part, e);
		else
			rc = check_same(bytes, at < p->next ? NULL : p->after + (at - p->next), part, at, e);
		if (rc < 0)
			return -1;
		at += part;
		bytes += part;
		n -= part;
	}
	return 0;
}

static int read_member(struct intake *in, enum tar_member which, struct err *e)
{
	struct piece p = piece_of(in, which);
	if (begin(in, which, e) < 0)
		return -1;
	if (source_range(in->source, p.start, p.end - p.start, on_piece, &p, e) < 0)
		return -1;
	return end(in, which, e);
}

/* The tree that an earlier install has put there is as good as a fetched one: it is checked all the same. */
static int read_tree(struct intake *in, struct err *e)
{
	if (look_at_target(in, e) < 0)
		return -1;
	return in->again ? 0 : read_member(in, TAR_VERITY, e);
}

static int copy_local(struct intake *in, struct err *e)
{
	struct delta d = {0};
	struct err none = {0};
	const struct verity salt = wanted(in);
	progress(in, MSG_LOOK_PHASE, 0, 0);
	if (keep_blocks(in, e) < 0)
		return -1;
	if (in->running_fd < 0)
		return 0;
	progress(in, MSG_COPY_PHASE, 0, 0);
	/* A running slot that cannot be read spares nothing, but hinders nothing either. */
	int rc = 0;
	if (delta_read(&d, in->running_fd, &salt, &none) == 0)
		rc = target_copy(&in->target, &d, in->running_fd, e);
	delta_fini(&d);
	in->copied = in->target.copied * VERITY_BLOCK;
	return rc;
}

static bool next_run(struct fetch_range *r, void *arg)
{
	struct intake *in = arg;
	struct run run;
	if (!blockset_missing(&in->target.done, in->from, DELTA_GAP, RUN_BLOCKS, &run))
		return false;
	in->from = run.first + run.count;
	*r = (struct fetch_range){in->at[TAR_ROOT] + run.first * VERITY_BLOCK, run.count * VERITY_BLOCK, run.first};
	return true;
}

static int on_run(const struct fetch_range *r, uint64_t at, const void *p, size_t n, void *arg, struct err *e)
{
	struct intake *in = arg;
	(void)r;
	target_seek(&in->target, (at - in->at[TAR_ROOT]) / VERITY_BLOCK);
	if (target_feed(&in->target, p, n, e) < 0)
		return -1;
	progress(in, MSG_FETCH_PHASE, in->phase_done + n, in->phase_total);
	return 0;
}

static int read_blocks(struct intake *in, struct err *e)
{
	const struct target *t = &in->target;
	in->from = 0;
	progress(in, MSG_FETCH_PHASE, 0, (t->done.blocks - t->done.count) * VERITY_BLOCK);
	return source_ranges(in->source, next_run, on_run, in, e);
}

static int on_trailer(const struct fetch_range *r, uint64_t at, const void *p, size_t n, void *arg, struct err *e)
{
	(void)r;
	(void)arg;
	return check_same(p, NULL, n, at, e);
}

static int read_kernel(struct intake *in, struct err *e)
{
	if (in->hooks.kernel(in, in->hooks.arg, e) < 0)
		return -1;
	return have_uki(in) ? 0 : read_member(in, TAR_UKI, e);
}

static int check_target(struct intake *in, struct err *e)
{
	progress(in, MSG_CHECK_PHASE, 0, in->m->root.blocks * VERITY_BLOCK);
	return target_finish(&in->target, e);
}

static int install_ranges(struct intake *in, struct err *e)
{
	if (offer(in, e) < 0 || read_tree(in, e) < 0 || copy_local(in, e) < 0 || read_blocks(in, e) < 0)
		return -1;
	if (source_range(in->source, in->bundle - TAR_TRAILER, TAR_TRAILER, on_trailer, in, e) < 0)
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
	if (read_head(in, e) == 0)
		return install_ranges(in, e);
	return e->code == EOPNOTSUPP ? install_stream(in, e) : -1;
}

/* root.verity goes to memory: nothing may be written for a look. */
static int on_look(const struct fetch_range *r, uint64_t at, const void *p, size_t n, void *arg, struct err *e)
{
	struct intake *in = arg;
	(void)r;
	(void)at;
	sha256_add(&in->sum, p, n);
	return sys_write(in->uki, p, n) == (ssize_t)n ? 0 : err_sys(e, "keep the hash tree in memory");
}

static int count_missing(struct intake *in, int fd, uint64_t *fetch, struct err *e)
{
	static struct tree tree;
	const struct verity want = wanted(in);
	struct blockset none = {0}, here = {0};
	struct delta d = {0};
	struct delta_plan plan = {0};
	struct err ignored = {0};
	int rc = tree_open(&tree, fd, 0, &want, in->m->root.hash, e);
	if (rc == 0)
		rc = blockset_init(&none, want.data_blocks, e);
	if (rc == 0)
		rc = blockset_init(&here, want.data_blocks, e);
	if (rc == 0 && in->running_fd >= 0)
		(void)!delta_read(&d, in->running_fd, &want, &ignored);
	if (rc == 0)
		rc = delta_plan(&d, &tree, &none, DELTA_GAP, &here, &plan, e);
	/* The header between hash tree and kernel comes twice. */
	*fetch = HEAD + in->at[TAR_ROOT] - in->at[TAR_VERITY] + (uint64_t)2 * TAR_BLOCK + plan.fetch * VERITY_BLOCK +
	         TAR_TRAILER;
	delta_fini(&d);
	blockset_fini(&here);
	blockset_fini(&none);
	return rc;
}

int intake_show(struct intake *in, uint64_t *fetch, struct err *e)
{
	*fetch = 0;
	int rc = read_head(in, e);
	if (rc < 0 && e->code == EOPNOTSUPP)
		return install_stream(in, e) < 0 && in->offered ? 0 : -1;
	if (rc < 0)
		return -1;
	struct piece p = piece_of(in, TAR_VERITY);
	p.data = on_look;
	in->uki = sys_memfd_create("root.verity", MFD_CLOEXEC);
	if (in->uki < 0)
		return err_sys(e, "memory for the hash tree");
	sha256_init(&in->sum);
	rc = source_range(in->source, p.start, p.end - p.start, on_piece, &p, e);
	if (rc == 0)
		rc = check_sum(in, TAR_VERITY, e);
	if (rc == 0)
		rc = count_missing(in, in->uki, fetch, e);
	sys_close(in->uki);
	in->uki = -1;
	return rc;
}

void intake_fini(struct intake *in)
{
	if (in->target_used)
		target_fini(&in->target);
	in->target_used = false;
}
