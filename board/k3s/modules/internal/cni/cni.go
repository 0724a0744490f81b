// Package cni gives pods their network on the one node: a bridge, addresses by host-local, host ports and bandwidth.
package cni

import (
	"encoding/json"
	"net/netip"
)

// Configuration is what the CNI configuration says.
type Configuration struct {
	Pods   netip.Prefix // of the whole cluster
	Leases string       // folder of host-local, on disk: an address stays taken as long as its pod's record does
}

// Name is the network's, File the configuration's.
const (
	Name = "cbr0"
	File = "10-bridge.conflist"
)

// NodePods is the part of the pods' addresses that belongs to this node: the controller manager gives the first node
// the first /24.
func NodePods(cluster netip.Prefix) netip.Prefix {
	return netip.PrefixFrom(cluster.Masked().Addr(), 24)
}

// Render gives the configuration file.
func Render(c Configuration) ([]byte, error) {
	type field = map[string]any
	text, err := json.MarshalIndent(field{
		"cniVersion": "1.0.0",
		"name":       Name,
		"plugins": []field{
			{
				"type": "bridge", "bridge": "cni0",
				"isDefaultGateway": true, // pods reach everything by the node, also when it has no route itself
				"hairpinMode":      true, // a pod reaches itself by its service
				"ipMasq":           true,
				"ipam": field{
					"type": "host-local", "dataDir": c.Leases,
					"ranges": [][]field{{{"subnet": NodePods(c.Pods).String()}}},
				},
			},
			{"type": "portmap", "capabilities": field{"portMappings": true}},
			{"type": "bandwidth", "capabilities": field{"bandwidth": true}},
		},
	}, "", "  ")
	return append(text, '\n'), err
}
