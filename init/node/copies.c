/* Copies the owner's files to where PID 1 reads them. Run by the storage role after the state partition is mounted. */
#include "node/copies.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/paths.h"
#include "base/str.h"
#include "base/sys.h"

#define BLOCK 4096

/* Room for the largest of our files; the role has one thread. */
static char content[LIMIT_FILE + 1];

static int read_content(const char *path, struct buf *b, struct err *e)
{
	buf_init(b, content, sizeof(content));
	return file_read(path, b, e);
}

int copies_seed(struct yaml *y, struct err *e)
{
	struct settings s;
	struct stat st;
	struct buf b;

	if (sys_stat(PATH_STATE_SETTINGS, &st) == 0 || errno != ENOENT)
		return 0;
	if (sys_stat(PATH_ESP_SEED, &st) < 0)
		return 0;
	settings_default(&s);
	if (read_content(PATH_ESP_SEED, &b, e) < 0 || settings_parse(&s, y, PATH_ESP_SEED, b.data, b.len, e) < 0)
		return -1;
	if (file_replace(PATH_STATE_SETTINGS, b.data, b.len, 0644, e) < 0)
		return -1;
	log_info("storage", "the first settings of this box come from " PATH_ESP_SEED);
	return 0;
}

static void settings_over(struct settings *s, struct yaml *y, const char *path)
{
	struct err e;
	struct buf b;

	if (read_content(path, &b, &e) == 0 && settings_parse(s, y, path, b.data, b.len, &e) < 0)
		log_warnx("storage", "%s", e.text);
}

void copies_settings(struct settings *s, struct yaml *y)
{
	settings_default(s);
	settings_over(s, y, PATH_SETTINGS_DEFAULT);
	settings_over(s, y, PATH_STATE_SETTINGS);
}

/* 0 also when there is no such file. */
static int copy(const char *from, const char *to)
{
	struct err e;
	struct buf b;

	if (read_content(from, &b, &e) < 0) {
		if (e.code == ENOENT)
			return 0;
	} else if (file_replace(to, b.data, b.len, 0644, &e) == 0) {
		return 0;
	}
	log_warnx("storage", "not taken over: %s", e.text);
	return -1;
}

static bool ends_in(const char *name, const char *suffix)
{
	size_t n = strlen(name), m = strlen(suffix);

	return n > m && str_eq(name + n - m, suffix);
}

/* ".yml" too: that it is the wrong ending is PID 1's to say. */
static bool is_service_file(const char *name)
{
	return name[0] != '.' && (ends_in(name, ".yaml") || ends_in(name, ".yml"));
}

static int copy_service(const char *name)
{
	char from[LIMIT_PATH], to[LIMIT_PATH];

	if (str_format(from, sizeof(from), PATH_STATE_SERVICES "/%s", name) < 0 ||
	    str_format(to, sizeof(to), PATH_RUN_SERVICES "/%s", name) < 0) {
		log_warnx("storage", "not taken over: " PATH_STATE_SERVICES "/%.40s...: name too long", name);
		return -1;
	}
	return copy(from, to);
}

/* Copies what stands in one block of getdents; *taken counts over all blocks. */
static unsigned copy_block(const char *block, size_t n, unsigned *taken)
{
	unsigned bad = 0;

	for (size_t at = 0; at < n;) {
		const struct dirent *d = (const struct dirent *)(const void *)(block + at);
		at += d->d_reclen;
		if (!is_service_file(d->d_name))
			continue;
		if ((*taken)++ < LIMIT_SERVICES) {
			bad += copy_service(d->d_name) < 0;
			continue;
		}
		log_warnx("storage", "not taken over: " PATH_STATE_SERVICES "/%s: more than %d files", d->d_name,
		          LIMIT_SERVICES);
		bad++;
	}
	return bad;
}

static unsigned copy_services(void)
{
	_Alignas(struct dirent) char block[BLOCK];
	unsigned taken = 0, bad = 0;
	ssize_t n;
	int fd = sys_open(PATH_STATE_SERVICES, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);

	if (fd < 0) {
		bad = errno != ENOENT;
		if (bad)
			log_warn("storage", PATH_STATE_SERVICES);
		return bad;
	}
	while ((n = sys_getdents(fd, block, sizeof(block))) > 0)
		bad += copy_block(block, (size_t)n, &taken);
	if (n < 0) {
		log_warn("storage", PATH_STATE_SERVICES);
		bad++;
	}
	sys_close(fd);
	return bad;
}

unsigned copies_to_run(void)
{
	struct err e;

	if (file_mkdirs(PATH_RUN_SERVICES, 0755, &e) < 0)
		log_warnx("storage", "%s", e.text);
	unsigned bad = copy(PATH_STATE_SETTINGS, PATH_RUN_SETTINGS) < 0;
	return bad + copy_services();
}
