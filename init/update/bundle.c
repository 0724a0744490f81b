/* Role `hearth bundle`. Runs as the caller, in a terminal of the box or of the machine that makes bundles.
 * Never writes anywhere but to its terminal. */
#include "update/bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/exit.h"
#include "base/paths.h"
#include "base/str.h"
#include "base/sys.h"
#include "update/kernel.h"
#include "update/reader.h"
#include "update/signature.h"
#include "update/tree.h"

#define PIECE       (256 << 10) /* bytes read at once */
#define PROGRESS_MS 200
#define DATE        32

static struct {
	struct reader reader;
	struct signature_keys keys;
	struct tree tree;
	struct kernel kernel;        /* no file: its list is held against it */
	uint8_t block[VERITY_BLOCK]; /* of the image, until it is whole */
	int fd;
	const char *path;
	const char *name; /* of the file, for progress */
	uint64_t length;  /* of the file */
	uint64_t said_ms; /* when progress was shown */
	bool only_head;   /* info: the manifest is enough */
	bool progress;
	uint8_t piece[PIECE];
} bundle;

static int find_signer(void *arg, const void *text, size_t len, const uint8_t *sig, size_t sig_len, const char **name,
                       struct err *e)
{
	(void)arg;
	return signature_check(&bundle.keys, text, len, sig, sig_len, name, e);
}

/* `info` ends here; it holds the length of the file against what must still follow. */
static int on_manifest(void *arg, const struct update_manifest *m, const char *signer, struct err *e)
{
	uint64_t at[TAR_MEMBERS];
	uint64_t length = reader_offsets(&bundle.reader, at);

	(void)arg;
	(void)m;
	(void)signer;
	if (bundle.only_head && bundle.length < length)
		return err_set(e, EBADMSG, "the bundle is cut: the file has %" PRIu64 " bytes of %" PRIu64,
		               bundle.length, length);
	if (bundle.only_head && bundle.length > length)
		return err_set(e, EBADMSG, "something stands behind the end of the bundle, from byte %" PRIu64 " on",
		               length);
	return 0;
}

/* root.verity has passed: all of the tree is what the root hash says, or not. */
static int open_tree(struct err *e)
{
	const struct update_manifest *m = &bundle.reader.m;
	uint64_t at[TAR_MEMBERS];
	struct verity want;

	(void)reader_offsets(&bundle.reader, at);
	update_manifest_verity(m, &want);
	if (tree_open(&bundle.tree, bundle.fd, at[TAR_VERITY], &want, m->root.hash, e) < 0 ||
	    tree_check(&bundle.tree, e) < 0)
		return err_prefix(e, "%s", tar_name(TAR_VERITY));
	return 0;
}

/* The image's bytes are gathered to blocks: pieces of a file end anywhere. */
static int check_blocks(uint64_t at, const uint8_t *p, size_t n, struct err *e)
{
	while (n > 0) {
		size_t have = (size_t)(at % VERITY_BLOCK);
		size_t some = n < VERITY_BLOCK - have ? n : VERITY_BLOCK - have;
		memcpy(bundle.block + have, p, some);
		if (have + some == VERITY_BLOCK && tree_verify(&bundle.tree, at / VERITY_BLOCK, bundle.block, 1, e) < 0)
			return err_prefix(e, "%s", tar_name(TAR_ROOT));
		at += some;
		p += some;
		n -= some;
	}
	return 0;
}

static int on_data(void *arg, enum tar_member which, uint64_t at, const uint8_t *p, size_t n, struct err *e)
{
	(void)arg;
	switch (which) {
	case TAR_HASHES:
		if (at == 0 && kernel_init(&bundle.kernel, bundle.reader.m.member[TAR_UKI].size, e) < 0)
			return -1;
		return kernel_hashes(&bundle.kernel, at, p, n, e);
	case TAR_UKI:
		return kernel_feed(&bundle.kernel, p, n, e);
	case TAR_ROOT:
		return at == 0 && open_tree(e) < 0 ? -1 : check_blocks(at, p, n, e);
	default:
		return 0;
	}
}

static const struct reader_hooks hooks = {find_signer, on_manifest, on_data};

static void show_progress(void)
{
	uint64_t now = clock_ms();

	if (!bundle.progress || now - bundle.said_ms < PROGRESS_MS || bundle.length == 0)
		return;
	bundle.said_ms = now;
	fprintf(stderr, "\r\033[K%s  %" PRIu64 " %%", bundle.name, bundle.reader.tar.at * 100 / bundle.length);
}

