/* The network role: the verdict, and the whole role between a scripted kernel, scripted children and a clock turned by
 * hand. Each act runs when the role has nothing left to do; nothing sleeps. */
#include "node/network.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/paths.h"
#include "base/str.h"
#include "core/fact.h"
#include "fake/sys.h"
#include "loop/chan.h"
#include "loop/child.h"
#include "unit/ended.h"
#include "unit/host/netmsg.h"

#define ACTS 16

static struct err e;
static struct netmsg links, addresses, events;
static int kernel[2] = {-1, -1}; /* routing socket: [0] the role's, [1] ours */
static int pid1 = -1;            /* the other end of the role's control connection */
static char said[2048];          /* what the role did: clients started, signals, facts */
static pid_t next_pid;
static char hostname[32];
static void (*const *acts)(void);
static unsigned done, rounds;

static void note(const char *fmt, ...) PRINTF_LIKE(1, 2);
static void note(const char *fmt, ...)
{
	size_t n = strlen(said);
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(said + n, sizeof(said) - n, fmt, ap);
	va_end(ap);
}

static void collect_facts(void)
{
	char data[LIMIT_REQUEST];
	ssize_t n;
	while (pid1 >= 0 && (n = chan_recv(pid1, data, sizeof(data), NULL, &e)) > 4) {
		const char *value = data + 4 + strlen("fact") + 1 + strlen("network-up") + 1;
		note("[%s: %s]", value, value + strlen(value) + 1);
	}
}

static int open_there(const char *path, int flags, mode_t mode)
{
	if (str_eq(path, PATH_NULL)) /* of the child, whose side runs in this process */
		return 0;
	if (!str_eq(path, PATH_PROC_SYS "/kernel/hostname"))
		return open(path, flags, mode);
	if (!(flags & O_NONBLOCK)) /* the one that is watched for changes */
		return eventfd(0, EFD_CLOEXEC);
	int fds[2];
	if (pipe2(fds, O_CLOEXEC) < 0 || write(fds[1], hostname, strlen(hostname)) < 0)
		return -1;
	close(fds[1]);
	return fds[0];
}

static int socket_there(int domain, int type, int proto)
{
	if (domain != AF_NETLINK)
		return socket(domain, type, proto);
	int fd = kernel[0];
	kernel[0] = -1;
	return fd;
}

static int bind_there(int fd, const struct sockaddr *a, socklen_t n)
{
	(void)fd;
	(void)a;
	(void)n;
	return 0;
}

static void kernel_says(struct netmsg *m)
{
	if (m->len > 0)
		assert_int_equal(write(kernel[1], m->data, m->len), (ssize_t)m->len);
}

static ssize_t send_there(int fd, const struct msghdr *m, int flags)
{
	struct nlmsghdr head;
	struct ifinfomsg link;
	const struct sockaddr_nl *to = m->msg_name;
	if (!to || to->nl_family != AF_NETLINK)
		return sendmsg(fd, m, flags);
	memcpy(&head, m->msg_iov->iov_base, sizeof(head));
	memcpy(&link, (const char *)m->msg_iov->iov_base + sizeof(head), sizeof(link));
	if (head.nlmsg_type == RTM_GETLINK)
		kernel_says(&links);
	else if (head.nlmsg_type == RTM_GETADDR)
		kernel_says(&addresses);
	else
		note("(up %d)", link.ifi_index);
	return (ssize_t)m->msg_iov->iov_len;
}

static int lost; /* the kernel says so once */

static ssize_t recv_there(int fd, struct msghdr *m, int flags)
{
	if (lost > 0 && m->msg_name) {
		lost--;
		errno = ENOBUFS;
		return -1;
	}
	ssize_t n = recvmsg(fd, m, flags);
	if (n > 0 && m->msg_name)
		memset(m->msg_name, 0, sizeof(struct sockaddr_nl)); /* from the kernel */
	return n;
}

