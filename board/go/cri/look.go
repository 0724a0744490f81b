package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// fault is something that an image lacks or that is not as it should be, with its remedy.
type fault struct {
	image string
	what  string
	fresh bool // not a fault in truth: the image was never registered
	// drop forgets damaged data; the garbage collector has to take the remains before anything new can be written
	// in its place. mend makes what is missing. One of the two is set.
	drop func(context.Context) error
	mend func(context.Context) error
}

func (f *fault) String() string { return f.image + ": " + f.what }

// look compares an image of the root with what containerd has. It writes nothing.
func (s *stores) look(ctx context.Context, img *rootImage) ([]*fault, error) {
	var faults []*fault
	for _, check := range []func(context.Context, *rootImage) (*fault, error){
		s.lookConfig, s.lookManifest, s.lookSnapshot, s.lookRecord,
	} {
		f, err := check(ctx, img)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", img.name, err)
		}
		if f != nil {
			f.image = img.name
			faults = append(faults, f)
		}
	}
	return faults, nil
}

func (s *stores) lookConfig(ctx context.Context, img *rootImage) (*fault, error) {
	return s.lookBlob(ctx, "configuration", &img.config)
}

func (s *stores) lookManifest(ctx context.Context, img *rootImage) (*fault, error) {
	return s.lookBlob(ctx, "manifest", &img.manifest)
}

func (s *stores) lookBlob(ctx context.Context, role string, b *blob) (*fault, error) {
	short := role + " " + b.desc.Digest.Encoded()[:12]
	info, err := s.content.Info(ctx, b.desc.Digest)
	if errdefs.IsNotFound(err) {
		return &fault{what: short + " is missing", fresh: true, mend: func(ctx context.Context) error {
			return s.writeBlob(ctx, b)
		}}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", short, err)
	}
	if err := s.verify(ctx, b.desc); errors.Is(err, errDamaged) {
		return &fault{what: fmt.Sprintf("%s: %v", short, err), drop: func(ctx context.Context) error {
			return s.content.Delete(ctx, b.desc.Digest)
		}}, nil
	} else if err != nil {
		return nil, fmt.Errorf("%s: %w", short, err)
	}
	for key, value := range b.labels {
		if info.Labels[key] != value {
			return &fault{what: short + " lacks a label", mend: func(ctx context.Context) error {
				whole := content.Info{Digest: b.desc.Digest, Labels: b.labels}
				_, err := s.content.Update(ctx, whole, "labels."+key)
				return err
			}}, nil
		}
	}
	return nil, nil
}

var errDamaged = errors.New("damaged")

// verify reads a blob and compares its digest: errDamaged when it is not what it should be.
func (s *stores) verify(ctx context.Context, desc ocispec.Descriptor) error {
	data, err := content.ReadBlob(ctx, s.content, desc)
	if ctx.Err() != nil || errdefs.IsUnavailable(err) {
		return err
	}
	if err != nil { // its file is gone, or shorter than the metadata say
		return fmt.Errorf("%w: %w", errDamaged, err)
	}
	if got := digest.FromBytes(data); got != desc.Digest {
		return fmt.Errorf("%w: its digest is %s", errDamaged, got.Encoded()[:12])
	}
	return nil
}

func (s *stores) lookSnapshot(ctx context.Context, img *rootImage) (*fault, error) {
	info, err := s.snapshots.Stat(ctx, img.chain.String())
	if errdefs.IsNotFound(err) {
		return &fault{what: "layer is missing", fresh: true, mend: func(ctx context.Context) error {
			return s.makeSnapshot(ctx, img)
		}}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("layer: %w", err)
	}
	if info.Kind != snapshots.KindCommitted {
		return nil, fmt.Errorf("layer: snapshot %s is not committed", img.chain)
	}
	folder, err := folderOf(info)
	if err != nil {
		return nil, err
	}
	is, err := linkState(folder)
	if err != nil {
		return nil, err
	}
	// A layer that was unpacked the ordinary way, from an archive, is as good and may be in use.
	if is == img.layer || is == filled && info.Labels[labelOurs] == "" {
		return nil, nil
	}
	return &fault{what: "layer leads to " + is, mend: func(context.Context) error {
		return relink(folder, img.layer)
	}}, nil
}

// folderOf returns the folder with a snapshot's files.
func folderOf(info snapshots.Info) (string, error) {
	if folder := info.Labels[labelFolder]; folder != "" {
		return folder, nil
	}
	return "", fmt.Errorf("the snapshotter %s does not tell its folders: containerd's configuration needs "+
		"upperdir_label = true", snapshotter)
}

// What linkState says of a folder that is no link.
const (
	missing = "nothing"
	empty   = "an empty folder"
	filled  = "a folder of its own"
)

// linkState says where a snapshot's folder leads.
func linkState(folder string) (string, error) {
	if target, err := os.Readlink(folder); err == nil {
		return target, nil
	}
	entries, err := os.ReadDir(folder)
	if os.IsNotExist(err) {
		return missing, nil
	}
	if err != nil {
		return "", err
	}
	if len(entries) == 0 {
		return empty, nil
	}
	return filled, nil
}

// recordOf is what containerd should know under the image's name. Pinned: the kubelet never frees it.
func recordOf(img *rootImage) images.Image {
	return images.Image{Name: img.name, Target: img.manifest.desc, Labels: map[string]string{
		"io.cri-containerd.image": "managed",
		labelPinned:               "pinned",
		labelOurs:                 "true",
		labelLayer:                img.chain.String(),
	}}
}

func (s *stores) lookRecord(ctx context.Context, img *rootImage) (*fault, error) {
	want := recordOf(img)
	have, err := s.images.Get(ctx, img.name)
	if errdefs.IsNotFound(err) {
		return &fault{what: "name is missing", fresh: true, mend: func(ctx context.Context) error {
			_, err := s.images.Create(ctx, want)
			return err
		}}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("name: %w", err)
	}
	what, paths := "name lacks a label", []string{"target"}
	for _, key := range slices.Sorted(maps.Keys(want.Labels)) {
		if have.Labels[key] != want.Labels[key] {
			paths = append(paths, "labels."+key)
		}
	}
	if have.Target.Digest != want.Target.Digest {
		what = "name leads to another image"
	} else if len(paths) == 1 {
		return nil, nil
	}
	return &fault{what: what, mend: func(ctx context.Context) error {
		_, err := s.images.Update(ctx, want, paths...)
		return err
	}}, nil
}
