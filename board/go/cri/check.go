package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/errdefs"
	"github.com/containerd/platforms"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/identity"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// runCheck looks at every image: those of the root against the root, the others against their own digests. It writes
// nothing; `hearth-cri images` mends the root's, pulling or importing again the others.
func runCheck(ctx context.Context, r *request) error {
	root, bad := readRoot(r.args[0])
	c, err := connect(ctx, r)
	if err != nil {
		return errors.Join(bad, err)
	}
	defer c.Close()
	s := storesOf(c)
	faults, err := s.lookAll(ctx, root)
	if err != nil {
		return errors.Join(bad, err)
	}
	carried := map[string]bool{}
	for _, img := range root {
		carried[img.name] = true
	}
	records, err := s.images.List(ctx)
	if err != nil {
		return errors.Join(bad, fmt.Errorf("list of names: %w", err))
	}
	strangers, err := unknown(ctx, cri.NewImageServiceClient(connOf(c)), root)
	if err != nil {
		return errors.Join(bad, err)
	}
	seen, findings := len(root), len(faults)+len(strangers)
	for _, f := range faults {
		fmt.Fprintln(r.out, f)
	}
	for _, img := range strangers {
		fmt.Fprintf(r.out, "%s: the runtime interface does not know it\n", img.name)
	}
	for _, record := range records {
		if carried[record.Name] {
			continue
		}
		seen++
		step, cancel := context.WithTimeout(ctx, callTime)
		if err := s.checkOther(step, record); err != nil {
			fmt.Fprintf(r.out, "%s: %v\n", record.Name, err)
			findings++
		}
		cancel()
	}
	fmt.Fprintf(r.out, "%d images looked at, %d findings\n", seen, findings)
	if findings > 0 {
		bad = errors.Join(bad, fmt.Errorf("%d findings", findings))
	}
	return bad
}

// checkOther checks an image that is not of the root: manifest and configuration have their digests, the unpacked
// layer is there. Layers' archives may be gone, containerd needs them no more.
func (s *stores) checkOther(ctx context.Context, record images.Image) error {
	// The index of an image for several platforms, if it is one; then the manifest for this one.
	if err := s.verify(ctx, ocispec.Descriptor{Digest: record.Target.Digest, Size: record.Target.Size}); err != nil {
		return err
	}
	manifest, err := images.Manifest(ctx, s.content, record.Target, platforms.Default())
	if err != nil {
		return err
	}
	if err := s.verify(ctx, manifest.Config); err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	diffs, err := rootFS(ctx, s.content, manifest.Config)
	if err != nil {
		return err
	}
	info, err := s.snapshots.Stat(ctx, identity.ChainID(diffs).String())
	if errdefs.IsNotFound(err) {
		return errors.New("its layers are not unpacked")
	}
	if err != nil {
		return err
	}
	folder, err := folderOf(info)
	if err != nil {
		return err
	}
	if _, err := os.Stat(folder); err != nil {
		return fmt.Errorf("unpacked layer: %w", err)
	}
	return nil
}

func rootFS(ctx context.Context, store content.Provider, config ocispec.Descriptor) ([]digest.Digest, error) {
	diffs, err := images.RootFS(ctx, store, config)
	if err == nil && len(diffs) == 0 {
		err = errors.New("its configuration names no layers")
	}
	return diffs, err
}
