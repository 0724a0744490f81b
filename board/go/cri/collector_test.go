package main

import (
	"context"

	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/core/metadata"
)

// collector is the lease manager as the daemon has it: a synchronous end of a lease collects garbage.
type collector struct {
	leases.Manager
	db *metadata.DB
}

func (c *collector) Delete(ctx context.Context, l leases.Lease, opts ...leases.DeleteOpt) error {
	if err := c.Manager.Delete(ctx, l, opts...); err != nil {
		return err
	}
	var o leases.DeleteOptions
	for _, opt := range opts {
		if err := opt(ctx, &o); err != nil {
			return err
		}
	}
	if !o.Synchronous {
		return nil
	}
	_, err := c.db.GarbageCollect(ctx)
	return err
}