static int stat_there(const char *path, struct stat *st)
{
	if (str_starts(path, "/sys/class/net/eth") && strstr(path, "/device"))
		return 0;
	if (!str_starts(path, "/sys/class/net/"))
		return stat(path, st);
	errno = ENOENT;
	return -1;
}

static int connect_there(int fd, const struct sockaddr *a, socklen_t n)
{
	int ends[2];
	(void)a;
	(void)n;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return -1;
	if (pid1 >= 0)
		close(pid1);
	pid1 = ends[1];
	dup2(ends[0], fd);
	close(ends[0]);
	return 0;
}

/* The child side is not run: its spec is looked at through execve, so run it up to there. */
static int exec_there(const char *path, char *const argv[], char *const envp[])
{
	(void)envp;
	note("{%s", str_eq(path, PATH_UDHCPC) ? "dhcp" : path);
	for (unsigned i = 0; argv[i]; i++) {
		if (str_eq(argv[i], "-i") || str_eq(argv[i], "-r"))
			note(" %s", argv[i + 1]);
		if (str_starts(argv[i], "hostname:"))
			note(" %s", argv[i] + strlen("hostname:"));
	}
	note("}");
	return 0;
}

static int no_call(void)
{
	return 0;
}

static pid_t setsid_there(void)
{
	return no_call();
}

static int dup2_there(int fd, int to)
{
	(void)fd;
	return to;
}

static int fcntl_there(int fd, int cmd, int arg)
{
	return cmd == F_SETFD ? 0 : fcntl(fd, cmd, arg);
}

static int close_range_there(unsigned first)
{
	(void)first;
	return no_call();
}

static int chdir_there(const char *path)
{
	(void)path;
	return no_call();
}

static pid_t vfork_there(int (*fn)(void *), void *arg, int *pidfd)
{
	(void)fn(arg);
	*pidfd = eventfd(0, EFD_CLOEXEC);
	return next_pid++;
}

static int pidfd_signal_there(int pidfd, int signo)
{
	(void)pidfd;
	note("(%s)", signo == SIGUSR1 ? "renew" : signo == SIGTERM ? "term" : "kill");
	if (signo == SIGTERM && ended == 0) {
		ended = next_pid - 1;
		end_status = 0;
		kill(getpid(), SIGCHLD);
	}
	return 0;
}

static int wait_or_act(int ep, struct epoll_event *ev, int max, int timeout)
{
	if (++rounds > 1000) /* a loop without an end, and SIGTERM is blocked */
		abort();
	int n = epoll_wait(ep, ev, max, 0);
	if (n != 0)
		return n;
	if (timeout == 0) /* a timer is due */
		return 0;
	collect_facts();
	if (acts[done]) {
		acts[done++]();
	} else {
		kill(getpid(), SIGTERM);
		fake_clock_ms += NETWORK_STOP_MS; /* for a client that does not end */
	}
	return epoll_wait(ep, ev, max, 0);
}

/* The side of the child runs in this process and must not unblock its signals. */
static int keep_blocked(int how, const sigset_t *set, sigset_t *old)
{
	return how == SIG_SETMASK && !sigismember(set, SIGTERM) ? 0 : sigprocmask(how, set, old);
}

/* The clock is turned by hand; the real timer would go off at once. */
static int no_timer(int fd, int flags, const struct itimerspec *v, struct itimerspec *old)
{
	(void)fd;
	(void)flags;
	(void)v;
	(void)old;
	return 0;
}

static int no_sigaction(int signo, const struct sigaction *a, struct sigaction *old)
{
	(void)signo;
	(void)a;
	(void)old;
	return 0;
}

