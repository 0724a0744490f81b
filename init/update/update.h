/* The update role: takes orders from PID 1's consoles, runs the worker, writes the boot entry (update/conduct). Runs as
 * root; the control channel is descriptor 3. It ends only when it is told to, or when PID 1 closes the channel; an
 * install under way goes on when it starts again. Facts: update-running, update-ready.
 *
 *   hearth update [--self FILE] [--keys FOLDER] [--ca FILE] [--user NAME] [--soon yes]
 *                 [--target FILE --running FILE --slot a|b]
 *
 * The options are for tests: --user "" leaves the worker the user that the role has; --soon looks for updates right
 * after the start; files stand in for partitions. */
#ifndef HEARTH_UPDATE_UPDATE_H
#define HEARTH_UPDATE_UPDATE_H

int update_main(int argc, char **argv);

#endif
