/* Identity, settings and clock floor in PID 1; see identify.h. Reads files of a tmpfs and the image, never a disk of
 * the box. */
#include "boot/identify.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/paths.h"
#include "base/str.h"
#include "base/sys.h"
#include "host/time.h"

#define SETTINGS_TEXT 16384 /* all values of a site at their longest, and comments */

/* Too large for a stack; used during identify_settings only. */
static struct yaml yaml;

/* 0 also when the file is not there. shown: the name that people know the file by. */
static int take_settings(struct settings *s, const char *path, const char *shown, struct err *e)
{
	char text[SETTINGS_TEXT];
	struct buf b;
	buf_init(&b, text, sizeof(text));
	if (file_read(path, &b, e) < 0)
		return e->code == ENOENT ? 0 : err_prefix(e, "%s", shown);
	return settings_parse(s, &yaml, shown, text, b.len, e);
}

unsigned identify_settings(struct identify *i, identify_problem_fn *problem, void *arg)
{
	static const struct {
		const char *path, *shown;
	} files[] = {
		{PATH_SETTINGS_DEFAULT, PATH_SETTINGS_DEFAULT},
		{PATH_RUN_SETTINGS, PATH_STATE_SETTINGS},
	};
	unsigned bad = 0;
	struct err e = {0};
	settings_default(&i->settings);
	for (size_t k = 0; k < COUNT_OF(files); k++) {
		if (take_settings(&i->settings, files[k].path, files[k].shown, &e) == 0)
			continue;
		problem(e.text, arg);
		bad++;
	}
	return bad;
}

int identify_load(struct identify *i, struct err *e)
{
	char text[IDENTITY_TEXT];
	struct buf b;
	buf_init(&b, text, sizeof(text));
	if (file_read(PATH_RUN_IDENTITY, &b, e) < 0 || identity_parse(&i->id, text, b.len, e) < 0)
		return err_prefix(e, "identity");
	i->known = true;
	return 0;
}

const char *identify_hostname(const struct identify *i)
{
	if (i->settings.hostname[0] != '\0')
		return i->settings.hostname;
	return i->known && i->id.hostname[0] != '\0' ? i->id.hostname : IDENTIFY_NAME;
}

/* One name or address per line, for the script of the time service. */
static int write_time_servers(const struct settings *s, struct err *e)
{
	char text[SETTINGS_SERVERS * (SETTINGS_SERVER + 1) + 1];
	struct buf b;
	buf_init(&b, text, sizeof(text));
	for (unsigned k = 0; k < s->time_servers; k++)
		buf_addf(&b, "%s\n", s->time_server[k]);
	return file_replace(PATH_RUN_TIME_SERVERS, text, b.len, 0644, e);
}

int identify_apply(const struct identify *i, struct err *e)
{
	char id[IDENTITY_MACHINE_ID + 1];
	const char *name = identify_hostname(i);
	int rc = 0;
	if (sys_sethostname(name, strlen(name)) < 0)
		rc = err_sys(e, "set the host name %s", name);
	if (write_time_servers(&i->settings, e) < 0)
		rc = -1;
	if (!i->known)
		return rc;
	if (str_format(id, sizeof(id), "%s\n", i->id.machine_id) < 0 ||
	    file_replace(PATH_RUN_MACHINE_ID, id, strlen(id), 0444, e) < 0)
		rc = -1;
	return rc;
}

int identify_clock(struct identify *i, struct err *e)
{
	struct time_floor f = {.at = {0}};
	enum time_source which;
	struct err why = {0};
	bool raised = false;
	char now[32];
	if (time_read(PATH_BUILD_EPOCH, &f.at[TIME_BUILD], &why) < 0)
		log_warnx("clock", "%s", why.text);
	if (time_read(PATH_SYS_RTC, &f.at[TIME_RTC], &why) < 0)
		f.at[TIME_RTC] = 0; /* no battery clock: the floor is for that */
	if (i->known)
		f.at[TIME_KNOWN] = i->id.clock;
	int64_t floor = time_latest(&f, &which);
	if (time_raise(floor, &raised, e) < 0)
		return -1;
	clock_format(clock_wall(), now, sizeof(now));
	if (str_format(i->clock, sizeof(i->clock), "%s, %s%s", now, raised ? "raised to the floor: " : "not before ",
	               time_source_name(which)) < 0)
		i->clock[0] = '\0';
	return 0;
}
