package cni

import (
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"
)

func TestRender(t *testing.T) {
	text, err := Render(Configuration{Pods: netip.MustParsePrefix("10.42.0.0/16"), Leases: "/var/lib/cni/networks"})
	if err != nil || !json.Valid(text) {
		t.Fatalf("%v: %s", err, text)
	}
	for _, want := range []string{`"subnet": "10.42.0.0/24"`, `"dataDir": "/var/lib/cni/networks"`, `"type": "portmap"`,
		`"type": "bandwidth"`, `"name": "cbr0"`, `"hairpinMode": true`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %s in:\n%s", want, text)
		}
	}
}

func TestSweep(t *testing.T) {
	leases := t.TempDir()
	folder := filepath.Join(leases, Name)
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"10.42.0.2": "alive\r\neth0", "10.42.0.3": "gone\r\neth0", "10.42.0.4": "", "10.42.0.5": "alive",
		"10.42.0.6": strings.Repeat("x", 4*maxLease), "last_reserved_ip.0": "10.42.0.6", "lock": "",
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	freed, err := Sweep(leases, map[string]bool{"alive": true, "another": true})
	if err != nil || freed != 3 {
		t.Errorf("%d freed, %v", freed, err)
	}
	entries, _ := os.ReadDir(folder)
	var left []string
	for _, entry := range entries {
		left = append(left, entry.Name())
	}
	sort.Strings(left)
	if got := strings.Join(left, " "); got != "10.42.0.2 10.42.0.5 last_reserved_ip.0 lock" {
		t.Errorf("left: %s", got)
	}
}

func TestSweepWithoutLeases(t *testing.T) {
	if freed, err := Sweep(filepath.Join(t.TempDir(), "none"), nil); freed != 0 || err != nil {
		t.Errorf("%d, %v", freed, err)
	}
}
