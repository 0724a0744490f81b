/* init/update/offer.c: from an index to the one version to take; files of the box are faked. */
#include "update/offer.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/paths.h"
#include "base/str.h"
#include "fake/sys.h"
#include "format/sha256.h"

#define INDEX "http://h/stable/index.yaml"
#define NOW   1795600000

static struct err e;
static struct offer o;
static char seen[64]; /* what stands in the record of editions */
static char folder[] = "/tmp/hearth-test-offer-XXXXXX";
static bool full;

static int text_file(const char *text)
{
	char file[] = "/tmp/hearth-test-offert-XXXXXX";
	int fd = mkostemp(file, O_CLOEXEC);

	unlink(file);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static int on_open(const char *path, int flags, mode_t mode)
{
	char new[128];

	if (str_eq(path, PATH_OS_RELEASE))
		return text_file("NAME=Hearth\nVERSION_ID=0.1.0\n");
	if (str_eq(path, PATH_STATE_CHANNELS))
		return text_file(seen);
	(void)snprintf(new, sizeof(new), "%s/new", folder);
	if (str_eq(path, PATH_STATE_CHANNELS ".new") && !full)
		return open(new, flags, mode);
	if (str_eq(path, PATH_STATE "/update") && !full)
		return open("/tmp", flags, mode);
	errno = full ? ENOSPC : ENOENT;
	return -1;
}

static int nothing(const char *path, mode_t mode)
{
	(void)path;
	(void)mode;
	return 0;
}

static int on_unlink(const char *path)
{
	(void)path;
	return 0;
}

static int on_rename(const char *from, const char *to)
{
	char new[128];

	(void)from;
	assert_string_equal(to, PATH_STATE_CHANNELS);
	(void)snprintf(new, sizeof(new), "%s/new", folder);
	int fd = open(new, O_RDONLY);
	ssize_t n = read(fd, seen, sizeof(seen) - 1);
	close(fd);
	assert_true(n > 0);
	seen[n] = '\0';
	return unlink(new);
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	strcpy(folder, "/tmp/hearth-test-offer-XXXXXX");
	assert_non_null(mkdtemp(folder));
	fake_open = on_open;
	fake_mkdir = nothing;
	fake_chmod = nothing;
	fake_unlink = on_unlink;
	fake_rename = on_rename;
	fake_clock_wall = NOW;
	seen[0] = '\0';
	full = false;
	memset(&o, 0x55, sizeof(o));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_reset();
	return rmdir(folder);
}

static int on_check(const void *text, size_t len, const void *sig, size_t sig_len, void *arg, struct err *why)
{
	(void)text;
	(void)len;
	(void)sig;
	(void)sig_len;
	return arg ? err_set(why, EBADMSG, "signed by nobody we know") : 0;
}

static int take(unsigned serial, long long issued, const char *versions, bool bad)
{
	char text[2048];
	struct channel_text t = {.file = INDEX, .text = text, .sig = "s", .sig_len = 1};

	t.len = (size_t)snprintf(text, sizeof(text),
	                         "format: 1\nchannel: stable\nserial: %u\nissued: %lld\nexpires: %lld\nversions:\n%s",
	                         serial, issued, issued + 86400, versions);
	err_clear(&e);
	return offer_read(&o, &t, true, on_check, bad ? &e : NULL, &e);
}

#define VERSION(v, min)                                                                                                \
	"  - {version: " v ", minimum: " min ", board: x86-64-efi, url: a/hearth-" v ".hearth, size: 5000,\n"          \
	"     released: 1795564800, manifest-sha256: "                                                                 \
	"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad}\n"

static void what_is_offered(void **state)
{
	(void)state;
	assert_int_equal(take(42, NOW - 100, VERSION("0.2.0", "0.1.0"), false), 0);
	assert_true(o.known && o.there && !o.withdrawn);
	assert_string_equal(o.version, "0.2.0");
	assert_string_equal(o.newest, "0.2.0");
	assert_string_equal(o.url, "http://h/stable/a/hearth-0.2.0.hearth");
	assert_string_equal(o.text, "0.2.0 can be installed");
	assert_int_equal(o.size, 5000);
	assert_int_equal(o.released, 1795564800);
	assert_int_equal(o.serial, 42);
	assert_string_equal(seen, "stable 42\n");
}

static void a_stepping_stone(void **state)
{
	(void)state;
	assert_int_equal(take(1, NOW, VERSION("0.3.0", "0.2.0") VERSION("0.2.0", "0.1.0"), false), 0);
	assert_string_equal(o.version, "0.2.0");
	assert_string_equal(o.newest, "0.3.0");
	assert_int_equal(take(1, NOW, VERSION("0.3.0", "0.2.0"), false), 0);
	assert_true(o.known && !o.there);
	assert_non_null(strstr(o.text, "no version here leads there"));
	assert_int_equal(take(1, NOW, VERSION("0.1.0", "0.1.0"), false), 0);
	assert_false(o.there);
	assert_string_equal(o.text, "nothing newer than 0.1.0");
}

static void what_is_not_believed_is_not_remembered(void **state)
{
	(void)state;
	assert_int_equal(take(42, NOW, VERSION("0.2.0", "0.1.0"), true), -1);
	assert_int_equal(e.code, EBADMSG);
	assert_false(o.known || o.there);
	assert_int_equal(take(42, NOW - 86400, VERSION("0.2.0", "0.1.0"), false), -1);
	assert_int_equal(e.code, ESTALE);
	assert_false(o.known || o.there);
	assert_string_equal(seen, "");
}

static void it_does_not_go_back(void **state)
{
	(void)state;
	assert_int_equal(take(42, NOW, VERSION("0.2.0", "0.1.0"), false), 0);
	assert_int_equal(take(41, NOW, VERSION("0.2.0", "0.1.0"), false), -1);
	assert_int_equal(e.code, EEXIST);
	assert_false(o.known || o.there);
	assert_string_equal(seen, "stable 42\n");
	/* The same edition once more is no news. */
	assert_int_equal(take(42, NOW, VERSION("0.2.0", "0.1.0"), false), 0);
	full = true;
	seen[0] = '\0';
	assert_int_equal(take(43, NOW, VERSION("0.2.0", "0.1.0"), false), 0);
	assert_true(o.there);
}

/* The sum above is that of "abc" (FIPS 180-4). */
static void the_bundle_is_the_one_that_was_named(void **state)
{
	struct order order = {.kind = ORDER_URL, .source = "http://h/stable/a/hearth-0.2.0.hearth"};

	(void)state;
	assert_int_equal(take(42, NOW, VERSION("0.2.0", "0.1.0"), false), 0);
	assert_int_equal(offer_check(&order, "abd", 3, &e), 0);
	offer_name(&o, &order);
	assert_int_equal(offer_check(&order, "abc", 3, &e), 0);
	assert_int_equal(offer_check(&order, "abd", 3, &e), -1);
	assert_non_null(strstr(e.text, "is not the one that the channel names"));
	/* Another address, and one that is no address, stay as they are; what was named stays so without an offer. */
	struct order other = {.kind = ORDER_URL, .source = "http://h/other"};
	offer_name(&o, &other);
	assert_false(other.named);
	memset(&o, 0, sizeof(o));
	other.source[0] = '\0';
	offer_name(&o, &other);
	assert_false(other.named);
	offer_name(&o, &order);
	assert_true(order.named);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(what_is_offered),
		T(a_stepping_stone),
		T(it_does_not_go_back),
		T(what_is_not_believed_is_not_remembered),
		T(the_bundle_is_the_one_that_was_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
