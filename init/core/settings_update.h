/* The `update` part of the settings; for core/settings, whose rules hold here too. All keys may be left out.
 *
 *   update:
 *     health: [services, node, apps]  # what a new slot must show to be kept, see boot/criteria.h; []: running
 *     health-deadline: 15m            # how long it may take, from the start of PID 1; 1m to 24h
 *     snapshot: false                 # copy every volume at the first start of a new version (update/snapshots.h)
 *     url: ""                         # the index of a channel (update/channel.h): http:// or https://; "": none
 *     automatic: false                # look there, install what it offers and restart into it without being asked
 *     window: "03:00-05:00"           # when an install or that restart may begin, in UTC: the image knows no time
 *                                     # zones; may cross midnight; "": always */
#ifndef HEARTH_CORE_SETTINGS_UPDATE_H
#define HEARTH_CORE_SETTINGS_UPDATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "format/yaml.h"

#define SETTINGS_URL          257 /* 256 bytes and the end */
#define SETTINGS_HEALTH_LEAST UINT64_C(60000)
#define SETTINGS_HEALTH_MOST  UINT64_C(86400000)

/* Criteria of the health gate, as a mask. */
enum settings_health { HEALTH_SERVICES = 1 << 0, HEALTH_NODE = 1 << 1, HEALTH_APPS = 1 << 2 };

struct settings_update {
	unsigned health; /* mask of enum settings_health */
	uint32_t health_deadline_ms;
	char url[SETTINGS_URL]; /* "": none */
	bool snapshot;
	bool automatic;
	uint16_t from, until; /* minutes of the day; equal: at any time */
};

extern const struct settings_update settings_update_default;

/* v: the value of `update`; *u keeps what it does not name, and is of no use after an error. */
MUST_CHECK int settings_update_take(struct settings_update *u, const struct yaml *y, const struct yaml_node *v,
                                    struct err *e);
/* "true" or "false". */
MUST_CHECK int settings_bool(const struct yaml *y, const struct yaml_node *v, bool *out, struct err *e);

#endif
