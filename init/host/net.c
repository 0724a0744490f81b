/* The routing socket: messages to a table of wired interfaces. The network role follows it; a status command may take
 * a snapshot. It must never wait for the network, only for the kernel's own answers. */
#include "host/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_arp.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "base/str.h"
#include "base/sys.h"

#define SYS_CLASS_NET  "/sys/class/net"
#define LOWER_UP       (1u << 16) /* IFF_LOWER_UP, which net/if.h does not have */
#define SNAPSHOT_READS 64         /* datagrams of one dump: 64 x 16 KiB is more than any box has */

/* One attribute; data points into the message. */
struct attr {
	unsigned type;
	size_t len;
	const uint8_t *data;
};

/* Takes the attribute at p[*at]; false at the end or when the rest is no attribute. */
static bool next_attr(const uint8_t *p, size_t len, size_t *at, struct attr *a)
{
	struct rtattr head;
	if (len - *at < sizeof(head))
		return false;
	memcpy(&head, p + *at, sizeof(head));
	if (head.rta_len < sizeof(head) || head.rta_len > len - *at)
		return false;
	a->type = head.rta_type & NLA_TYPE_MASK;
	a->len = head.rta_len - sizeof(head);
	a->data = p + *at + sizeof(head);
	size_t step = RTA_ALIGN((size_t)head.rta_len);
	*at = step < len - *at ? *at + step : len;
	return true;
}

/* A name as the kernel allows it, made safe for paths and for the screen. */
static bool take_name(char *dst, const struct attr *a)
{
	size_t n = strnlen((const char *)a->data, a->len);
	if (n == 0 || n >= IFNAMSIZ)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (a->data[i] <= ' ' || a->data[i] >= 0x7f || a->data[i] == '/')
			return false;
	}
	memcpy(dst, a->data, n);
	dst[n] = '\0';
	return !str_eq(dst, ".") && !str_eq(dst, "..");
}

static int parse_link(const uint8_t *p, size_t len, bool gone, struct net_msg *m)
{
	struct ifinfomsg head;
	struct attr a;
	if (len < sizeof(head))
		return -1;
	memcpy(&head, p, sizeof(head));
	struct net_link *l = &m->link;
	l->index = head.ifi_index;
	l->flags = head.ifi_flags;
	l->ethernet = head.ifi_type == ARPHRD_ETHER;
	l->carrier = (head.ifi_flags & IFF_UP) && (head.ifi_flags & LOWER_UP);
	for (size_t at = NLMSG_ALIGN(sizeof(head)); at < len && next_attr(p, len, &at, &a);) {
		if (a.type == IFLA_IFNAME && !take_name(l->name, &a))
			return -1;
		if (a.type == IFLA_ADDRESS && a.len == 6 &&
		    str_format(l->mac, sizeof(l->mac), "%02x:%02x:%02x:%02x:%02x:%02x", a.data[0], a.data[1], a.data[2],
		               a.data[3], a.data[4], a.data[5]) < 0)
			return -1;
	}
	/* A bridge says "gone" of a port that only left it (AF_BRIDGE); that is no business of ours. */
	if (l->index <= 0 || l->name[0] == '\0' || head.ifi_family != AF_UNSPEC)
		return 0;
	m->kind = gone ? NET_LINK_GONE : NET_LINK;
	return 0;
}

static int parse_addr(const uint8_t *p, size_t len, bool gone, struct net_msg *m)
{
	struct ifaddrmsg head;
	struct attr a;
	const uint8_t *local = NULL;
	if (len < sizeof(head))
		return -1;
	memcpy(&head, p, sizeof(head));
	size_t size = head.ifa_family == AF_INET ? 4 : head.ifa_family == AF_INET6 ? 16 : 0;
	uint32_t flags = head.ifa_flags;
	for (size_t at = NLMSG_ALIGN(sizeof(head)); at < len && next_attr(p, len, &at, &a);) {
		if (a.type == IFA_FLAGS && a.len == sizeof(flags))
			memcpy(&flags, a.data, sizeof(flags));
		/* IFA_LOCAL is ours; IFA_ADDRESS is the other end of a point-to-point link, else the same. */
		if (a.len == size && (a.type == IFA_LOCAL || (a.type == IFA_ADDRESS && !local)))
			local = a.data;
	}
	if (size == 0 || !local)
		return 0;
	char text[INET6_ADDRSTRLEN];
	struct net_addr *out = &m->addr;
	if (!inet_ntop(head.ifa_family, local, text, sizeof(text)) ||
	    str_format(out->text, sizeof(out->text), "%s/%u", text, (unsigned)head.ifa_prefixlen) < 0)
		return -1;
	out->index = (int)head.ifa_index;
	out->family = head.ifa_family;
	out->global = head.ifa_scope == RT_SCOPE_UNIVERSE && !(flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED));
	m->kind = gone ? NET_ADDR_GONE : NET_ADDR;
	return 0;
}

