/* The network role: follows the kernel's interfaces, keeps a DHCP client on each, reports network-up to PID 1.
 * It must never wait for the network, and sets no address itself. */
#include "node/network.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <signal.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/exit.h"
#include "base/file.h"
#include "base/log.h"
#include "base/paths.h"
#include "base/str.h"
#include "base/sys.h"
#include "loop/child.h"
#include "loop/loop.h"
#include "loop/signals.h"
#include "node/report.h"

#define ROOM               "network"
#define HOSTNAME_BYTES     65
#define RECEIVES_PER_ROUND 8 /* then others in the loop get their turn */

/* What we run for one interface. The slot lives until its client has ended. */
struct port {
	int index; /* of the interface; 0: free slot */
	char name[IFNAMSIZ];
	bool carrier;
	bool gone;    /* the interface is gone, the client still ends */
	bool at_once; /* the client was stopped to be started anew */
	struct child child;
	uint64_t started; /* clock_ms */
	uint64_t asked;   /* clock_ms of the last try to bring the interface up; 0: none */
	uint32_t backoff_ms;
	struct loop_timer timer; /* next start */
};

/* The first list: links, then addresses; then the kernel tells every change. */
enum sync { SYNC_LINKS, SYNC_ADDRESSES, SYNC_DONE };

static struct network {
	struct loop loop;
	int fd; /* routing socket */
	int hostname_fd;
	enum sync sync;
	struct net_table table;
	struct port port[NET_INTERFACES];
	struct report report;
	struct loop_timer up_again;
	struct loop_timer ipv6;
	struct loop_timer resync;
	struct loop_timer stop;
	bool stopping;
	bool ipv6_counts;
	char hostname[HOSTNAME_BYTES];
	uint8_t data[NET_RECEIVE];
} net;

static void settle(void);
static void start_client(struct port *p);

static void add_addresses(struct buf *b, const struct net_if *f, int family)
{
	for (unsigned i = 0; i < f->addresses; i++) {
		const struct net_addr *a = &f->address[i];
		if (a->global && a->family == family)
			buf_addf(b, "%s%s %s", b->len > 0 ? ", " : "", f->link.name, a->text);
	}
}

static const char *why_not(const struct net_if *f)
{
	if (!(f->link.flags & IFF_UP))
		return "not up yet";
	return f->link.carrier ? "no answer from a DHCP server yet" : "no cable";
}

enum fact_value network_verdict(const struct net_table *t, bool with_ipv6, char *detail, size_t cap)
{
	static const int families[] = {AF_INET, AF_INET6};
	struct buf b;
	buf_init(&b, detail, cap);
	for (unsigned n = 0; n < (with_ipv6 ? 2 : 1) && b.len == 0; n++) {
		for (unsigned i = 0; i < t->count; i++) {
			if (t->ifs[i].link.carrier)
				add_addresses(&b, &t->ifs[i], families[n]);
		}
	}
	if (b.len > 0)
		return FACT_ON;
	for (unsigned i = 0; i < t->count; i++)
		buf_addf(&b, "%s%s: %s", i > 0 ? ", " : "", t->ifs[i].link.name, why_not(&t->ifs[i]));
	if (t->count == 0)
		buf_add(&b, "no wired network card found");
	return FACT_OFF;
}

static struct port *find_port(int index)
{
	for (unsigned i = 0; i < COUNT_OF(net.port); i++) {
		if (net.port[i].index == index && !net.port[i].gone)
			return &net.port[i];
	}
	return NULL;
}

static struct port *new_port(const struct net_if *f)
{
	for (unsigned i = 0; i < COUNT_OF(net.port); i++) {
		struct port *p = &net.port[i];
		if (p->index != 0)
			continue;
		memset(p, 0, sizeof(*p));
		p->index = f->link.index;
		memcpy(p->name, f->link.name, sizeof(p->name));
		p->child.pidfd = -1;
		p->backoff_ms = NETWORK_BACKOFF_MIN_MS;
		log_info(ROOM, "%s: found (%s)", p->name, f->link.mac);
		return p;
	}
	return NULL; /* slots of interfaces that are gone, whose clients still end: seen again then */
}

static void free_port(struct port *p)
{
	loop_cancel(&net.loop, &p->timer);
	memset(p, 0, sizeof(*p));
}

static void on_start(struct loop *l, void *arg)
{
	(void)l;
	start_client(arg);
}

