package main

import (
	"crypto/sha256"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/errdefs"
)

func TestRegisterThenNothing(t *testing.T) {
	b := newBox(t)
	one, two := b.add("one", "1"), b.add("two", "2")
	b.says("2 images present, 2 of them registered now")
	for _, img := range []*rootImage{one, two} {
		if target, err := os.Readlink(b.folder(img)); err != nil || target != img.layer {
			t.Fatalf("%s leads to %q, %v", img.name, target, err)
		}
		record, err := b.record(img.name)
		b.must(err)
		if record.Labels["io.cri-containerd.pinned"] != "pinned" {
			t.Fatalf("%s is not pinned", img.name)
		}
	}
	before := sum(b)
	b.says("2 images present, 0 of them registered now")
	if sum(b) != before {
		t.Fatal("something was written though nothing was missing")
	}
}

func sum(b *box) [sha256.Size]byte {
	b.Helper()
	data, err := os.ReadFile(filepath.Join(b.dir, "meta.db"))
	b.must(err)
	return sha256.Sum256(data)
}

// Each damage is done to a registered image; registering again must find it, say it and mend it.
var damages = []struct {
	name string
	do   func(b *box, img *rootImage)
	says string
}{
	{"configuration changed", func(b *box, img *rootImage) { b.overwrite(&img.config, "nonsense") }, "damaged"},
	{"manifest emptied", func(b *box, img *rootImage) { b.overwrite(&img.manifest, "") }, "damaged"},
	{"manifest zeroed", func(b *box, img *rootImage) {
		b.overwrite(&img.manifest, strings.Repeat("\x00", len(img.manifest.data)))
	}, "damaged"},
	{"configuration's file gone", func(b *box, img *rootImage) { b.must(os.Remove(b.file(&img.config))) }, "damaged"},
	{"configuration deleted", func(b *box, img *rootImage) {
		b.must(b.s.content.Delete(b.ctx, img.config.desc.Digest))
	}, "registered now"},
	{"label gone", func(b *box, img *rootImage) {
		_, err := b.s.content.Update(b.ctx, content.Info{Digest: img.config.desc.Digest}, "labels")
		b.must(err)
	}, "lacks a label"},
	{"link dangles", func(b *box, img *rootImage) {
		b.must(os.Remove(b.folder(img)))
		b.must(os.Symlink("/nowhere", b.folder(img)))
	}, "layer leads to /nowhere"},
	{"link gone", func(b *box, img *rootImage) { b.must(os.Remove(b.folder(img))) }, "layer leads to nothing"},
	{"folder of the snapshot gone", func(b *box, img *rootImage) {
		b.must(os.RemoveAll(filepath.Dir(b.folder(img))))
	}, "layer leads to nothing"},
	{"link was never made", func(b *box, img *rootImage) {
		b.must(os.Remove(b.folder(img)))
		b.must(os.Mkdir(b.folder(img), 0o755))
	}, "layer leads to an empty folder"},
	{"cut while relinking", func(b *box, img *rootImage) {
		b.must(os.Rename(b.folder(img), b.folder(img)+".new"))
		b.must(os.Mkdir(b.folder(img)+".old", 0o755))
	}, "layer leads to nothing"},
	{"folder with files in its place", func(b *box, img *rootImage) {
		b.must(os.Remove(b.folder(img)))
		b.must(os.MkdirAll(b.folder(img)+"/x", 0o755))
	}, "layer leads to a folder of its own"},
	{"name deleted", func(b *box, img *rootImage) { b.must(b.s.images.Delete(b.ctx, img.name)) }, "registered now"},
	{"name not pinned", func(b *box, img *rootImage) {
		_, err := b.s.images.Update(b.ctx, images.Image{Name: img.name, Target: img.manifest.desc}, "labels")
		b.must(err)
	}, "name lacks a label"},
}

func (b *box) overwrite(blob *blob, text string) {
	b.Helper()
	b.must(os.Chmod(b.file(blob), 0o644))
	b.must(os.WriteFile(b.file(blob), []byte(text), 0o644))
}

func TestDamage(t *testing.T) {
	for _, d := range damages {
		t.Run(d.name, func(t *testing.T) {
			b := newBox(t)
			b.add("other", "other")
			img := b.add("one", "1")
			b.register()
			d.do(b, img)
			b.says(d.says)
			b.says("2 images present, 0 of them registered now")
			if data, err := os.ReadFile(filepath.Join(b.folder(img), "file")); err != nil || string(data) != "1" {
				t.Fatalf("the layer reads %q, %v", data, err)
			}
		})
	}
}

