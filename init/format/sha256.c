/* SHA-256 by the processor's SHA instructions or in plain C. Decides by itself, once,
 * which way it goes. */
#include "format/sha256.h"

#include <cpuid.h>
#include <immintrin.h>
#include <string.h>

#include "base/bytes.h"

static const _Alignas(16) uint32_t constants[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

/* ---- plain C ---- */

static uint32_t turn(uint32_t x, unsigned n)
{
	return x >> n | x << (32 - n);
}

/* Round n of eight. Instead of moving all words on by one place, each round names them one place on. */
static inline void plain_round(uint32_t s[8], unsigned n, uint32_t key)
{
	uint32_t a = s[-n & 7], b = s[(1 - n) & 7], c = s[(2 - n) & 7];
	uint32_t e = s[(4 - n) & 7], f = s[(5 - n) & 7], g = s[(6 - n) & 7];
	uint32_t t = s[(7 - n) & 7] + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + (g ^ (e & (f ^ g))) + key;

	s[(3 - n) & 7] += t;
	s[(7 - n) & 7] = t + (turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) | (c & (a | b)));
}

static void plain_block(uint32_t state[8], const uint8_t *p)
{
	uint32_t w[64], s[8];

	for (unsigned i = 0; i < 16; i++)
		w[i] = __builtin_bswap32(bytes_le32(p + 4 * (size_t)i));
	for (unsigned i = 16; i < 64; i++) {
		uint32_t a = w[i - 15], b = w[i - 2];
		w[i] = w[i - 16] + (turn(a, 7) ^ turn(a, 18) ^ a >> 3) + w[i - 7] +
		       (turn(b, 17) ^ turn(b, 19) ^ b >> 10);
	}
	memcpy(s, state, sizeof(s));
	for (unsigned i = 0; i < 64; i += 8) {
#pragma GCC unroll 8
		for (unsigned n = 0; n < 8; n++)
			plain_round(s, n, constants[i + n] + w[i + n]);
	}
	for (unsigned i = 0; i < 8; i++)
		state[i] += s[i];
}

static void plain_blocks(uint32_t state[8], const uint8_t *p, size_t n)
{
	for (; n > 0; n--, p += SHA256_BLOCK)
		plain_block(state, p);
}

static void plain_pair(uint32_t a[8], const uint8_t *p, uint32_t b[8], const uint8_t *q, size_t n)
{
	plain_blocks(a, p, n);
	plain_blocks(b, q, n);
}

/* ---- SHA instructions: the state lies in two registers, ABEF and CDGH; a step does four rounds ---- */

#define NI __attribute__((target("sha,sse4.1,ssse3")))

struct ni {
	__m128i abef, cdgh;
};

NI static inline struct ni ni_load(const uint32_t state[8])
{
	const __m128i *at = (const __m128i *)(const void *)state;
	__m128i badc = _mm_shuffle_epi32(_mm_loadu_si128(at), 0xB1);
	__m128i hgfe = _mm_shuffle_epi32(_mm_loadu_si128(at + 1), 0x1B);

	return (struct ni){_mm_alignr_epi8(badc, hgfe, 8), _mm_blend_epi16(hgfe, badc, 0xF0)};
}

NI static inline void ni_store(uint32_t state[8], struct ni s)
{
	__m128i *at = (__m128i *)(void *)state;
	__m128i feba = _mm_shuffle_epi32(s.abef, 0x1B);
	__m128i dchg = _mm_shuffle_epi32(s.cdgh, 0xB1);

	_mm_storeu_si128(at, _mm_blend_epi16(feba, dchg, 0xF0));
	_mm_storeu_si128(at + 1, _mm_alignr_epi8(dchg, feba, 8));
}

NI static inline struct ni ni_add(struct ni a, struct ni b)
{
	return (struct ni){_mm_add_epi32(a.abef, b.abef), _mm_add_epi32(a.cdgh, b.cdgh)};
}

