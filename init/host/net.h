/* Network interfaces through the kernel's routing socket: what is there, what changes, bringing one up.
 *
 * Messages (linux/rtnetlink.h, RFC 3549) are parsed by pure functions into one table, which follows the kernel from a
 * first dump on. The socket is non-blocking; dumps are answered at once by the kernel. When the kernel says that it
 * lost messages (code ENOBUFS), the owner dumps again: net_table_begin, both dumps, net_table_end after each.
 *
 * Only the wired cards of the box are kept in the table: pods and bridges come and go beside them in any number. */
#ifndef HEARTH_HOST_NET_H
#define HEARTH_HOST_NET_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

#define NET_MAC        18         /* "52:54:00:12:34:56" */
#define NET_ADDRESS    50         /* longest IPv6 text and "/128" */
#define NET_INTERFACES 16         /* wired ports of one box */
#define NET_ADDRESSES  12         /* addresses of one port; IPv6 gives several */
#define NET_RECEIVE    (16 << 10) /* the kernel fits its dumps into the buffer that it is offered */

enum net_kind { NET_OTHER, NET_LINK, NET_LINK_GONE, NET_ADDR, NET_ADDR_GONE, NET_DONE, NET_ERROR };

struct net_addr {
	int index;              /* of its interface */
	int family;             /* AF_INET or AF_INET6 */
	bool global;            /* reaches beyond the cable, and is usable: not being tested, not a duplicate */
	char text[NET_ADDRESS]; /* "10.0.2.15/24" */
};

struct net_link {
	int index;
	unsigned flags; /* IFF_UP ... */
	bool ethernet;  /* ARPHRD_ETHER */
	bool carrier;   /* a cable with something at its other end */
	char name[IFNAMSIZ];
	char mac[NET_MAC];
};

/* One message. */
struct net_msg {
	enum net_kind kind;
	struct net_link link;
	struct net_addr addr;
	int code; /* NET_ERROR: errno, 0 for an acknowledgement */
};

struct net_if {
	struct net_link link;
	bool seen; /* since net_table_begin */
	unsigned addresses;
	struct net_addr address[NET_ADDRESSES];
};

/* Is this a card whose cable we look after? Asked once for each new interface. */
typedef bool net_wired_fn(const char *name);

struct net_table {
	struct net_if ifs[NET_INTERFACES]; /* in the order of appearance */
	unsigned count;
	net_wired_fn *wired;
};

/* Pure. Takes the message at data[*at] and moves *at behind it. 1: *m is filled; 0: no more; -1: malformed, the rest
 * of the buffer is of no use. */
int net_next(const uint8_t *data, size_t len, size_t *at, struct net_msg *m);

void net_table_init(struct net_table *t, net_wired_fn *wired);
/* Before a dump: what the dump does not mention will be gone at net_table_end. */
void net_table_begin(struct net_table *t);
void net_table_end(struct net_table *t);
/* True when something in the table changed. */
bool net_table_apply(struct net_table *t, const struct net_msg *m);
struct net_if *net_table_find(struct net_table *t, int index);

/* A network card of this machine with a cable: has a device behind it, and is not wireless. From /sys/class/net. */
bool net_is_wired(const char *name);

/* A routing socket that gets every change of links and addresses. */
MUST_CHECK int net_open(struct err *e);
/* Asks for all links (RTM_GETLINK) or all addresses (RTM_GETADDR); one dump at a time, it ends with NET_DONE. */
MUST_CHECK int net_dump(int fd, int type, struct err *e);
MUST_CHECK int net_set_up(int fd, int index, struct err *e);
/* Brings 127.0.0.1 up; the kernel gives the loopback link its address by itself. Does not wait. */
MUST_CHECK int net_loopback_up(struct err *e);
/* Bytes received, or -1; code EAGAIN: nothing there, ENOBUFS: messages were lost. */
MUST_CHECK ssize_t net_receive(int fd, uint8_t *data, size_t cap, struct err *e);
/* Everything there is now, with a socket of its own, without waiting: for who does not follow changes. */
MUST_CHECK int net_snapshot(struct net_table *t, struct err *e);

#endif
