package config

import (
	"io"

	"github.com/spf13/pflag"
)

// newFlags is the table of every setting. Those of k3s that mean nothing here are below it, in two lists.
func newFlags(c *Config) *pflag.FlagSet {
	f := pflag.NewFlagSet("k3s server", pflag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.SortFlags = false
	add := func(v pflag.Value, name, short, usage string) {
		flag := f.VarPF(v, name, short, usage)
		if v.Type() == "bool" {
			flag.NoOptDefVal = "true"
		}
	}
	add(text(&c.File, "/etc/rancher/k3s/config.yaml", checkPath), "config", "c", "configuration file")
	add(text(&c.DataDir, "/var/lib/rancher/k3s", checkPath), "data-dir", "d", "folder of the server's data")

	add(text(&c.NodeName, "", checkNodeName), "node-name", "", "name of the node (default: the host's)")
	add(address(&c.NodeIP, ""), "node-ip", "i", "IPv4 address of the node (default: of the default route)")
	add(list(&c.NodeLabels, checkPair, ","), "node-label", "", "label of the node, key=value")
	add(list(&c.NodeTaints, checkPair, ","), "node-taint", "", "taint of the node, key=value:effect")
	add(text(&c.RuntimeSocket, "unix:///run/containerd/containerd.sock", checkSocket), "container-runtime-endpoint", "",
		"socket of the container runtime")
	add(text(&c.ResolvConf, "", checkPath), "resolv-conf", "", "resolv.conf of the pods")

	add(network(&c.ClusterCIDR, "10.42.0.0/16"), "cluster-cidr", "", "addresses of the pods")
	add(network(&c.ServiceCIDR, "10.43.0.0/16"), "service-cidr", "", "addresses of the services")
	add(text(&c.NodePorts, "30000-32767", checkPortRange), "service-node-port-range", "", "ports for NodePort services")
	add(address(&c.ClusterDNS, ""), "cluster-dns", "", "address of the DNS service (default: the tenth service address)")
	add(text(&c.ClusterDomain, "cluster.local", checkDomain), "cluster-domain", "", "domain of the cluster")
	add(text(&c.Flannel, "host-gw", checkFlannel), "flannel-backend", "", "host-gw: a network for pods; none: none")

	add(address(&c.BindAddress, "0.0.0.0"), "bind-address", "", "address to listen on")
	add(address(&c.AdvertiseAddress, ""), "advertise-address", "", "address told to the pods (default: node-ip)")
	add(port(&c.Port, 6443), "https-listen-port", "", "port of the API server")
	add(list(&c.ExtraNames, checkNameOrAddress, ","), "tls-san", "", "more names for the API server's certificate")
	add(text(&c.Token, "", checkToken), "token", "t", "secret for joining (default: made at the first start)")

	add(text(&c.Kubeconfig, "/etc/rancher/k3s/k3s.yaml", checkPath), "write-kubeconfig", "o", "administrator's kubeconfig")
	add(mode(&c.KubeconfigMode, 0o600), "write-kubeconfig-mode", "", "its mode, in octal digits")
	add(text(&c.KubeconfigGroup, "", nil), "write-kubeconfig-group", "", "its group, a name or a number")

	add(boolean(&c.EncryptSecrets), "secrets-encryption", "", "encrypt Secrets in the datastore")
	add(text(&c.EncryptionProvider, "aescbc", oneOf("aescbc", "secretbox")), "secrets-encryption-provider", "",
		"cipher for Secrets")
	add(list(&c.Disabled, nil, ","), "disable", "", "manifest that is not to be applied, by its name without .yaml")
	add(boolean(&c.NoAgent), "disable-agent", "", "no node: the API server and its controllers alone")
	add(boolean(&c.NoNetworkPolicy), "disable-network-policy", "", "do not enforce NetworkPolicies")
	add(boolean(&c.NoKubeProxy), "disable-kube-proxy", "", "do not run kube-proxy")
	add(boolean(&c.NoScheduler), "disable-scheduler", "", "do not run the scheduler")

	add(list(&c.Args.APIServer, checkArg, ""), "kube-apiserver-arg", "", "argument of the API server, key=value")
	add(list(&c.Args.ControllerManager, checkArg, ""), "kube-controller-manager-arg", "", "of the controller manager")
	add(list(&c.Args.Scheduler, checkArg, ""), "kube-scheduler-arg", "", "of the scheduler")
	add(list(&c.Args.Kubelet, checkArg, ""), "kubelet-arg", "", "of the kubelet")
	add(list(&c.Args.KubeProxy, checkArg, ""), "kube-proxy-arg", "", "of kube-proxy")

	for _, no := range withoutEffect {
		add(&value{kind: no.kind, set: no.check}, no.name, "", "accepted, nothing to do: "+no.why)
	}
	for _, no := range refused {
		add(&value{kind: "refused", set: refuse(no.why)}, no.name, "", "refused: "+no.why)
		f.Lookup(no.name).NoOptDefVal = "true"
	}
	return f
}

// withoutEffect are k3s's settings that a configuration may carry for the release's sake: what they ask for is so
// here anyway.
var withoutEffect = []struct {
	name, kind string
	check      func(string) error
	why        string
}{
	{"disable-helm-controller", "bool", mustBe("true", "there is no helm controller"), "there is none"},
	{"disable-cloud-controller", "bool", mustBe("true", "there is no cloud controller"), "there is none"},
	{"disable-default-registry-endpoint", "bool", anything, "registries are the container runtime's"},
	{"disable-apiserver-lb", "bool", anything, "there is one server"},
	{"egress-selector-mode", "string", mustBe("disabled", "there is no tunnel to other nodes"), "there is one node"},
	{"snapshotter", "string", anything, "the container runtime has its own setting"},
	{"pause-image", "string", anything, "the container runtime has its own setting"},
	{"prefer-bundled-bin", "bool", mustBe("false", "no host programs are bundled"), "none are bundled"},
}

// refused are k3s's settings that can not be had here, each with a sentence.
var refused = []struct{ name, why string }{
	{"server", "this server is alone; a cluster of several needs k3s's release"},
	{"cluster-init", "the datastore is SQLite; embedded etcd needs k3s's release"},
	{"cluster-reset", "the datastore is SQLite; embedded etcd needs k3s's release"},
	{"datastore-endpoint", "the datastore is SQLite in the data folder; others need k3s's release"},
	{"agent-token", "this server is alone; agents need k3s's release"},
	{"flannel-iface", "flannel is not in here; pods have a bridge on the one node"},
	{"flannel-conf", "flannel is not in here; pods have a bridge on the one node"},
	{"flannel-ipv6-masq", "IPv6 between pods needs k3s's release"},
	{"vpn-auth", "VPN between nodes needs k3s's release"},
	{"vpn-auth-file", "VPN between nodes needs k3s's release"},
	{"docker", "the container runtime is reached through its CRI socket: container-runtime-endpoint"},
	{"default-runtime", "the container runtime has its own setting"},
	{"private-registry", "registries are set in the container runtime"},
	{"system-default-registry", "no images are pulled for the system"},
	{"embedded-registry", "there is one node"},
	{"airgap-extra-registry", "images are imported into the container runtime"},
	{"rootless", "the kubelet runs as root here"},
	{"selinux", "SELinux is set in the container runtime"},
	{"node-external-ip", "there is no cloud controller that would publish it"},
	{"protect-kernel-defaults", "say kubelet-arg: protect-kernel-defaults=true"},
	{"servicelb-namespace", "there is no service load balancer"},
	{"helm-job-image", "there is no helm controller"},
	{"disable-etcd", "the datastore is SQLite"},
	{"disable-apiserver", "one process runs every part of the server"},
	{"disable-controller-manager", "one process runs every part of the server"},
	{"enable-pprof", "say kube-apiserver-arg: profiling=true"},
	{"supervisor-metrics", "there is no supervisor port"},
}

// Usage lists the settings.
func Usage() string { return newFlags(&Config{}).FlagUsagesWrapped(120) }
