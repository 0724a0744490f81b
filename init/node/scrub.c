/* The scrub role: reads the root to its end and says whether it is whole. Run once per boot, at idle priority; it never
 * writes and repairs nothing. */
#include "node/scrub.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/exit.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/sys.h"
#include "host/verity.h"
#include "node/tell.h"

#define STEP        0x100000
#define REST_MAX_MS 500

/* Aligned as direct I/O wants it. */
static _Alignas(VERITY_BLOCK) uint8_t content[STEP];

int scrub_device(int fd, uint64_t *block, struct err *e)
{
	for (;;) { /* each round moves *block on, and a device has an end */
		uint64_t start = clock_ms();
		ssize_t n = verity_read(fd, block, content, sizeof(content), e);
		if (n <= 0)
			return n < 0 ? -1 : 0;
		uint64_t took = clock_ms() - start;
		(void)sys_poll(NULL, 0, took > REST_MAX_MS ? REST_MAX_MS : (int)took);
	}
}

static int report(enum fact_value v, const char *detail)
{
	struct err e;

	if (v == FACT_ON)
		log_info("scrub", "%s", detail);
	else
		log_errx("scrub", "%s", detail);
	if (tell_fact("root-intact", v, detail, &e) == 0)
		return 0;
	log_errx("scrub", "%s", e.text);
	return 1;
}

int scrub_main(int argc, char **argv)
{
	char detail[LIMIT_DETAIL];
	struct err e;
	uint64_t block = 0;

	(void)argv;
	if (argc != 1)
		return EXIT_USAGE;
	if (sys_set_idle() < 0)
		log_warn("scrub", "no idle priority");
	int fd = verity_open_root(&e);
	if (fd < 0)
		return report(FACT_UNKNOWN, e.text);
	int rc = scrub_device(fd, &block, &e);
	sys_close(fd);
	if (rc < 0)
		(void)snprintf(detail, sizeof(detail), "block %llu is damaged", (unsigned long long)block);
	else
		(void)snprintf(detail, sizeof(detail), "%llu MiB checked",
		               (unsigned long long)(block * VERITY_BLOCK >> 20));
	return report(rc < 0 ? FACT_OFF : FACT_ON, detail);
}
