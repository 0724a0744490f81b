package plan

import (
	"encoding/json"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"hearth/k3s/modules/internal/config"
)

func settings(t *testing.T, args ...string) *config.Config {
	t.Helper()
	base := []string{"--config", "/dev/null", "--node-name", "box", "--node-ip", "192.168.1.5"}
	c, err := config.Load(append(base, args...))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func names(parts []Component) string {
	var all []string
	for _, part := range parts {
		all = append(all, part.Name)
	}
	return strings.Join(all, " ")
}

func TestWhichPartsRun(t *testing.T) {
	for flags, want := range map[string]string{
		"":                                       "kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy",
		"--disable-kube-proxy":                   "kube-apiserver kube-controller-manager kube-scheduler kubelet",
		"--disable-scheduler":                    "kube-apiserver kube-controller-manager kubelet kube-proxy",
		"--disable-agent":                        "kube-apiserver kube-controller-manager kube-scheduler",
		"--disable-agent --disable-scheduler":    "kube-apiserver kube-controller-manager",
		"--disable-network-policy --disable=web": "kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy",
	} {
		if got := names(Components(settings(t, strings.Fields(flags)...), Host{})); got != want {
			t.Errorf("%q: %s, want %s", flags, got, want)
		}
	}
}

func TestWhatTheyWaitFor(t *testing.T) {
	for _, part := range Components(settings(t), Host{}) {
		want := []Condition{APIReady}
		switch part.Name {
		case APIServer:
			want = nil
		case Kubelet:
			want = []Condition{APIAnswers, RuntimeReady, KubeletTurn}
		case KubeProxy:
			want = []Condition{ProxyTurn}
		}
		if !reflect.DeepEqual(part.After, want) {
			t.Errorf("%s waits for %v, want %v", part.Name, part.After, want)
		}
	}
}

func args(t *testing.T, c *config.Config, name string, host Host) string {
	t.Helper()
	for _, part := range Components(c, host) {
		if part.Name == name {
			return strings.Join(part.Args, " ") + " "
		}
	}
	t.Fatalf("no %s", name)
	return ""
}

func TestArguments(t *testing.T) {
	c := settings(t, "--https-listen-port=7443", "--cluster-cidr=10.1.0.0/16", "--service-cidr=10.2.0.0/16",
		"--data-dir=/d", "--node-label=a=b,c=d", "--advertise-address=10.9.9.9")
	for name, wants := range map[string][]string{
		APIServer: {"--secure-port=7443 ", "--advertise-address=10.9.9.9 ", "--service-cluster-ip-range=10.2.0.0/16 ",
			"--etcd-servers=unix:///d/server/kine.sock ", "--client-ca-file=/d/server/tls/client-ca.crt "},
		ControllerManager: {"--cluster-cidr=10.1.0.0/16 ", "--root-ca-file=/d/server/tls/server-ca.crt "},
		Scheduler:         {"--kubeconfig=/d/server/cred/scheduler.kubeconfig "},
		Kubelet:           {"--node-ip=192.168.1.5 ", "--node-labels=a=b,c=d ", "--hostname-override=box "},
		KubeProxy:         {"--cluster-cidr=10.1.0.0/16 ", "--hostname-override=box "},
	} {
		got := args(t, c, name, Host{})
		for _, want := range wants {
			if !strings.Contains(got, want) {
				t.Errorf("%s: no %sin %s", name, want, got)
			}
		}
	}
}

func TestEncryption(t *testing.T) {
	const flag = "--encryption-provider-config=/var/lib/rancher/k3s/server/cred/encryption-config.json "
	for _, on := range []bool{true, false} {
		if got := strings.Contains(args(t, settings(t), APIServer, Host{EncryptionConfig: on}), flag); got != on {
			t.Errorf("with %v: %v", on, got)
		}
	}
	text, err := EncryptionConfig("aescbc", "a2V5")
	const providers = `"providers":[{"aescbc":{"keys":[{"name":"aescbckey","secret":"a2V5"}]}},{"identity":{}}]`
	if err != nil || !strings.Contains(string(text), providers) {
		t.Errorf("%v: %s", err, text)
	}
}

func TestMerge(t *testing.T) {
	for _, c := range []struct {
		defaults map[string]string
		user     []string
		want     string
	}{
		{map[string]string{"b": "2", "a": "1"}, nil, "--a=1 --b=2"},
		{map[string]string{"a": "1"}, []string{"a=9", "a=10", "--c=x=y"}, "--a=9 --a=10 --c=x=y"},
		{map[string]string{"a": "1"}, []string{"flag"}, "--a=1 --flag"},
		{map[string]string{"a": "1", "b": "2"}, []string{"a-"}, "--b=2"},
		{map[string]string{"feature-gates": "A=true"}, []string{"feature-gates=B=true"},
			"--feature-gates=A=true --feature-gates=B=true"},
	} {
		if got := strings.Join(merge(c.defaults, c.user), " "); got != c.want {
			t.Errorf("%v and %q: %s, want %s", c.defaults, c.user, got, c.want)
		}
	}
}

func TestKubeletConfig(t *testing.T) {
	c := settings(t)
	c.ClusterDNS = netip.MustParseAddr("10.43.0.10")
	text, err := KubeletConfig(c, "/etc/resolv.conf")
	if err != nil || !json.Valid(text) {
		t.Fatalf("%v: %s", err, text)
	}
	for _, want := range []string{`"resolvConf": "/etc/resolv.conf"`,
		`"containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock"`,
		`"clientCAFile": "/var/lib/rancher/k3s/agent/client-ca.crt"`, `"enabled": false`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %s in:\n%s", want, text)
		}
	}
}

func TestProxyRules(t *testing.T) {
	for flags, want := range map[string]bool{
		"":                                     true,
		"--kube-proxy-arg=proxy-mode=iptables": true,
		"--kube-proxy-arg=proxy-mode=nftables": false,
		"--kube-proxy-arg=config=/etc/p.yaml":  false,
		"--disable-kube-proxy":                 false,
		"--disable-agent":                      false,
	} {
		if got := ProxyRules(settings(t, strings.Fields(flags)...)); got != want {
			t.Errorf("%q: %v", flags, got)
		}
	}
}