static void start_later(struct port *p)
{
	loop_after(&net.loop, &p->timer, p->backoff_ms, on_start, p);
	p->backoff_ms = p->backoff_ms * 2 < NETWORK_BACKOFF_MAX_MS ? p->backoff_ms * 2 : NETWORK_BACKOFF_MAX_MS;
}

static void on_exit_of_client(pid_t pid, const struct child_exit *how, void *arg)
{
	struct port *p = arg;
	(void)pid;
	if (p->gone) {
		free_port(p);
		settle(); /* an interface may have waited for the slot */
		return;
	}
	if (net.stopping)
		return;
	if (p->at_once) {
		start_client(p);
		return;
	}
	log_warnx(ROOM, "%s: DHCP client ended (%s %d)", p->name, how->signaled ? "signal" : "status", how->status);
	if (clock_ms() - p->started >= NETWORK_STABLE_MS)
		p->backoff_ms = NETWORK_BACKOFF_MIN_MS;
	start_later(p);
}

/* The IPv4 address that the interface has now, without "/24"; false when it has none. */
static bool address_now(const struct port *p, char *dst, size_t cap)
{
	const struct net_if *f = net_table_find(&net.table, p->index);
	for (unsigned i = 0; f && i < f->addresses; i++) {
		if (f->address[i].family != AF_INET || !f->address[i].global ||
		    str_copy(dst, cap, f->address[i].text) < 0)
			continue;
		dst[strcspn(dst, "/")] = '\0';
		return true;
	}
	return false;
}

static void start_client(struct port *p)
{
	static const char *const env[] = {"PATH=/bin:/sbin:/usr/bin:/usr/sbin", NULL};
	char host[sizeof("hostname:") + HOSTNAME_BYTES];
	char address[NET_ADDRESS];
	struct err e = {0};
	p->at_once = false;
	if (p->child.pid != 0 || !p->carrier || net.stopping)
		return;
	(void)!str_format(host, sizeof(host), "hostname:%s", net.hostname);
	/* Options 26, 119 and 121 (MTU, search list, routes) are not among those that the client asks for by itself.
	 * -t -T -A: four questions two seconds apart, eight seconds of rest, and so on for ever. */
	const char *argv[] = {PATH_UDHCPC, "-f",  "-i", p->name, "-s", PATH_DHCP_SCRIPT,
	                      "-x",        host,  "-t", "4",     "-T", "2",
	                      "-A",        "8",   "-O", "26",    "-O", "119",
	                      "-O",        "121", NULL, NULL,    NULL};
	if (address_now(p, address, sizeof(address))) { /* kept from the client before: ask for it again */
		argv[20] = "-r";
		argv[21] = address;
	}
	struct child_spec spec;
	child_spec_init(&spec);
	spec.argv = argv;
	spec.envp = env;
	spec.fds[1] = 1;
	spec.fds[2] = 2;
	p->started = clock_ms();
	if (child_spawn(&p->child, &spec, on_exit_of_client, p, &e) == 0)
		return;
	log_warnx(ROOM, "%s: DHCP client: %s", p->name, e.text);
	start_later(p);
}

static void signal_client(struct port *p, int signo)
{
	struct err e = {0};
	if (p->child.pid != 0 && child_signal(&p->child, signo, &e) < 0)
		log_warnx(ROOM, "%s: signal to the DHCP client: %s", p->name, e.text);
}

/* Ends the running client, or skips the delay that it waits for, to start it anew at once. */
static void restart_client(struct port *p)
{
	p->at_once = true;
	p->backoff_ms = NETWORK_BACKOFF_MIN_MS;
	loop_cancel(&net.loop, &p->timer);
	if (p->child.pid != 0)
		signal_client(p, SIGTERM);
	else
		start_client(p);
}

static void on_carrier(struct port *p)
{
	char address[NET_ADDRESS];
	log_info(ROOM, "%s: cable %s", p->name, p->carrier ? "connected" : "disconnected");
	if (!p->carrier)
		return; /* the client stays: pulling a cable for a moment must not cost the address */
	if (p->child.pid != 0 && address_now(p, address, sizeof(address)))
		signal_client(p, SIGUSR1); /* renew */
	else
		restart_client(p);
}

static void on_ipv6_counts(struct loop *l, void *arg)
{
	(void)l;
	(void)arg;
	net.ipv6_counts = true;
	settle();
}

