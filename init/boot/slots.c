/* The slots as PID 1 sees them; see slots.h. Reads a small file of /run, never the ESP; what changes the ESP is a
 * helper.
 */
#include "boot/slots.h"

#include <errno.h>

#include "base/file.h"
#include "base/paths.h"
#include "base/str.h"
#include "boot/wire.h"
#include "host/slots.h"

#define ROLLBACK "rollback"

static int read_slots(struct slots *s, struct err *e)
{
	char text[SLOTS_TEXT];
	struct buf b;
	buf_init(&b, text, sizeof(text));
	if (file_read(PATH_RUN_SLOTS, &b, e) < 0)
		return err_prefix(e, "the boot entries are not known");
	return slots_parse(s, b.data, b.len, e);
}

int slots_list(const struct box *box, struct json *out, struct err *e)
{
	struct slots s;
	if (read_slots(&s, e) < 0)
		return -1;
	json_open_object(out, NULL);
	json_string(out, "running", (const char[]){box->slot, '\0'});
	json_open_list(out, "slots");
	for (unsigned i = 0; i < BOOTENV_SLOTS; i++) {
		const struct slots_row *r = &s.row[i];
		char slot = bootenv_slot(i);
		json_open_object(out, NULL);
		json_string(out, "slot", (const char[]){slot, '\0'});
		json_bool(out, "running", slot == box->slot);
		json_string(out, "state", bootenv_state_name(r->state));
		json_int(out, "left", r->left);
		json_int(out, "generation", r->generation);
		json_string(out, "version", r->version[0] != '\0' ? r->version : "unknown");
		json_close_object(out);
	}
	json_close_list(out);
	json_close_object(out);
	return 0;
}

static void on_marked(bool ok, void *arg)
{
	struct box *box = arg;
	char what[LIMIT_NAME];
	if (!ok)
		wire_problem(box, ROLLBACK,
		             "the rollback failed: the boot entry could not be changed; see the kernel's log");
	else if (str_format(what, sizeof(what), ROLLBACK " to slot %c", bootenv_other(box->slot)) == 0)
		shutdown_ask_for(&box->shutdown, SHUTDOWN_REBOOT, END_ROLLBACK, what, box->mark_by);
}

int slots_rollback(struct box *box, const char *by, struct err *e)
{
	const char other[] = {bootenv_other(box->slot), '\0'};
	const char *const words[] = {"slot", "next", other, NULL};
	struct slots s;
	if (shutdown_running(&box->shutdown))
		return err_set(e, EALREADY, "the box is going down already");
	if (box->mark.running)
		return err_set(e, EBUSY, "a rollback is under way already");
	if (box->slot == '\0')
		return err_set(e, ENOENT, "which slot runs is not known");
	if (read_slots(&s, e) < 0)
		return -1;
	if (slots_row(&s, other[0])->state == BOOTENV_EMPTY)
		return err_set(e, ENOENT, "slot %s holds no system", other);
	if (str_copy(box->mark_by, sizeof(box->mark_by), by) < 0)
		return err_set(e, ENAMETOOLONG, "who asks: too long");
	box->mark.loop = &box->loop;
	box->mark.fn = on_marked;
	box->mark.arg = box;
	problem_clear(&box->problems, ROLLBACK);
	return helper_run(&box->mark, words, SLOTS_MARK_MS, e);
}
