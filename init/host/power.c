/* Finds and reads power buttons for PID 1; see power.h. Never blocks; decides nothing, the callback does. */
#include "host/power.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/input.h>
#include <sys/inotify.h>

#include "base/log.h"
#include "base/paths.h"
#include "base/str.h"
#include "base/sys.h"

#define KEY_BYTES (KEY_MAX / 8 + 1)
#define BATCH     16 /* key events per read */

static bool has_power_key(int fd)
{
	uint8_t keys[KEY_BYTES] = {0};
	if (sys_ioctl(fd, EVIOCGBIT(EV_KEY, sizeof(keys)), keys) < 0)
		return false;
	return (keys[KEY_POWER / 8] >> (KEY_POWER % 8) & 1) != 0;
}

static void forget(struct power *p, unsigned i)
{
	loop_del(p->loop, p->device[i]);
	sys_close(p->device[i]);
	p->device[i] = -1;
}

static void on_device(struct loop *l, int fd, uint32_t events, void *arg)
{
	struct power *p = arg;
	struct input_event ev[BATCH];
	unsigned i = 0;
	(void)l;
	(void)events;
	while (i < POWER_DEVICES && p->device[i] != fd)
		i++;
	if (i == POWER_DEVICES)
		return;
	ssize_t n = sys_read(fd, ev, sizeof(ev));
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		forget(p, i); /* unplugged */
		return;
	}
	for (size_t k = 0; k < (size_t)n / sizeof(ev[0]); k++) {
		if (ev[k].type == EV_KEY && ev[k].code == KEY_POWER && ev[k].value == 1)
			p->fn(p->arg);
	}
}

static bool known(const struct power *p, unsigned number)
{
	for (unsigned i = 0; i < POWER_DEVICES; i++) {
		if (p->device[i] >= 0 && p->number[i] == number)
			return true;
	}
	return false;
}

static void try_device(struct power *p, unsigned number)
{
	char path[LIMIT_NAME];
	struct err e;
	unsigned i = 0;
	while (i < POWER_DEVICES && p->device[i] >= 0)
		i++;
	if (i == POWER_DEVICES || known(p, number))
		return;
	if (str_format(path, sizeof(path), PATH_INPUT "/event%u", number) < 0)
		return;
	int fd = sys_open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (!has_power_key(fd)) {
		sys_close(fd);
		return;
	}
	if (loop_add(p->loop, fd, EPOLLIN, on_device, p, &e) < 0) {
		log_warnx("power", "%s: %s", path, e.text);
		sys_close(fd);
		return;
	}
	p->device[i] = fd;
	p->number[i] = number;
	log_info("power", "%s: has a power button", path);
}

static void scan(struct power *p)
{
	for (unsigned n = 0; n < POWER_SCAN; n++)
		try_device(p, n);
}

/* /dev/input appears with the first device; until then /dev is watched for it. */
static int watch(struct power *p, struct err *e)
{
	if (sys_inotify_add_watch(p->inotify_fd, PATH_INPUT, IN_CREATE | IN_ATTRIB) >= 0) {
		p->watching = true;
		return 0;
	}
	if (errno != ENOENT)
		return err_sys(e, "watch " PATH_INPUT);
	if (sys_inotify_add_watch(p->inotify_fd, "/dev", IN_CREATE) < 0)
		return err_sys(e, "watch /dev");
	return 0;
}

static void on_inotify(struct loop *l, int fd, uint32_t events, void *arg)
{
	struct power *p = arg;
	_Alignas(struct inotify_event) char what[4096]; /* content does not matter: look again */
	struct err e;
	(void)l;
	(void)events;
	if (sys_read(fd, what, sizeof(what)) <= 0)
		return;
	if (!p->watching && watch(p, &e) < 0)
		log_warnx("power", "%s", e.text);
	if (p->watching)
		scan(p);
}

int power_init(struct power *p, struct loop *l, power_fn *fn, void *arg, struct err *e)
{
	p->loop = l;
	p->fn = fn;
	p->arg = arg;
	p->watching = false;
	for (unsigned i = 0; i < POWER_DEVICES; i++)
		p->device[i] = -1;
	p->inotify_fd = sys_inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	int rc = p->inotify_fd < 0 ? err_sys(e, "inotify") : watch(p, e);
	if (rc == 0)
		rc = loop_add(l, p->inotify_fd, EPOLLIN, on_inotify, p, e);
	/* After the watch, so that none is missed in between. */
	scan(p);
	return rc < 0 ? err_prefix(e, "power buttons that are plugged in later are not noticed") : 0;
}

unsigned power_devices(const struct power *p)
{
	unsigned n = 0;
	for (unsigned i = 0; i < POWER_DEVICES; i++)
		n += p->device[i] >= 0;
	return n;
}

void power_fini(struct power *p)
{
	if (!p->loop)
		return;
	for (unsigned i = 0; i < POWER_DEVICES; i++) {
		if (p->device[i] >= 0)
			forget(p, i);
	}
	if (p->inotify_fd < 0)
		return;
	loop_del(p->loop, p->inotify_fd);
	sys_close(p->inotify_fd);
	p->inotify_fd = -1;
}