static void follow(struct port *p, const struct net_if *f)
{
	memcpy(p->name, f->link.name, sizeof(p->name));
	if (f->link.carrier == p->carrier)
		return;
	p->carrier = f->link.carrier;
	on_carrier(p);
	if (!net.ipv6_counts && !net.ipv6.armed)
		loop_after(&net.loop, &net.ipv6, NETWORK_IPV6_AFTER_MS, on_ipv6_counts, NULL);
}

static void drop_gone_ports(void)
{
	for (unsigned i = 0; i < COUNT_OF(net.port); i++) {
		struct port *p = &net.port[i];
		if (p->index == 0 || p->gone || net_table_find(&net.table, p->index))
			continue;
		log_info(ROOM, "%s: gone", p->name);
		p->gone = true;
		if (p->child.pid == 0)
			free_port(p);
		else
			signal_client(p, SIGTERM);
	}
}

static void on_up_again(struct loop *l, void *arg)
{
	(void)l;
	(void)arg;
	settle();
}

static void bring_up(struct port *p, const struct net_if *f)
{
	struct err e = {0};
	if (p->asked != 0 && clock_ms() - p->asked < NETWORK_UP_AGAIN_MS)
		return; /* the kernel tells when it is up */
	p->asked = clock_ms();
	if (net_set_up(net.fd, f->link.index, &e) < 0)
		log_warnx(ROOM, "%s: %s", f->link.name, e.text);
	loop_after(&net.loop, &net.up_again, NETWORK_UP_AGAIN_MS, on_up_again, NULL);
}

/* Looks at the whole table and makes ports, clients and the fact fit it. Cheap, so it is called after any change. */
static void settle(void)
{
	char detail[LIMIT_DETAIL];
	if (net.sync != SYNC_DONE || net.stopping)
		return;
	drop_gone_ports();
	for (unsigned i = 0; i < net.table.count; i++) {
		const struct net_if *f = &net.table.ifs[i];
		struct port *p = find_port(f->link.index);
		if (!p && !(p = new_port(f)))
			continue;
		follow(p, f);
		if (!(f->link.flags & IFF_UP))
			bring_up(p, f);
	}
	report_set(&net.report, network_verdict(&net.table, net.ipv6_counts, detail, sizeof(detail)), detail);
}

static void on_resync(struct loop *l, void *arg)
{
	struct err e = {0};
	(void)arg;
	net.sync = SYNC_LINKS;
	net_table_begin(&net.table);
	if (net_dump(net.fd, RTM_GETLINK, &e) == 0)
		return;
	log_warnx(ROOM, "%s", e.text);
	loop_after(l, &net.resync, NETWORK_BACKOFF_MIN_MS, on_resync, NULL);
}

static void resync_soon(void)
{
	loop_after(&net.loop, &net.resync, NETWORK_BACKOFF_MIN_MS, on_resync, NULL);
}

/* A list is complete. */
static void on_done(void)
{
	struct err e = {0};
	if (net.sync == SYNC_ADDRESSES) {
		net.sync = SYNC_DONE;
		return;
	}
	if (net.sync != SYNC_LINKS)
		return;
	net_table_end(&net.table);
	net.sync = SYNC_ADDRESSES;
	if (net_dump(net.fd, RTM_GETADDR, &e) == 0)
		return;
	log_warnx(ROOM, "%s", e.text);
	resync_soon();
}

static void take_messages(size_t len)
{
	struct net_msg m;
	int rc = 0;
	for (size_t at = 0; (rc = net_next(net.data, len, &at, &m)) > 0;) {
		if (m.kind == NET_DONE)
			on_done();
		else if (m.kind == NET_ERROR && m.code != 0 && m.code != ENODEV) /* it is gone; that is told too */
			log_warnx(ROOM, "the kernel refused: %s", strerror(m.code));
		else
			(void)net_table_apply(&net.table, &m);
		if (m.kind == NET_ERROR && m.code != 0 && net.sync != SYNC_DONE)
			resync_soon();
	}
	if (rc < 0) {
		log_warnx(ROOM, "malformed message from the kernel");
		resync_soon();
	}
}

static void on_routing(struct loop *l, int fd, uint32_t events, void *arg)
{
	(void)l;
	(void)events;
	(void)arg;
	for (unsigned i = 0; i < RECEIVES_PER_ROUND; i++) {
		struct err e = {0};
		ssize_t n = net_receive(fd, net.data, sizeof(net.data), &e);
		if (n >= 0) {
			take_messages((size_t)n);
			continue;
		}
		if (e.code == EAGAIN || e.code == EINTR)
			break;
		log_warnx(ROOM, "%s", e.text); /* mostly ENOBUFS: changes were lost */
		resync_soon();
		break;
	}
	settle();
}

