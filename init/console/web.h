/* The web role: `hearth web`, the HTTPS console on port 443. PID 1 starts it as root with a control channel as
 * descriptor 3; it opens what it needs, then locks itself in (console/web_sandbox) and serves until that channel ends.
 */
#ifndef HEARTH_CONSOLE_WEB_H
#define HEARTH_CONSOLE_WEB_H

/* argv[0] is the role's name. Returns the exit code. */
int web_main(int argc, char **argv);

#endif
