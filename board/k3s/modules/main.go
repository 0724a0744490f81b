// k3s, assembled from k3s's own published modules: one process that is the datastore, the API server, the controller
// manager, the scheduler, the kubelet, kube-proxy and the network policy controller of a cluster of one node.
//
//	k3s server [flags]     the cluster, until SIGTERM
//	k3s kubectl [args]     kubectl; so is a link of the name kubectl
//	k3s crictl [args]      the container runtime's side, by package crictl; so is a link of the name crictl
//	k3s --version
//
// Exit status: 0 stopped as asked, 1 a named error, 2 wrong usage.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"

	"github.com/spf13/pflag"
	"k8s.io/component-base/version"
	"k8s.io/klog/v2"

	"hearth/k3s/modules/internal/config"
)

const usage = `usage: k3s server [flags]
       k3s kubectl [arguments]
       k3s crictl [arguments]
       k3s --version

`

func main() {
	name, args := filepath.Base(os.Args[0]), os.Args[1:]
	if name != "kubectl" && name != "crictl" {
		if len(args) == 0 {
			args = []string{"help"}
		}
		name, args = args[0], args[1:]
	}
	switch name {
	case "kubectl":
		kubectl(args)
	case "crictl":
		runCrictl(args)
	case "server":
		exit(server(args))
	case "--version", "-v", "version":
		fmt.Printf("k3s version %s (hearth-modules)\ngo version %s\n", version.Get().GitVersion, runtime.Version())
	case "help", "--help", "-h":
		help(os.Stdout)
	default:
		fmt.Fprintf(os.Stderr, "k3s: no such command: %s\n%s", name, usage)
		os.Exit(2)
	}
}

func server(args []string) error {
	settings, err := config.Load(args)
	if err != nil {
		return err
	}
	return serve(settings)
}

func help(to io.Writer) {
	fmt.Fprint(to, usage, "Flags of the server; each is a key of config.yaml, too:\n", config.Usage())
}

func exit(err error) {
	klog.Flush()
	if errors.Is(err, pflag.ErrHelp) {
		help(os.Stdout)
		os.Exit(0)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "k3s:", err)
		os.Exit(1)
	}
}
