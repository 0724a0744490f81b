/* A console's terminal. Runs in the console role. Never blocks. */
#include "console/tty.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/vt.h>
#include <string.h>

#include "base/str.h"
#include "base/sys.h"

#define READ_SIZE   256
#define WIDTH_LEAST 32
#define WIDTH_MOST  200

/* The bare ioctls, because libc's tcgetattr cannot be faked; the kernel fills the part of struct termios it knows. */
static int set_raw(struct tty *t, struct err *e)
{
	memset(&t->before, 0, sizeof(t->before));
	if (sys_ioctl(t->fd, TCGETS, &t->before) < 0)
		return err_sys(e, "terminal");
	struct termios raw = t->before;
	raw.c_iflag &= ~(tcflag_t)(ISTRIP | INLCR | IGNCR | ICRNL | PARMRK | INPCK | BRKINT);
	raw.c_iflag |= IGNBRK | IXON | IXANY;
	raw.c_oflag |= OPOST | ONLCR;
	raw.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
	raw.c_cflag |= CREAD | CLOCAL; /* three-wire cables have no carrier */
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	if (sys_ioctl(t->fd, TCSETS, &raw) < 0)
		return err_sys(e, "terminal");
	t->raw = true;
	return 0;
}

static int set_nonblocking(struct tty *t, struct err *e)
{
	t->flags = sys_fcntl(t->fd, F_GETFL, 0);
	if (t->flags < 0 || sys_fcntl(t->fd, F_SETFL, t->flags | O_NONBLOCK) < 0)
		return err_sys(e, "terminal flags");
	return 0;
}

void tty_resize(struct tty *t)
{
	struct winsize size = {0};
	t->columns = TTY_COLUMNS;
	if (sys_ioctl(t->fd, TIOCGWINSZ, &size) == 0 && size.ws_col)
		t->columns = size.ws_col;
}

unsigned tty_width(const struct tty *t)
{
	unsigned width = t->columns - 1;
	if (width < WIDTH_LEAST)
		return WIDTH_LEAST;
	return width > WIDTH_MOST ? WIDTH_MOST : width;
}

/* A screen that went dark shows nothing to somebody who comes to look what is wrong: never blank it. */
static void unblank(struct tty *t)
{
	static const char keep_on[] = "\033[9;0]\033[14;0]\033[13]";
	struct vt_stat state;
	memset(&state, 0, sizeof(state));
	t->screen = sys_ioctl(t->fd, VT_GETSTATE, &state) == 0;
	if (t->screen)
		(void)tty_write(t, keep_on, sizeof(keep_on) - 1);
}

static void on_tty(struct loop *l, int fd, uint32_t events, void *arg);

int tty_init(struct tty *t, struct loop *l, int fd, const char *term, struct err *e)
{
	memset(t, 0, sizeof(*t));
	t->fd = fd;
	t->loop = l;
	t->dumb = term && str_eq(term, "dumb");
	if (set_nonblocking(t, e))
		return -1;
	if (set_raw(t, e) || loop_add(l, fd, EPOLLIN, on_tty, t, e)) {
		tty_fini(t);
		return -1;
	}
	tty_resize(t);
	unblank(t);
	return 0;
}

void tty_hooks(struct tty *t, const struct tty_hooks *hooks)
{
	t->hooks = *hooks;
}

void tty_fini(struct tty *t)
{
	loop_del(t->loop, t->fd);
	if (t->raw)
		(void)sys_ioctl(t->fd, TCSETS, &t->before);
	t->raw = false;
	(void)sys_fcntl(t->fd, F_SETFL, t->flags);
}

static void gone(struct tty *t)
{
	loop_del(t->loop, t->fd);
	t->len = 0;
	if (t->hooks.on_gone)
		t->hooks.on_gone(t->hooks.arg);
}

/* Writes what the terminal takes; an error other than "full" loses the backlog, and reading will tell why. */
static void drain(struct tty *t)
{
	size_t done = 0;
	while (done < t->len) {
		ssize_t n = sys_write(t->fd, t->data + done, t->len - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			done = t->len;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	t->len -= done;
	memmove(t->data, t->data + done, t->len);
}

static void watch(struct tty *t)
{
	struct err e;
	/* It can only fail for a descriptor that is not watched any more. */
	if (loop_mod(t->loop, t->fd, EPOLLIN | (t->len ? (uint32_t)EPOLLOUT : 0u), &e))
		t->len = 0;
}

bool tty_write(struct tty *t, const char *data, size_t n)
{
	if (n > tty_room(t))
		return false;
	bool waited = t->len > 0;
	memcpy(t->data + t->len, data, n);
	t->len += n;
	if (!waited) {
		drain(t);
		if (t->len)
			watch(t);
	}
	return true;
}

size_t tty_room(const struct tty *t)
{
	return sizeof(t->data) - t->len;
}

static void on_writable(struct tty *t)
{
	drain(t);
	if (t->len)
		return;
	watch(t);
	if (t->hooks.on_room)
		t->hooks.on_room(t->hooks.arg);
}

static void on_readable(struct tty *t)
{
	unsigned char data[READ_SIZE];
	ssize_t n = sys_read(t->fd, data, sizeof(data));
	if (n > 0 && t->hooks.on_read)
		t->hooks.on_read(data, (size_t)n, t->hooks.arg);
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		gone(t);
}

static void on_tty(struct loop *l, int fd, uint32_t events, void *arg)
{
	struct tty *t = arg;
	(void)l;
	(void)fd;
	if (events & EPOLLOUT)
		on_writable(t);
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		on_readable(t);
}
