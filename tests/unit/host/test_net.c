/* Routing socket messages, the table of wired interfaces, and the socket itself under failing calls. */
#include "host/net.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "fake/sys.h"
#include "unit/host/netmsg.h"

static struct err e;
static struct netmsg in;
static struct net_table table;
static unsigned asked; /* how often the table asked whether an interface is wired */

static bool eth_is_wired(const char *name)
{
	asked++;
	return str_starts(name, "eth");
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	err_clear(&e);
	memset(&in, 0, sizeof(in));
	asked = 0;
	net_table_init(&table, eth_is_wired);
	return 0;
}

/* Applies all that is in `in` and empties it; how many changed something. */
static unsigned apply(void)
{
	struct net_msg m;
	unsigned changes = 0;
	int rc = 0;
	for (size_t at = 0; (rc = net_next(in.data, in.len, &at, &m)) > 0;)
		changes += net_table_apply(&table, &m);
	assert_int_equal(rc, 0);
	in.len = 0;
	return changes;
}

static void parses_links(void **state)
{
	(void)state;
	struct net_msg m;
	size_t at = 0;
	netmsg_link(&in, RTM_NEWLINK, 2, "eth0", RUNS);
	netmsg_link(&in, RTM_NEWLINK, 3, "eth1", IFF_UP);
	netmsg_link(&in, RTM_DELLINK, 3, "eth1", 0);
	assert_int_equal(net_next(in.data, in.len, &at, &m), 1);
	assert_int_equal(m.kind, NET_LINK);
	assert_int_equal(m.link.index, 2);
	assert_string_equal(m.link.name, "eth0");
	assert_string_equal(m.link.mac, "52:54:00:12:34:56");
	assert_true(m.link.carrier && m.link.ethernet);
	assert_int_equal(net_next(in.data, in.len, &at, &m), 1);
	assert_false(m.link.carrier);
	assert_int_equal(net_next(in.data, in.len, &at, &m), 1);
	assert_int_equal(m.kind, NET_LINK_GONE);
	assert_int_equal(net_next(in.data, in.len, &at, &m), 0);
}

static void parses_addresses(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		uint8_t prefix;
		const char *want;
		bool global;
	} rows[] = {{"10.0.2.15", 24, "10.0.2.15/24", true},
	            {"2001:db8::1", 64, "2001:db8::1/64", true},
	            {"fe80::1", 64, "fe80::1/64", false}};
	struct net_msg m;
	size_t at = 0;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		netmsg_addr(&in, RTM_NEWADDR, 2, rows[i].text, rows[i].prefix);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_int_equal(net_next(in.data, in.len, &at, &m), 1);
		assert_int_equal(m.kind, NET_ADDR);
		assert_int_equal(m.addr.index, 2);
		assert_string_equal(m.addr.text, rows[i].want);
		assert_int_equal(m.addr.global, rows[i].global);
	}
}

static void an_address_under_test_does_not_count(void **state)
{
	(void)state;
	static const uint8_t bytes[16] = {0x20, 1, 0xd, 0xb8};
	static const uint32_t flags[] = {IFA_F_TENTATIVE, IFA_F_DADFAILED, IFA_F_PERMANENT};
	for (size_t i = 0; i < COUNT_OF(flags); i++) {
		struct ifaddrmsg head = {.ifa_family = AF_INET6, .ifa_prefixlen = 64, .ifa_index = 2};
		struct net_msg m;
		size_t at = 0;
		in.len = 0;
		netmsg_begin(&in, RTM_NEWADDR, &head, sizeof(head));
		netmsg_attr(&in, IFA_ADDRESS, bytes, sizeof(bytes));
		netmsg_attr(&in, IFA_FLAGS, &flags[i], sizeof(flags[i]));
		netmsg_end(&in);
		assert_int_equal(net_next(in.data, in.len, &at, &m), 1);
		assert_int_equal(m.addr.global, flags[i] == IFA_F_PERMANENT);
	}
}

