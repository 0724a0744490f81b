package plan

import (
	"net/netip"
	"strconv"
	"strings"

	"hearth/k3s/modules/internal/config"
)

// Every function here gives one part's arguments as k3s 1.36 sets them, unless a comment says why not.

func apiServer(c *config.Config, host Host) map[string]string {
	tls := func(name string) string { return c.Server("tls/" + name) }
	issuer := "https://kubernetes.default.svc." + c.ClusterDomain
	args := map[string]string{
		"advertise-address":                  first(c.AdvertiseAddress, c.NodeIP).String(),
		"advertise-port":                     strconv.Itoa(c.Port),
		"allow-privileged":                   "true",
		"anonymous-auth":                     "false",
		"api-audiences":                      issuer + ",k3s",
		"authorization-mode":                 "Node,RBAC",
		"bind-address":                       c.BindAddress.String(),
		"cert-dir":                           tls("temporary-certs"),
		"client-ca-file":                     tls("client-ca.crt"),
		"enable-admission-plugins":           "NodeRestriction",
		"enable-aggregator-routing":          "true",
		"enable-bootstrap-token-auth":        "true",
		"etcd-servers":                       "unix://" + c.Server("kine.sock"),
		"kubelet-certificate-authority":      tls("server-ca.crt"),
		"kubelet-client-certificate":         tls("client-kube-apiserver.crt"),
		"kubelet-client-key":                 tls("client-kube-apiserver.key"),
		"kubelet-preferred-address-types":    "InternalIP,ExternalIP,Hostname",
		"profiling":                          "false",
		"proxy-client-cert-file":             tls("client-auth-proxy.crt"),
		"proxy-client-key-file":              tls("client-auth-proxy.key"),
		"requestheader-allowed-names":        "system:auth-proxy",
		"requestheader-client-ca-file":       tls("request-header-ca.crt"),
		"requestheader-extra-headers-prefix": "X-Remote-Extra-",
		"requestheader-group-headers":        "X-Remote-Group",
		"requestheader-username-headers":     "X-Remote-User",
		"secure-port":                        strconv.Itoa(c.Port),
		"service-account-issuer":             issuer,
		"service-account-key-file":           tls("service.key"),
		"service-account-signing-key-file":   tls("service.key"),
		"service-cluster-ip-range":           c.ServiceCIDR.String(),
		"service-node-port-range":            c.NodePorts,
		"storage-backend":                    "etcd3",
		"tls-cert-file":                      tls("serving-kube-apiserver.crt"),
		"tls-private-key-file":               tls("serving-kube-apiserver.key"),
	}
	// A stop must not wait for the watches of parts that do not end before the process does: they are ended by the
	// server, and what is asked meanwhile is told to come again.
	args["shutdown-send-retry-after"] = "true"
	args["shutdown-watch-termination-grace-period"] = "1s"
	if host.EncryptionConfig {
		args["encryption-provider-config"] = c.Server("cred/encryption-config.json")
	}
	return args
}

// withoutControllers are controllers that have nothing to do on one node without extra hardware drivers, cloud or
// certificates by request. Each costs a client, informers and watches, together about 10 MB.
var withoutControllers = []string{
	"certificatesigningrequest-approving-controller", // only for kubelets that join by token
	"certificatesigningrequest-cleaner-controller",
	"device-taint-eviction-controller", // these four: devices given out by drivers (DRA)
	"podgroup-protection-controller",
	"resourceclaim-controller",
	"resourcepoolstatusrequest-controller",
	"kube-apiserver-serving-clustertrustbundle-publisher-controller", // these two: certificates for pods
	"podcertificaterequest-cleaner-controller",
	"legacy-serviceaccount-token-cleaner-controller", // tokens of clusters made before 1.24
	"service-cidr-controller",                        // there is one range of service addresses, for good
	"storage-version-migrator-controller",            // these two: rewriting stored objects, on request
	"storageversion-garbage-collector-controller",
	"ttl-controller",                              // hints for kubelets of big clusters
	"validatingadmissionpolicy-status-controller", // only warns of type errors in policies; 5 MB of schemas
	"volumeattributesclass-protection-controller", // CSI drivers that change volumes
}

