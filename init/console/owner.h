/* The owner role: `hearth owner`, a service of root with a control channel as descriptor 3. It keeps the owner's login
 * and sessions (console/owner_desk), and starts the auth role (console/auth) for each password.
 *
 *   hearth owner [--self FILE] [--idle-ms N] [--whole-ms N]
 *
 * The options are for tests: the program that has the auth role; how long a session lasts unused, and at all. */
#ifndef HEARTH_CONSOLE_OWNER_H
#define HEARTH_CONSOLE_OWNER_H

#define OWNER_FILE "login" /* in PATH_STATE_OWNER, 0600 */

/* argv[0] is the role's name. Returns the exit code. */
int owner_main(int argc, char **argv);

#endif
