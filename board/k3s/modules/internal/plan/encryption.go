package plan

import "encoding/json"

// EncryptionConfig is the API server's configuration for encrypting Secrets at rest: new ones with the key (base64),
// old ones may still be in the clear.
func EncryptionConfig(provider, key string) ([]byte, error) {
	type field = map[string]any
	return json.Marshal(field{
		"kind":       "EncryptionConfiguration",
		"apiVersion": "apiserver.config.k8s.io/v1",
		"resources": []field{{
			"resources": []string{"secrets"},
			"providers": []field{
				{provider: field{"keys": []field{{"name": provider + "key", "secret": key}}}},
				{"identity": field{}},
			},
		}},
	})
}
