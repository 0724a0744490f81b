package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"k8s.io/klog/v2"

	"hearth/k3s/modules/internal/config"
	"hearth/k3s/modules/internal/crictl"
)

// runCrictl runs package crictl on the socket that the server uses.
func runCrictl(args []string) {
	socket := "unix:///run/containerd/containerd.sock"
	if settings, _ := config.Load(nil); settings != nil && settings.RuntimeSocket != "" {
		socket = settings.RuntimeSocket // also when another setting is wrong: this is a tool for such days
	}
	klog.LogToStderr(false) // the connection's own words; what matters of them is in the error
	klog.SetOutput(io.Discard)
	ctx, release := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer release()
	if err := crictl.Run(ctx, socket, args, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "crictl:", err)
		os.Exit(1)
	}
}
