package main

import (
	"archive/tar"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/opencontainers/go-digest"
)

func (b *box) archive(files ...string) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "a.tar")
	f, err := os.Create(path)
	b.must(err)
	defer f.Close()
	w := tar.NewWriter(f)
	for i := 0; i < len(files); i += 2 {
		b.must(w.WriteHeader(&tar.Header{Name: files[i], Mode: 0o644, Size: int64(len(files[i+1]))}))
		_, err := w.Write([]byte(files[i+1]))
		b.must(err)
	}
	b.must(w.Close())
	return path
}

const ociIndex = `{"manifests":[{"digest":"sha256:1","annotations":{"io.containerd.image.name":"r.test/a:1"}},
	{"digest":"sha256:2","annotations":{"org.opencontainers.image.ref.name":"r.test/b:1"}},
	{"digest":"sha256:3","annotations":{"org.opencontainers.image.ref.name":"latest"}}]}`

func TestReadArchive(t *testing.T) {
	b := newBox(t)
	a, err := readArchive(b.archive("manifest.json", "[]", "blobs/x", strings.Repeat("x", 100000),
		"./index.json", ociIndex))
	b.must(err)
	if len(a.names) != 2 || a.names["r.test/a:1"] != "sha256:1" || a.names["r.test/b:1"] != "sha256:2" {
		t.Errorf("names %v", a.names)
	}
	if a.id != digest.FromString(ociIndex) {
		t.Errorf("id %s", a.id)
	}
	a, err = readArchive(b.archive("manifest.json", `[{"RepoTags":["alpine","r.test/c:2"]}]`))
	b.must(err)
	for _, name := range []string{"docker.io/library/alpine:latest", "r.test/c:2"} {
		if _, ok := a.names[name]; !ok || len(a.names) != 2 {
			t.Errorf("names %v", a.names)
		}
	}
}

func TestReadBadArchive(t *testing.T) {
	b := newBox(t)
	cut := b.archive("index.json", ociIndex)
	b.must(os.Truncate(cut, 700))
	text := filepath.Join(t.TempDir(), "t.tar")
	b.must(os.WriteFile(text, []byte(strings.Repeat("text", 1000)), 0o644))
	for path, says := range map[string]string{
		b.archive("x", "y"):                                    "neither index.json nor",
		b.archive("index.json", "{"):                           "index.json: unexpected end",
		b.archive("manifest.json", "{}"):                       "manifest.json: ",
		b.archive("index.json", "{}"):                          "whole name",
		b.archive("manifest.json", `[{"RepoTags":["A:B:C"]}]`): "image name",
		cut:  "unexpected EOF",
		text: "is it compressed, or cut?",
	} {
		if _, err := readArchive(path); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("error is %v, not %q", err, says)
		}
	}
}

// What a cut import unpacked goes too, since its files may never have got to the disk.
func TestHalfAnImportGoesWhole(t *testing.T) {
	b := newBox(t)
	one := b.add("one", "1")
	b.register()
	half, err := b.s.images.Create(b.ctx, images.Image{Name: "r.test/a:1", Target: one.manifest.desc})
	b.must(err)
	b.must(b.s.images.Delete(b.ctx, one.name))
	b.must(b.s.dropHalves(b.ctx, map[string]digest.Digest{half.Name: "sha256:other", "r.test/none:1": ""}))
	if _, err := b.record(half.Name); err != nil {
		t.Fatalf("another image of that name was dropped: %v", err)
	}
	b.must(b.s.dropHalves(b.ctx, map[string]digest.Digest{half.Name: one.manifest.desc.Digest}))
	if _, err := b.s.snapshots.Stat(b.ctx, one.chain.String()); err == nil {
		t.Fatal("the layer of the half is still there")
	}
}

func TestArchiveIsImportedOnce(t *testing.T) {
	b := newBox(t)
	one := b.add("one", "1")
	b.register()
	a := &userArchive{id: digest.FromString("i"), names: map[string]digest.Digest{
		"r.test/a:1": one.manifest.desc.Digest, "r.test/b:1": ""}}
	left := func(want int) map[string]digest.Digest {
		t.Helper()
		left, err := b.s.unimported(b.ctx, a)
		b.must(err)
		if len(left) != want {
			t.Fatalf("%d left: %v", len(left), left)
		}
		return left
	}
	left(2)
	half, err := b.s.images.Create(b.ctx, images.Image{Name: "r.test/a:1", Target: one.manifest.desc})
	b.must(err)
	b.must(b.s.dropHalves(b.ctx, left(2)))
	if _, err := b.record(half.Name); err == nil {
		t.Fatal("the half is still there")
	}
	other, err := b.s.images.Create(b.ctx, images.Image{Name: "r.test/b:1", Target: one.manifest.desc})
	b.must(err)
	half, err = b.s.images.Create(b.ctx, half)
	b.must(err)
	b.must(b.s.syncLayers(b.ctx))
	b.must(b.s.mark(b.ctx, a, []images.Image{half, other}))
	left(0)
	if err := b.s.mark(b.ctx, a, []images.Image{half}); err == nil {
		t.Error("an image that is left out is no error")
	}
}
