package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/errdefs"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// Looking finds damage, dropping makes gaps, mending fills them, looking again proves it: four, and one to spare.
const roundsMax = 5

func runImages(ctx context.Context, r *request) error {
	root, bad := readRoot(r.args[0])
	if len(root) == 0 {
		return bad
	}
	c, err := connect(ctx, r)
	if err != nil {
		return errors.Join(bad, err)
	}
	defer c.Close()
	s := storesOf(c)
	if err := s.register(ctx, root, r.out); err != nil {
		return errors.Join(bad, err)
	}
	if err := s.announce(ctx, cri.NewImageServiceClient(connOf(c)), root); err != nil {
		return errors.Join(bad, err)
	}
	if bad != nil {
		return bad // what is not read of the root must not be taken for gone
	}
	return s.forget(ctx, root, r.out)
}

// register makes containerd know every image of the root, whole. When all are known, nothing is written.
func (s *stores) register(ctx context.Context, root []*rootImage, out io.Writer) error {
	fresh := map[string]bool{}
	for range roundsMax {
		faults, err := s.lookAll(ctx, root)
		if err != nil {
			return err
		}
		if len(faults) == 0 {
			fmt.Fprintf(out, "%d images present, %d of them registered now\n", len(root), len(fresh))
			return nil
		}
		for _, f := range faults {
			if f.fresh {
				fresh[f.image] = true
			} else {
				fmt.Fprintf(out, "%v; mending it\n", f)
			}
		}
		if err := s.mendAll(ctx, faults); err != nil {
			return err
		}
	}
	return fmt.Errorf("after %d rounds of mending some images are not whole; `hearth-cri check` names them", roundsMax)
}

func (s *stores) lookAll(ctx context.Context, root []*rootImage) ([]*fault, error) {
	var all []*fault
	for _, img := range root {
		step, cancel := context.WithTimeout(ctx, callTime)
		faults, err := s.look(step, img)
		cancel()
		if err != nil {
			return nil, err
		}
		all = append(all, faults...)
	}
	return all, nil
}

// mendAll drops what is damaged when anything is; else it makes what is missing.
func (s *stores) mendAll(ctx context.Context, faults []*fault) error {
	dropped := false
	for _, f := range faults {
		if f.drop == nil {
			continue
		}
		if err := step(ctx, f, f.drop); err != nil && !errdefs.IsNotFound(err) {
			return err
		}
		dropped = true
	}
	if dropped {
		return s.collect(ctx)
	}
	leased, done, err := s.lease(ctx, "hearth-images")
	if err != nil {
		return err
	}
	defer done()
	for _, f := range faults {
		if err := step(leased, f, f.mend); err != nil {
			return err
		}
	}
	return nil
}

func step(ctx context.Context, f *fault, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	if err := do(ctx); err != nil {
		return fmt.Errorf("%v: %w", f, err)
	}
	return nil
}

// forget takes away the names of images that an earlier root carried. One whose layer a container still stands on is
// kept until a later start; its blobs and its link are the garbage collector's.
func (s *stores) forget(ctx context.Context, root []*rootImage, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	carried := map[string]bool{}
	for _, img := range root {
		carried[img.name] = true
	}
	records, err := s.images.List(ctx, fmt.Sprintf("labels.%q==true", labelOurs))
	if err != nil {
		return fmt.Errorf("list of names: %w", err)
	}
	var used map[string]bool
	for _, record := range records {
		if carried[record.Name] {
			continue
		}
		if used == nil {
			if used, err = s.parents(ctx); err != nil {
				return err
			}
		}
		if err := s.forgetOne(ctx, record, used, out); err != nil {
			return err
		}
	}
	return nil
}

func (s *stores) forgetOne(ctx context.Context, record images.Image, used map[string]bool, out io.Writer) error {
	if used[record.Labels[labelLayer]] {
		fmt.Fprintf(out, "%s: no longer in the root; kept, a container uses it\n", record.Name)
		return nil
	}
	if err := s.images.Delete(ctx, record.Name); err != nil && !errdefs.IsNotFound(err) {
		return fmt.Errorf("%s: %w", record.Name, err)
	}
	fmt.Fprintf(out, "%s: no longer in the root; forgotten\n", record.Name)
	return nil
}

// parents returns the snapshots that others stand on.
func (s *stores) parents(ctx context.Context) (map[string]bool, error) {
	used := map[string]bool{}
	err := s.snapshots.Walk(ctx, func(_ context.Context, info snapshots.Info) error {
		used[info.Parent] = true
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list of layers in use: %w", err)
	}
	return used, nil
}
