/* Archive, signature and manifest put together. Runs in the worker and in `hearth bundle`.
 * Never reads the manifest before its signature is good, never passes a member on before the manifest is taken. */
#include "update/reader.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"

static int on_begin(void *arg, enum tar_member which, uint64_t size, struct err *e)
{
	struct reader *r = arg;

	(void)which;
	(void)size; /* tar has held it against the limits and the manifest */
	(void)e;
	r->pos = 0;
	sha256_init(&r->sum);
	return 0;
}

static int on_data(void *arg, enum tar_member which, const uint8_t *p, size_t n, struct err *e)
{
	struct reader *r = arg;
	uint64_t at = r->pos;

	r->pos += n;
	if (which == TAR_MANIFEST) {
		memcpy(r->text + at, p, n);
		return 0;
	}
	if (which == TAR_SIGNATURE) {
		memcpy(r->sig + at, p, n);
		return 0;
	}
	sha256_add(&r->sum, p, n);
	return r->hooks->data(r->arg, which, at, p, n, e);
}

static int take_manifest(struct reader *r, struct err *e)
{
	uint64_t size[TAR_MEMBERS];

	r->sig_len = (size_t)r->pos;
	if (r->hooks->signer(r->arg, r->text, r->text_len, r->sig, r->sig_len, &r->signer, e) < 0 ||
	    update_manifest_parse(&r->m, &r->yaml, tar_name(TAR_MANIFEST), r->text, r->text_len, e) < 0)
		return -1;
	update_manifest_sizes(&r->m, r->text_len, r->sig_len, size);
	tar_expect(&r->tar, size);
	r->verified = true;
	return r->hooks->manifest(r->arg, &r->m, r->signer, e);
}

static int on_end(void *arg, enum tar_member which, struct err *e)
{
	struct reader *r = arg;
	uint8_t digest[SHA256_BYTES];

	if (which == TAR_MANIFEST) {
		r->text_len = (size_t)r->pos;
		return 0;
	}
	if (which == TAR_SIGNATURE)
		return take_manifest(r, e);
	sha256_end(&r->sum, digest);
	if (memcmp(digest, r->m.member[which].sha256, sizeof(digest)) != 0)
		return err_set(e, EBADMSG, "hash mismatch: the bytes of %s are not those that the manifest names",
		               tar_name(which));
	return 0;
}

void reader_init(struct reader *r, const struct reader_hooks *hooks, void *arg)
{
	static const struct tar_sink sink = {on_begin, on_data, on_end};

	r->hooks = hooks;
	r->arg = arg;
	r->verified = false;
	r->signer = NULL;
	tar_init(&r->tar, &sink, r);
}

int reader_feed(struct reader *r, const void *p, size_t n, struct err *e)
{
	return tar_feed(&r->tar, p, n, e);
}

int reader_finish(const struct reader *r, struct err *e)
{
	return tar_finish(&r->tar, e);
}

uint64_t reader_offsets(const struct reader *r, uint64_t at[TAR_MEMBERS])
{
	return update_manifest_offsets(&r->m, r->text_len, r->sig_len, at);
}
