/* Runs one fuzz target without a fuzzing engine: every file of the corpus, then a bounded number of mutations that
 * are the same for the same seed and corpus.
 *
 *   build/fuzz/NAME [-n MUTATIONS] [-s SEED] [-o SAVE] FILE|FOLDER...
 *
 * The target runs in a child; the input it is working on lies in memory that both share, so whatever ends the child
 * (sanitizer, signal, a hang of HANG_SECONDS) the parent can save it to SAVE. Exit status 1 then. */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz/check.h"

#define INPUT_MAX    98304 /* more than LIMIT_FILE: the limit itself is tried too */
#define FILES_MAX    256
#define CHANGES_MAX  6
#define HANG_SECONDS 20

struct input {
	size_t size;
	uint8_t data[INPUT_MAX];
};

struct corpus {
	struct input *file[FILES_MAX];
	unsigned count;
};

static struct {
	unsigned long mutations;
	uint64_t seed;
	const char *save;
} options = {2000, 0x9E3779B97F4A7C15, "build/fuzz/crash"};

static uint64_t state;

static uint64_t next_random(void) /* xorshift64 (Marsaglia 2003) */
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static size_t below(size_t n)
{
	return n == 0 ? 0 : (size_t)(next_random() % n);
}

static void die(const char *what)
{
	perror(what);
	exit(2);
}

static void add_file(struct corpus *c, const char *path)
{
	FILE *f = fopen(path, "rb");
	struct input *in = calloc(1, sizeof(*in));

	if (!f || !in || c->count == FILES_MAX)
		die(path);
	in->size = fread(in->data, 1, sizeof(in->data), f);
	if (ferror(f) || !feof(f)) {
		(void)fprintf(stderr, "%s: larger than %d bytes\n", path, INPUT_MAX);
		exit(2);
	}
	(void)fclose(f);
	c->file[c->count++] = in;
}

