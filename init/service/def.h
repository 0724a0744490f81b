/* Service files: strict YAML to struct service_def. Unknown keys, wrong types and bad values are errors with
 * file and line; `hearth check` uses the same functions.
 *
 *   name: web                     # must equal the file's name; at most 23 characters
 *   description: HTTPS console
 *   command: [/usr/bin/hearth, web]
 *   type: daemon | oneshot        # default daemon
 *   ready: start | notify | fact:NAME   # default start; a oneshot is ready when it ended with status 0
 *   restart: always | on-failure | never  # default always (oneshot: on-failure)
 *   requires: [a, b]    after: [c]    when: [state-mounted]
 *   start-timeout: 30s  stop-timeout: 10s  stop-signal: TERM      # these are the defaults
 *   user: web                     # name in /etc/passwd; default root
 *   tty: /dev/ttyS0               # see services_start_early, too
 *   control: true                 # control channel on descriptor 3
 *   keep: true                    # stopped last at shutdown
 *   memory-max: 16M     memory-min: 4M     oom-score-adj: -500
 *   environment: {KEY: value}
 *   enabled: true
 *
 * The program gets PATH (unless the file sets it) and, with `ready: notify`, NOTIFY_FD. */
#ifndef HEARTH_SERVICE_DEF_H
#define HEARTH_SERVICE_DEF_H

#include "base/err.h"
#include "core/passwd.h"
#include "service/model.h"

/* text/len: content of `file`; user: looks up names. On failure *d holds nothing of use. */
MUST_CHECK int def_parse(struct service_def *d, const char *file, const char *text, size_t len, passwd_fn *user,
                         struct err *e);
/* A copy whose lists point into its own text. */
void def_copy(struct service_def *dst, const struct service_def *src);

#endif
