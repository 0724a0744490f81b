// Package kubeconfig writes kubeconfigs: those of the server's parts name their certificate files, so that a renewed
// certificate is simply read; the administrator's carries everything inside and may be copied away.
package kubeconfig

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"strconv"

	"hearth/k3s/modules/internal/durable"
)

// Source is where a kubeconfig leads and as whom.
type Source struct {
	Server string // "https://127.0.0.1:6443"
	CA     string // path of the server CA's certificate
	Client string // path of the client's certificate and key, without .crt and .key
}

type field = map[string]any

// Linked names the files.
func Linked(s Source) ([]byte, error) {
	return render(s.Server, field{"certificate-authority": s.CA},
		field{"client-certificate": s.Client + ".crt", "client-key": s.Client + ".key"})
}

// Inline carries the files' contents.
func Inline(s Source) ([]byte, error) {
	var data [3]string
	for i, path := range []string{s.CA, s.Client + ".crt", s.Client + ".key"} {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		data[i] = base64.StdEncoding.EncodeToString(text)
	}
	return render(s.Server, field{"certificate-authority-data": data[0]},
		field{"client-certificate-data": data[1], "client-key-data": data[2]})
}

// render gives JSON, which is YAML too; keys come sorted, so the same input gives the same bytes.
func render(server string, cluster, client field) ([]byte, error) {
	const name = "default"
	cluster["server"] = server
	text, err := json.MarshalIndent(field{
		"apiVersion":      "v1",
		"kind":            "Config",
		"clusters":        []field{{"name": name, "cluster": cluster}},
		"users":           []field{{"name": name, "user": client}},
		"contexts":        []field{{"name": name, "context": field{"cluster": name, "user": name}}},
		"current-context": name,
	}, "", "  ")
	return append(text, '\n'), err
}

// Owner turns the settings write-kubeconfig-mode and -group into a file's owner; group is a name, a number or "".
func Owner(mode fs.FileMode, group string) (durable.Owner, error) {
	owner := durable.Owner{Mode: mode, Group: durable.KeepGroup}
	if group == "" {
		return owner, nil
	}
	number := group
	if found, err := user.LookupGroup(group); err == nil {
		number = found.Gid
	} else if !errors.As(err, new(user.UnknownGroupError)) {
		return owner, fmt.Errorf("write-kubeconfig-group: %w", err)
	}
	id, err := strconv.ParseUint(number, 10, 31)
	if err != nil {
		return owner, fmt.Errorf("write-kubeconfig-group: no group %q", group)
	}
	owner.Group = int(id)
	return owner, nil
}
