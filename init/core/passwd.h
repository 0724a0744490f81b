/* Users of a passwd(5) file: the one reader of it. No NSS, which would load libraries and ask servers. */
#ifndef HEARTH_CORE_PASSWD_H
#define HEARTH_CORE_PASSWD_H

#include <sys/types.h>

#include "base/err.h"

#define PASSWD_TEXT 16384 /* of the whole file; that of the image has some hundred bytes */

struct passwd_user {
	uid_t uid;
	gid_t gid;
};

/* Looks up a name; 0 or -1. For whoever takes the lookup as a pointer, so that it stays pure itself. */
typedef int passwd_fn(const char *name, struct passwd_user *out, struct err *e);

/* Pure: in the text of a file. code ENOENT: no such user; EINVAL: its line holds no two numbers, or the largest one, at
 * which the kernel would change nothing. Root is a user like any other here. */
MUST_CHECK int passwd_find(const char *text, const char *name, struct passwd_user *out, struct err *e);
/* In the file at path. */
MUST_CHECK int passwd_read(const char *path, const char *name, struct passwd_user *out, struct err *e);
/* passwd_fn over PATH_PASSWD. */
MUST_CHECK int passwd_user(const char *name, struct passwd_user *out, struct err *e);

#endif