/* On a point-to-point link IFA_ADDRESS is the other end. */
static void the_local_address_is_ours(void **state)
{
	(void)state;
	static const uint8_t ours[] = {10, 0, 0, 1}, theirs[] = {10, 0, 0, 2};
	struct ifaddrmsg head = {.ifa_family = AF_INET, .ifa_prefixlen = 32, .ifa_index = 2};
	struct net_msg m;
	size_t at = 0;
	netmsg_begin(&in, RTM_NEWADDR, &head, sizeof(head));
	netmsg_attr(&in, IFA_LOCAL, ours, 4);
	netmsg_attr(&in, IFA_ADDRESS, theirs, 4);
	netmsg_end(&in);
	assert_int_equal(net_next(in.data, in.len, &at, &m), 1);
	assert_string_equal(m.addr.text, "10.0.0.1/32");
}

static void refuses_what_is_malformed(void **state)
{
	(void)state;
	struct net_msg m;
	netmsg_link(&in, RTM_NEWLINK, 2, "eth0", RUNS);
	for (size_t len = 1; len < in.len; len++) { /* cut anywhere */
		size_t at = 0;
		assert_int_equal(net_next(in.data, len, &at, &m), -1);
	}
	uint32_t lie = (uint32_t)in.len + 4;
	size_t at = 0;
	memcpy(in.data, &lie, sizeof(lie));
	assert_int_equal(net_next(in.data, in.len, &at, &m), -1);
	lie = 8; /* shorter than its own head */
	at = 0;
	memcpy(in.data, &lie, sizeof(lie));
	assert_int_equal(net_next(in.data, in.len, &at, &m), -1);
}

static void refuses_names_that_are_no_names(void **state)
{
	(void)state;
	static const char *const names[] = {"a/b", "..", ".", "a b", "\x1b[31m", "averyverylongname"};
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		struct net_msg m;
		size_t at = 0;
		in.len = 0;
		netmsg_link(&in, RTM_NEWLINK, 2, names[i], RUNS);
		assert_true(net_next(in.data, in.len, &at, &m) < 0 || m.kind == NET_OTHER);
	}
}

static void done_and_errors(void **state)
{
	(void)state;
	struct net_msg m;
	size_t at = 0;
	netmsg_done(&in);
	netmsg_error(&in, EPERM);
	netmsg_error(&in, 0);
	assert_int_equal(net_next(in.data, in.len, &at, &m), 1);
	assert_int_equal(m.kind, NET_DONE);
	assert_int_equal(net_next(in.data, in.len, &at, &m), 1);
	assert_int_equal(m.kind, NET_ERROR);
	assert_int_equal(m.code, EPERM);
	assert_int_equal(net_next(in.data, in.len, &at, &m), 1);
	assert_int_equal(m.code, 0);
}

static void table_keeps_wired_ones_only(void **state)
{
	(void)state;
	netmsg_link(&in, RTM_NEWLINK, 2, "eth0", RUNS);
	netmsg_link(&in, RTM_NEWLINK, 3, "veth1", RUNS);
	netmsg_addr(&in, RTM_NEWADDR, 3, "10.1.0.1", 24);
	netmsg_addr(&in, RTM_NEWADDR, 2, "10.0.2.15", 24);
	assert_int_equal(apply(), 2);
	assert_int_equal(table.count, 1);
	assert_string_equal(table.ifs[0].address[0].text, "10.0.2.15/24");
	/* The same again is no change. */
	netmsg_link(&in, RTM_NEWLINK, 2, "eth0", RUNS);
	netmsg_addr(&in, RTM_NEWADDR, 2, "10.0.2.15", 24);
	assert_int_equal(apply(), 0);
	netmsg_addr(&in, RTM_DELADDR, 2, "10.0.2.15", 24);
	netmsg_addr(&in, RTM_DELADDR, 2, "10.0.2.16", 24);
	assert_int_equal(apply(), 1);
	assert_int_equal(table.ifs[0].addresses, 0);
	netmsg_link(&in, RTM_DELLINK, 2, "eth0", 0);
	netmsg_link(&in, RTM_DELLINK, 3, "veth1", 0);
	assert_int_equal(apply(), 1);
	assert_int_equal(table.count, 0);
}

