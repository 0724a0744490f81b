/* The log role (`hearth log`): reads the output of every service and writes it to PATH_LOGS.
 *
 * PID 1 keeps one pipe per service, both ends open, so neither a restart of the service nor one of this role loses
 * what is in the pipe. It passes the read ends over this role's control channel (descriptor LOG_CONTROL_FD):
 *   "pipe NAME" with the descriptor   a service's output; again after each start of this role
 *   "reopen"                          the data partition was mounted over PATH_LOGS: what was collected in memory
 *                                     goes behind what the folder there already has
 * Each pipe gets one read of LOG_READ bytes per round of the loop: a service that floods slows down itself only. */
#ifndef HEARTH_NODE_LOG_H
#define HEARTH_NODE_LOG_H

#define LOG_CONTROL_FD  3
#define LOG_READ        4096
#define LOG_DRAIN_READS 16 /* per pipe at the end: a whole pipe of 64 KiB */

int log_main(int argc, char **argv);

#endif
