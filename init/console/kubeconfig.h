/* The administrator's kubeconfig, for kubectl on somebody's own computer: the lines of PATH_KUBECONFIG as they are, for
 * copying, so never folded at a terminal's width; control characters become '?' all the same.
 *
 * k3s writes the server as 127.0.0.1. When the box has an address in the LAN, that stands there instead, and a line
 * `tls-server-name: 127.0.0.1` above it: the API server's certificate does not name a lease that may be another one
 * tomorrow. */
#ifndef HEARTH_CONSOLE_KUBECONFIG_H
#define HEARTH_CONSOLE_KUBECONFIG_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* answer: PID 1's to `kubeconfig`. Reads the file, LIMIT_FILE at most, and adds it to out: all of it, or nothing and -1
 * with a message for a person. */
MUST_CHECK int kubeconfig_print(const char *answer, struct buf *out, struct err *e);
/* Pure. n bytes of a kubeconfig (NUL-terminated behind them), YAML or JSON, with address ("": none) for 127.0.0.1. */
void kubeconfig_render(const char *text, size_t n, const char *address, struct buf *out);

#endif
