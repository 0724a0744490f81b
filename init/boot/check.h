/* `hearth check [FILE|FOLDER...]`: reads service files and settings with the loaders of PID 1 and prints what is wrong
 * with them as "FILE:LINE: what; what to do". Without arguments it reads what this box would load.
 *
 * A folder is one of service files, or the root of a system image (it holds etc/hearth). Names in requires and after
 * are looked up in all folders named together; a single file is checked alone. A file called settings.yaml holds
 * settings. Users are those of the system that the files lie in. */
#ifndef HEARTH_BOOT_CHECK_H
#define HEARTH_BOOT_CHECK_H

/* Exit code: 0 all good, 1 something is wrong, 2 usage. */
int check_main(int argc, char **argv);

#endif
