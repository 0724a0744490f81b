// Package plan says what runs in the server: each part's name, what it waits for, and its arguments.
package plan

import (
	"sort"
	"strings"

	"hearth/k3s/modules/internal/config"
)

// Condition is something a part waits for before it starts.
type Condition string

const (
	// APIAnswers holds once the API server knows the server's own client, though its start may not be over.
	APIAnswers Condition = "API server answers"
	// APIReady holds once the API server says 200 on /readyz. Its mere answering is too early: controllers end when
	// the roles they need are not there yet.
	APIReady Condition = "API server ready"
	// RuntimeReady holds once the container runtime takes connections and stale addresses have been freed.
	RuntimeReady Condition = "container runtime ready"
	// ProxyTurn holds once kube-proxy may start: when the API server is ready, and sooner where the node is known from
	// an earlier start.
	ProxyTurn Condition = "kube-proxy's turn"
	// KubeletTurn holds once pods that are started have services to talk to, or when that must not be waited for.
	KubeletTurn Condition = "kubelet's turn"
)

// Conditions are all there are.
var Conditions = []Condition{APIAnswers, APIReady, RuntimeReady, ProxyTurn, KubeletTurn}

// Component is one part. Its Name is the program it would be if it ran alone.
type Component struct {
	Name  string
	After []Condition
	Args  []string
}

const (
	APIServer         = "kube-apiserver"
	ControllerManager = "kube-controller-manager"
	Scheduler         = "kube-scheduler"
	Kubelet           = "kubelet"
	KubeProxy         = "kube-proxy"
)

// Host is what the plan must know of the machine.
type Host struct {
	EncryptionConfig bool // there is one: Secrets may be encrypted, whatever the flags say today
}

// Components is the table of every part that is to run, in the order of starting.
func Components(c *config.Config, host Host) []Component {
	table := []struct {
		name    string
		without bool
		after   []Condition
		args    map[string]string
		more    []string
	}{
		{APIServer, false, nil, apiServer(c, host), c.Args.APIServer},
		{ControllerManager, false, []Condition{APIReady}, controllerManager(c), c.Args.ControllerManager},
		{Scheduler, c.NoScheduler, []Condition{APIReady}, scheduler(c), c.Args.Scheduler},
		{Kubelet, c.NoAgent, []Condition{APIAnswers, RuntimeReady, KubeletTurn}, kubelet(c), c.Args.Kubelet},
		{KubeProxy, c.NoAgent || c.NoKubeProxy, []Condition{ProxyTurn}, kubeProxy(c), c.Args.KubeProxy},
	}
	var components []Component
	for _, row := range table {
		if !row.without {
			components = append(components, Component{row.name, row.after, merge(row.args, row.more)})
		}
	}
	return components
}

// merge gives a part's arguments: the defaults, sorted, without those that the user names, then the user's in their
// order. "key-" only takes a default away. feature-gates and runtime-config are lists of pairs that add up.
func merge(defaults map[string]string, user []string) []string {
	var own []string
	replaced := map[string]bool{}
	for _, argument := range user {
		argument = strings.TrimLeft(argument, "-")
		key, _, hasValue := strings.Cut(argument, "=")
		if removes := strings.TrimSuffix(key, "-"); !hasValue && removes != key {
			replaced[removes] = true
			continue
		}
		if key != "feature-gates" && key != "runtime-config" {
			replaced[key] = true
		}
		own = append(own, "--"+argument)
	}
	var args []string
	for key, value := range defaults {
		if !replaced[key] {
			args = append(args, "--"+key+"="+value)
		}
	}
	sort.Strings(args)
	return append(args, own...)
}
