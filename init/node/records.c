/* The small records of the state partition. Run by the storage role, once per boot, before anything else uses them. */
#include "node/records.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/paths.h"
#include "base/str.h"
#include "base/sys.h"
#include "host/release.h"

#define RECORD    END_LINE
#define CLOCK_MAX UINT64_C(253402300799) /* the end of the year 9999 */
#define BOOTS_MAX UINT64_C(999999999)

static int write_record(const char *path, const char *text, mode_t mode, struct err *e)
{
	char line[RECORD + 1];

	if (str_format(line, sizeof(line), "%s\n", text) < 0)
		return err_set(e, ENAMETOOLONG, "%s: too long", path);
	return file_replace(path, line, strlen(line), mode, e);
}

static int make_machine_id(char id[IDENTITY_MACHINE_ID], struct err *e)
{
	static const char digit[] = "0123456789abcdef";
	uint8_t bytes[16];

	if (sys_getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return err_sys(e, "random numbers");
	/* Version 4, variant 1, as machine-id(5) advises. */
	bytes[6] = (uint8_t)((bytes[6] & 0x0F) | 0x40);
	bytes[8] = (uint8_t)((bytes[8] & 0x3F) | 0x80);
	for (size_t i = 0; i < sizeof(bytes); i++) {
		id[2 * i] = digit[bytes[i] >> 4];
		id[2 * i + 1] = digit[bytes[i] & 15];
	}
	id[2 * sizeof(bytes)] = '\0';
	return 0;
}

static int load_machine_id(struct identity *id, struct err *e)
{
	char text[RECORD];

	if (file_read_line(PATH_STATE_ID, text, RECORD, e) < 0)
		return -1;
	if (identity_is_machine_id(text))
		return str_copy(id->machine_id, sizeof(id->machine_id), text);
	if (text[0])
		log_warnx("storage", PATH_STATE_ID ": not 32 hexadecimal digits; the machine gets a new id");
	if (make_machine_id(id->machine_id, e) < 0)
		return -1;
	return write_record(PATH_STATE_ID, id->machine_id, 0444, e);
}

static int load_boots(struct identity *id, struct err *e)
{
	char text[RECORD];

	if (file_read_line(PATH_STATE_BOOTS, text, RECORD, e) < 0)
		return -1;
	if (text[0] && str_u64(text, BOOTS_MAX, &id->boots) < 0)
		log_warnx("storage", PATH_STATE_BOOTS ": not a number; counting from 1 again");
	id->boots++;
	if (str_format(text, sizeof(text), "%" PRIu64, id->boots) < 0)
		return err_set(e, EOVERFLOW, PATH_STATE_BOOTS);
	return write_record(PATH_STATE_BOOTS, text, 0644, e);
}

static int load_clock(struct identity *id, struct err *e)
{
	char text[RECORD];
	uint64_t clock = 0;

	if (file_read_line(PATH_STATE_CLOCK, text, RECORD, e) < 0)
		return -1;
	if (text[0] && str_u64(text, CLOCK_MAX, &clock) < 0)
		log_warnx("storage", PATH_STATE_CLOCK ": not a number of seconds; ignored");
	id->clock = (int64_t)clock;
	return 0;
}

/* The sentence that people are shown, with its time when it is known. */
static void say_last(struct identity *id, const struct end *last)
{
	char when[32], text[sizeof(id->last_shutdown)];

	clock_format(last->time, when, sizeof(when));
	if (last->time == 0 || str_format(text, sizeof(text), "%s, %s", last->why, when) < 0)
		memcpy(text, last->why, sizeof(last->why));
	identity_sentence(id->last_shutdown, sizeof(id->last_shutdown), text);
}

static int load_last(struct identity *id, struct end *last, struct err *e)
{
	char text[RECORD];

	memset(last, 0, sizeof(*last));
	if (file_read_line(PATH_STATE_LAST, text, RECORD, e) < 0)
		return -1;
	if (!text[0])
		return str_copy(id->last_shutdown, sizeof(id->last_shutdown), "never: this is the first start");
	/* Anything else is a sentence of an older image. */
	if (end_parse(last, text) < 0) {
		last->kind = str_eq(text, "running") ? END_RUNNING : END_ASKED;
		identity_sentence(last->why, sizeof(last->why), text);
	}
	if (last->kind == END_RUNNING) {
		last->kind = END_POWER_LOSS;
		memcpy(last->why, RECORDS_CUT, sizeof(RECORDS_CUT));
		memcpy(id->last_shutdown, RECORDS_CUT, sizeof(RECORDS_CUT));
		return 0;
	}
	say_last(id, last);
	return 0;
}

void records_explain(struct identity *id, struct end *last, enum end_kind kind, const char *why)
{
	if (last->kind != END_POWER_LOSS && last->kind != END_NO_START)
		return;
	last->kind = kind;
	identity_sentence(last->why, sizeof(last->why), why);
	identity_sentence(id->last_shutdown, sizeof(id->last_shutdown), why);
}

int records_note(const struct end *last, struct err *e)
{
	static struct ends all; /* the role has one thread */
	static char text[ENDS_TEXT];
	struct buf b;

	buf_init(&b, text, sizeof(text));
	if (file_read(PATH_STATE_ENDS, &b, e) < 0 && e->code != ENOENT && e->code != EFBIG)
		return -1;
	if (ends_parse(&all, text, b.len) > 0)
		log_warnx("storage", PATH_STATE_ENDS ": holds nonsense; it is left out");
	ends_add(&all, last);
	buf_reset(&b);
	if (ends_format(&all, &b, e) < 0)
		return -1;
	return file_replace(PATH_STATE_ENDS, b.data, b.len, 0644, e);
}

int records_begin(const struct end *last, const char *slot, struct err *e)
{
	char line[END_LINE];
	struct end now = {.kind = END_RUNNING};
	struct buf b;

	now.time = clock_wall();
	release_version(now.version);
	buf_init(&b, line, sizeof(line));
	if (last->kind != END_RUNNING && records_note(last, e) < 0)
		return -1;
	if (str_copy(now.slot, sizeof(now.slot), slot) < 0 || end_format(&now, &b, e) < 0)
		return -1;
	return file_replace(PATH_STATE_LAST, line, b.len, 0644, e);
}

static int load_hostname(struct identity *id, const char *hostname, struct err *e)
{
	if (hostname[0] && identity_is_hostname(hostname))
		return str_copy(id->hostname, sizeof(id->hostname), hostname);
	if (str_format(id->hostname, sizeof(id->hostname), "hearth-%.6s", id->machine_id) < 0)
		return err_set(e, ENAMETOOLONG, "hostname");
	return 0;
}

int records_load(struct identity *id, const char *hostname, struct end *last, struct err *e)
{
	memset(id, 0, sizeof(*id));
	if (load_machine_id(id, e) < 0 || load_hostname(id, hostname, e) < 0 || load_clock(id, e) < 0)
		return -1;
	/* What a repeated run would change comes last. */
	return load_last(id, last, e) < 0 || load_boots(id, e) < 0 ? -1 : 0;
}
