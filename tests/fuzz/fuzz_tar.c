/* update/tar: any archive, cut into pieces in any way, gives the same; what is taken is the one right archive of its
 * members, to the last byte. Input: one byte (1: checksums of headers are made right, so that what is behind them is
 * reached; the rest says how large the pieces are), then the archive. */
#include <string.h>

#include "base/str.h"
#include "fuzz/check.h"
#include "update/tar.h"

#define SIZE_MAX_TRIED 98304

static uint8_t file[SIZE_MAX_TRIED], again[SIZE_MAX_TRIED];

struct seen {
	unsigned begun, ended;
	uint64_t size[TAR_MEMBERS], bytes[TAR_MEMBERS], at[TAR_MEMBERS];
	const struct tar *t;
};

static int on_begin(void *arg, enum tar_member which, uint64_t size, struct err *e)
{
	struct seen *s = arg;

	(void)e;
	FUZZ_CHECK(s->begun == (unsigned)which && s->ended == (unsigned)which && size <= TAR_SIZE_MAX);
	FUZZ_CHECK(which != TAR_MANIFEST || size <= TAR_TEXT_MAX);
	FUZZ_CHECK(which != TAR_SIGNATURE || size <= TAR_SIG_MAX);
	s->begun++;
	s->size[which] = size;
	s->at[which] = s->t->at;
	return 0;
}

static int on_data(void *arg, enum tar_member which, const uint8_t *p, size_t n, struct err *e)
{
	struct seen *s = arg;

	(void)e;
	FUZZ_CHECK(s->begun == (unsigned)which + 1 && s->ended == (unsigned)which && n > 0);
	FUZZ_CHECK(memcmp(file + s->at[which] + s->bytes[which], p, n) == 0);
	s->bytes[which] += n;
	return 0;
}

static int on_end(void *arg, enum tar_member which, struct err *e)
{
	struct seen *s = arg;

	(void)e;
	FUZZ_CHECK(s->bytes[which] == s->size[which] && s->ended == (unsigned)which);
	s->ended++;
	return 0;
}

static int read_all(struct tar *t, struct seen *s, size_t size, size_t piece, struct err *e)
{
	static const struct tar_sink sink = {on_begin, on_data, on_end};

	memset(s, 0, sizeof(*s));
	memset(e, 0, sizeof(*e));
	s->t = t;
	tar_init(t, &sink, s);
	for (size_t at = 0; at < size; at += piece) {
		size_t n = size - at < piece ? size - at : piece;
		if (tar_feed(t, file + at, n, e) < 0) {
			struct err more = {0};
			FUZZ_CHECK(e->text[0] != '\0' && t->state == TAR_REFUSED && tar_finish(t, &more) < 0);
			return -1;
		}
		FUZZ_CHECK(t->at == at + n);
	}
	return tar_finish(t, e);
}

/* Headers stand where the sizes before them say. */
static void mend(size_t size)
{
	for (size_t at = 0; at + TAR_BLOCK <= size;) {
		uint64_t data = 0;
		unsigned sum = 8 * ' ';
		for (size_t i = 0; i < TAR_BLOCK; i++)
			sum += i >= 148 && i < 156 ? 0 : file[at + i];
		if (sum == 8 * ' ')
			return;
		for (size_t i = 0; i < 6; i++)
			file[at + 153 - i] = (uint8_t)('0' + (sum >> (3 * i) & 7));
		file[at + 154] = '\0';
		file[at + 155] = ' ';
		for (size_t i = 124; i < 135; i++)
			data = data << 3 | (file[at + i] & 7);
		if (data > size)
			return;
		at += TAR_BLOCK + (data + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
	}
}

/* Made anew from what came out, it is the same. */
static void check_taken(const struct tar *t, const struct seen *s, size_t size)
{
	uint64_t at[TAR_MEMBERS];

	FUZZ_CHECK(s->ended == TAR_MEMBERS && tar_offsets(s->size, at) == size);
	memset(again, 0, size);
	for (unsigned i = 0; i < TAR_MEMBERS; i++) {
		FUZZ_CHECK(at[i] == s->at[i]);
		tar_header(i, s->size[i], t->mtime, again + at[i] - TAR_BLOCK);
		memcpy(again + at[i], file + at[i], s->size[i]);
	}
	FUZZ_CHECK(memcmp(file, again, size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tar t;
	struct seen whole, pieces;
	struct err e, other;

	if (size == 0 || size > SIZE_MAX_TRIED)
		return 0;
	size_t piece = data[0] / 2 * 7 + 1;
	memcpy(file, data + 1, --size);
	if (data[0] & 1)
		mend(size);
	int rc = read_all(&t, &pieces, size, piece, &other);
	FUZZ_CHECK(read_all(&t, &whole, size, size + 1, &e) == rc && str_eq(e.text, other.text));
	FUZZ_CHECK(whole.begun == pieces.begun && whole.ended == pieces.ended);
	if (rc == 0)
		check_taken(&t, &whole, size);
	return 0;
}
