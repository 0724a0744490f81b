/* PID 1 of the running system (`hearth init`): the loop, services, facts, events, commands and the shutdown.
 *
 * It never exits and never blocks, whatever fails: a call that fails is said (once per kind and minute) and life goes
 * on. The only ways out are reboot(2) at the end of boot/shutdown and a fault of its own (boot/fault). */
#ifndef HEARTH_BOOT_INIT_H
#define HEARTH_BOOT_INIT_H

/* Set by stage 1 for PID 1: clock_ms when it began. */
#define INIT_ENV_STAGE1 "HEARTH_STAGE1_MS"
/* And the running slot, "a" or "b"; absent when nobody knows. hearth.slot= on the command line goes over it. */
#define INIT_ENV_SLOT "HEARTH_SLOT"
/* And the tries that are left when the boot loader says that this slot is on trial, and knows another; else absent. */
#define INIT_ENV_TRIAL "HEARTH_TRIAL"
/* And the descriptor of the watchdog, when the machine has one. */
#define INIT_ENV_WATCHDOG "HEARTH_WATCHDOG"

/* Returns only when this process is not PID 1 (EXIT_USAGE). */
int init_main(int argc, char **argv);

#endif