func controllerManager(c *config.Config) map[string]string {
	tls := func(name string) string { return c.Server("tls/" + name) }
	kubeconfig := c.Server("cred/controller.kubeconfig")
	args := map[string]string{
		"allocate-node-cidrs":              "true",
		"authentication-kubeconfig":        kubeconfig,
		"authorization-kubeconfig":         kubeconfig,
		"bind-address":                     "127.0.0.1",
		"cluster-cidr":                     c.ClusterCIDR.String(),
		"configure-cloud-routes":           "false",
		"controllers":                      "*,-" + strings.Join(withoutControllers, ",-"),
		"kubeconfig":                       kubeconfig,
		"leader-elect":                     "false",
		"profiling":                        "false",
		"root-ca-file":                     tls("server-ca.crt"),
		"secure-port":                      "10257",
		"service-account-private-key-file": tls("service.key"),
		"service-cluster-ip-range":         c.ServiceCIDR.String(),
		"tls-cert-file":                    tls("serving-kube-apiserver.crt"),
		"tls-private-key-file":             tls("serving-kube-apiserver.key"),
		"use-service-account-credentials":  "true",
	}
	// While they are built the controllers share one client's rate limit, with about a hundred requests at the first
	// start. With the default of 20 a second the first ServiceAccount came 5 s after the API server was ready, with this
	// 1 to 2 s, and so did the first pod.
	args["kube-api-qps"], args["kube-api-burst"] = "200", "400"
	for signer, ca := range map[string]string{
		"kube-apiserver-client": "client-ca", "kubelet-client": "client-ca", "kubelet-serving": "server-ca",
		"legacy-unknown": "client-ca",
	} {
		args["cluster-signing-"+signer+"-cert-file"] = tls(ca + ".crt")
		args["cluster-signing-"+signer+"-key-file"] = tls(ca + ".key")
	}
	return args
}

func scheduler(c *config.Config) map[string]string {
	kubeconfig := c.Server("cred/scheduler.kubeconfig")
	return map[string]string{
		"authentication-kubeconfig": kubeconfig,
		"authorization-kubeconfig":  kubeconfig,
		"bind-address":              "127.0.0.1",
		"kubeconfig":                kubeconfig,
		"leader-elect":              "false",
		"profiling":                 "false",
		"secure-port":               "10259",
		"tls-cert-file":             c.Server("tls/serving-kube-apiserver.crt"),
		"tls-private-key-file":      c.Server("tls/serving-kube-apiserver.key"),
	}
}

func kubelet(c *config.Config) map[string]string {
	return map[string]string{
		"cert-dir":             c.Agent("pki"),
		"config":               c.Agent("etc/kubelet.conf"),
		"hostname-override":    c.NodeName,
		"kubeconfig":           c.Agent("kubelet.kubeconfig"),
		"node-ip":              c.NodeIP.String(),
		"node-labels":          strings.Join(c.NodeLabels, ","),
		"register-with-taints": strings.Join(c.NodeTaints, ","),
	}
}

// ProxyRules says whether kube-proxy writes its rules with iptables: it does unless the user has it do otherwise.
func ProxyRules(c *config.Config) bool {
	if c.NoAgent || c.NoKubeProxy {
		return false
	}
	for _, argument := range c.Args.KubeProxy {
		key, value, _ := strings.Cut(strings.TrimLeft(argument, "-"), "=")
		if key == "config" || key == "proxy-mode" && value != "iptables" {
			return false
		}
	}
	return true
}

func kubeProxy(c *config.Config) map[string]string {
	return map[string]string{
		"cluster-cidr":                      c.ClusterCIDR.String(),
		"conntrack-max-per-core":            "0", // 0: the kernel's own limits stay
		"conntrack-tcp-timeout-close-wait":  "0s",
		"conntrack-tcp-timeout-established": "0s",
		"healthz-bind-address":              "127.0.0.1",
		"hostname-override":                 c.NodeName,
		"kubeconfig":                        c.Agent("kubeproxy.kubeconfig"),
		"proxy-mode":                        "iptables",
	}
}

func first(addresses ...netip.Addr) netip.Addr {
	for _, address := range addresses {
		if address.IsValid() {
			return address
		}
	}
	return netip.Addr{}
}
