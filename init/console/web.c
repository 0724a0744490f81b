/* The web role's main function: opens the port, the key and the channel to PID 1, enters the cage, serves.
 * Never reads a byte from outside before it is in the cage. */
#include "console/web.h"

#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/exit.h"
#include "base/log.h"
#include "base/paths.h"
#include "base/ready.h"
#include "base/str.h"
#include "base/sys.h"
#include "console/cert_pair.h"
#include "console/web_link.h"
#include "console/web_sandbox.h"
#include "console/web_server.h"
#include "loop/loop.h"
#include "loop/signals.h"

#define PORT    443
#define BACKLOG 64

static struct web {
	struct loop loop;
	struct web_link link;
	struct web_server server;
	int listen_fd;
} web;

static int open_port(int family, const struct sockaddr *a, socklen_t n, struct err *e)
{
	const int on = 1, off = 0;
	int fd = sys_socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_sys(e, "socket");
	/* A restart must not wait for old connections of the port to be forgotten. */
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (sys_bind(fd, a, n) < 0)
		err_sys(e, "bind to port %d", PORT);
	else if (sys_listen(fd, BACKLOG) < 0)
		err_sys(e, "listen on port %d", PORT);
	else
		return fd;
	sys_close(fd);
	return -1;
}

/* One socket for both families; IPv4 alone where the kernel has no IPv6. */
static int open_listener(struct err *e)
{
	const struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(PORT)};
	const struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(PORT)};
	int fd = open_port(AF_INET6, (const struct sockaddr *)&six, sizeof(six), e);
	if (fd < 0 && (e->code == EAFNOSUPPORT || e->code == EADDRNOTAVAIL))
		fd = open_port(AF_INET, (const struct sockaddr *)&four, sizeof(four), e);
	return fd;
}

static void on_event(const char *json, size_t len, void *arg)
{
	(void)arg;
	web_server_event(&web.server, json, len);
}

/* PID 1 wants us to end: it may be in the middle of answering somebody by us. */
static void on_signal(struct loop *loop, int signo, void *arg)
{
	(void)loop;
	(void)signo;
	(void)arg;
	web_server_leave(&web.server);
}

static int start_server(struct err *e)
{
	struct cert_pair pair;
	/* The library reads the certificate's dates now and then; libc opens a file for its first look at a date. */
	tzset();
	if (cert_pair_load(PATH_STATE_TLS, &pair, e))
		return err_prefix(e, "key and certificate");
	int rc = web_server_start(&web.server, &pair, e);
	cert_wipe(&pair, sizeof(pair));
	return rc;
}

static int prepare(struct err *e)
{
	static const int ends[] = {SIGTERM, 0};
	/* A reader of ours may go: that is an error of write, not our end. */
	const struct sigaction ignore = {.sa_handler = SIG_IGN};
	if (sys_sigaction(SIGPIPE, &ignore, NULL) < 0)
		return err_sys(e, "SIGPIPE");
	web.listen_fd = open_listener(e);
	if (web.listen_fd < 0)
		return -1;
	if (loop_init(&web.loop, e) || web_link_init(&web.link, &web.loop, WEB_CHANNEL, e) ||
	    web_server_init(&web.server, &web.loop, &web.link, web.listen_fd, e) || start_server(e) ||
	    signals_init(&web.loop, ends, on_signal, NULL, e))
		return -1;
	return web_sandbox_enter(e);
}

int web_main(int argc, char **argv)
{
	struct err e = {0};
	(void)argv;
	log_init("web", STDERR_FILENO, 0);
	if (argc > 1) {
		log_errx("web", "takes no arguments");
		return EXIT_USAGE;
	}
	if (prepare(&e)) {
		log_errx("web", "%s", e.text);
		return EXIT_FAILURE;
	}
	ready_say("web");
	log_info("web", "serving on port %d", PORT);
	web_link_follow(&web.link, on_event, NULL);
	if (loop_run(&web.loop, &e)) {
		log_errx("web", "%s", e.text);
		return EXIT_SYSTEM;
	}
	return web.link.lost ? EXIT_FAILURE : EXIT_SUCCESS;
}
