// Package config reads what the server is told: k3s's flags, its config.yaml and the files of config.yaml.d.
//
// A setting has the same name on the command line and in a file. Files are read in the order config.yaml, then
// config.yaml.d/*.yaml by name; a later one replaces what an earlier one said, or adds to it where the key ends in
// "+". The command line replaces what the files said. Everything is checked while it is read, so every message names
// the flag, or the file and the line.
package config

import (
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"
)

// Config is what the server runs with. Every value has been checked by itself; Load checks how they fit together.
type Config struct {
	File    string // config.yaml; its drop-ins are in the folder of this name with ".d" behind it
	DataDir string

	NodeName      string
	NodeIP        netip.Addr // invalid: nobody said, and the host has to be asked
	NodeLabels    []string
	NodeTaints    []string
	RuntimeSocket string // "unix:///run/containerd/containerd.sock"
	ResolvConf    string // "": the host's, if it can be used in a pod

	ClusterCIDR   netip.Prefix
	ServiceCIDR   netip.Prefix
	NodePorts     string // "30000-32767"
	ClusterDNS    netip.Addr
	ClusterDomain string
	Flannel       string // "host-gw": pods get a network from here; "none": somebody else writes the CNI configuration

	BindAddress      netip.Addr
	AdvertiseAddress netip.Addr // invalid: NodeIP
	Port             int
	ExtraNames       []string // more names and addresses for the API server's certificate
	Token            string

	Kubeconfig      string
	KubeconfigMode  fs.FileMode
	KubeconfigGroup string

	EncryptSecrets     bool
	EncryptionProvider string // "aescbc" or "secretbox"
	Disabled           []string
	NoAgent            bool // no node: the API server and its controllers alone, as any user
	NoNetworkPolicy    bool
	NoKubeProxy        bool
	NoScheduler        bool

	Args Args
}

// Args are additions to the arguments of the parts, each "key=value".
type Args struct {
	APIServer         []string
	ControllerManager []string
	Scheduler         []string
	Kubelet           []string
	KubeProxy         []string
}

// Server is a path below the server's folder, Agent one below the agent's.
func (c *Config) Server(path string) string { return filepath.Join(c.DataDir, "server", path) }
func (c *Config) Agent(path string) string  { return filepath.Join(c.DataDir, "agent", path) }

// IsDisabled says whether the user does not want the add-on of this name.
func (c *Config) IsDisabled(name string) bool {
	for _, disabled := range c.Disabled {
		if disabled == name {
			return true
		}
	}
	return false
}

// Load reads the command line (without the program's name and "server") and the files it names.
func Load(args []string) (*Config, error) {
	c := &Config{}
	flags := newFlags(c)
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if extra := flags.Args(); len(extra) > 0 {
		return nil, fmt.Errorf("unexpected word %q on the command line: every setting is a --flag", extra[0])
	}
	given := map[string]bool{}
	flags.Visit(func(f *pflag.Flag) { given[f.Name] = true })
	entries, err := readFiles(c.File, given["config"])
	if err != nil {
		return nil, err
	}
	if err := apply(flags, entries, given); err != nil {
		return nil, err
	}
	return c, c.complete()
}

// complete fills in what follows from the other settings and checks how they fit together.
func (c *Config) complete() error {
	if c.NodeName == "" {
		host, err := os.Hostname()
		if err != nil {
			return fmt.Errorf("the host has no name: set --node-name: %w", err)
		}
		name, _, _ := strings.Cut(strings.ToLower(host), ".")
		if err := checkNodeName(name); err != nil {
			return fmt.Errorf("the host's name is no name for a node, set --node-name: %w", err)
		}
		c.NodeName = name
	}
	if c.ClusterCIDR.Overlaps(c.ServiceCIDR) {
		return fmt.Errorf("cluster-cidr %s and service-cidr %s overlap", c.ClusterCIDR, c.ServiceCIDR)
	}
	if !c.ClusterDNS.IsValid() {
		c.ClusterDNS = Nth(c.ServiceCIDR, 10)
	}
	if !c.ServiceCIDR.Contains(c.ClusterDNS) {
		return fmt.Errorf("cluster-dns %s is not in service-cidr %s", c.ClusterDNS, c.ServiceCIDR)
	}
	return nil
}

// Nth is the n-th address of a network, counted from its own address; n is below 256.
func Nth(network netip.Prefix, n byte) netip.Addr {
	bytes := network.Masked().Addr().As4()
	bytes[3] += n // networks of at most 24 bits end in a zero byte
	return netip.AddrFrom4(bytes)
}
