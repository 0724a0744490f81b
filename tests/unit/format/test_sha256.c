/* SHA-256: the vectors of FIPS 180 and their like, each way of computing it, in one piece and in many. */
#include "format/sha256.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"

static const char *hex(const uint8_t digest[SHA256_BYTES])
{
	static char text[2 * SHA256_BYTES + 1];

	for (unsigned i = 0; i < SHA256_BYTES; i++)
		(void)snprintf(text + 2 * (size_t)i, 3, "%02x", digest[i]);
	return text;
}

/* Both ways; a machine without the instructions tests the plain one alone. */
static void both(void (*check)(void))
{
	assert_true(sha256_use(SHA256_PLAIN));
	check();
	if (sha256_use(SHA256_NI))
		check();
	else
		print_message("no SHA instructions here: plain C only\n");
}

static void vectors(void)
{
	static const struct {
		const char *text, *digest;
	} known[] = {
		{"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		{"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
		{"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopq"
	         "rstnopqrstu",
	         "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
	};
	uint8_t digest[SHA256_BYTES];

	for (size_t i = 0; i < COUNT_OF(known); i++) {
		sha256(known[i].text, strlen(known[i].text), digest);
		assert_string_equal(hex(digest), known[i].digest);
	}
}

static void the_known_vectors(void **state)
{
	(void)state;
	both(vectors);
}

static void million(void)
{
	uint8_t digest[SHA256_BYTES];
	struct sha256 s;
	char a[1000];

	memset(a, 'a', sizeof(a));
	sha256_init(&s);
	for (unsigned i = 0; i < 1000; i++)
		sha256_add(&s, a, sizeof(a));
	sha256_end(&s, digest);
	assert_string_equal(hex(digest), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void a_million_letters(void **state)
{
	(void)state;
	both(million);
}

/* Every length around the edges of a block, cut at every place: the same as in one piece, the same both ways. */
static void pieces_make_no_difference(void **state)
{
	uint8_t data[200], whole[SHA256_BYTES], cut[SHA256_BYTES];
	struct sha256 s;

	(void)state;
	for (unsigned i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7 + 3);
	for (size_t n = 0; n <= sizeof(data); n++) {
		assert_true(sha256_use(SHA256_PLAIN));
		sha256(data, n, whole);
		(void)sha256_use(SHA256_NI);
		for (size_t at = 0; at <= n; at++) {
			sha256_init(&s);
			sha256_add(&s, data, at);
			sha256_add(&s, data + at, n - at);
			sha256_end(&s, cut);
			assert_memory_equal(cut, whole, sizeof(whole));
		}
	}
}

static void a_state_is_a_value(void **state)
{
	static uint8_t block[4096 + 32];
	uint8_t whole[SHA256_BYTES], from[SHA256_BYTES];
	struct sha256 salted;

	(void)state;
	memset(block, 0x5a, sizeof(block));
	sha256(block, sizeof(block), whole);
	sha256_init(&salted);
	sha256_add(&salted, block, 32);
	for (unsigned i = 0; i < 2; i++) { /* the second time: it was not used up */
		sha256_from(&salted, block + 32, 4096, from);
		assert_memory_equal(from, whole, sizeof(whole));
	}
}

/* Two at a time are what each is alone: every length, whatever a block holds before. */
static void pairs(void)
{
	uint8_t one[300], other[300], want[SHA256_BYTES], digest[2][SHA256_BYTES];
	struct sha256 start;

	for (unsigned i = 0; i < sizeof(one); i++) {
		one[i] = (uint8_t)(i * 7 + 3);
		other[i] = (uint8_t)(i * 11 + 5);
	}
	for (size_t before = 0; before <= SHA256_BLOCK; before++) {
		sha256_init(&start);
		sha256_add(&start, other, before);
		for (size_t n = SHA256_BLOCK; n <= sizeof(one); n++) {
			sha256_pair(&start, one, other, n, digest[0], digest[1]);
			sha256_from(&start, one, n, want);
			assert_memory_equal(digest[0], want, sizeof(want));
			sha256_from(&start, other, n, want);
			assert_memory_equal(digest[1], want, sizeof(want));
		}
	}
}

static void two_at_a_time(void **state)
{
	(void)state;
	both(pairs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_known_vectors),
		cmocka_unit_test(a_million_letters),
		cmocka_unit_test(pieces_make_no_difference),
		cmocka_unit_test(a_state_is_a_value),
		cmocka_unit_test(two_at_a_time),
	};

	return cmocka_run_group_tests_name("sha256", tests, NULL, NULL);
}
