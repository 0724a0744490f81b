/* The network role (`hearth network`): wired interfaces up, one DHCP client for each that has a cable, for ever.
 *
 * Interfaces come and go at any time. A client runs from the first carrier on; when the cable comes back after it was
 * pulled, the client asks again at once (the other end may be another network). A client that ends is started again
 * with a growing delay. The role owns the fact network-up. Addresses, routes and resolv.conf are set by the client's
 * script, /usr/libexec/hearth/dhcp. */
#ifndef HEARTH_NODE_NETWORK_H
#define HEARTH_NODE_NETWORK_H

#include <stdbool.h>
#include <stddef.h>

#include "core/fact.h"
#include "host/net.h"

int network_main(int argc, char **argv);

/* Pure. network-up and the sentence beside it: on with "eth0 10.0.2.15/24" when an interface with a cable has an
 * address that reaches beyond it, else off with the reason for each interface. with_ipv6: IPv6 addresses count too
 * (they do when DHCP had its chance, see NETWORK_IPV6_AFTER_MS). */
enum fact_value network_verdict(const struct net_table *t, bool with_ipv6, char *detail, size_t cap);

#define NETWORK_IPV6_AFTER_MS  15000 /* a router's IPv6 prefix comes at once, DHCP takes a few seconds: prefer that */
#define NETWORK_UP_AGAIN_MS    10000 /* between tries to bring up an interface that refuses */
#define NETWORK_BACKOFF_MIN_MS 500
#define NETWORK_BACKOFF_MAX_MS 30000
#define NETWORK_STABLE_MS      60000 /* a client that ran so long did not fail at once: no delay to remember */
#define NETWORK_STOP_MS        2000  /* for the clients to end when the role ends */

#endif