/* The i-th four words of a block. */
NI static inline __m128i ni_read(const uint8_t *p, unsigned i)
{
	const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);

	return _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)p + i), big_endian);
}

/* Four rounds with the words w. */
NI static inline void ni_rounds(struct ni *s, __m128i w, unsigned i)
{
	__m128i k = _mm_add_epi32(w, _mm_load_si128((const __m128i *)(const void *)(constants + i)));

	s->cdgh = _mm_sha256rnds2_epu32(s->cdgh, s->abef, k);
	s->abef = _mm_sha256rnds2_epu32(s->abef, s->cdgh, _mm_shuffle_epi32(k, 0x0E));
}

/* The next four words, in place of the oldest, a, from the sixteen before. */
NI static inline __m128i ni_words(__m128i a, __m128i b, __m128i c, __m128i d)
{
	__m128i t = _mm_add_epi32(_mm_sha256msg1_epu32(a, b), _mm_alignr_epi8(d, c, 4));

	return _mm_sha256msg2_epu32(t, d);
}

NI static void ni_blocks(uint32_t state[8], const uint8_t *p, size_t n)
{
	struct ni s = ni_load(state);

	for (; n > 0; n--, p += SHA256_BLOCK) {
		struct ni before = s;
		__m128i w[4];
#pragma GCC unroll 16
		for (unsigned i = 0; i < 16; i++) {
			unsigned at = i % 4;
			w[at] = i < 4 ? ni_read(p, i)
			              : ni_words(w[at], w[(at + 1) % 4], w[(at + 2) % 4], w[(at + 3) % 4]);
			ni_rounds(&s, w[at], 4 * i);
		}
		s = ni_add(s, before);
	}
	ni_store(state, s);
}

/* The same, twice, step by step: one's instructions run while the other's wait for their operands. */
NI static void ni_pair(uint32_t a[8], const uint8_t *p, uint32_t b[8], const uint8_t *q, size_t n)
{
	struct ni s = ni_load(a), t = ni_load(b);

	for (; n > 0; n--, p += SHA256_BLOCK, q += SHA256_BLOCK) {
		struct ni s_before = s, t_before = t;
		__m128i w[4], x[4];
#pragma GCC unroll 16
		for (unsigned i = 0; i < 16; i++) {
			unsigned at = i % 4, b1 = (at + 1) % 4, b2 = (at + 2) % 4, b3 = (at + 3) % 4;
			w[at] = i < 4 ? ni_read(p, i) : ni_words(w[at], w[b1], w[b2], w[b3]);
			x[at] = i < 4 ? ni_read(q, i) : ni_words(x[at], x[b1], x[b2], x[b3]);
			ni_rounds(&s, w[at], 4 * i);
			ni_rounds(&t, x[at], 4 * i);
		}
		s = ni_add(s, s_before);
		t = ni_add(t, t_before);
	}
	ni_store(a, s);
	ni_store(b, t);
}

static bool ni_here(void)
{
	const unsigned ssse3 = 1u << 9, sse41 = 1u << 19, sha = 1u << 29;
	unsigned a, b, c, d;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & ssse3) || !(c & sse41))
		return false;
	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & sha);
}

/* ---- which one ---- */

static void first_blocks(uint32_t state[8], const uint8_t *p, size_t n);
static void first_pair(uint32_t a[8], const uint8_t *p, uint32_t b[8], const uint8_t *q, size_t n);

static struct {
	void (*blocks)(uint32_t state[8], const uint8_t *p, size_t n);
	void (*pair)(uint32_t a[8], const uint8_t *p, uint32_t b[8], const uint8_t *q, size_t n);
} way = {first_blocks, first_pair};

bool sha256_use(enum sha256_way which)
{
	if (which == SHA256_NI && !ni_here())
		return false;
	way.blocks = which == SHA256_NI ? ni_blocks : plain_blocks;
	way.pair = which == SHA256_NI ? ni_pair : plain_pair;
	return true;
}

static void choose(void)
{
	if (!sha256_use(SHA256_NI))
		(void)sha256_use(SHA256_PLAIN);
}

