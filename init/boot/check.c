/* Role `hearth check`: the loaders of PID 1 over files that a person or a build names. Runs as the caller.
 * Never starts or changes anything. */
#include "boot/check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/exit.h"
#include "base/file.h"
#include "base/paths.h"
#include "base/str.h"
#include "base/sys.h"
#include "core/settings.h"
#include "service/def.h"
#include "service/table.h"

#define SETTINGS_NAME  "settings.yaml"
#define IMAGE_SERVICES "etc/hearth/services"

static struct {
	struct services services;
	struct facts facts;
	struct events events;
	struct yaml yaml;
	struct service_def def;
	char text[LIMIT_FILE + 1];
	char passwd[LIMIT_PATH]; /* of the system that is checked */
	unsigned files, wrong;
} check;

static void on_problem(const char *message, void *arg)
{
	(void)arg;
	check.wrong++;
	fprintf(stderr, "%s\n", message);
}

static int find_user(const char *name, struct passwd_user *out, struct err *e)
{
	return passwd_read(check.passwd, name, out, e);
}

/* "out/root/etc/hearth/services/x.yaml" has its users in out/root/etc/passwd. */
static void choose_passwd(const char *path)
{
	const char *at = strstr(path, IMAGE_SERVICES);

	if (!at || str_format(check.passwd, sizeof(check.passwd), "%.*setc/passwd", (int)(at - path), path) < 0)
		(void)!str_copy(check.passwd, sizeof(check.passwd), PATH_PASSWD);
}

static int read_text(const char *path, struct buf *b, struct err *e)
{
	buf_init(b, check.text, sizeof(check.text));
	return file_read(path, b, e);
}

static void check_settings(const char *path)
{
	struct settings s;
	struct err e;
	struct buf b;

	settings_default(&s);
	check.files++;
	if (read_text(path, &b, &e) < 0 || settings_parse(&s, &check.yaml, path, check.text, b.len, &e) < 0)
		on_problem(e.text, NULL);
}

static void check_service(const char *path)
{
	struct err e;
	struct buf b;

	choose_passwd(path);
	check.files++;
	if (read_text(path, &b, &e) < 0 || def_parse(&check.def, path, check.text, b.len, find_user, &e) < 0)
		on_problem(e.text, NULL);
}

static bool is_there(const char *path)
{
	struct stat st;

	return sys_stat(path, &st) == 0 || errno != ENOENT;
}

static void check_folder(const char *path)
{
	unsigned before = check.services.count;

	choose_passwd(path);
	unsigned refused = services_load(&check.services, path, on_problem, NULL);
	check.files += check.services.count - before + refused;
}

/* The root of an image: its service files and settings. */
static int check_image(const char *root)
{
	char path[LIMIT_PATH];

	if (str_format(path, sizeof(path), "%s/" IMAGE_SERVICES, root) < 0 || !is_there(path))
		return -1;
	check_folder(path);
	if (str_format(path, sizeof(path), "%s" PATH_SETTINGS_DEFAULT, root) == 0 && is_there(path))
		check_settings(path);
	return 0;
}

static void check_path(const char *path)
{
	struct stat st;
	const char *slash = strrchr(path, '/');

	if (sys_stat(path, &st) < 0) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		check.wrong++;
	} else if (S_ISDIR(st.st_mode)) {
		if (check_image(path) < 0)
			check_folder(path);
	} else if (str_eq(slash ? slash + 1 : path, SETTINGS_NAME)) {
		check_settings(path);
	} else {
		check_service(path);
	}
}

static void check_this_box(void)
{
	static const char *const settings[] = {PATH_SETTINGS_DEFAULT, PATH_STATE "/" SETTINGS_NAME};

	check_folder(PATH_SERVICES);
	check_folder(PATH_STATE_SERVICES);
	for (size_t i = 0; i < COUNT_OF(settings); i++) {
		if (is_there(settings[i]))
			check_settings(settings[i]);
	}
}

int check_main(int argc, char **argv)
{
	memset(&check, 0, sizeof(check));
	facts_init(&check.facts);
	events_init(&check.events);
	services_init(&check.services, NULL, &check.facts, &check.events);
	check.services.user = find_user;
	for (int i = 1; i < argc; i++) {
		if (argv[i][0] == '-') {
			fprintf(stderr, "usage: hearth check [FILE|FOLDER...]\n");
			return EXIT_USAGE;
		}
		check_path(argv[i]);
	}
	if (argc < 2)
		check_this_box();
	services_link(&check.services, on_problem, NULL);
	if (check.wrong > 0)
		fprintf(stderr, "%u of %u files are wrong\n", check.wrong, check.files);
	else
		printf("%u files are good\n", check.files);
	return check.wrong > 0 ? 1 : 0;
}
