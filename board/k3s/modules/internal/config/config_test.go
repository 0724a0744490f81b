package config

import (
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// write makes a configuration file, and drop-ins beside it, and gives the first one's path.
func write(t *testing.T, text string, dropIns ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yaml")
	put(t, path, text)
	for i, more := range dropIns {
		put(t, filepath.Join(path+".d", string(rune('a'+i))+".yaml"), more)
	}
	return path
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func load(t *testing.T, path string, more ...string) *Config {
	t.Helper()
	c, err := Load(append([]string{"--config", path, "--node-name", "box"}, more...))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestDefaults(t *testing.T) {
	c := load(t, write(t, "# nothing\n"))
	for what, pair := range map[string][2]any{
		"data-dir":    {c.DataDir, "/var/lib/rancher/k3s"},
		"cluster":     {c.ClusterCIDR.String(), "10.42.0.0/16"},
		"service":     {c.ServiceCIDR.String(), "10.43.0.0/16"},
		"dns":         {c.ClusterDNS.String(), "10.43.0.10"},
		"port":        {c.Port, 6443},
		"kubeconfig":  {c.Kubeconfig, "/etc/rancher/k3s/k3s.yaml"},
		"mode":        {c.KubeconfigMode, fs.FileMode(0o600)},
		"socket":      {c.RuntimeSocket, "unix:///run/containerd/containerd.sock"},
		"node-ip":     {c.NodeIP.IsValid(), false},
		"server path": {c.Server("tls/x"), "/var/lib/rancher/k3s/server/tls/x"},
		"agent path":  {c.Agent("x"), "/var/lib/rancher/k3s/agent/x"},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: %v, want %v", what, pair[0], pair[1])
		}
	}
}

func TestFile(t *testing.T) {
	c := load(t, write(t, `
node-ip: 192.168.1.5
write-kubeconfig-mode: 0640
secrets-encryption: true
disable: [traefik, servicelb]
disable-helm-controller: true
disable-cloud-controller: true
egress-selector-mode: disabled
flannel-backend: host-gw
snapshotter: overlayfs
cluster-cidr: 10.1.0.0/16
service-cidr: 10.2.0.0/20
kubelet-arg:
  - max-pods=50
  - "feature-gates=A=true,B=false"
`))
	if c.NodeIP.String() != "192.168.1.5" || c.KubeconfigMode != 0o640 || !c.EncryptSecrets {
		t.Errorf("got %+v", c)
	}
	if !c.IsDisabled("servicelb") || c.IsDisabled("coredns") {
		t.Errorf("disabled: %q", c.Disabled)
	}
	if c.ClusterDNS.String() != "10.2.0.10" {
		t.Errorf("DNS %s", c.ClusterDNS)
	}
	if want := []string{"max-pods=50", "feature-gates=A=true,B=false"}; !reflect.DeepEqual(c.Args.Kubelet, want) {
		t.Errorf("kubelet: %q", c.Args.Kubelet)
	}
}

func TestOrder(t *testing.T) {
	path := write(t, "token: from-the-file\ndisable: [a]\ntls-san: [one]\nhttps-listen-port: 7000\n",
		"disable+: [b, c]\ntls-san: [two]\n", "disable+: d\nhttps-listen-port: 7001\n")
	put(t, path+".d/z.txt", "not: read\n")
	c := load(t, path, "--token", "from-the-command-line")
	if want := []string{"a", "b", "c", "d"}; !reflect.DeepEqual(c.Disabled, want) {
		t.Errorf("disable: %q", c.Disabled)
	}
	if !reflect.DeepEqual(c.ExtraNames, []string{"two"}) || c.Port != 7001 || c.Token != "from-the-command-line" {
		t.Errorf("got %q, port %d, token %q", c.ExtraNames, c.Port, c.Token)
	}
	c = load(t, path, "--disable", "x,y", "--disable", "z")
	if want := []string{"x", "y", "z"}; !reflect.DeepEqual(c.Disabled, want) {
		t.Errorf("the command line must replace the list: %q", c.Disabled)
	}
}

func TestBadFiles(t *testing.T) {
	for text, want := range map[string]string{
		"node-name: box\nno-such-thing: 1\n":                "config.yaml:2: no-such-thing: no such setting",
		"\n\nhttps-listen-port: 70000\n":                    `config.yaml:3: https-listen-port: "70000" is not a port`,
		"node-ip: fe80::1\n":                                "config.yaml:1: node-ip: ",
		"node-ip:\n":                                        "config.yaml:1: node-ip: no value",
		"node-ip: [1.2.3.4]\n":                              "config.yaml:1: node-ip: takes one value, not a list",
		"node-ip+: 1.2.3.4\n":                               "config.yaml:1: node-ip: takes one value, not a list",
		"disable:\n- a\n- {b: c}\n":                         "config.yaml:3: disable: a value is one word or a list of words",
		"disable:\n- a\n-\n":                                "config.yaml:3: disable: no value",
		"cluster-init: true\n":                              "config.yaml:1: cluster-init: this k3s has no such setting: ",
		"flannel-backend: vxlan\n":                          "config.yaml:1: flannel-backend: ",
		"disable-cloud-controller: false\n":                 "config.yaml:1: disable-cloud-controller: only \"true\"",
		"secrets-encryption: yes\n":                         `config.yaml:1: secrets-encryption: "yes" is neither`,
		"write-kubeconfig-mode: 0999\n":                     "config.yaml:1: write-kubeconfig-mode: ",
		"write-kubeconfig-mode: 1777\n":                     "config.yaml:1: write-kubeconfig-mode: ",
		"data-dir: here\n":                                  "config.yaml:1: data-dir: ",
		"cluster-domain: Über\n":                            "config.yaml:1: cluster-domain: ",
		"config: /x\n":                                      "config.yaml:1: config: belongs on the command line",
		"token: a\ntoken: b\n":                              "config.yaml:2: token: this key stands in line 1 already",
		"- a\n- b\n":                                        "config.yaml:1: a configuration file is a list",
		"token: secret123\n---\ntoken: secret124\n":         "config.yaml:2: a second document",
		"token: [\n":                                        "config.yaml:",
		"a: b: c\n":                                         "config.yaml:1: mapping values",
		"kubelet-arg: [\"\"]\n":                             "config.yaml:1: kubelet-arg: an empty word",
		"service-node-port-range: 9-1\n":                    "config.yaml:1: service-node-port-range: ",
		"secrets-encryption-provider: rot13\n":              "config.yaml:1: secrets-encryption-provider: ",
		"container-runtime-endpoint: /run/x.sock\n":         "config.yaml:1: container-runtime-endpoint: ",
		"cluster-cidr: 10.42.0.1/16\n":                      "config.yaml:1: cluster-cidr: ",
		"cluster-cidr: 10.43.0.0/16\n":                      "overlap",
		"cluster-dns: 10.99.0.1\n":                          "cluster-dns 10.99.0.1 is not in service-cidr",
		"token: \"" + strings.Repeat("x", maxFile) + "\"\n": "config.yaml: longer than",
	} {
		path := write(t, text)
		_, err := Load([]string{"--config", path, "--node-name", "box"})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: error %v, want %q in it", text, err, want)
		}
	}
}

func TestBadDropIn(t *testing.T) {
	path := write(t, "token: secret123\n", "disable: [a]\nkubelte-arg: x=1\n")
	_, err := Load([]string{"--config", path})
	if err == nil || !strings.Contains(err.Error(), "config.yaml.d/a.yaml:2: kubelte-arg: no such setting") {
		t.Errorf("error %v", err)
	}
}

func TestBadCommandLine(t *testing.T) {
	path := write(t, "")
	for _, bad := range [][]string{
		{"--no-such"}, {"word"}, {"--https-listen-port=0"}, {"--server", "https://x:6443"}, {"--cluster-init"},
		{"--docker=true"}, {"--node-label", "x"}, {"--config", "/no/such/file"}, {"--token", "a b c d e f"},
	} {
		if _, err := Load(append([]string{"--config", path}, bad...)); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func TestMissingFile(t *testing.T) {
	if entries, err := readFiles(filepath.Join(t.TempDir(), "none.yaml"), false); err != nil || entries != nil {
		t.Errorf("a missing default file: %v, %v", entries, err)
	}
}

func TestEverySettingHasUsage(t *testing.T) {
	usage := Usage()
	for _, name := range []string{"--node-ip", "--kubelet-arg", "--cluster-init", "--snapshotter"} {
		if !strings.Contains(usage, name) {
			t.Errorf("no %s in the usage", name)
		}
	}
}

func TestHasNameServer(t *testing.T) {
	for text, want := range map[string]bool{
		"":                             false,
		"search lan\nnameserver\n":     false,
		"nameserver 127.0.0.53\n":      false,
		"nameserver ::1\n":             false,
		"nameserver 0.0.0.0\n":         false,
		"nameserver one.one.one.one\n": false,
		"# nameserver 192.168.1.1\n":   false,
		"nameserver 127.0.0.1\nnameserver 192.168.1.1\n": true,
		"options rotate\n nameserver fd00::1\n":          true,
	} {
		if got := HasNameServer(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}