static int parse_error(const uint8_t *p, size_t len, struct net_msg *m)
{
	int32_t code = 0;
	if (len < sizeof(code))
		return -1;
	memcpy(&code, p, sizeof(code));
	m->kind = NET_ERROR;
	m->code = code == INT32_MIN ? EINVAL : -code;
	return 0;
}

static int parse_body(unsigned type, const uint8_t *p, size_t len, struct net_msg *m)
{
	switch (type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		return parse_link(p, len, type == RTM_DELLINK, m);
	case RTM_NEWADDR:
	case RTM_DELADDR:
		return parse_addr(p, len, type == RTM_DELADDR, m);
	case NLMSG_ERROR:
		return parse_error(p, len, m);
	case NLMSG_DONE:
		m->kind = NET_DONE;
		return 0;
	default:
		return 0;
	}
}

int net_next(const uint8_t *data, size_t len, size_t *at, struct net_msg *m)
{
	struct nlmsghdr head;
	memset(m, 0, sizeof(*m));
	if (*at >= len)
		return 0;
	if (len - *at < sizeof(head))
		return -1;
	memcpy(&head, data + *at, sizeof(head));
	if (head.nlmsg_len < sizeof(head) || head.nlmsg_len > len - *at)
		return -1;
	int rc = parse_body(head.nlmsg_type, data + *at + sizeof(head), head.nlmsg_len - sizeof(head), m);
	size_t step = NLMSG_ALIGN((size_t)head.nlmsg_len);
	*at = step < len - *at ? *at + step : len;
	return rc < 0 ? -1 : 1;
}

void net_table_init(struct net_table *t, net_wired_fn *wired)
{
	memset(t, 0, sizeof(*t));
	t->wired = wired;
}

struct net_if *net_table_find(struct net_table *t, int index)
{
	for (unsigned i = 0; i < t->count; i++) {
		if (t->ifs[i].link.index == index)
			return &t->ifs[i];
	}
	return NULL;
}

static void remove_if(struct net_table *t, struct net_if *f)
{
	size_t at = (size_t)(f - t->ifs);
	t->count--;
	memmove(f, f + 1, (t->count - at) * sizeof(*f));
}

void net_table_begin(struct net_table *t)
{
	for (unsigned i = 0; i < t->count; i++) {
		t->ifs[i].seen = false;
		t->ifs[i].addresses = 0;
	}
}

void net_table_end(struct net_table *t)
{
	for (unsigned i = t->count; i-- > 0;) {
		if (!t->ifs[i].seen)
			remove_if(t, &t->ifs[i]);
	}
}

static bool apply_link(struct net_table *t, const struct net_link *l)
{
	struct net_if *f = net_table_find(t, l->index);
	if (!f) {
		if (!l->ethernet || t->count == NET_INTERFACES || !t->wired(l->name))
			return false;
		f = &t->ifs[t->count++];
		memset(f, 0, sizeof(*f));
	} else if (f->seen && memcmp(&f->link, l, sizeof(*l)) == 0) {
		return false;
	}
	f->link = *l;
	f->seen = true;
	return true;
}

static bool apply_addr(struct net_table *t, const struct net_addr *a, bool gone)
{
	struct net_if *f = net_table_find(t, a->index);
	unsigned i = 0;
	if (!f)
		return false;
	while (i < f->addresses && !str_eq(f->address[i].text, a->text))
		i++;
	bool known = i < f->addresses;
	if (gone && known) {
		f->addresses--;
		memmove(&f->address[i], &f->address[i + 1], (f->addresses - i) * sizeof(f->address[0]));
		return true;
	}
	if (gone || i == NET_ADDRESSES || (known && f->address[i].global == a->global))
		return false;
	f->address[i] = *a;
	f->addresses += !known;
	return true;
}

bool net_table_apply(struct net_table *t, const struct net_msg *m)
{
	struct net_if *f;
	switch (m->kind) {
	case NET_LINK:
		return apply_link(t, &m->link);
	case NET_LINK_GONE:
		f = net_table_find(t, m->link.index);
		if (f)
			remove_if(t, f);
		return f != NULL;
	case NET_ADDR:
	case NET_ADDR_GONE:
		return apply_addr(t, &m->addr, m->kind == NET_ADDR_GONE);
	default:
		return false;
	}
}

