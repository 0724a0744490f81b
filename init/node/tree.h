/* A walk through all that lies below one folder: one name a call, without recursion, with a bounded number of open
 * folders. What pods have written is walked by it, so folders are entered by the caller's own descriptors: opened by
 * name within an open folder, no symbolic link followed. */
#ifndef HEARTH_NODE_TREE_H
#define HEARTH_NODE_TREE_H

#include <dirent.h>
#include <stddef.h>

#include "base/err.h"

#define TREE_DEPTH 128 /* folders below each other, the first one among them */
#define TREE_BLOCK 2048

/* The folders from the first one to where the walk stands, each with the names that are still to come. 260 KiB: not for
 * the stack. */
struct tree {
	unsigned depth; /* 0: the walk has ended */
	struct tree_level {
		int fd;
		size_t at, len;
		_Alignas(struct dirent) char block[TREE_BLOCK];
	} level[TREE_DEPTH];
};

/* Its names come next; fd is the walk's from now on when that succeeds. ELOOP: too deep. */
MUST_CHECK int tree_enter(struct tree *t, int fd, struct err *e);
/* The next name in the innermost folder, valid until the next call: 1. 0: it has no more; tree_leave goes on with the
 * one around it. */
MUST_CHECK int tree_next(struct tree *t, const struct dirent **d, struct err *e);
void tree_leave(struct tree *t);
/* The innermost folder. */
int tree_fd(const struct tree *t);

#endif
