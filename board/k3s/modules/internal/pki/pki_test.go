package pki

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"hearth/k3s/modules/internal/durable"
)

var start = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// serviceKey is made once, since an RSA key takes long.
var serviceKey = sync.OnceValue(func() []byte {
	dir, err := os.MkdirTemp("", "pki")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	if err := ensureServiceKey(dir + "/key"); err != nil {
		panic(err)
	}
	text, err := os.ReadFile(dir + "/key")
	if err != nil {
		panic(err)
	}
	return text
})

func request(t *testing.T) Request {
	dir := t.TempDir()
	if err := durable.Write(dir+"/server/tls/service.key", serviceKey(), durable.Private); err != nil {
		t.Fatal(err)
	}
	return Request{ServerDir: dir + "/server", AgentDir: dir + "/agent", NodeName: "box",
		NodeIP: netip.MustParseAddr("192.168.1.5"), ClusterDomain: "cluster.local",
		ServiceAddress: netip.MustParseAddr("10.43.0.1"), Now: start}
}

func ensure(t *testing.T, r Request) Result {
	t.Helper()
	result, err := Ensure(r)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// tree gives every file's bytes.
func tree(t *testing.T, r Request) map[string]string {
	t.Helper()
	files := map[string]string{}
	for _, pattern := range []string{r.ServerDir + "/tls/*", r.AgentDir + "/*"} {
		paths, _ := filepath.Glob(pattern)
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			files[path] = string(text)
		}
	}
	return files
}

func load(t *testing.T, path string) *x509.Certificate {
	t.Helper()
	certificate, err := readCertificate(path)
	if err != nil {
		t.Fatal(err)
	}
	return certificate
}

