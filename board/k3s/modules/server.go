package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/klog/v2"

	"hearth/k3s/modules/internal/config"
	"hearth/k3s/modules/internal/plan"
)

// Time that the API server and then the datastore get to end. Nothing is lost when they do not make it: a write that
// was acknowledged is in SQLite's log.
const (
	apiServerGrace = 5 * time.Second
	datastoreGrace = 4 * time.Second
)

// cluster is the running server.
type cluster struct {
	*config.Config
	holds  map[plan.Condition]chan struct{} // closed once the condition holds
	failed chan error                       // the first failure
	renew  chan struct{}                    // closed when a start is due for the certificates' sake

	ctx        context.Context // of everything but the datastore; ends only in a stop that was asked for
	stop       context.CancelFunc
	apiStopped chan struct{}

	storeCtx     context.Context // of the datastore, which ends last
	stopStore    context.CancelFunc
	storeStopped sync.WaitGroup
}

// serve runs the cluster until a signal or until a start is due, then returns nil, or until a part ends, then returns
// the error.
func serve(settings *config.Config) error {
	notify := takeNotify()
	asked, release := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer release()
	if err := prepareHost(settings); err != nil {
		return err
	}
	host, err := prepareFiles(settings)
	if err != nil {
		return err
	}
	s := newCluster(settings)
	if err := s.startDatastore(); err != nil {
		return err
	}
	s.startParts(plan.Components(settings, host))
	s.startTasks(notify)

	// A failure, or a stop before the start is over, ends the process at once: parts that are cancelled in the middle of
	// their start panic, which would bury the reason. What the datastore has acknowledged it keeps.
	select {
	case err := <-s.failed:
		return err
	case <-asked.Done():
	case <-s.renew:
	}
	if !s.isUp() {
		klog.Info("stopping before the API server was ready")
		return nil
	}
	klog.Info("stopping")
	s.stop()
	await(s.apiStopped, apiServerGrace, "API server")
	s.stopStore()
	await(done(&s.storeStopped), datastoreGrace, "datastore")
	return nil
}

func newCluster(settings *config.Config) *cluster {
	s := &cluster{Config: settings, failed: make(chan error, 1), renew: make(chan struct{}),
		apiStopped: make(chan struct{}), holds: map[plan.Condition]chan struct{}{}}
	s.ctx, s.stop = context.WithCancel(context.Background())
	s.storeCtx, s.stopStore = context.WithCancel(context.Background())
	for _, condition := range plan.Conditions {
		s.holds[condition] = make(chan struct{})
	}
	return s
}

func (s *cluster) isUp() bool {
	select {
	case <-s.holds[plan.APIReady]:
		return true
	default:
		return false
	}
}

// startTasks starts what the server does beside Kubernetes' own parts.
func (s *cluster) startTasks(notify *os.File) {
	s.task("waiting for the API server", func() error { return s.awaitAPI(notify) })
	s.task("memory", s.settle)
	s.task("certificates", s.watchCertificates)
	s.task("add-ons", s.addons)
	if s.NoAgent {
		return
	}
	s.task("container runtime", s.awaitRuntime)
	s.task("order of kubelet and kube-proxy", s.settleOrder)
	if !s.NoNetworkPolicy {
		s.task("network policies", s.networkPolicies)
	}
}

// startParts makes every part's command first, one after the other, since they register flags in common places, and
// then lets each run once its conditions hold.
func (s *cluster) startParts(parts []plan.Component) {
	for _, part := range parts {
		command := commands[part.Name](s.ctx)
		go func() {
			if part.Name == plan.APIServer {
				defer close(s.apiStopped)
			}
			if s.await(part.After...) {
				s.check(part.Name, s.guard(part.Name, func() error { return s.run(command, part) }))
			}
		}()
	}
}

// run runs one part to its end. That is an error unless the server is stopping.
func (s *cluster) run(command *cobra.Command, part plan.Component) error {
	command.SetArgs(part.Args)
	command.SilenceErrors, command.SilenceUsage = true, true // reported once, by whoever ends the process
	klog.Infof("starting %s %q", part.Name, part.Args)
	if err := command.ExecuteContext(s.ctx); err != nil {
		return err
	}
	return errors.New("ended by itself")
}

// task runs a piece of the server beside the parts; it may end without an error.
func (s *cluster) task(name string, run func() error) {
	go func() { s.check(name, s.guard(name, run)) }()
}

// await waits for the conditions and says whether they hold; no means that the server is stopping.
func (s *cluster) await(conditions ...plan.Condition) bool {
	for _, condition := range conditions {
		select {
		case <-s.holds[condition]:
		case <-s.ctx.Done():
			return false
		}
	}
	return true
}

// check reports a failure, which ends the server; a second one, or one while it stops anyway, is of no interest.
func (s *cluster) check(name string, err error) {
	if err == nil || s.ctx.Err() != nil {
		return
	}
	select {
	case s.failed <- fmt.Errorf("%s: %w", name, err):
	default:
	}
}

func await(over <-chan struct{}, grace time.Duration, what string) {
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-over:
	case <-timer.C:
		klog.Warningf("%s has not stopped within %s; going on without it", what, grace)
	}
}

func done(group *sync.WaitGroup) <-chan struct{} {
	over := make(chan struct{})
	go func() {
		group.Wait()
		close(over)
	}()
	return over
}
