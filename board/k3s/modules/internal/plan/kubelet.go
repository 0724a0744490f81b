package plan

import (
	"encoding/json"

	"hearth/k3s/modules/internal/config"
)

// KubeletConfig is the kubelet's configuration file. kubelet-arg beats it: the kubelet lets its flags win.
func KubeletConfig(c *config.Config, resolvConf string) ([]byte, error) {
	type field = map[string]any
	text, err := json.MarshalIndent(field{
		"apiVersion": "kubelet.config.k8s.io/v1beta1",
		"kind":       "KubeletConfiguration",
		"address":    "0.0.0.0",
		"authentication": field{
			"anonymous": field{"enabled": false},
			"webhook":   field{"enabled": true},
			"x509":      field{"clientCAFile": c.Agent("client-ca.crt")},
		},
		"authorization":            field{"mode": "Webhook"},
		"cgroupDriver":             "cgroupfs",
		"clusterDNS":               []string{c.ClusterDNS.String()},
		"clusterDomain":            c.ClusterDomain,
		"containerRuntimeEndpoint": c.RuntimeSocket,
		"evictionHard":             field{"imagefs.available": "5%", "nodefs.available": "5%"},
		"evictionMinimumReclaim":   field{"imagefs.available": "10%", "nodefs.available": "10%"},
		"failCgroupV1":             false, // hosts of before are a test bench's business, not ours to refuse
		"failSwapOn":               false,
		"healthzBindAddress":       "127.0.0.1",
		"readOnlyPort":             0,
		"resolvConf":               resolvConf,
		"serializeImagePulls":      false,
		"staticPodPath":            c.Agent("pod-manifests"),
		"tlsCertFile":              c.Agent("serving-kubelet.crt"),
		"tlsPrivateKeyFile":        c.Agent("serving-kubelet.key"),
		"volumePluginDir":          "/var/lib/kubelet/volumeplugins",
	}, "", "  ")
	return append(text, '\n'), err
}
