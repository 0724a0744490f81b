package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
	"k8s.io/klog/v2"

	"hearth/k3s/modules/internal/config"
)

// A box without a network gets an interface of its own, so that the node has an address and can be Ready. The address
// is from the range for documentation, as k3s's own advice for hosts without a default route has it.
const spareLink = "k3s-node"

var spareAddress = netip.MustParseAddr("203.0.113.254")

// prepareHost sets what the kernel must do for pods, and settles the node's address.
func prepareHost(c *config.Config) error {
	if !c.NoAgent {
		sysctl("net/ipv4/ip_forward", "1")
		sysctl("net/bridge/bridge-nf-call-iptables", "1")
	}
	if c.NodeIP.IsValid() {
		return checkLocal(c.NodeIP)
	}
	address, err := routeAddress()
	if err != nil {
		klog.Warningf("there is no default route (%v): the node gets the address %s on %s", err, spareAddress, spareLink)
		address = spareAddress
		if err := addSpareLink(c.ServiceCIDR); err != nil {
			return fmt.Errorf("no default route, and no interface %s instead: %w", spareLink, err)
		}
	}
	c.NodeIP = address
	return nil
}

func checkLocal(address netip.Addr) error {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return err
	}
	for _, local := range all {
		if prefix, err := netip.ParsePrefix(local.String()); err == nil && prefix.Addr() == address {
			return nil
		}
	}
	return fmt.Errorf("node-ip %s is on no interface of this host", address)
}

// routeAddress is the source address of packets that leave by the default route. Nothing is sent.
func routeAddress() (netip.Addr, error) {
	connection, err := net.Dial("udp4", "192.0.2.1:9")
	if err != nil {
		return netip.Addr{}, errors.Unwrap(err)
	}
	defer connection.Close()
	return connection.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap(), nil
}

// addSpareLink makes the interface, a bridge without ports since every kernel that runs pods has bridges. The services'
// addresses are routed to it, or the host itself could not reach them without a default route.
func addSpareLink(services netip.Prefix) error {
	link := &netlink.Bridge{LinkAttrs: netlink.NewLinkAttrs()}
	link.Name = spareLink
	if err := netlink.LinkAdd(link); err != nil && !errors.Is(err, unix.EEXIST) {
		return err
	}
	made, err := netlink.LinkByName(spareLink)
	if err != nil {
		return err
	}
	address := &netlink.Addr{IPNet: &net.IPNet{IP: spareAddress.AsSlice(), Mask: net.CIDRMask(32, 32)}}
	if err := netlink.AddrReplace(made, address); err != nil {
		return err
	}
	if err := netlink.LinkSetUp(made); err != nil {
		return err
	}
	to := &net.IPNet{IP: services.Addr().AsSlice(), Mask: net.CIDRMask(services.Bits(), 32)}
	return netlink.RouteReplace(&netlink.Route{LinkIndex: made.Attrs().Index, Dst: to, Scope: unix.RT_SCOPE_LINK})
}

func sysctl(name, value string) {
	path := "/proc/sys/" + name
	if now, err := os.ReadFile(path); err == nil && strings.TrimSpace(string(now)) == value {
		return
	}
	if err := os.WriteFile(path, []byte(value), 0); err != nil {
		klog.Warningf("sysctl %s=%s: %v", name, value, err)
	}
}

// resolvConf is the file that the kubelet gives to pods: the host's, unless no pod could use it. A name server on the
// loopback is the pod's own, and with none at all a cluster DNS server does not start; the address put in its place
// belongs to nobody, so names outside the cluster fail at once.
func resolvConf(c *config.Config) (path string, spare []byte) {
	const hosts = "/etc/resolv.conf"
	if c.ResolvConf != "" {
		return c.ResolvConf, nil
	}
	if text, err := os.ReadFile(hosts); err == nil && config.HasNameServer(string(text)) {
		return hosts, nil
	}
	klog.Warningf("%s names no server that pods could use", hosts)
	return c.Agent("etc/resolv.conf"), []byte("nameserver 192.0.2.1\n")
}
