/* The console role: `hearth console` on a serial line or a screen. Standard input is the terminal, also for output.
 * It ends with 0 when the terminal hangs up or on SIGTERM; PID 1 starts it again. */
#ifndef HEARTH_CONSOLE_SCREEN_H
#define HEARTH_CONSOLE_SCREEN_H

/* argv[0] is the role's name. Returns the exit code. */
int console_main(int argc, char **argv);

#endif