func TestFirstStart(t *testing.T) {
	r := request(t)
	if issued := ensure(t, r).Issued; len(issued) != 13 {
		t.Errorf("%d certificates: %q", len(issued), issued)
	}
	pool := x509.NewCertPool()
	pool.AddCert(load(t, r.ServerDir+"/tls/server-ca.crt"))
	serving := load(t, r.ServerDir+"/tls/serving-kube-apiserver.crt")
	for _, name := range []string{"kubernetes.default.svc.cluster.local", "localhost", "box", "10.43.0.1", "127.0.0.1",
		"192.168.1.5"} {
		if _, err := serving.Verify(x509.VerifyOptions{Roots: pool, DNSName: name, CurrentTime: start}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	kubelet := load(t, r.AgentDir+"/client-kubelet.crt")
	if kubelet.Subject.CommonName != "system:node:box" || kubelet.Subject.Organization[0] != "system:nodes" {
		t.Errorf("the kubelet is %v", kubelet.Subject)
	}
	info, err := os.Stat(r.ServerDir + "/tls/server-ca.key")
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the CA's key: %v, %v", info, err)
	}
	if print, err := Fingerprint(r.ServerDir); err != nil || len(print) != 64 {
		t.Errorf("fingerprint %q, %v", print, err)
	}
}

func TestSecondStartChangesNothing(t *testing.T) {
	r := request(t)
	ensure(t, r)
	before := tree(t, r)
	r.Now = start.Add(leafTerm - renewBefore - time.Hour)
	if issued := ensure(t, r).Issued; issued != nil {
		t.Errorf("issued again: %q", issued)
	}
	same(t, before, tree(t, r), nil)
}

func TestRenewal(t *testing.T) {
	for _, after := range []time.Duration{leafTerm - renewBefore + time.Hour, leafTerm + day} {
		r := request(t)
		ensure(t, r)
		before := tree(t, r)
		r.Now = start.Add(after)
		if issued := ensure(t, r).Issued; len(issued) != 10 {
			t.Errorf("after %s: issued %q", after, issued)
		}
		same(t, before, tree(t, r), func(path string) bool {
			return strings.HasSuffix(path, ".crt") && !strings.HasSuffix(path, "-ca.crt")
		})
		if end := load(t, r.ServerDir+"/tls/client-admin.crt").NotAfter; !end.Equal(r.Now.Add(leafTerm)) {
			t.Errorf("after %s: valid until %s", after, end)
		}
	}
}

func TestLastDaysOfTheCA(t *testing.T) {
	r := request(t)
	ensure(t, r)
	r.Now = start.Add(caTerm - 10*day)
	ensure(t, r)
	if end := load(t, r.ServerDir+"/tls/client-admin.crt").NotAfter; !end.Equal(start.Add(caTerm)) {
		t.Errorf("a certificate outlives its CA: %s", end)
	}
	if issued := ensure(t, r).Issued; issued != nil {
		t.Errorf("issued at every start: %q", issued)
	}
}

func TestChangedNames(t *testing.T) {
	r := request(t)
	ensure(t, r)
	before := tree(t, r)
	r.NodeIP = netip.MustParseAddr("192.168.1.6")
	ensure(t, r)
	same(t, before, tree(t, r), func(path string) bool { return strings.Contains(path, "/serving-") && isCrt(path) })
	before = tree(t, r)
	r.Extra = []string{"box.lan", "10.0.0.1"}
	ensure(t, r)
	same(t, before, tree(t, r), func(path string) bool {
		return strings.Contains(path, "kube-apiserver") && isCrt(path) &&
			strings.Contains(path, "serving")
	})
}

func TestChangedNodeName(t *testing.T) {
	r := request(t)
	ensure(t, r)
	r.NodeName = "other"
	ensure(t, r)
	if name := load(t, r.AgentDir+"/client-kubelet.crt").Subject.CommonName; name != "system:node:other" {
		t.Errorf("the kubelet is still %s", name)
	}
}

func isCrt(path string) bool { return strings.HasSuffix(path, ".crt") }

// same checks that only the files that may change have changed, and those all.
func same(t *testing.T, before, after map[string]string, changes func(string) bool) {
	t.Helper()
	for path, text := range after {
		changed, may := before[path] != text, changes != nil && changes(path)
		if changed != may {
			t.Errorf("%s: changed is %v, want %v", filepath.Base(path), changed, may)
		}
	}
}

func TestClock(t *testing.T) {
	r := request(t)
	ensure(t, r)
	r.Now = validFrom.Add(-time.Minute)
	_, err := Ensure(r)
	if err == nil || !strings.Contains(err.Error(), "the clock says 1999-12-31 23:59 UTC") ||
		!strings.Contains(err.Error(), "valid from 2000-01-01 00:00 UTC") {
		t.Errorf("a clock before the CA: %v", err)
	}
	r.Now = start.Add(caTerm + time.Minute)
	if _, err := Ensure(r); err == nil || !strings.Contains(err.Error(), "was valid until") {
		t.Errorf("a clock after the CA: %v", err)
	}
}

// TestFutureClock has a first start nine years ahead; then the clock is put right.
func TestFutureClock(t *testing.T) {
	r := request(t)
	r.Now = start.AddDate(9, 0, 0)
	ensure(t, r)
	r.Now = start
	for _, path := range crts(t, r) {
		if from := load(t, path).NotBefore; from.After(start) {
			t.Errorf("%s is valid from %s only", filepath.Base(path), from)
		}
	}
	before := tree(t, r)
	if issued := ensure(t, r).Issued; len(issued) != 10 {
		t.Errorf("certificates that last ten years are kept: issued %q", issued)
	}
	same(t, before, tree(t, r), func(path string) bool { return isCrt(path) && !strings.HasSuffix(path, "-ca.crt") })
	if end := load(t, r.ServerDir+"/tls/client-admin.crt").NotAfter; !end.Equal(start.Add(leafTerm)) {
		t.Errorf("valid until %s", end)
	}
	r.Now = start.Add(-time.Hour) // put right by a little
	if issued := ensure(t, r).Issued; issued != nil {
		t.Errorf("issued again: %q", issued)
	}
}

func crts(t *testing.T, r Request) []string {
	var paths []string
	for path := range tree(t, r) {
		if isCrt(path) {
			paths = append(paths, path)
		}
	}
	return paths
}

// TestRenewalFails: a certificate that is valid for months does not keep the server from starting.
func TestRenewalFails(t *testing.T) {
	for after, stops := range map[time.Duration]bool{
		leafTerm - renewBefore + time.Hour: false, leafTerm + time.Hour: true,
	} {
		r := request(t)
		ensure(t, r)
		before := tree(t, r)
		path := r.ServerDir + "/tls/client-admin.crt"
		if err := os.MkdirAll(path+".new/in-the-way", 0o755); err != nil {
			t.Fatal(err)
		}
		r.Now = start.Add(after)
		result, err := Ensure(r)
		if (err != nil) != stops {
			t.Errorf("after %s: %v", after, err)
		}
		if !stops && (len(result.Kept) != 1 || !strings.Contains(result.Kept[0].Error(), path) || len(result.Issued) != 9) {
			t.Errorf("after %s: %+v", after, result)
		}
		if text, _ := os.ReadFile(path); string(text) != before[path] {
			t.Errorf("after %s: the certificate has changed", after)
		}
	}
}

func TestFirstEnd(t *testing.T) {
	r := request(t)
	ensure(t, r)
	r.NodeName, r.Now = "other", start.Add(10*day) // makes some of them anew
	ensure(t, r)
	if end, err := FirstEnd(r); err != nil || !end.Equal(start.Add(leafTerm)) {
		t.Errorf("%s, %v", end, err)
	}
	r.Now = start.Add(caTerm - day)
	ensure(t, r)
	if end, err := FirstEnd(r); err != nil || !end.IsZero() {
		t.Errorf("in the CA's last days: %s, %v", end, err)
	}
	r.Now = start.Add(caTerm + day)
	if end, err := FirstEnd(r); err != nil || !end.IsZero() {
		t.Errorf("after the CA: %s, %v", end, err)
	}
	if err := os.Remove(r.AgentDir + "/client-kubelet.crt"); err != nil {
		t.Fatal(err)
	}
	if end, err := FirstEnd(r); err == nil {
		t.Errorf("with one missing: %s", end)
	}
}

func TestBrokenCA(t *testing.T) {
	for name, breakIt := range map[string]func(base string) error{
		"no key":    func(base string) error { return os.Remove(base + ".key") },
		"empty key": func(base string) error { return os.WriteFile(base+".key", nil, 0o600) },
		"half a CA": func(base string) error {
			return errors.Join(os.Remove(base+".crt"), os.WriteFile(base+".key", nil, 0o600))
		},
		"empty cert":  func(base string) error { return os.WriteFile(base+".crt", nil, 0o600) },
		"other key":   func(base string) error { return swap(base+".key", filepath.Dir(base)+"/client-ca.key") },
		"key in cert": func(base string) error { return swap(base+".crt", base+".key") },
	} {
		r := request(t)
		ensure(t, r)
		base := r.ServerDir + "/tls/server-ca"
		if err := breakIt(base); err != nil {
			t.Fatal(err)
		}
		before := tree(t, r)
		if _, err := Ensure(r); err == nil || !strings.Contains(err.Error(), base) {
			t.Errorf("%s: error %v", name, err)
		}
		same(t, before, tree(t, r), nil)
	}
}

func TestBrokenServiceKey(t *testing.T) {
	r := request(t)
	ensure(t, r)
	path := r.ServerDir + "/tls/service.key"
	if err := os.WriteFile(path, []byte("not a key"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Ensure(r); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("tokens would be signed by another key: %v", err)
	}
	if text, _ := os.ReadFile(path); string(text) != "not a key" {
		t.Error("the key was replaced")
	}
}

func swap(to, from string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o600)
}

func TestStopAtTheFirstStart(t *testing.T) {
	r := request(t)
	ensure(t, r)
	tls := r.ServerDir + "/tls/"
	key, err := os.ReadFile(tls + "server-ca.key")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{tls + "server-ca.crt", tls + "client-admin.crt", tls + "client-admin.key"} {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	ensure(t, r)
	if now, _ := os.ReadFile(tls + "server-ca.key"); !bytes.Equal(now, key) {
		t.Error("the CA's key was made anew")
	}
	load(t, tls+"client-admin.crt")
}

func TestBrokenLeaf(t *testing.T) {
	r := request(t)
	ensure(t, r)
	for _, name := range []string{"client-admin.crt", "client-admin.key"} {
		path := r.ServerDir + "/tls/" + name
		if err := os.WriteFile(path, []byte("-----BEGIN nothing"), 0o600); err != nil {
			t.Fatal(err)
		}
		if issued := ensure(t, r).Issued; len(issued) != 1 {
			t.Errorf("%s broken: issued %q", name, issued)
		}
		text, _ := os.ReadFile(path)
		if block, _ := pem.Decode(text); block == nil {
			t.Errorf("%s is still broken", name)
		}
	}
}
