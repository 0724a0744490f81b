/* Copies the owner's files to where PID 1 reads them. Run by the storage role after the state partition is mounted. */
#include "node/copies.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/dir.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/paths.h"
#include "base/str.h"
#include "base/sys.h"

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

/* ".yml" too: that it is the wrong ending is PID 1's to say. */
static bool is_service_file(const char *name)
{
	return name[0] != '.' && (str_ends(name, ".yaml") || str_ends(name, ".yml"));
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

struct copied {
	unsigned taken, bad;
};

static bool take_service(const char *name, void *arg)
{
	struct copied *c = arg;

	if (!is_service_file(name))
		return true;
	if (c->taken++ < LIMIT_SERVICES) {
		c->bad += copy_service(name) < 0;
		return true;
	}
	log_warnx("storage", "not taken over: " PATH_STATE_SERVICES "/%s: more than %d files", name, LIMIT_SERVICES);
	c->bad++;
	return true;
}

static unsigned copy_services(void)
{
	struct copied c = {0};
	struct err e;

	if (dir_each(PATH_STATE_SERVICES, take_service, &c, &e) < 0 && e.code != ENOENT) {
		log_warnx("storage", "%s", e.text);
		c.bad++;
	}
	return c.bad;
}

unsigned copies_to_run(void)
{
	static const struct {
		const char *from, *to;
	} files[] = {
		{PATH_STATE_SETTINGS, PATH_RUN_SETTINGS},
		{PATH_STATE_ENDS, PATH_RUN_ENDS},
		{PATH_STATE_APPS, PATH_RUN_APPS},
	};
	struct err e;
	unsigned bad = 0;

	if (file_mkdirs(PATH_RUN_SERVICES, 0755, &e) < 0)
		log_warnx("storage", "%s", e.text);
	for (size_t i = 0; i < COUNT_OF(files); i++)
		bad += copy(files[i].from, files[i].to) < 0;
	return bad + copy_services();
}
