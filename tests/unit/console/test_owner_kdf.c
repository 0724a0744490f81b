/* init/console/owner_kdf.c, and the library against vectors of its authors (argon2's src/test.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <argon2.h>
#include <cmocka.h>

#include "console/owner_kdf.h"

static void the_library_is_right(void **state)
{
	static const struct {
		uint32_t passes, memory;
		const char *password, *hash;
	} rows[] = {
		{2, 65536, "password", "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7"},
		{2, 256, "password", "9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe"},
		{2, 65536, "differentpassword", "0b84d652cf6b0c4beaef0dfe278ba6a80df6696281d7e0d2891b817d8c458fde"},
	};
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		uint8_t hash[OWNER_HASH];
		char hex[2 * OWNER_HASH + 1];
		assert_int_equal(argon2id_hash_raw(rows[i].passes, rows[i].memory, 1, rows[i].password,
		                                   strlen(rows[i].password), "somesalt", 8, hash, sizeof(hash)),
		                 ARGON2_OK);
		for (size_t n = 0; n < sizeof(hash); n++)
			(void)snprintf(hex + 2 * n, 3, "%02x", hash[n]);
		assert_string_equal(hex, rows[i].hash);
	}
}

static void everything_goes_in(void **state)
{
	struct owner_record r = {.kind = OWNER_ARGON2ID, .cost = {8192, 1, 1}};
	uint8_t one[OWNER_HASH], two[OWNER_HASH];
	struct err e;

	(void)state;
	assert_int_equal(owner_kdf(&r, "x", 1, one, &e), 0);
	assert_int_equal(owner_kdf(&r, "x", 1, two, &e), 0);
	assert_true(owner_kdf_equal(one, two));
	r.salt[15] = 1;
	assert_int_equal(owner_kdf(&r, "x", 1, two, &e), 0);
	assert_false(owner_kdf_equal(one, two));
	r.salt[15] = 0;
	r.cost.passes = 2;
	assert_int_equal(owner_kdf(&r, "x", 1, two, &e), 0);
	assert_false(owner_kdf_equal(one, two));
	memcpy(two, one, sizeof(two));
	two[OWNER_HASH - 1] ^= 1;
	assert_false(owner_kdf_equal(one, two));
	r.cost.memory_kib = 1;
	assert_int_equal(owner_kdf(&r, "x", 1, two, &e), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_library_is_right),
		cmocka_unit_test(everything_goes_in),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