/* 1: there may be more; 0: the end of what is wanted. */
static int read_piece(struct err *e)
{
	ssize_t n = sys_read(bundle.fd, bundle.piece, sizeof(bundle.piece));

	if (n < 0)
		return errno == EINTR ? 1 : err_sys(e, "read");
	if (n == 0)
		return reader_finish(&bundle.reader, e);
	if (reader_feed(&bundle.reader, bundle.piece, (size_t)n, e) < 0)
		return -1;
	show_progress();
	return bundle.only_head && bundle.reader.verified ? 0 : 1;
}

static int read_file(struct err *e)
{
	struct stat st;
	int rc = 1;

	if (sys_fstat(bundle.fd, &st) < 0)
		return err_sys(e, "stat");
	if (!S_ISREG(st.st_mode))
		return err_set(e, EINVAL, "no file; a bundle is one file");
	bundle.length = (uint64_t)st.st_size;
	while (rc > 0)
		rc = read_piece(e);
	if (bundle.progress)
		fprintf(stderr, "\r\033[K");
	return rc;
}

static int look(struct err *e)
{
	bundle.fd = sys_open(bundle.path, O_RDONLY | O_CLOEXEC, 0);
	if (bundle.fd < 0)
		return err_sys(e, "%s", bundle.path);
	reader_init(&bundle.reader, &hooks, NULL);
	int rc = read_file(e);
	kernel_fini(&bundle.kernel);
	sys_close(bundle.fd);
	return rc < 0 ? err_prefix(e, "%s", bundle.path) : 0;
}

static double mib(uint64_t bytes)
{
	return (double)bytes / (1 << 20);
}

/* Each line of the text with its place in the column. */
static void print_changes(const char *text)
{
	const char *label = "changes";

	while (*text) {
		size_t n = strcspn(text, "\n");
		printf("%-11s %.*s\n", label, (int)n, text);
		label = "";
		text += n + (text[n] == '\n');
	}
}

static void print_info(const struct update_manifest *m)
{
	char date[DATE];

	clock_format((int64_t)m->created, date, sizeof(date));
	printf("version     %s (build %s)\n", m->version, m->build);
	printf("board       %s\n", m->board);
	printf("created     %s\n", date);
	printf("follows     %s or later\n", m->minimum);
	printf("kubernetes  %s\n", m->kubernetes);
	printf("signed by   %s\n", bundle.reader.signer);
	printf("root hash   ");
	for (size_t i = 0; i < sizeof(m->root.hash); i++)
		printf("%02x", m->root.hash[i]);
	printf("\n");
	printf("size        %.1f MiB\n", mib(bundle.length));
	for (unsigned i = TAR_VERITY; i < TAR_MEMBERS; i++)
		printf("  %-11s %.1f MiB\n", tar_name(i), mib(m->member[i].size));
	print_changes(m->changes);
}

static int usage(void)
{
	fprintf(stderr, "usage: hearth bundle info|verify [--keys FOLDER] FILE\n");
	return EXIT_USAGE;
}

int bundle_main(int argc, char **argv)
{
	const char *folder = PATH_UPDATE_KEYS;
	struct err e;
	int at = 2;

	if (argc > 3 && str_eq(argv[2], "--keys")) {
		folder = argv[3];
		at = 4;
	}
	if (argc != at + 1 || argv[at][0] == '-' || (!str_eq(argv[1], "info") && !str_eq(argv[1], "verify")))
		return usage();
	const char *slash = strrchr(argv[at], '/');
	bundle.path = argv[at];
	bundle.name = slash ? slash + 1 : bundle.path;
	bundle.only_head = str_eq(argv[1], "info");
	bundle.progress = !bundle.only_head && isatty(STDERR_FILENO) == 1;
	if (signature_load(&bundle.keys, folder, &e) < 0 || look(&e) < 0) {
		fprintf(stderr, "%s\n", e.text);
		return 1;
	}
	if (bundle.only_head)
		print_info(&bundle.reader.m);
	else
		printf("%s: good; version %s for %s, signed by %s\n", bundle.name, bundle.reader.m.version,
		       bundle.reader.m.board, bundle.reader.signer);
	return 0;
}
