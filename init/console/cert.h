/* The cert role: `hearth cert`, a oneshot as root after the state partition is there. It makes the key and the
 * certificate of the HTTPS console when there is none that works; one that works is never touched. */
#ifndef HEARTH_CONSOLE_CERT_H
#define HEARTH_CONSOLE_CERT_H

/* argv[0] is the role's name. Returns the exit code. */
int cert_main(int argc, char **argv);

#endif
