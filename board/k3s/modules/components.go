package main

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"
	logsapi "k8s.io/component-base/logs/api/v1"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllers "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"

	"hearth/k3s/modules/internal/plan"
)

// commands gives each part of the plan its code: the same command that the part's own program would run.
var commands = map[string]func(context.Context) *cobra.Command{
	plan.APIServer: func(ctx context.Context) *cobra.Command { return apiserver.NewAPIServerCommand(ctx.Done()) },
	plan.ControllerManager: func(context.Context) *cobra.Command {
		return controllers.NewControllerManagerCommand()
	},
	plan.Scheduler: func(ctx context.Context) *cobra.Command { return scheduler.NewSchedulerCommand(ctx.Done()) },
	plan.Kubelet:   kubelet.NewKubeletCommand,
	plan.KubeProxy: func(context.Context) *cobra.Command { return proxy.NewProxyCommand() },
}

func init() {
	// The parts share this process's logging and each of them configures it: alike, so let them.
	logsapi.ReapplyHandling = logsapi.ReapplyHandlingIgnoreUnchanged
}

// guard makes a panic of run an error. One in a goroutine that run has started can not be caught: it ends the process
// with Go's own trace and exit status 2.
func (s *cluster) guard(name string, run func() error) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n%s", name, cause, debug.Stack())
			err = fmt.Errorf("panic: %v", cause)
		}
	}()
	return run()
}
