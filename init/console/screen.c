/* Main of the console role: one loop, one terminal, one session. Holds the role's only state. */
#include "console/screen.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/exit.h"
#include "base/log.h"
#include "base/paths.h"
#include "console/shell.h"
#include "loop/signals.h"

static struct {
	struct loop loop;
	struct tty tty;
	struct session session;
} console;

static void on_signal(struct loop *l, int signo, void *arg)
{
	(void)arg;
	if (signo == SIGWINCH)
		shell_resize(&console.session);
	else if (signo != SIGTTOU && signo != SIGPIPE)
		loop_quit(l);
}

static int set_up(struct err *e)
{
	/* SIGTTOU would stop us when the terminal is put back from the background; it is taken and ignored. */
	static const int signals[] = {SIGHUP, SIGINT, SIGTERM, SIGQUIT, SIGTTOU, SIGPIPE, SIGWINCH, 0};
	if (loop_init(&console.loop, e))
		return -1;
	if (signals_init(&console.loop, signals, on_signal, NULL, e))
		return -1;
	return tty_init(&console.tty, &console.loop, STDIN_FILENO, getenv("TERM"), e);
}

int console_main(int argc, char **argv)
{
	struct err e = {0};
	(void)argv;
	log_init("console", STDERR_FILENO, 0);
	if (argc > 1) {
		log_errx("console", "takes no arguments; standard input is the terminal");
		return EXIT_USAGE;
	}
	if (set_up(&e)) {
		log_errx("console", "%s", e.text);
		loop_fini(&console.loop);
		return EXIT_SYSTEM;
	}
	shell_init(&console.session, &console.loop, &console.tty, PATH_CONTROL);
	int rc = loop_run(&console.loop, &e);
	shell_fini(&console.session);
	tty_fini(&console.tty);
	loop_fini(&console.loop);
	if (rc)
		log_errx("console", "%s", e.text);
	return rc ? EXIT_SYSTEM : 0;
}