/* A role that failed early leaves signals that would end the test when they are unblocked. */
static void forget_signals(void)
{
	static const struct timespec now = {0};
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	while (sigtimedwait(&set, NULL, &now) > 0)
		;
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	forget_signals();
	memset(&links, 0, sizeof(links));
	memset(&addresses, 0, sizeof(addresses));
	said[0] = '\0';
	next_pid = 1000;
	ended = 0;
	done = rounds = 0;
	lost = 0;
	memcpy(hostname, "box\n", 5);
	netmsg_link(&links, RTM_NEWLINK, 1, "lo", RUNS);
	netmsg_link(&links, RTM_NEWLINK, 2, "eth0", RUNS);
	netmsg_done(&links);
	netmsg_done(&addresses);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, kernel) < 0)
		return -1;
	fake_open = open_there;
	fake_socket = socket_there;
	fake_bind = bind_there;
	fake_sendmsg = send_there;
	fake_recvmsg = recv_there;
	fake_stat = stat_there;
	fake_connect = connect_there;
	fake_execve = exec_there;
	fake_setsid = setsid_there;
	fake_dup2 = dup2_there;
	fake_fcntl = fcntl_there;
	fake_chdir = chdir_there;
	fake_close_range = close_range_there;
	fake_sigaction = no_sigaction;
	fake_sigprocmask = keep_blocked;
	fake_timerfd_settime = no_timer;
	fake_vfork_call = vfork_there;
	fake_pidfd_send_signal = pidfd_signal_there;
	fake_waitid = wait_ended;
	fake_epoll_wait = wait_or_act;
	fake_clock_ms = 100000;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		if (kernel[i] >= 0)
			close(kernel[i]);
		kernel[i] = -1;
	}
	if (pid1 >= 0)
		close(pid1);
	pid1 = -1;
	fake_reset();
	return 0;
}

static int run(void (*const *script)(void))
{
	char name[] = "network";
	char *argv[] = {name, NULL};
	acts = script;
	return network_main(1, argv);
}

static void event_link(uint16_t type, const char *name, int index, unsigned flags)
{
	events.len = 0;
	netmsg_link(&events, type, index, name, flags);
	kernel_says(&events);
}

static void event_addr(uint16_t type, const char *text)
{
	events.len = 0;
	netmsg_addr(&events, type, 2, text, 24);
	kernel_says(&events);
}

static void gets_address(void)
{
	event_addr(RTM_NEWADDR, "10.0.2.15");
}
static void loses_address(void)
{
	event_addr(RTM_DELADDR, "10.0.2.15");
}
static void gets_ipv6(void)
{
	event_addr(RTM_NEWADDR, "2001:db8::5");
}
static void pulls_cable(void)
{
	event_link(RTM_NEWLINK, "eth0", 2, IFF_UP);
}
static void plugs_cable(void)
{
	event_link(RTM_NEWLINK, "eth0", 2, RUNS);
}
static void card_gone(void)
{
	event_link(RTM_DELLINK, "eth0", 2, 0);
}
static void second_card(void)
{
	event_link(RTM_NEWLINK, "eth1", 3, 0);
}
static void a_pod(void)
{
	event_link(RTM_NEWLINK, "veth7", 7, RUNS);
}
static void half_a_second(void)
{
	fake_clock_ms += 500;
}
static void fifteen_seconds(void)
{
	fake_clock_ms += NETWORK_IPV6_AFTER_MS;
}

static void client_dies(void)
{
	ended = next_pid - 1;
	end_status = 1;
	kill(getpid(), SIGCHLD);
}

static void first_boot(void **state)
{
	(void)state;
	unsigned before = fake_open_fds();
	assert_int_equal(run((void (*const[])(void)){gets_address, a_pod, NULL}), 0);
	assert_string_equal(said, "{dhcp eth0 box}[off: eth0: no answer from a DHCP server yet]"
	                          "[on: eth0 10.0.2.15/24](term)");
	assert_int_equal(fake_open_fds(), before); /* the routing socket went, the control connection came */
}

static void cable_out_and_in(void **state)
{
	(void)state;
	assert_int_equal(run((void (*const[])(void)){gets_address, pulls_cable, plugs_cable, NULL}), 0);
	assert_non_null(strstr(said, "[on: eth0 10.0.2.15/24][off: eth0: no cable](renew)[on: eth0 10.0.2.15/24]"));
}