static void table_is_bounded(void **state)
{
	(void)state;
	char name[32];
	for (int i = 1; i <= NET_INTERFACES + 5; i++) {
		snprintf(name, sizeof(name), "eth%d", i);
		in.len = 0;
		netmsg_link(&in, RTM_NEWLINK, i, name, RUNS);
		(void)apply();
	}
	assert_int_equal(table.count, NET_INTERFACES);
	for (int i = 1; i <= NET_ADDRESSES + 5; i++) {
		snprintf(name, sizeof(name), "10.0.0.%d", i);
		netmsg_addr(&in, RTM_NEWADDR, 1, name, 24);
		(void)apply();
	}
	assert_int_equal(table.ifs[0].addresses, NET_ADDRESSES);
}

static void a_second_dump_forgets_what_is_gone(void **state)
{
	(void)state;
	netmsg_link(&in, RTM_NEWLINK, 2, "eth0", RUNS);
	netmsg_link(&in, RTM_NEWLINK, 3, "eth1", RUNS);
	netmsg_addr(&in, RTM_NEWADDR, 3, "10.0.2.15", 24);
	(void)apply();
	net_table_begin(&table);
	netmsg_link(&in, RTM_NEWLINK, 3, "eth1", RUNS);
	(void)apply();
	net_table_end(&table);
	assert_int_equal(table.count, 1);
	assert_string_equal(table.ifs[0].link.name, "eth1");
	assert_int_equal(table.ifs[0].addresses, 0); /* the address dump follows */
	assert_null(net_table_find(&table, 2));
}

/* A kernel that answers each dump request from `answer`, in pieces. */
static struct netmsg links, addresses;
static const struct netmsg *answer;

static int fake_socket_of_ours(int domain, int type, int proto)
{
	(void)type;
	assert_int_equal(domain, AF_NETLINK);
	assert_int_equal(proto, NETLINK_ROUTE);
	return dup(0);
}

static int fake_bind_of_ours(int fd, const struct sockaddr *a, socklen_t n)
{
	(void)fd;
	(void)a;
	assert_int_equal(n, sizeof(struct sockaddr_nl));
	return 0;
}

static ssize_t fake_send_of_ours(int fd, const struct msghdr *m, int flags)
{
	struct nlmsghdr head;
	(void)fd;
	(void)flags;
	memcpy(&head, m->msg_iov->iov_base, sizeof(head));
	answer = head.nlmsg_type == RTM_GETLINK ? &links : &addresses;
	return (ssize_t)m->msg_iov->iov_len;
}

static ssize_t fake_recv_of_ours(int fd, struct msghdr *m, int flags)
{
	(void)fd;
	(void)flags;
	if (!answer) {
		errno = EAGAIN;
		return -1;
	}
	memcpy(m->msg_iov->iov_base, answer->data, answer->len);
	ssize_t n = (ssize_t)answer->len;
	answer = NULL;
	return n;
}

static int fake_stat_of_ours(const char *path, struct stat *st)
{
	(void)st;
	if (strstr(path, "/eth0/device"))
		return 0;
	errno = ENOENT;
	return -1;
}

static ssize_t fake_send_up(int fd, const struct msghdr *m, int flags)
{
	struct {
		struct nlmsghdr head;
		struct ifinfomsg link;
	} rq;
	(void)fd;
	(void)flags;
	assert_int_equal(m->msg_iov->iov_len, sizeof(rq));
	memcpy(&rq, m->msg_iov->iov_base, sizeof(rq));
	assert_int_equal(rq.head.nlmsg_type, RTM_NEWLINK);
	assert_int_equal(rq.link.ifi_index, 1);
	assert_true(rq.link.ifi_flags & rq.link.ifi_change & IFF_UP);
	return sizeof(rq);
}

