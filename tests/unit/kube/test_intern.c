/* init/kube/intern.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "kube/intern.h"

static void equal_texts_are_one(void **state)
{
	struct intern n = {.count = 0};
	const char *a = intern_add(&n, "htpc-and-more", 4), *b = intern_add(&n, "htp", 3);

	(void)state;
	assert_string_equal(a, "htpc");
	assert_string_equal(b, "htp");
	assert_ptr_equal(intern_add(&n, "htpc", 4), a);
	assert_ptr_equal(intern_add(&n, "htp", 3), b);
	assert_string_equal(intern_add(&n, "", 0), "");
	assert_ptr_equal(intern_add(&n, "x", 0), intern_add(&n, "", 0));
	intern_seal(&n);
	assert_string_equal(a, "htpc");
	intern_free(&n);
	intern_free(&n);
}

static void texts_stay_where_they_are(void **state)
{
	struct intern n = {.count = 0};
	static const char *at[INTERN_TEXTS / 2];
	char text[16];

	(void)state;
	for (unsigned i = 0; i < INTERN_TEXTS / 2; i++) {
		assert_int_equal(str_format(text, sizeof(text), "name-%u", i), 0);
		at[i] = intern_add(&n, text, strlen(text));
		assert_non_null(at[i]);
	}
	for (unsigned i = 0; i < INTERN_TEXTS / 2; i++) {
		assert_int_equal(str_format(text, sizeof(text), "name-%u", i), 0);
		assert_string_equal(at[i], text);
		assert_ptr_equal(intern_add(&n, text, strlen(text)), at[i]);
	}
	/* Full, but what is there is found. */
	assert_null(intern_add(&n, "one more", 8));
	assert_ptr_equal(intern_add(&n, "name-0", 6), at[0]);
	intern_free(&n);
}

/* Wherever the index puts them: a text is not taken for a longer one that begins like it. */
static void a_beginning_is_another_text(void **state)
{
	struct intern n = {.count = 0};
	char text[16];

	(void)state;
	for (unsigned i = 0; i < 8000; i++) {
		assert_int_equal(str_format(text, sizeof(text), "%c-%u", 'a' + (int)(i % 26), i), 0);
		assert_non_null(intern_add(&n, text, strlen(text)));
	}
	for (char c = 'a'; c <= 'z'; c++) {
		assert_int_equal(str_format(text, sizeof(text), "%c", c), 0);
		assert_string_equal(intern_add(&n, text, 1), text);
	}
	intern_free(&n);
}

static void refuses_what_is_no_name(void **state)
{
	struct intern n = {.count = 0};
	char text[INTERN_TEXT + 1];

	(void)state;
	memset(text, 'a', sizeof(text));
	assert_null(intern_add(&n, text, INTERN_TEXT));
	assert_non_null(intern_add(&n, text, INTERN_TEXT - 1));
	assert_null(intern_add(&n, "a\0b", 3));
	intern_free(&n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_texts_are_one),
		cmocka_unit_test(texts_stay_where_they_are),
		cmocka_unit_test(a_beginning_is_another_text),
		cmocka_unit_test(refuses_what_is_no_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