static void read_hostname(void)
{
	char text[HOSTNAME_BYTES + 1];
	struct buf b;
	struct err e = {0};
	buf_init(&b, text, sizeof(text));
	if (file_read(PATH_PROC_SYS "/kernel/hostname", &b, &e) < 0)
		log_warnx(ROOM, "%s", e.text);
	text[strcspn(text, "\n")] = '\0';
	if (text[0] == '\0' || str_copy(net.hostname, sizeof(net.hostname), text) < 0)
		memcpy(net.hostname, "hearth", sizeof("hearth"));
}

/* The name of this box is known only when the state partition is mounted; the servers should know it too. */
static void on_hostname(struct loop *l, int fd, uint32_t events, void *arg)
{
	char before[HOSTNAME_BYTES];
	(void)l;
	(void)fd;
	(void)events;
	(void)arg;
	memcpy(before, net.hostname, sizeof(before));
	read_hostname();
	if (str_eq(before, net.hostname))
		return;
	log_info(ROOM, "the host name is %s now", net.hostname);
	for (unsigned i = 0; i < COUNT_OF(net.port); i++) {
		if (net.port[i].index != 0 && !net.port[i].gone && net.port[i].child.pid != 0)
			restart_client(&net.port[i]);
	}
}

static void watch_hostname(void)
{
	struct err e = {0};
	read_hostname();
	net.hostname_fd = sys_open(PATH_PROC_SYS "/kernel/hostname", O_RDONLY | O_CLOEXEC, 0);
	if (net.hostname_fd < 0 || loop_add(&net.loop, net.hostname_fd, EPOLLPRI, on_hostname, NULL, &e) < 0)
		log_warnx(ROOM, "a change of the host name will not be seen");
}

static unsigned clients(void)
{
	unsigned n = 0;
	for (unsigned i = 0; i < COUNT_OF(net.port); i++)
		n += net.port[i].child.pid != 0;
	return n;
}

static void on_stop_deadline(struct loop *l, void *arg)
{
	(void)arg;
	log_warnx(ROOM, "%u DHCP clients do not end", clients());
	for (unsigned i = 0; i < COUNT_OF(net.port); i++)
		signal_client(&net.port[i], SIGKILL);
	loop_quit(l);
}

static void stop(void)
{
	net.stopping = true;
	for (unsigned i = 0; i < COUNT_OF(net.port); i++) {
		loop_cancel(&net.loop, &net.port[i].timer);
		signal_client(&net.port[i], SIGTERM);
	}
	loop_after(&net.loop, &net.stop, NETWORK_STOP_MS, on_stop_deadline, NULL);
}

static void on_signal(struct loop *l, int signo, void *arg)
{
	(void)arg;
	if (signo == SIGCHLD)
		(void)child_reap();
	else if (!net.stopping)
		stop();
	if (net.stopping && clients() == 0)
		loop_quit(l);
}

static void close_one(int fd)
{
	if (fd >= 0)
		sys_close(fd);
}

static int set_up(struct err *e)
{
	static const int signals[] = {SIGTERM, SIGINT, SIGCHLD, 0};
	memset(&net, 0, sizeof(net));
	net.fd = net.hostname_fd = -1;
	report_init(&net.report, &net.loop, "network-up");
	if (loop_init(&net.loop, e) < 0 || signals_init(&net.loop, signals, on_signal, NULL, e) < 0)
		return -1;
	net_table_init(&net.table, net_is_wired);
	watch_hostname();
	net.fd = net_open(e);
	if (net.fd < 0)
		return -1;
	if (loop_add(&net.loop, net.fd, EPOLLIN, on_routing, NULL, e) < 0)
		return -1;
	loop_after(&net.loop, &net.resync, 0, on_resync, NULL);
	return 0;
}

int network_main(int argc, char **argv)
{
	struct err e = {0};
	(void)argv;
	if (argc != 1) {
		log_errx(ROOM, "takes no arguments");
		return EXIT_USAGE;
	}
	int rc = set_up(&e) < 0 || loop_run(&net.loop, &e) < 0 ? EXIT_SYSTEM : 0;
	if (rc != 0)
		log_errx(ROOM, "%s", e.text);
	report_fini(&net.report);
	signals_fini(&net.loop);
	loop_fini(&net.loop);
	close_one(net.fd);
	close_one(net.hostname_fd);
	return rc;
}
