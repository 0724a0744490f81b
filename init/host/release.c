/* The running version; see release.h. PID 1 asks once, at its start. */
#include "host/release.h"

#include <string.h>

#include "base/file.h"
#include "base/paths.h"
#include "base/str.h"
#include "board.h"

#define TEXT_MAX 4096

int release_find(const char *text, char version[VERSION_TEXT])
{
	static const char key[] = "VERSION_ID=";
	struct version v;

	while (*text && !str_starts(text, key)) {
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
	if (!*text)
		return -1;
	text += strlen(key);
	if (str_format(version, VERSION_TEXT, "%.*s", (int)strcspn(text, "\n"), text) < 0)
		return -1;
	return version_read(version, &v);
}

void release_version(char version[VERSION_TEXT])
{
	char text[TEXT_MAX];
	struct err ignored;
	struct buf b;

	buf_init(&b, text, sizeof(text));
	if (file_read(PATH_OS_RELEASE, &b, &ignored) < 0 || release_find(text, version) < 0)
		(void)!str_copy(version, VERSION_TEXT, BOARD_VERSION);
}
