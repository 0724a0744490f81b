package order

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// world is one whose clock only moves by pauses.
func world() (World, *time.Duration) {
	var passed time.Duration
	return World{
		Now:   func() time.Time { return time.Unix(0, 0).Add(passed) },
		Pause: func(d time.Duration) bool { passed += d; return true },
	}, &passed
}

var errTest = errors.New("503 not yet")

func TestIsWarm(t *testing.T) {
	for name, c := range map[string]struct {
		known  bool
		errors int // so many before the answer
		warm   bool
		err    error
		most   time.Duration
	}{
		"first boot":   {false, 0, false, nil, 0},
		"later boot":   {true, 0, true, nil, 0},
		"errors first": {true, 5, true, nil, time.Second},
		"only errors":  {true, 1 << 20, false, errTest, nodePatience},
	} {
		w, passed := world()
		w.Node = func() (bool, error) {
			if c.errors--; c.errors >= 0 {
				return c.known, errTest
			}
			return c.known, nil
		}
		if warm, err := w.IsWarm(); warm != c.warm || !errors.Is(err, c.err) || *passed > c.most {
			t.Errorf("%s: %v, %v after %s", name, warm, err, *passed)
		}
	}
}

func TestAwaitAllowed(t *testing.T) {
	for name, c := range map[string]struct{ allowed, ready, want time.Duration }{
		"at once":        {0, time.Hour, 0},
		"a little later": {time.Second, time.Hour, time.Second},
		"never":          {time.Hour, 3 * time.Second, 3 * time.Second},
	} {
		w, passed := world()
		w.Ready = func() bool { return *passed >= c.ready }
		w.Allowed = func() error {
			if *passed < c.allowed {
				return errTest
			}
			return nil
		}
		if !w.AwaitAllowed() || *passed != c.want {
			t.Errorf("%s: after %s, want %s", name, *passed, c.want)
		}
	}
}

func TestAwaitRules(t *testing.T) {
	const ready = 5 * time.Second
	for name, c := range map[string]struct {
		after time.Duration
		err   error
		looks int
		want  string
	}{
		"at once":          {0, nil, 1, ""},
		"soon after ready": {ready + time.Second, errTest, 6, ""},
		"in time":          {Patience - time.Second, errTest, 338, ""},
		"never":            {time.Hour, nil, 342, "after 1m30s: no rule for it"},
		"never, told":      {time.Hour, errTest, 342, "after 1m30s: " + errTest.Error()},
	} {
		w, passed := world()
		looks := 0
		w.Ready = func() bool { return *passed >= ready }
		w.Reached = func() (bool, error) { looks++; return *passed >= c.after, c.err }
		err := w.AwaitRules()
		if (err == nil) != (c.want == "") || err != nil && err.Error() != c.want {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if *passed > Patience+poll || c.want == "" && *passed < c.after || looks != c.looks {
			t.Errorf("%s: took %s and %d looks", name, *passed, looks)
		}
	}
}

func TestStopping(t *testing.T) {
	w, _ := world()
	w.Pause = func(time.Duration) bool { return false }
	w.Node = func() (bool, error) { return false, errTest }
	w.Allowed, w.Ready = func() error { return errTest }, func() bool { return false }
	w.Reached = func() (bool, error) { return false, errTest }
	if warm, _ := w.IsWarm(); warm || w.AwaitAllowed() || w.AwaitRules() != nil {
		t.Error("it goes on when the server is stopping")
	}
}

// As iptables 1.8.11 prints them, once in either flavour.
const rules = `-N KUBE-SERVICES
-A KUBE-SERVICES -d 10.43.0.10/32 -p udp -m comment --comment "kube-system/kube-dns:dns cluster IP" -m udp --dport 53 -j KUBE-SVC-TCOU7JCQXEZGVUNU
-A KUBE-SERVICES -d 10.43.0.1/32 -p tcp -m comment --comment "default/kubernetes:https cluster IP" -m tcp --dport 443 -j KUBE-SVC-NPX46M4PTMTKRN6Y
-A KUBE-SERVICES -m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this chain" -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS
`

func TestLeads(t *testing.T) {
	if !Leads(rules, "10.43.0.1", 443) {
		t.Error("the rule is not found")
	}
	for name, other := range map[string]string{
		"nothing":    "",
		"no chain":   "iptables: No chain/target/match by that name.\n",
		"no address": strings.ReplaceAll(rules, "10.43.0.1/", "10.43.0.12/"),
		"no port":    strings.ReplaceAll(rules, "--dport 443", "--dport 4430"),
		"refused":    strings.ReplaceAll(rules, "KUBE-SVC-NPX46M4PTMTKRN6Y", "REJECT"),
		"elsewhere":  strings.ReplaceAll(rules, "-A KUBE-SERVICES", "-A KUBE-EXTERNAL-SERVICES"),
	} {
		if Leads(other, "10.43.0.1", 443) {
			t.Errorf("%s: found", name)
		}
	}
}