static void cable_in_without_an_address_starts_anew(void **state)
{
	(void)state;
	assert_int_equal(run((void (*const[])(void)){pulls_cable, plugs_cable, NULL}), 0);
	assert_non_null(strstr(said, "[off: eth0: no cable](term){dhcp eth0 box}"));
}

static void a_client_that_dies_is_started_again(void **state)
{
	(void)state;
	void (*const script[])(void) = {gets_address,  client_dies,   half_a_second, client_dies,
	                                half_a_second, half_a_second, NULL};
	assert_int_equal(run(script), 0);
	assert_non_null(strstr(said, "[on: eth0 10.0.2.15/24]{dhcp eth0 box 10.0.2.15}{dhcp eth0 box 10.0.2.15}"));
	assert_int_equal(next_pid, 1003);
}

static void the_delay_grows(void **state)
{
	(void)state;
	void (*const script[])(void) = {client_dies, half_a_second, client_dies, half_a_second, NULL};
	assert_int_equal(run(script), 0);
	assert_int_equal(next_pid, 1002);
}

static void cards_come_and_go(void **state)
{
	(void)state;
	assert_int_equal(run((void (*const[])(void)){second_card, card_gone, plugs_cable, NULL}), 0);
	assert_string_equal(said, "{dhcp eth0 box}[off: eth0: no answer from a DHCP server yet](up 3)"
	                          "[off: eth0: no answer from a DHCP server yet, eth1: not up yet](term)"
	                          "[off: eth1: not up yet]{dhcp eth0 box}"
	                          "[off: eth1: not up yet, eth0: no answer from a DHCP server yet](term)");
}

static void no_card_at_all(void **state)
{
	(void)state;
	links.len = 0;
	netmsg_link(&links, RTM_NEWLINK, 1, "lo", RUNS);
	netmsg_done(&links);
	assert_int_equal(run((void (*const[])(void)){a_pod, NULL}), 0);
	assert_string_equal(said, "[off: no wired network card found]");
}

static void ipv6_counts_after_a_while(void **state)
{
	(void)state;
	void (*const script[])(void) = {gets_ipv6, fifteen_seconds, gets_address, NULL};
	assert_int_equal(run(script), 0);
	assert_non_null(strstr(said, "yet][on: eth0 2001:db8::5/24][on: eth0 10.0.2.15/24]"));
}

static void loses_messages(void)
{
	lost = 1;
	addresses.len = 0;
	netmsg_addr(&addresses, RTM_NEWADDR, 2, "10.0.2.99", 24);
	netmsg_done(&addresses);
	loses_address();
}

static void lost_messages_are_asked_for_again(void **state)
{
	(void)state;
	void (*const script[])(void) = {gets_address, loses_messages, half_a_second, NULL};
	assert_int_equal(run(script), 0);
	assert_non_null(strstr(said, "[on: eth0 10.0.2.99/24]"));
}

static void survives_any_failing_call(void **state)
{
	(void)state;
	bool fired = true;
	(void)teardown(state);
	for (unsigned n = 1; fired && n < 200; n++) {
		assert_int_equal(setup(state), 0);
		unsigned before = fake_open_fds();
		fake_fail_at(n, EIO);
		int rc = run((void (*const[])(void)){half_a_second, half_a_second, gets_address, card_gone, NULL});
		fired = fake_fired();
		fake_fail_at(0, 0);
		assert_true(rc == 0 || rc == 111);
		ended = next_pid - 1; /* a client that a broken role left: its cgroup is cleared */
		(void)child_reap();
		unsigned after = fake_open_fds() + (kernel[0] < 0) - (pid1 >= 0);
		assert_int_equal(after, before);
		(void)teardown(state);
	}
	assert_false(fired);
	assert_int_equal(setup(state), 0);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(first_boot),
		T(cable_out_and_in),
		T(cable_in_without_an_address_starts_anew),
		T(a_client_that_dies_is_started_again),
		T(the_delay_grows),
		T(cards_come_and_go),
		T(no_card_at_all),
		T(ipv6_counts_after_a_while),
		T(lost_messages_are_asked_for_again),
		T(survives_any_failing_call),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
