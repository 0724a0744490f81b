/* Service files: strict YAML to struct service_def. Unknown keys, wrong types and bad values are errors with
 * file and line; `hearth check` uses the same functions.
 *
 *   name: web                     # must equal the file's name
 *   description: HTTPS console
 *   command: [/usr/bin/hearth, web]
 *   type: daemon | oneshot        # default daemon
 *   ready: start | notify | fact:NAME   # default start
 *   restart: always | on-failure | never  # default always (oneshot: on-failure)
 *   requires: [a, b]    after: [c]    when: [state-mounted]
 *   start-timeout: 30s  stop-timeout: 10s  stop-signal: TERM
 *   user: web                     # name in /etc/passwd; default root
 *   tty: /dev/ttyS0
 *   control: true                 # control channel on descriptor 3
 *   memory-max: 16M     memory-min: 4M     oom-score-adj: -500
 *   environment: {KEY: value}
 *   enabled: true
 */
#ifndef HEARTH_SERVICE_DEF_H
#define HEARTH_SERVICE_DEF_H

#include "base/err.h"
#include "service/model.h"

struct def_user {
	uid_t uid;
	gid_t gid;
};

/* Looks up a user name; 0 or -1. Passed in so that parsing stays pure (PID 1 reads /etc/passwd itself, no NSS). */
typedef int def_user_fn(const char *name, struct def_user *out);

/* text/len: content of `file`. */
MUST_CHECK int def_parse(struct service_def *d, const char *file, const char *text, size_t len, def_user_fn *user, struct err *e);
/* def_user_fn over /etc/passwd. */
int def_user_passwd(const char *name, struct def_user *out);

#endif