// What a run that was killed after each of its steps leaves behind.
func TestCutRun(t *testing.T) {
	for _, cut := range []string{"lease", "blobs", "prepared", "linked"} {
		t.Run(cut, func(t *testing.T) {
			b := newBox(t)
			img := b.add("one", "1")
			leased, _, err := b.s.lease(b.ctx, "hearth-images")
			b.must(err)
			if cut != "lease" {
				b.must(b.s.writeBlob(leased, &img.config))
				b.must(b.s.writeBlob(leased, &img.manifest))
			}
			if cut == "prepared" || cut == "linked" {
				mounts, err := b.s.snapshots.Prepare(leased, "hearth "+img.chain.String(), "")
				b.must(err)
				if cut == "linked" {
					b.must(relink(mounts[0].Source, img.layer))
				}
			}
			b.says("1 images present, 1 of them registered now")
			left, err := b.s.leases.List(b.ctx)
			b.must(err)
			if len(left) > 0 {
				t.Fatalf("leases left: %v", left)
			}
			b.must(b.s.collect(b.ctx))
			b.says("1 images present, 0 of them registered now")
			if _, err := b.s.snapshots.Stat(b.ctx, "hearth "+img.chain.String()); !errdefs.IsNotFound(err) {
				t.Fatalf("half a layer is left: %v", err)
			}
		})
	}
}

// The garbage collector leaves a registered image alone, and takes all of it when its name is gone.
func TestGarbage(t *testing.T) {
	b := newBox(t)
	img := b.add("one", "1")
	b.register()
	b.must(b.s.collect(b.ctx))
	b.says("1 images present, 0 of them registered now")

	folder := b.folder(img)
	b.must(b.s.images.Delete(b.ctx, img.name))
	b.must(b.s.collect(b.ctx))
	if _, err := b.s.snapshots.Stat(b.ctx, img.chain.String()); !errdefs.IsNotFound(err) {
		t.Fatalf("the layer is still known: %v", err)
	}
	if _, err := os.Lstat(folder); !os.IsNotExist(err) {
		t.Fatalf("the link is still there: %v", err)
	}
	if _, err := os.Stat(b.file(&img.manifest)); !os.IsNotExist(err) {
		t.Fatalf("the manifest is still there: %v", err)
	}
	if data, err := os.ReadFile(filepath.Join(img.layer, "file")); err != nil || string(data) != "1" {
		t.Fatalf("the root's own files were touched: %q, %v", data, err)
	}
}

func TestNameMovesToNewImage(t *testing.T) {
	b := newBox(t)
	old := b.add("one", "1")
	b.register()
	fresh := b.add("one", "2")
	b.says("name leads to another image")
	record, err := b.record(fresh.name)
	b.must(err)
	if record.Target.Digest != fresh.manifest.desc.Digest || record.Labels[labelLayer] != fresh.chain.String() {
		t.Fatalf("the record is %v", record)
	}
	b.must(b.s.collect(b.ctx))
	if _, err := b.s.snapshots.Stat(b.ctx, old.chain.String()); !errdefs.IsNotFound(err) {
		t.Fatalf("the old layer is still known: %v", err)
	}
}

func TestForget(t *testing.T) {
	b := newBox(t)
	b.add("stays", "s")
	gone, used := b.add("gone", "g"), b.add("used", "u")
	foreign := images.Image{Name: "registry.test/app:1", Target: gone.manifest.desc}
	b.register()
	_, err := b.s.images.Create(b.ctx, foreign)
	b.must(err)
	_, err = b.s.snapshots.Prepare(b.ctx, "container", used.chain.String(), snapshots.WithLabels(
		map[string]string{"containerd.io/gc.root": "now"}))
	b.must(err)
	for _, name := range []string{"gone", "used"} {
		b.must(os.RemoveAll(filepath.Join(b.root, name)))
	}
	said := b.register()
	for _, want := range []string{"1 images present", "gone:1: no longer in the root; forgotten",
		"used:1: no longer in the root; kept"} {
		if !strings.Contains(said, want) {
			t.Errorf("said %q, not %q", said, want)
		}
	}
	for name, there := range map[string]bool{gone.name: false, used.name: true, foreign.Name: true} {
		if _, err := b.record(name); (err == nil) != there {
			t.Errorf("%s: %v", name, err)
		}
	}
	b.must(b.s.snapshots.Remove(b.ctx, "container"))
	b.says("used:1: no longer in the root; forgotten")
}

func TestOrdinaryLayerIsKept(t *testing.T) {
	b := newBox(t)
	img := b.add("one", "1")
	mounts, err := b.s.snapshots.Prepare(b.ctx, "unpack", "")
	b.must(err)
	b.must(os.WriteFile(filepath.Join(mounts[0].Source, "file"), []byte("1"), 0o644))
	b.must(b.s.snapshots.Commit(b.ctx, img.chain.String(), "unpack"))
	b.says("1 of them registered now")
	if info, err := os.Lstat(b.folder(img)); err != nil || !info.IsDir() {
		t.Fatalf("the unpacked layer was replaced: %v, %v", info, err)
	}
}

func TestLeaseTakenOver(t *testing.T) {
	b := newBox(t)
	_, err := b.s.leases.Create(b.ctx, leases.WithID("x"))
	b.must(err)
	_, done, err := b.s.lease(b.ctx, "x")
	b.must(err)
	done()
	left, err := b.s.leases.List(b.ctx)
	b.must(err)
	if len(left) > 0 {
		t.Fatalf("leases left: %v", left)
	}
}
