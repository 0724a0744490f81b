// Package order settles who comes first, kube-proxy or the kubelet.
//
// At the first boot kube-proxy needs the node object, which the kubelet makes. At every later one the object is there,
// and the kubelet starts the pods again at once: without kube-proxy's rules what they send to a service leaves for the
// local network, and those that need the API server end and are started again later and later. So then kube-proxy comes
// first, and the kubelet once pods can reach the API server.
package order

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

const (
	// Patience is the longest that the kubelet is held back: pods without services are better than no pods. An emulated
	// machine takes some 20 s.
	Patience = 90 * time.Second
	// poll is how often the rules are looked at; each look is a process.
	poll = 250 * time.Millisecond
	// nodePoll is how often the node is asked for again after an error.
	nodePoll = 100 * time.Millisecond
	// nodePatience is how long such errors may go on.
	nodePatience = 10 * time.Second
)

// World is what the order depends on. Pause waits, false means that the server is stopping.
type World struct {
	Node    func() (known bool, err error) // is the node object there, with today's address
	Allowed func() error                   // nil: kube-proxy's user may read what kube-proxy reads
	Ready   func() bool                    // the API server's start is over
	Reached func() (bool, error)           // the rules lead to the API server
	Now     func() time.Time
	Pause   func(time.Duration) bool
}

// IsWarm says whether the node is known from an earlier start. When that can not be found out it is not, as the kubelet
// must not be held back for it.
func (w World) IsWarm() (bool, error) {
	for end := w.Now().Add(nodePatience); ; {
		known, err := w.Node()
		if err == nil || !w.Now().Before(end) || !w.Pause(nodePoll) {
			return known && err == nil, err
		}
	}
}

// AwaitAllowed waits until kube-proxy can do something useful, at the latest when the API server is ready: its user's
// role is known a little after the API server's first answers, and an early refusal would cost it seconds of back-off.
// False means that the server is stopping.
func (w World) AwaitAllowed() bool {
	for w.Allowed() != nil && !w.Ready() {
		if !w.Pause(nodePoll) {
			return false
		}
	}
	return true
}

// AwaitRules waits until the rules lead to the API server. An error says why they do not, in spite of all patience.
// They may be there from before, when only the server was started again. Else they can not be before the API server is
// ready, since only then it makes itself its service's endpoint: until then nobody looks.
func (w World) AwaitRules() error {
	end := w.Now().Add(Patience)
	reached, err := w.Reached()
	for !reached {
		if !w.Now().Before(end) {
			if err == nil {
				err = errors.New("no rule for it")
			}
			return fmt.Errorf("after %s: %w", Patience, err)
		}
		if !w.Pause(poll) {
			return nil
		}
		if w.Ready() {
			reached, err = w.Reached()
		}
	}
	return nil
}

// Leads says whether kube-proxy's table of services, as iptables -S prints it, leads from the address and port of a
// service on. kube-proxy writes that rule only for a service that has an endpoint, and all services' rules at once.
func Leads(rules, address string, port int) bool {
	from, to := fmt.Sprintf(" -d %s/32 ", address), fmt.Sprintf(" --dport %d -j KUBE-SVC-", port)
	for _, rule := range strings.Split(rules, "\n") {
		if strings.HasPrefix(rule, "-A KUBE-SERVICES ") && strings.Contains(rule, from) && strings.Contains(rule, to) {
			return true
		}
	}
	return false
}
