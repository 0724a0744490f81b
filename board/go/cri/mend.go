package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/errdefs"
)

func (s *stores) writeBlob(ctx context.Context, b *blob) error {
	return content.WriteBlob(ctx, s.content, "hearth-"+b.desc.Digest.Encoded(), bytes.NewReader(b.data), b.desc,
		content.WithLabels(b.labels))
}

// makeSnapshot makes the image's layer known as a committed snapshot without copying it: the folder that the
// snapshotter made for its files is replaced by a link to the layer in the root.
func (s *stores) makeSnapshot(ctx context.Context, img *rootImage) error {
	ours := snapshots.WithLabels(map[string]string{labelOurs: "true"})
	key := "hearth " + img.chain.String()
	// What is here under either name is the half of a run that was cut, or known to the metadata and gone from disk.
	for _, half := range []string{key, img.chain.String()} {
		if err := s.snapshots.Remove(ctx, half); err != nil && !errdefs.IsNotFound(err) {
			return fmt.Errorf("half a layer: %w", err)
		}
	}
	mounts, err := s.snapshots.Prepare(ctx, key, "", ours)
	if err != nil {
		return err
	}
	if len(mounts) != 1 || mounts[0].Type != "bind" {
		return fmt.Errorf("the snapshotter %s gave no plain folder for a first layer", snapshotter)
	}
	if err := relink(mounts[0].Source, img.layer); err != nil {
		return err
	}
	return s.snapshots.Commit(ctx, img.chain.String(), key, ours)
}

// relink puts a link to target in the place of folder, whatever is there; after a cut the place is as before, empty,
// or the link, and the next call goes on from each.
func relink(folder, target string) error {
	parent, fresh, old := filepath.Dir(folder), folder+".new", folder+".old"
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return err
	}
	for _, left := range []string{fresh, old} {
		if err := os.RemoveAll(left); err != nil {
			return err
		}
	}
	if err := os.Symlink(target, fresh); err != nil {
		return err
	}
	// A link can replace a link in one step, but not a folder.
	if info, err := os.Lstat(folder); err == nil && info.IsDir() {
		if err := os.Rename(folder, old); err != nil {
			return err
		}
	}
	if err := os.Rename(fresh, folder); err != nil {
		return err
	}
	if err := os.RemoveAll(old); err != nil {
		return err
	}
	return syncFolder(parent)
}

func syncFolder(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}
