package main

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
	"k8s.io/klog/v2"

	"hearth/k3s/modules/internal/cni"
	"hearth/k3s/modules/internal/plan"
)

const (
	leases        = "/var/lib/cni/networks"
	runtimePoll   = 200 * time.Millisecond
	runtimeReport = 15 * time.Second
	runtimeCall   = 10 * time.Second
)

// awaitRuntime waits until the container runtime answers, frees the addresses of sandboxes that it does not know, and
// lets the kubelet start.
func (s *cluster) awaitRuntime() error {
	connection, err := grpc.NewClient(s.RuntimeSocket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return fmt.Errorf("%s: %w", s.RuntimeSocket, err)
	}
	defer connection.Close()
	client := cri.NewRuntimeServiceClient(connection)
	report := time.Now().Add(runtimeReport)
	var alive map[string]bool
	for {
		if alive, err = s.sandboxes(client); err == nil {
			break
		}
		if time.Now().After(report) {
			klog.Warningf("waiting for the container runtime: %v", err)
			report = time.Now().Add(runtimeReport)
		}
		if !s.pause(runtimePoll) {
			return nil
		}
	}
	if s.Flannel != "none" {
		freed, err := cni.Sweep(leases, alive)
		if err != nil {
			return fmt.Errorf("freeing addresses of pods that are gone: %w", err)
		}
		klog.Infof("the container runtime has %d sandboxes; %d addresses of others were freed", len(alive), freed)
	}
	close(s.holds[plan.RuntimeReady])
	return nil
}

// sandboxes lists every sandbox that the runtime knows, running or not.
func (s *cluster) sandboxes(client cri.RuntimeServiceClient) (map[string]bool, error) {
	ctx, cancel := context.WithTimeout(s.ctx, runtimeCall)
	defer cancel()
	answer, err := client.ListPodSandbox(ctx, &cri.ListPodSandboxRequest{})
	if err != nil {
		return nil, err
	}
	alive := map[string]bool{}
	for _, sandbox := range answer.Items {
		alive[sandbox.Id] = true
	}
	return alive, nil
}
