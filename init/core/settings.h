/* The settings of the box: a small strict YAML file, the shipped one and, over it, the box's own.
 *
 *   hostname: ""                          # RFC 1123 label in lower case; "": made from the machine id
 *   time-servers: [time.cloudflare.com]   # up to SETTINGS_SERVERS names or addresses; []: none
 *   site: {domain: home.arpa, ...}        # up to SETTINGS_SITE values for `${site.NAME}` in the manifests, each key
 *                                         # replaces or adds one; NAME: small letters, digits, '-'; "": not set
 *   watchdog: true                        # the machine restarts a box that stands still, see host/watchdog.h
 *   update: {automatic: false, ...}       # see core/settings_update.h
 *
 * Of the site's values some are known and checked: domain, email, timezone, lb-range. Pure: text in, struct
 * out. `hearth check`, PID 1 and the kube role use the same function. */
#ifndef HEARTH_CORE_SETTINGS_H
#define HEARTH_CORE_SETTINGS_H

#include <stddef.h>

#include "base/err.h"
#include "base/limits.h"
#include "core/settings_update.h"
#include "format/yaml.h"

#define SETTINGS_SERVERS  4   /* more do not make the time better */
#define SETTINGS_HOSTNAME 64  /* 63 bytes of a label and the end (RFC 1035 2.3.4) */
#define SETTINGS_SERVER   254 /* 253 bytes of a host name and the end */
#define SETTINGS_SITE     32  /* values of the site: the platform knows four, apps may add some */
#define SETTINGS_VALUE    257 /* 256 bytes of a value and the end */

struct settings_value {
	char name[LIMIT_NAME];
	char text[SETTINGS_VALUE]; /* one line; "": not set */
};

struct settings {
	char hostname[SETTINGS_HOSTNAME]; /* "": generated */
	char time_server[SETTINGS_SERVERS][SETTINGS_SERVER];
	unsigned time_servers;
	struct settings_value site[SETTINGS_SITE];
	unsigned sites;
	bool watchdog;
	struct settings_update update;
};

/* What fs-overlay/etc/hearth/settings.yaml says too (a test holds them together). */
void settings_default(struct settings *s);
/* Keys that the file has replace what is in *s, others stay; on an error ("FILE:LINE: what; what to do") *s stays
 * whole. y is storage for the parse, free again afterwards; too large for a stack. */
MUST_CHECK int settings_parse(struct settings *s, struct yaml *y, const char *file, const char *text, size_t len,
                              struct err *e);
/* The site's value of that name (len bytes); "" when it is not set. */
const char *settings_site(const struct settings *s, const char *name, size_t len);

#endif
