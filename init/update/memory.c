/* Serials of channels and versions that failed; see memory.h. Runs in the update role. */
#include "update/memory.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/paths.h"
#include "base/str.h"

#define FOLDER PATH_STATE "/update"
#define TEXT   1024 /* either file at its largest, and more */
#define LINE   64

/* A key, and what stands behind it. */
typedef bool is_line_fn(const char *line, const char *key);

static void read_text(const char *path, char text[TEXT])
{
	struct err ignored;
	struct buf b;
	buf_init(&b, text, TEXT);
	if (file_read(path, &b, &ignored) < 0)
		text[0] = '\0';
}

/* The next whole line; NULL at the end. Longer ones come out empty. */
static const char *next_line(const char *text, char line[LINE])
{
	size_t n = strcspn(text, "\n");
	if (text[n] == '\0')
		return NULL;
	memcpy(line, text, n < LINE ? n : 0);
	line[n < LINE ? n : 0] = '\0';
	return text + n + 1;
}

static bool has_line(const char *path, const char *key, is_line_fn *is, char line[LINE])
{
	char text[TEXT];
	read_text(path, text);
	for (const char *at = text; (at = next_line(at, line)) != NULL;) {
		if (is(line, key))
			return true;
	}
	return false;
}

/* `fresh` first, then what was there, but not of this key and not more than `most` in all. */
static int put_line(const char *path, const char *fresh, const char *key, is_line_fn *is, unsigned most, struct err *e)
{
	char old[TEXT], text[TEXT], line[LINE];
	unsigned count = 1;
	struct buf b;
	read_text(path, old);
	buf_init(&b, text, sizeof(text));
	buf_addf(&b, "%s\n", fresh);
	for (const char *at = old; (at = next_line(at, line)) != NULL && count < most;) {
		if (line[0] == '\0' || is(line, key))
			continue;
		buf_addf(&b, "%s\n", line);
		count++;
	}
	if (!buf_ok(&b))
		return err_set(e, EMSGSIZE, "%s: too long", path);
	return file_mkdirs(FOLDER, 0755, e) < 0 ? -1 : file_replace(path, b.data, b.len, 0644, e);
}

/* --- channels --------------------------------------------------------------------------------- */

static bool serial_of(const char *line, const char *channel, uint64_t *serial)
{
	size_t n = strlen(channel);
	return strncmp(line, channel, n) == 0 && line[n] == ' ' && str_u64(line + n + 1, INT64_MAX, serial) == 0;
}

static bool is_channel(const char *line, const char *channel)
{
	uint64_t ignored;
	return serial_of(line, channel, &ignored);
}

uint64_t memory_serial(const char *channel)
{
	char line[LINE];
	uint64_t serial = 0;
	if (has_line(PATH_STATE_CHANNELS, channel, is_channel, line) && serial_of(line, channel, &serial))
		return serial;
	return 0;
}

int memory_keep_serial(const char *channel, uint64_t serial, struct err *e)
{
	char line[LINE];
	if (str_format(line, sizeof(line), "%s %llu", channel, (unsigned long long)serial) < 0)
		return err_set(e, EINVAL, "channel %.40s: name too long", channel);
	return put_line(PATH_STATE_CHANNELS, line, channel, is_channel, MEMORY_CHANNELS, e);
}

/* --- versions --------------------------------------------------------------------------------- */

static bool is_version(const char *line, const char *version)
{
	struct version a, b;
	return version_read(line, &a) == 0 && version_read(version, &b) == 0 && version_compare(&a, &b) == 0;
}

bool memory_has_failed(const char *version)
{
	char line[LINE];
	return has_line(PATH_STATE_FAILED, version, is_version, line);
}

int memory_add_failed(const char *version, struct err *e)
{
	struct version ignored;
	if (version_read(version, &ignored) < 0)
		return err_set(e, EINVAL, "'%.40s' is no version", version);
	if (memory_has_failed(version))
		return 0;
	return put_line(PATH_STATE_FAILED, version, version, is_version, MEMORY_FAILED, e);
}
