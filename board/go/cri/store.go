package main

import (
	"context"
	"fmt"
	"time"

	"github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/errdefs"
	"google.golang.org/grpc"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

const (
	namespace   = "k8s.io" // where the kubelet's images and containers are
	snapshotter = "overlayfs"

	labelOurs  = "hearth.dev/image" // on records and snapshots that we made from the root
	labelLayer = "hearth.dev/layer" // on records: the chain id, so that it is known when the root no longer has it
	// Of the runtime interface: the kubelet must not free the image.
	labelPinned = "io.cri-containerd.pinned"
	// Set by the snapshotter when its upperdir_label is on: the folder with a snapshot's files.
	labelFolder = "containerd.io/snapshot/overlay.upperdir"

	// A lease outlives the run that took it by this much when the run is cut.
	leaseTime = time.Hour
	callTime  = 15 * time.Second // for one step of a few calls
)

// stores are the parts of containerd's metadata that make up an image.
type stores struct {
	content   content.Store
	snapshots snapshots.Snapshotter
	images    images.Store
	leases    leases.Manager
}

// connect returns a client of a containerd that serves, waiting for it when it has just been started.
func connect(ctx context.Context, r *request) (*client.Client, error) {
	c, err := client.New(r.socket, client.WithDefaultNamespace(namespace), client.WithTimeout(time.Second))
	if err != nil {
		return nil, err
	}
	wait, cancel := context.WithTimeout(ctx, r.wait)
	defer cancel()
	if err := answers(wait, cri.NewRuntimeServiceClient(connOf(c))); err != nil {
		c.Close()
		return nil, fmt.Errorf("containerd at %s did not answer within %s: %w", r.socket, r.wait, err)
	}
	return c, nil
}

// connOf returns the connection of a client that was made for a socket.
func connOf(c *client.Client) grpc.ClientConnInterface {
	return c.Conn().(grpc.ClientConnInterface)
}

func storesOf(c *client.Client) *stores {
	return &stores{c.ContentStore(), c.SnapshotService(snapshotter), c.ImageService(), c.LeasesService()}
}

// lease returns a context whose new blobs and snapshots are safe from the garbage collector, and the function that
// ends that. A lease of the same name, left by a run that was cut, is taken over.
func (s *stores) lease(ctx context.Context, name string) (context.Context, func(), error) {
	if err := s.unlease(ctx, name); err != nil {
		return ctx, nil, err
	}
	l, err := s.leases.Create(ctx, leases.WithID(name), leases.WithExpiration(leaseTime))
	if err != nil {
		return ctx, nil, fmt.Errorf("lease %s: %w", name, err)
	}
	done := func() {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTime)
		defer cancel()
		_ = s.unlease(end, name) // it expires by itself
	}
	return leases.WithLease(ctx, l.ID), done, nil
}

func (s *stores) unlease(ctx context.Context, name string, opts ...leases.DeleteOpt) error {
	err := s.leases.Delete(ctx, leases.Lease{ID: name}, opts...)
	if err != nil && !errdefs.IsNotFound(err) {
		return fmt.Errorf("end of lease %s: %w", name, err)
	}
	return nil
}

// collect runs the garbage collector and waits for it: the end of a lease is what can ask for that.
func (s *stores) collect(ctx context.Context) error {
	const name = "hearth-collect"
	if _, _, err := s.lease(ctx, name); err != nil {
		return err
	}
	return s.unlease(ctx, name, leases.SynchronousDelete)
}
