package main

import (
	"crypto/rand"
	_ "embed"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"k8s.io/klog/v2"

	"hearth/k3s/modules/internal/cni"
	"hearth/k3s/modules/internal/config"
	"hearth/k3s/modules/internal/durable"
	"hearth/k3s/modules/internal/kubeconfig"
	"hearth/k3s/modules/internal/pki"
	"hearth/k3s/modules/internal/plan"
)

const nodePassword = "/etc/rancher/node/password"

//go:embed rolebindings.yaml
var roleBindings []byte

// prepareFiles writes everything that the parts read: what is the cluster's identity once and for all, the rest as the
// settings of today say.
func prepareFiles(c *config.Config) (plan.Host, error) {
	for _, folder := range []string{"db", "tls/temporary-certs", "cred", "manifests"} {
		if err := os.MkdirAll(c.Server(folder), 0o700); err != nil {
			return plan.Host{}, err
		}
	}
	for _, folder := range []string{"pki", "etc", "pod-manifests"} {
		if err := os.MkdirAll(c.Agent(folder), 0o755); err != nil {
			return plan.Host{}, err
		}
	}
	host := plan.Host{}
	for _, step := range []func(*config.Config) error{certificates, kubeconfigs, token, password, agentFiles} {
		if err := step(c); err != nil {
			return host, err
		}
	}
	encrypted, err := encryption(c)
	host.EncryptionConfig = encrypted
	return host, err
}

func certificates(c *config.Config) error {
	result, err := pki.Ensure(certificateRequest(c, time.Now()))
	if len(result.Issued) > 0 {
		klog.Infof("certificates issued: %v", result.Issued)
	}
	for _, why := range result.Kept {
		klog.Warningf("due, not renewed, and used as long as it is valid: %v", why)
	}
	return err
}

func certificateRequest(c *config.Config, now time.Time) pki.Request {
	return pki.Request{
		ServerDir:      c.Server(""),
		AgentDir:       c.Agent(""),
		NodeName:       c.NodeName,
		NodeIP:         c.NodeIP,
		ClusterDomain:  c.ClusterDomain,
		ServiceAddress: config.Nth(c.ServiceCIDR, 1),
		Extra:          c.ExtraNames,
		Now:            now,
	}
}

func kubeconfigs(c *config.Config) error {
	source := kubeconfig.Source{Server: fmt.Sprintf("https://127.0.0.1:%d", c.Port), CA: c.Server("tls/server-ca.crt")}
	for path, client := range map[string]string{
		c.Server("cred/admin.kubeconfig"):      c.Server("tls/client-admin"),
		c.Server("cred/supervisor.kubeconfig"): c.Server("tls/client-supervisor"),
		c.Server("cred/controller.kubeconfig"): c.Server("tls/client-controller"),
		c.Server("cred/scheduler.kubeconfig"):  c.Server("tls/client-scheduler"),
		c.Agent("kubelet.kubeconfig"):          c.Agent("client-kubelet"),
		c.Agent("kubeproxy.kubeconfig"):        c.Agent("client-kube-proxy"),
	} {
		source.Client = client
		text, err := kubeconfig.Linked(source)
		if err != nil {
			return err
		}
		if err := durable.Write(path, text, durable.Private); err != nil {
			return err
		}
	}
	source.Client = c.Server("tls/client-admin")
	text, err := kubeconfig.Inline(source)
	if err != nil {
		return err
	}
	owner, err := kubeconfig.Owner(c.KubeconfigMode, c.KubeconfigGroup)
	if err != nil {
		return err
	}
	return durable.Write(c.Kubeconfig, text, owner)
}

// token keeps the cluster's secret for joining, in k3s's form. Nobody joins here, but it belongs to the identity that a
// backup holds, and k3s's release wants it on this data.
func token(c *config.Config) error {
	path := c.Server("token")
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	secret := c.Token
	if secret == "" {
		secret = randomHex(16)
	}
	print, err := pki.Fingerprint(c.Server(""))
	if err != nil {
		return err
	}
	return durable.Write(path, []byte("K10"+print+"::server:"+secret+"\n"), durable.Private)
}

func password(c *config.Config) error {
	if c.NoAgent {
		return nil
	}
	if _, err := os.Stat(nodePassword); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return durable.Write(nodePassword, []byte(randomHex(16)+"\n"), durable.Private)
}

// agentFiles writes what is made from the settings alone.
func agentFiles(c *config.Config) error {
	resolv, spare := resolvConf(c)
	if spare != nil {
		if err := durable.Write(resolv, spare, durable.Public); err != nil {
			return err
		}
	}
	text, err := plan.KubeletConfig(c, resolv)
	if err != nil {
		return err
	}
	if err := durable.Write(c.Agent("etc/kubelet.conf"), text, durable.Private); err != nil {
		return err
	}
	if err := durable.Write(c.Server("manifests/rolebindings.yaml"), roleBindings, durable.Private); err != nil {
		return err
	}
	if c.Flannel == "none" {
		return nil
	}
	if text, err = cni.Render(cni.Configuration{Pods: c.ClusterCIDR, Leases: leases}); err != nil {
		return err
	}
	return durable.Write(c.Agent("etc/cni/net.d/"+cni.File), text, durable.Public)
}

// encryption makes the key for Secrets at the first start with secrets-encryption. A key that is there is used for
// ever, whatever the flags say: without it the Secrets could not be read.
func encryption(c *config.Config) (bool, error) {
	path := c.Server("cred/encryption-config.json")
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return err == nil, err
	}
	if !c.EncryptSecrets {
		return false, nil
	}
	key := make([]byte, 32)
	rand.Read(key)
	text, err := plan.EncryptionConfig(c.EncryptionProvider, base64.StdEncoding.EncodeToString(key))
	if err != nil {
		return false, err
	}
	return true, durable.Write(path, text, durable.Private)
}

func randomHex(bytes int) string {
	random := make([]byte, bytes)
	rand.Read(random) // never fails: the kernel's generator is waited for
	return hex.EncodeToString(random)
}
