/* Builds routing socket messages for tests, byte by byte as the kernel lays them out. */
#ifndef HEARTH_TESTS_NETMSG_H
#define HEARTH_TESTS_NETMSG_H

#include <arpa/inet.h>
#include <assert.h>
#include <linux/if_arp.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdint.h>
#include <string.h>

struct netmsg {
	uint8_t data[4096];
	size_t len;
	size_t head; /* where the current message begins */
};

#define LOWER_UP_FLAG (1u << 16)
#define RUNS          (IFF_UP | LOWER_UP_FLAG)

static inline void netmsg_add(struct netmsg *m, const void *p, size_t n)
{
	assert(m->len + n + 4 <= sizeof(m->data));
	memcpy(m->data + m->len, p, n);
	m->len += n;
	while (m->len % 4 != 0)
		m->data[m->len++] = 0;
}

static inline void netmsg_begin(struct netmsg *m, uint16_t type, const void *body, size_t n)
{
	struct nlmsghdr head = {.nlmsg_type = type};
	m->head = m->len;
	netmsg_add(m, &head, sizeof(head));
	netmsg_add(m, body, n);
}

static inline void netmsg_attr(struct netmsg *m, uint16_t type, const void *p, size_t n)
{
	struct rtattr head = {.rta_len = (unsigned short)(sizeof(head) + n), .rta_type = type};
	netmsg_add(m, &head, sizeof(head));
	netmsg_add(m, p, n);
}

static inline void netmsg_end(struct netmsg *m)
{
	uint32_t len = (uint32_t)(m->len - m->head);
	memcpy(m->data + m->head, &len, sizeof(len));
}

static inline void netmsg_link(struct netmsg *m, uint16_t type, int index, const char *name, unsigned flags)
{
	static const uint8_t mac[6] = {0x52, 0x54, 0, 0x12, 0x34, 0x56};
	struct ifinfomsg head = {.ifi_type = ARPHRD_ETHER, .ifi_index = index, .ifi_flags = flags};
	netmsg_begin(m, type, &head, sizeof(head));
	netmsg_attr(m, IFLA_IFNAME, name, strlen(name) + 1);
	netmsg_attr(m, IFLA_ADDRESS, mac, sizeof(mac));
	netmsg_end(m);
}

static inline void netmsg_addr(struct netmsg *m, uint16_t type, int index, const char *text, uint8_t prefix)
{
	uint8_t bytes[16];
	struct ifaddrmsg head = {.ifa_index = (uint32_t)index, .ifa_prefixlen = prefix};
	head.ifa_family = strchr(text, ':') ? AF_INET6 : AF_INET;
	size_t n = head.ifa_family == AF_INET6 ? 16 : 4;
	assert(inet_pton(head.ifa_family, text, bytes) == 1);
	if (strncmp(text, "fe80", 4) == 0)
		head.ifa_scope = RT_SCOPE_LINK;
	netmsg_begin(m, type, &head, sizeof(head));
	netmsg_attr(m, IFA_ADDRESS, bytes, n);
	if (n == 4)
		netmsg_attr(m, IFA_LOCAL, bytes, n);
	netmsg_end(m);
}

static inline void netmsg_done(struct netmsg *m)
{
	int32_t zero = 0;
	netmsg_begin(m, NLMSG_DONE, &zero, sizeof(zero));
	netmsg_end(m);
}

static inline void netmsg_error(struct netmsg *m, int32_t code)
{
	struct nlmsgerr body = {.error = -code};
	netmsg_begin(m, NLMSG_ERROR, &body, sizeof(body));
	netmsg_end(m);
}

#endif
