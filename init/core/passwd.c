/* Users by name; see passwd.h. Read by PID 1, too: bounded, and a file of the root only. */
#include "core/passwd.h"

#include <errno.h>
#include <string.h>

#include "base/file.h"
#include "base/paths.h"
#include "base/str.h"

/* The field up to ':' or the end of the line. */
static int take_id(const char *p, unsigned *out)
{
	char digits[16];
	size_t n = strcspn(p, ":\n");
	uint64_t v;

	if (n >= sizeof(digits))
		return -1;
	memcpy(digits, p, n);
	digits[n] = '\0';
	if (str_u64(digits, UINT32_MAX - 1, &v) < 0)
		return -1;
	*out = (unsigned)v;
	return 0;
}

/* What follows the field at p on the same line, or NULL. */
static const char *next_field(const char *p)
{
	p += strcspn(p, ":\n");
	return *p == ':' ? p + 1 : NULL;
}

/* "web:x:200:200:...": behind "web:". */
static const char *line_of(const char *text, const char *name)
{
	size_t n = strlen(name);

	while (text) {
		if (strncmp(text, name, n) == 0 && text[n] == ':')
			return text + n + 1;
		text = strchr(text, '\n');
		text = text ? text + 1 : NULL;
	}
	return NULL;
}

int passwd_find(const char *text, const char *name, struct passwd_user *out, struct err *e)
{
	const char *line = line_of(text, name);

	if (!line)
		return err_set(e, ENOENT, "no user '%.40s' in " PATH_PASSWD, name);
	const char *uid = next_field(line), *gid = uid ? next_field(uid) : NULL;
	if (!gid || take_id(uid, &out->uid) < 0 || take_id(gid, &out->gid) < 0)
		return err_set(e, EINVAL, "broken line of user '%.40s' in " PATH_PASSWD, name);
	return 0;
}

int passwd_read(const char *path, const char *name, struct passwd_user *out, struct err *e)
{
	static char text[PASSWD_TEXT]; /* large, and needed by a process with one thread, for a moment */
	struct buf b;

	buf_init(&b, text, sizeof(text));
	return file_read(path, &b, e) < 0 ? -1 : passwd_find(text, name, out, e);
}

int passwd_user(const char *name, struct passwd_user *out, struct err *e)
{
	return passwd_read(PATH_PASSWD, name, out, e);
}
