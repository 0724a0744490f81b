/* For fuzz targets: a property that does not hold ends the run like a crash does. */
#ifndef HEARTH_TESTS_FUZZ_CHECK_H
#define HEARTH_TESTS_FUZZ_CHECK_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Every target has this one function (libFuzzer's name for it). data is exactly size bytes, not terminated. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_CHECK(holds)                                                                                              \
	do {                                                                                                           \
		if (!(holds)) {                                                                                        \
			(void)fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #holds);               \
			abort();                                                                                       \
		}                                                                                                      \
	} while (0)

#endif