static void first_blocks(uint32_t state[8], const uint8_t *p, size_t n)
{
	choose();
	way.blocks(state, p, n);
}

static void first_pair(uint32_t a[8], const uint8_t *p, uint32_t b[8], const uint8_t *q, size_t n)
{
	choose();
	way.pair(a, p, b, q, n);
}

/* ---- bytes ---- */

void sha256_init(struct sha256 *s)
{
	static const uint32_t first[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
	                                  0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

	memcpy(s->state, first, sizeof(first));
	s->bytes = 0;
}

void sha256_add(struct sha256 *s, const void *data, size_t n)
{
	const uint8_t *p = data;
	size_t held = (size_t)(s->bytes % SHA256_BLOCK);

	s->bytes += n;
	if (held > 0) {
		size_t take = n < SHA256_BLOCK - held ? n : SHA256_BLOCK - held;
		memcpy(s->rest + held, p, take);
		if (held + take < SHA256_BLOCK)
			return;
		way.blocks(s->state, s->rest, 1);
		p += take;
		n -= take;
	}
	if (n >= SHA256_BLOCK)
		way.blocks(s->state, p, n / SHA256_BLOCK);
	memcpy(s->rest, p + n / SHA256_BLOCK * SHA256_BLOCK, n % SHA256_BLOCK);
}

void sha256_end(struct sha256 *s, uint8_t digest[SHA256_BYTES])
{
	uint64_t bits = __builtin_bswap64(s->bytes * 8);
	size_t held = (size_t)(s->bytes % SHA256_BLOCK);

	s->rest[held++] = 0x80;
	if (held > SHA256_BLOCK - sizeof(bits)) {
		memset(s->rest + held, 0, SHA256_BLOCK - held);
		way.blocks(s->state, s->rest, 1);
		held = 0;
	}
	memset(s->rest + held, 0, SHA256_BLOCK - sizeof(bits) - held);
	memcpy(s->rest + SHA256_BLOCK - sizeof(bits), &bits, sizeof(bits));
	way.blocks(s->state, s->rest, 1);
	for (unsigned i = 0; i < 8; i++) {
		uint32_t v = __builtin_bswap32(s->state[i]);
		memcpy(digest + 4 * (size_t)i, &v, sizeof(v));
	}
}

void sha256_from(const struct sha256 *start, const void *p, size_t n, uint8_t digest[SHA256_BYTES])
{
	struct sha256 s = *start;

	sha256_add(&s, p, n);
	sha256_end(&s, digest);
}

/* Both hold as much of a block that is not full. */
static void add_pair(struct sha256 *s, const uint8_t *p, struct sha256 *t, const uint8_t *q, size_t n)
{
	size_t held = (size_t)(s->bytes % SHA256_BLOCK), take = (SHA256_BLOCK - held) % SHA256_BLOCK;

	memcpy(s->rest + held, p, take);
	memcpy(t->rest + held, q, take);
	if (take > 0)
		way.pair(s->state, s->rest, t->state, t->rest, 1);
	size_t blocks = (n - take) / SHA256_BLOCK, end = take + blocks * SHA256_BLOCK;
	way.pair(s->state, p + take, t->state, q + take, blocks);
	memcpy(s->rest, p + end, n - end);
	memcpy(t->rest, q + end, n - end);
	s->bytes += n;
	t->bytes += n;
}

void sha256_pair(const struct sha256 *start, const void *a, const void *b, size_t n, uint8_t a_digest[SHA256_BYTES],
                 uint8_t b_digest[SHA256_BYTES])
{
	struct sha256 s = *start, t = *start;

	add_pair(&s, a, &t, b, n);
	sha256_end(&s, a_digest);
	sha256_end(&t, b_digest);
}

void sha256(const void *p, size_t n, uint8_t digest[SHA256_BYTES])
{
	struct sha256 s;

	sha256_init(&s);
	sha256_from(&s, p, n, digest);
}