static void the_loopback_comes_up(void **state)
{
	(void)state;
	fake_socket = fake_socket_of_ours;
	fake_bind = fake_bind_of_ours;
	fake_sendmsg = fake_send_up;
	unsigned before = fake_open_fds();
	assert_int_equal(net_loopback_up(&e), 0);
	bool fired = true;
	for (unsigned n = 1; fired && n < 50; n++) {
		fake_fail_at(n, EIO);
		int rc = net_loopback_up(&e);
		fired = fake_fired();
		fake_fail_at(0, 0);
		if (rc < 0)
			assert_true(fired && e.text[0] != '\0');
	}
	assert_false(fired);
	assert_int_equal(fake_open_fds(), before);
}

static void snapshot_under_failing_calls(void **state)
{
	(void)state;
	memset(&links, 0, sizeof(links));
	memset(&addresses, 0, sizeof(addresses));
	netmsg_link(&links, RTM_NEWLINK, 1, "lo", RUNS);
	netmsg_link(&links, RTM_NEWLINK, 2, "eth0", RUNS);
	netmsg_link(&links, RTM_NEWLINK, 3, "wlan0", RUNS);
	netmsg_done(&links);
	netmsg_addr(&addresses, RTM_NEWADDR, 2, "10.0.2.15", 24);
	netmsg_done(&addresses);
	fake_socket = fake_socket_of_ours;
	fake_bind = fake_bind_of_ours;
	fake_sendmsg = fake_send_of_ours;
	fake_recvmsg = fake_recv_of_ours;
	fake_stat = fake_stat_of_ours;
	unsigned before = fake_open_fds();
	bool fired = true;
	for (unsigned n = 1; fired && n < 50; n++) {
		fake_fail_at(n, EIO);
		int rc = net_snapshot(&table, &e);
		fired = fake_fired();
		fake_fail_at(0, 0);
		assert_int_equal(fake_open_fds(), before);
		if (rc < 0)
			assert_true(fired && e.text[0] != '\0');
	}
	assert_false(fired);
	assert_int_equal(table.count, 1);
	assert_string_equal(table.ifs[0].address[0].text, "10.0.2.15/24");
	/* A kernel that refuses, and one that never ends. */
	links.len = 0;
	netmsg_error(&links, EPERM);
	assert_int_equal(net_snapshot(&table, &e), -1);
	assert_int_equal(e.code, EPERM);
	links.len = 0;
	netmsg_link(&links, RTM_NEWLINK, 2, "eth0", RUNS);
	assert_int_equal(net_snapshot(&table, &e), -1);
	assert_int_equal(e.code, EAGAIN);
}

static void the_real_kernel_answers(void **state)
{
	(void)state;
	int fd = net_open(&e);
	if (fd < 0) { /* a sandbox without routing sockets */
		skip();
		return;
	}
	close(fd);
	assert_int_equal(net_snapshot(&table, &e), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(parses_links, setup),
		cmocka_unit_test_setup(parses_addresses, setup),
		cmocka_unit_test_setup(an_address_under_test_does_not_count, setup),
		cmocka_unit_test_setup(the_local_address_is_ours, setup),
		cmocka_unit_test_setup(refuses_what_is_malformed, setup),
		cmocka_unit_test_setup(refuses_names_that_are_no_names, setup),
		cmocka_unit_test_setup(done_and_errors, setup),
		cmocka_unit_test_setup(table_keeps_wired_ones_only, setup),
		cmocka_unit_test_setup(table_is_bounded, setup),
		cmocka_unit_test_setup(a_second_dump_forgets_what_is_gone, setup),
		cmocka_unit_test_setup(the_loopback_comes_up, setup),
		cmocka_unit_test_setup(snapshot_under_failing_calls, setup),
		cmocka_unit_test_setup(the_real_kernel_answers, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
