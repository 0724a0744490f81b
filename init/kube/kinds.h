/* The order in which kinds are installed: what others stand on comes first. Pure. */
#ifndef HEARTH_KUBE_KINDS_H
#define HEARTH_KUBE_KINDS_H

/* Lower is earlier; all kinds that are not in the table have the same, highest number. */
unsigned kinds_rank(const char *kind);

#endif
