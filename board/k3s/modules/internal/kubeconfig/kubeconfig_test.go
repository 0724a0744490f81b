package kubeconfig

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"hearth/k3s/modules/internal/durable"
)

func files(t *testing.T) Source {
	dir := t.TempDir()
	for name, text := range map[string]string{"ca.crt": "CA", "me.crt": "CERT", "me.key": "KEY"} {
		if err := os.WriteFile(dir+"/"+name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return Source{Server: "https://127.0.0.1:6443", CA: dir + "/ca.crt", Client: dir + "/me"}
}

func TestInline(t *testing.T) {
	text, err := Inline(files(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"certificate-authority-data": "Q0E="`, `"client-certificate-data": "Q0VSVA=="`,
		`"client-key-data": "S0VZ"`, `"server": "https://127.0.0.1:6443"`, `"current-context": "default"`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %s in:\n%s", want, text)
		}
	}
}

func TestLinked(t *testing.T) {
	s := files(t)
	text, err := Linked(s)
	if err != nil || !json.Valid(text) {
		t.Fatalf("%v: %s", err, text)
	}
	for _, want := range []string{s.CA, s.Client + ".crt", s.Client + ".key"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %s in:\n%s", want, text)
		}
	}
	if strings.Contains(string(text), "-data") {
		t.Errorf("keys inside:\n%s", text)
	}
}

func TestMissingFile(t *testing.T) {
	s := files(t)
	os.Remove(s.Client + ".key")
	if _, err := Inline(s); err == nil || !strings.Contains(err.Error(), "me.key") {
		t.Errorf("error %v", err)
	}
}

func TestOwner(t *testing.T) {
	for group, want := range map[string]int{"": durable.KeepGroup, "root": 0, "12345": 12345} {
		owner, err := Owner(0o640, group)
		if err != nil || owner.Group != want || owner.Mode != 0o640 {
			t.Errorf("%q: %+v, %v", group, owner, err)
		}
	}
	for _, group := range []string{"no-such-group", "-1", "99999999999"} {
		if _, err := Owner(0o640, group); err == nil {
			t.Errorf("group %q was taken", group)
		}
	}
}
