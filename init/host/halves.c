/* Both slots of the disk that the root runs from. For roles; only reads. */
#include "host/halves.h"

#include <errno.h>
#include <fcntl.h>

#include "base/str.h"
#include "base/sys.h"
#include "board.h"
#include "host/verity.h"

int halves_from(struct halves *h, const struct gpt *g, unsigned root, struct err *e)
{
	static const char *const names[] = {BOARD_PART_SYSTEM_A, BOARD_PART_SYSTEM_B};
	struct gpt_part p[COUNT_OF(names)];
	bool there[COUNT_OF(names)];
	for (size_t i = 0; i < COUNT_OF(names); i++)
		there[i] = gpt_find(g, names[i], &p[i]);
	size_t run = 0;
	while (run < COUNT_OF(names) && !(there[run] && p[run].number == root))
		run++;
	if (run == COUNT_OF(names))
		return err_set(e, EINVAL, "%s: the root runs from partition %u, which is neither %s nor %s", h->disk,
		               root, names[0], names[1]);
	size_t other = 1 - run;
	if (!there[other])
		return err_set(e, ENOENT, "no updates: %s has no partition %s to put one into", h->disk, names[other]);
	h->running = (char)('a' + run);
	h->other = (char)('a' + other);
	h->other_bytes = (p[other].last - p[other].first + 1) * GPT_SECTOR;
	return disk_partition_name(h->disk, p[run].number, h->running_name, e) < 0 ||
	                       disk_partition_name(h->disk, p[other].number, h->other_name, e) < 0
	               ? -1
	               : 0;
}

int halves_find(struct halves *h, struct err *e)
{
	static struct gpt g; /* 16 KiB: not on the stack */
	enum disk_gpt found;
	unsigned number;
	dev_t root;
	if (verity_backing(&root, e) < 0 || disk_of_partition(root, h->disk, &number, e) < 0)
		return err_prefix(e, "no updates: where the root runs from is not known");
	int fd = disk_open(h->disk, O_RDONLY, e);
	if (fd < 0)
		return -1;
	int rc = disk_gpt_read(fd, &g, &found, e);
	sys_close(fd);
	return rc < 0 ? err_prefix(e, "%s", h->disk) : halves_from(h, &g, number, e);
}
