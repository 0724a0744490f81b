/* The block part of an install beside its floor: blocks IMAGE ROOT-HASH TARGET [RUNNING].
 * IMAGE and RUNNING are root images with their hash trees behind them (build/root.img); TARGET is a file or partition
 * of the same size at least. Prints a line a step: seconds, MB/s, what was done. tests/bench/blocks.sh runs it. */
#include <fcntl.h>
#include <mbedtls/sha256.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"
#include "host/verity.h"
#include "update/target.h"

#define PIECE 16384 /* as libcurl hands them over */

static struct target target;
static struct delta delta;
static struct err e;
static uint8_t bytes[1 << 20];

static void must(int rc, const char *what)
{
	if (rc >= 0)
		return;
	(void)fprintf(stderr, "%s: %s\n", what, e.text);
	exit(1);
}

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void line(const char *what, double since, uint64_t n)
{
	double took = now() - since;
	printf("%-28s %7.3f s %7.0f MB/s\n", what, took, (double)n / took / 1e6);
}

/* ---- hashes: the same digests, how fast ---- */

static void hash_ours(uint8_t digest[SHA256_BYTES])
{
	for (size_t at = 0; at < sizeof(bytes); at += VERITY_BLOCK)
		sha256(bytes + at, VERITY_BLOCK, digest);
}

static void hash_pairs(uint8_t digest[SHA256_BYTES])
{
	uint8_t other[SHA256_BYTES];
	struct sha256 start;

	sha256_init(&start);
	for (size_t at = 0; at < sizeof(bytes); at += 2 * VERITY_BLOCK)
		sha256_pair(&start, bytes + at, bytes + at + VERITY_BLOCK, VERITY_BLOCK, other, digest);
}

static void hash_mbedtls(uint8_t digest[SHA256_BYTES])
{
	for (size_t at = 0; at < sizeof(bytes); at += VERITY_BLOCK)
		(void)mbedtls_sha256(bytes + at, VERITY_BLOCK, digest, 0);
}

static void hashes(const char *what, void (*hash)(uint8_t digest[SHA256_BYTES]))
{
	uint8_t digest[SHA256_BYTES], want[SHA256_BYTES];
	double since = now();
	uint64_t n = 0;

	for (; now() - since < 1; n += sizeof(bytes))
		hash(digest);
	line(what, since, n);
	(void)mbedtls_sha256(bytes + sizeof(bytes) - VERITY_BLOCK, VERITY_BLOCK, want, 0);
	if (memcmp(digest, want, sizeof(want)) != 0) {
		(void)fprintf(stderr, "%s: another digest than mbedTLS's\n", what);
		exit(1);
	}
}

/* ---- an install ---- */

static void feed_tree(int image, uint64_t from)
{
	for (uint64_t at = 0; at < target.at.blocks * VERITY_BLOCK; at += VERITY_BLOCK) {
		must(blockio_read(image, bytes, VERITY_BLOCK, from + at, &e), "image");
		must(target_tree(&target, bytes, VERITY_BLOCK, &e), "tree");
	}
}

static uint64_t feed_missing(int image)
{
	uint64_t fed = 0;
	struct run r;

	for (uint64_t from = 0; blockset_missing(&target.done, from, DELTA_GAP, 0, &r); from = r.first + r.count) {
		target_seek(&target, r.first);
		for (uint64_t at = 0; at < r.count * VERITY_BLOCK; at += PIECE) {
			uint64_t left = r.count * VERITY_BLOCK - at, n = left < PIECE ? left : PIECE;
			must(blockio_read(image, bytes, (size_t)n, r.first * VERITY_BLOCK + at, &e), "image");
			must(target_feed(&target, bytes, (size_t)n, &e), "feed");
			fed += n;
		}
	}
	return fed;
}

static void copy(const struct verity *v, int running)
{
	struct blockset here;
	struct delta_plan p;
	double since = now();

	must(delta_read(&delta, running, v, &e), "index");
	must(blockset_init(&here, v->data_blocks, &e), "set");
	line("index of the running slot", since, delta.count * VERITY_BLOCK);
	for (uint64_t gap = 0; gap <= 32; gap = gap ? 2 * gap : 1) {
		since = now();
		must(delta_plan(&delta, &target.tree, &target.done, gap, &here, &p, &e), "plan");
		printf("plan, gap %2d: %d local, %d missing, %.1f MB to fetch in %d requests (%.0f ms)\n", (int)gap,
		       (int)p.local, (int)p.missing, (double)(p.fetch * VERITY_BLOCK) / 1e6, (int)p.requests,
		       1000 * (now() - since));
	}
	blockset_fini(&here);
	since = now();
	must(target_copy(&target, &delta, running, &e), "copy");
	line("copied from the running slot", since, target.copied * VERITY_BLOCK);
	delta_fini(&delta);
}

static void install(int image, const uint8_t root[SHA256_BYTES], int fd, int running)
{
	struct verity v;
	double start = now(), since = start;

	must(verity_probe(image, &v, &e), "image");
	must(target_init(&target, fd, v.data_blocks, &e), "target");
	feed_tree(image, v.data_blocks * VERITY_BLOCK);
	must(target_open(&target, &v, root, &e), "tree");
	line("tree written and checked", since, target.at.blocks * VERITY_BLOCK);
	if (running >= 0)
		copy(&v, running);
	since = now();
	uint64_t fed = feed_missing(image);
	line("fed, verified, written", since, fed);
	since = now();
	must(target_flush(&target, &e), "flush");
	line("flushed", since, v.data_blocks * VERITY_BLOCK);
	since = now();
	must(target_finish(&target, &e), "finish");
	line("read back and checked", since, v.data_blocks * VERITY_BLOCK);
	line("install, all in all", start, v.data_blocks * VERITY_BLOCK);
	target_fini(&target);
}

static int open_file(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	if (fd < 0)
		perror(path);
	return fd;
}

int main(int argc, char **argv)
{
	uint8_t root[SHA256_BYTES];
	struct rusage use;

	if (argc < 4 || strlen(argv[2]) != 2 * sizeof(root))
		return 64;
	for (size_t i = 0; i < sizeof(root); i++)
		root[i] = (uint8_t)(str_hex_digit(argv[2][2 * i]) << 4 | str_hex_digit(argv[2][2 * i + 1]));
	int image = open_file(argv[1], O_RDONLY), fd = open_file(argv[3], O_RDWR);
	int running = argc > 4 ? open_file(argv[4], O_RDONLY) : -1;
	if (image < 0 || fd < 0 || (argc > 4 && running < 0))
		return 1;
	must(blockio_read(image, bytes, sizeof(bytes), 0, &e), "image");
	hashes("SHA-256, mbedTLS", hash_mbedtls);
	(void)sha256_use(SHA256_PLAIN);
	hashes("SHA-256, plain C", hash_ours);
	if (sha256_use(SHA256_NI))
		hashes("SHA-256, SHA instructions", hash_ours);
	hashes("the same, two at a time", hash_pairs);
	install(image, root, fd, running);
	(void)getrusage(RUSAGE_SELF, &use);
	printf("memory at most %ld KiB, %ld ms of CPU\n", use.ru_maxrss,
	       (long)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1000 +
	               (long)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1000);
	return 0;
}