static int visible(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

static void add(struct corpus *c, const char *path)
{
	struct stat st;
	struct dirent **names;

	if (stat(path, &st) < 0)
		die(path);
	if (!S_ISDIR(st.st_mode)) {
		add_file(c, path);
		return;
	}
	int n = scandir(path, &names, visible, alphasort); /* sorted: the same run everywhere */
	if (n < 0)
		die(path);
	for (int i = 0; i < n; i++) {
		char full[4096];
		(void)snprintf(full, sizeof(full), "%s/%s", path, names[i]->d_name);
		add(c, full);
		free(names[i]);
	}
	free(names);
}

/* Puts n bytes in at `at`, as far as there is room. */
static void insert(struct input *in, size_t at, const uint8_t *bytes, size_t n)
{
	if (n > INPUT_MAX - in->size)
		n = INPUT_MAX - in->size;
	memmove(in->data + at + n, in->data + at, in->size - at);
	memcpy(in->data + at, bytes, n);
	in->size += n;
}

static void flip_bit(struct input *in, const struct corpus *c)
{
	(void)c;
	if (in->size > 0)
		in->data[below(in->size)] ^= (uint8_t)(1u << below(8));
}

static void set_byte(struct input *in, const struct corpus *c)
{
	static const uint8_t odd[] = {0, 1, 0x7f, 0x80, 0xff, '\n', '\t', '"', '\'', ':', '-', '[', '{', '&', '%', '#'};

	(void)c;
	if (in->size > 0)
		in->data[below(in->size)] = below(2) ? odd[below(sizeof(odd))] : (uint8_t)next_random();
}

static void set_integer(struct input *in, const struct corpus *c)
{
	static const uint64_t odd[] = {0,      1,          2,          0x7f,      0xff,      0x7fff,
	                               0xffff, 0x7fffffff, 0xffffffff, INT64_MAX, UINT64_MAX};
	uint64_t v = odd[below(sizeof(odd) / sizeof(odd[0]))];
	size_t width = (size_t)1 << (1 + below(3));

	(void)c;
	if (in->size >= width)
		memcpy(in->data + below(in->size - width + 1), &v, width);
}

static void drop(struct input *in, const struct corpus *c)
{
	size_t at = below(in->size), n = 1 + below(in->size - at < 64 ? in->size - at : 64);

	(void)c;
	if (in->size == 0)
		return;
	if (n > in->size - at)
		n = in->size - at;
	memmove(in->data + at, in->data + at + n, in->size - at - n);
	in->size -= n;
}

static void repeat(struct input *in, const struct corpus *c)
{
	uint8_t piece[64];
	size_t at = below(in->size), n = in->size - at < sizeof(piece) ? in->size - at : sizeof(piece);

	(void)c;
	n = below(n + 1);
	memcpy(piece, in->data + at, n);
	for (size_t times = 1 + below(4); times > 0; times--)
		insert(in, at, piece, n);
}

/* A piece of another file of the corpus: its words serve as a dictionary. */
static void borrow(struct input *in, const struct corpus *c)
{
	const struct input *from = c->file[below(c->count)];
	size_t at = below(from->size), n = from->size - at < 64 ? from->size - at : 64;

	insert(in, below(in->size + 1), from->data + at, below(n + 1));
}

static void cut(struct input *in, const struct corpus *c)
{
	(void)c;
	in->size = below(in->size + 1);
}

static void mutate(struct input *in, const struct corpus *c)
{
	static void (*const ways[])(struct input *, const struct corpus *) = {
		flip_bit, flip_bit, set_byte, set_byte, set_integer, drop, repeat, borrow, borrow, cut,
	};

	*in = *c->file[below(c->count)];
	for (size_t n = 1 + below(CHANGES_MAX); n > 0; n--)
		ways[below(sizeof(ways) / sizeof(ways[0]))](in, c);
}

/* An exact copy on the heap, so that one byte read too much is seen. */
static void run_one(const struct input *in)
{
	uint8_t *copy = malloc(in->size > 0 ? in->size : 1);

	if (!copy)
		die("memory");
	memcpy(copy, in->data, in->size);
	(void)alarm(HANG_SECONDS);
	(void)LLVMFuzzerTestOneInput(copy, in->size);
	(void)alarm(0);
	free(copy);
}

static void run_all(const struct corpus *c, struct input *now)
{
	for (unsigned i = 0; i < c->count; i++) {
		*now = *c->file[i];
		run_one(now);
	}
	for (unsigned long i = 0; i < options.mutations; i++) {
		mutate(now, c);
		run_one(now);
	}
}

static int failed(const struct input *now, int status)
{
	FILE *f = fopen(options.save, "wb");

	if (!f || fwrite(now->data, 1, now->size, f) != now->size || fclose(f) != 0)
		die(options.save);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		printf("hangs for %d seconds", HANG_SECONDS);
	else if (WIFSIGNALED(status))
		printf("killed by signal %d", WTERMSIG(status));
	else
		printf("exit status %d", WEXITSTATUS(status));
	printf(" on %zu bytes, saved in %s (seed %#llx)\n", now->size, options.save, (unsigned long long)options.seed);
	return 1;
}

static unsigned long long number(const char *text)
{
	char *end;
	unsigned long long v = strtoull(text, &end, 0);

	if (*text == '\0' || *end != '\0') {
		(void)fprintf(stderr, "%s: not a number\n", text);
		exit(2);
	}
	return v;
}

static void read_options(int argc, char **argv)
{
	for (int opt; (opt = getopt(argc, argv, "n:s:o:")) != -1;) {
		if (opt == 'n')
			options.mutations = (unsigned long)number(optarg);
		else if (opt == 's')
			options.seed = number(optarg);
		else if (opt == 'o')
			options.save = optarg;
		else
			exit(2);
	}
}

int main(int argc, char **argv)
{
	static struct corpus c;
	int status;

	read_options(argc, argv);
	for (int i = optind; i < argc; i++)
		add(&c, argv[i]);
	if (c.count == 0) {
		(void)fprintf(stderr, "no input: a target needs a corpus\n");
		return 2;
	}
	state = options.seed ? options.seed : 1;
	struct input *now = mmap(NULL, sizeof(*now), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (now == MAP_FAILED)
		die("mmap");
	(void)fflush(NULL);
	pid_t pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0) {
		run_all(&c, now);
		exit(0); /* not _exit: the leak check runs at exit */
	}
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			die("waitpid");
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return failed(now, status);
	printf("%u files, %lu mutations, seed %#llx\n", c.count, options.mutations, (unsigned long long)options.seed);
	return 0;
}
