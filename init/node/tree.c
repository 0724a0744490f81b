/* Folders below each other, as a stack; see tree.h. Roles that look at volumes use it. Changes nothing. */
#include "node/tree.h"

#include <errno.h>

#include "base/str.h"
#include "base/sys.h"

int tree_enter(struct tree *t, int fd, struct err *e)
{
	if (t->depth == TREE_DEPTH)
		return err_set(e, ELOOP, "more than %d folders deep", TREE_DEPTH);
	struct tree_level *l = &t->level[t->depth++];
	l->fd = fd;
	l->at = l->len = 0;
	return 0;
}

void tree_leave(struct tree *t)
{
	sys_close(t->level[--t->depth].fd);
}

int tree_fd(const struct tree *t)
{
	return t->level[t->depth - 1].fd;
}

int tree_next(struct tree *t, const struct dirent **d, struct err *e)
{
	struct tree_level *l = &t->level[t->depth - 1];

	do {
		if (l->at == l->len) {
			ssize_t n = sys_getdents(l->fd, l->block, sizeof(l->block));
			if (n <= 0)
				return n < 0 ? err_sys(e, "read a folder") : 0;
			l->at = 0;
			l->len = (size_t)n;
		}
		*d = (const struct dirent *)(const void *)(l->block + l->at);
		l->at += (*d)->d_reclen;
	} while (str_eq((*d)->d_name, ".") || str_eq((*d)->d_name, ".."));
	return 1;
}
