/* Reads the settings' two files. Used by the roles kube and update; PID 1 has its own way, which goes on after errors.
 */
#include "core/settings_file.h"

#include <errno.h>

#include "base/file.h"
#include "base/paths.h"

static int take(struct settings *s, struct settings_room *r, const char *path, const char *shown, struct err *e)
{
	struct buf b;

	buf_init(&b, r->text, sizeof(r->text));
	if (file_read(path, &b, e) < 0)
		return e->code == ENOENT ? 0 : err_prefix(e, "%s", shown);
	return settings_parse(s, &r->yaml, shown, r->text, b.len, e);
}

int settings_load(struct settings *s, struct settings_room *r, struct err *e)
{
	settings_default(s);
	if (take(s, r, PATH_SETTINGS_DEFAULT, PATH_SETTINGS_DEFAULT, e) < 0)
		return -1;
	return take(s, r, PATH_RUN_SETTINGS, PATH_STATE_SETTINGS, e);
}
