/* Exit codes of every role. 0: done. 1: the answer is no, or it did not work; said on stderr. */
#ifndef HEARTH_BASE_EXIT_H
#define HEARTH_BASE_EXIT_H

#define EXIT_USAGE      2   /* wrong words on the command line */
#define EXIT_IMPOSSIBLE 100 /* cannot happen: a defect of ours */
#define EXIT_SYSTEM     111 /* the kernel refused something that is always there */

#endif
