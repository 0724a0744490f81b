package config

import (
	"net/netip"
	"strings"
)

// HasNameServer says whether a resolv.conf names a server that can be reached from a pod.
func HasNameServer(text string) bool {
	for _, line := range strings.Split(text, "\n") {
		words := strings.Fields(line)
		if len(words) < 2 || words[0] != "nameserver" {
			continue
		}
		if server, err := netip.ParseAddr(words[1]); err == nil && !server.IsLoopback() && !server.IsUnspecified() {
			return true
		}
	}
	return false
}
