/* The hardware watchdog through /dev/watchdog0. Run by PID 1. A descriptor that is closed without the magic letter
 * would leave it running: that is what a PID 1 that dies does, and what it should do. */
#include "host/watchdog.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/watchdog.h>
#include <string.h>

#include "base/log.h"
#include "base/paths.h"
#include "base/str.h"
#include "base/sys.h"
#include "host/identity.h"

void watchdog_init(struct watchdog *w)
{
	memset(w, 0, sizeof(*w));
	w->fd = -1;
}

/* What the driver says of itself. A driver without one of these calls works all the same. */
static void ask(struct watchdog *w)
{
	struct watchdog_info info;
	int flags = 0;
	char name[sizeof(info.identity) + 1] = "";

	if (sys_ioctl(w->fd, WDIOC_GETBOOTSTATUS, &flags) == 0)
		w->bitten = flags > 0 && (flags & WDIOF_CARDRESET) != 0;
	memset(&info, 0, sizeof(info));
	if (sys_ioctl(w->fd, WDIOC_GETSUPPORT, &info) == 0)
		memcpy(name, info.identity, sizeof(info.identity));
	identity_sentence(w->name, sizeof(w->name), name[0] != '\0' ? name : "watchdog");
}

static void set_timeout(struct watchdog *w, unsigned seconds)
{
	int want = (int)seconds, got = 0;

	if (sys_ioctl(w->fd, WDIOC_SETTIMEOUT, &want) == 0)
		got = want;
	else if (sys_ioctl(w->fd, WDIOC_GETTIMEOUT, &got) < 0)
		got = 0;
	w->seconds = got > 0 ? (unsigned)got : 0;
}

int watchdog_open(struct watchdog *w, unsigned seconds, struct err *e)
{
	if (w->fd >= 0)
		return 0;
	w->fd = sys_open(PATH_WATCHDOG, O_WRONLY | O_CLOEXEC | O_NONBLOCK, 0);
	if (w->fd < 0)
		return err_sys(e, "watchdog: open " PATH_WATCHDOG);
	ask(w);
	set_timeout(w, seconds);
	return 0;
}

int watchdog_take(struct watchdog *w, int fd, unsigned seconds, struct err *e)
{
	if (sys_fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return err_sys(e, "watchdog: descriptor %d", fd);
	w->fd = fd;
	ask(w);
	set_timeout(w, seconds);
	return 0;
}

int watchdog_hand_over(const struct watchdog *w, struct err *e)
{
	return sys_fcntl(w->fd, F_SETFD, 0) < 0 ? err_sys(e, "watchdog: hand over %s", w->name) : 0;
}

int watchdog_feed(struct watchdog *w, struct err *e)
{
	int ignored = 0;

	if (sys_ioctl(w->fd, WDIOC_KEEPALIVE, &ignored) == 0)
		return 0;
	/* Any byte but the magic one is food, too. */
	return sys_write(w->fd, "", 1) == 1 ? 0 : err_sys(e, "watchdog: feed %s", w->name);
}

void watchdog_stop(struct watchdog *w)
{
	if (w->fd < 0)
		return;
	if (sys_write(w->fd, "V", 1) != 1)
		log_warn("watchdog", "%s: does not stop", w->name);
	sys_close(w->fd);
	w->fd = -1;
}