static bool exists(const char *name, const char *what)
{
	char path[64];
	struct stat st;
	return str_format(path, sizeof(path), SYS_CLASS_NET "/%s/%s", name, what) == 0 && sys_stat(path, &st) == 0;
}

bool net_is_wired(const char *name)
{
	return exists(name, "device") && !exists(name, "phy80211") && !exists(name, "wireless");
}

int net_open(struct err *e)
{
	struct sockaddr_nl a = {.nl_family = AF_NETLINK};
	a.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR;
	int fd = sys_socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	if (fd < 0)
		return err_sys(e, "routing socket");
	if (sys_bind(fd, (const struct sockaddr *)&a, sizeof(a)) == 0)
		return fd;
	err_sys(e, "bind the routing socket");
	sys_close(fd);
	return -1;
}

static int send_all(int fd, void *data, size_t len, const char *what, struct err *e)
{
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	struct iovec v = {.iov_base = data, .iov_len = len};
	struct msghdr m = {.msg_name = &kernel, .msg_namelen = sizeof(kernel), .msg_iov = &v, .msg_iovlen = 1};
	ssize_t n = sys_sendmsg(fd, &m, MSG_NOSIGNAL);
	if (n < 0)
		return err_sys(e, "%s", what);
	return (size_t)n == len ? 0 : err_set(e, EIO, "%s: only %zd bytes taken", what, n);
}

int net_dump(int fd, int type, struct err *e)
{
	struct {
		struct nlmsghdr head;
		struct ifinfomsg link; /* zeros; as long as ifaddrmsg and more, and both begin with the family */
	} rq = {.head = {.nlmsg_len = sizeof(rq), .nlmsg_type = (uint16_t)type}};
	rq.head.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	return send_all(fd, &rq, sizeof(rq), type == RTM_GETLINK ? "list the links" : "list the addresses", e);
}

int net_set_up(int fd, int index, struct err *e)
{
	struct {
		struct nlmsghdr head;
		struct ifinfomsg link;
	} rq = {.head = {.nlmsg_len = sizeof(rq), .nlmsg_type = RTM_NEWLINK}};
	rq.head.nlmsg_flags = NLM_F_REQUEST;
	rq.link.ifi_index = index;
	rq.link.ifi_flags = IFF_UP;
	rq.link.ifi_change = IFF_UP;
	return send_all(fd, &rq, sizeof(rq), "bring the link up", e);
}

int net_loopback_up(struct err *e)
{
	int fd = net_open(e);
	if (fd < 0)
		return -1;
	int rc = net_set_up(fd, 1, e); /* LOOPBACK_IFINDEX of the kernel */
	sys_close(fd);
	return rc;
}

ssize_t net_receive(int fd, uint8_t *data, size_t cap, struct err *e)
{
	struct sockaddr_nl from = {0};
	struct iovec v = {.iov_base = data, .iov_len = cap};
	struct msghdr m = {.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &v, .msg_iovlen = 1};
	ssize_t n = sys_recvmsg(fd, &m, 0);
	if (n < 0)
		return err_sys(e, "routing socket");
	if (m.msg_flags & MSG_TRUNC)
		return err_set(e, ENOBUFS, "routing socket: a message of more than %zu bytes", cap);
	return from.nl_pid == 0 ? n : 0; /* only the kernel is believed */
}

/* Applies one whole dump; every answer is there already or follows at the next read. */
static int take_dump(int fd, int type, struct net_table *t, struct err *e)
{
	uint8_t data[NET_RECEIVE];
	struct net_msg m;
	if (net_dump(fd, type, e) < 0)
		return -1;
	for (unsigned i = 0; i < SNAPSHOT_READS; i++) {
		ssize_t n = net_receive(fd, data, sizeof(data), e);
		if (n < 0)
			return -1;
		int rc = 1;
		for (size_t at = 0; (rc = net_next(data, (size_t)n, &at, &m)) > 0;) {
			if (m.kind == NET_DONE)
				return 0;
			if (m.kind == NET_ERROR)
				return err_set(e, m.code, "routing socket: the kernel refused to list");
			(void)net_table_apply(t, &m);
		}
		if (rc < 0)
			return err_set(e, EBADMSG, "routing socket: malformed message");
	}
	return err_set(e, EOVERFLOW, "routing socket: a list without an end");
}

int net_snapshot(struct net_table *t, struct err *e)
{
	net_table_init(t, net_is_wired);
	int fd = net_open(e);
	if (fd < 0)
		return -1;
	int rc = take_dump(fd, RTM_GETLINK, t, e);
	if (rc == 0)
		rc = take_dump(fd, RTM_GETADDR, t, e);
	sys_close(fd);
	return rc;
}
