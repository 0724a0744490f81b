package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// What the kubelet writes on containers and pods.
const (
	labelPod       = "io.kubernetes.pod.name"
	labelNamespace = "io.kubernetes.pod.namespace"
	noteGrace      = "io.kubernetes.pod.terminationGracePeriod" // seconds
	noteDeletion   = "io.kubernetes.pod.deletionGracePeriod"    // seconds, of a pod that is being deleted
)

// answerMax bounds the list of containers: some thousand.
const answerMax = 16 << 20

type option = grpc.CallOption

// runtime is the part of the container runtime interface that is used here.
type runtime interface {
	ListContainers(context.Context, *cri.ListContainersRequest, ...option) (*cri.ListContainersResponse, error)
	StopContainer(context.Context, *cri.StopContainerRequest, ...option) (*cri.StopContainerResponse, error)
	ListPodSandbox(context.Context, *cri.ListPodSandboxRequest, ...option) (*cri.ListPodSandboxResponse, error)
	StopPodSandbox(context.Context, *cri.StopPodSandboxRequest, ...option) (*cri.StopPodSandboxResponse, error)
}

// dial returns the runtime behind the socket, waiting for it to answer.
func dial(ctx context.Context, r *request) (runtime, func(), error) {
	again := backoff.DefaultConfig
	again.MaxDelay = time.Second
	conn, err := grpc.NewClient("unix://"+r.socket, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: again}),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(answerMax)))
	if err != nil {
		return nil, nil, err
	}
	rt := cri.NewRuntimeServiceClient(conn)
	wait, cancel := context.WithTimeout(ctx, r.wait)
	defer cancel()
	if err := answers(wait, rt); err != nil {
		conn.Close()
		return nil, nil, fmt.Errorf("containerd at %s did not answer within %s: %w", r.socket, r.wait, err)
	}
	return rt, func() { conn.Close() }, nil
}

// answers waits until the runtime interface does; it comes up after the socket, and says so until then.
func answers(ctx context.Context, rt cri.RuntimeServiceClient) error {
	for {
		_, err := rt.Version(ctx, &cri.VersionRequest{}, grpc.WaitForReady(true))
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func nameOf(c *cri.Container) string {
	return c.GetLabels()[labelNamespace] + "/" + c.GetLabels()[labelPod] + "/" + c.GetMetadata().GetName()
}

// graceOf is the time that a container's pod grants it to end by itself.
func graceOf(c *cri.Container) time.Duration {
	const usual = 30 * time.Second // of Kubernetes
	for _, note := range []string{noteDeletion, noteGrace} {
		if seconds, err := strconv.ParseUint(c.GetAnnotations()[note], 10, 31); err == nil {
			return time.Duration(seconds) * time.Second
		}
	}
	return usual
}

func runningOnly() *cri.ListContainersRequest {
	return &cri.ListContainersRequest{Filter: &cri.ContainerFilter{
		State: &cri.ContainerStateValue{State: cri.ContainerState_CONTAINER_RUNNING}}}
}

func readyOnly() *cri.ListPodSandboxRequest {
	return &cri.ListPodSandboxRequest{Filter: &cri.PodSandboxFilter{
		State: &cri.PodSandboxStateValue{State: cri.PodSandboxState_SANDBOX_READY}}}
}
