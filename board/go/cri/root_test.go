package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReadRootLeavesOutTheBad(t *testing.T) {
	for _, c := range []struct {
		name, file, text, says string
	}{
		{"manifest cut", "manifest.json", "{", "unexpected end"},
		{"no manifest", "manifest.json", "", "unexpected end"},
		{"other configuration", "config.json", `{"rootfs":{"diff_ids":["sha256:1"]}}`, "another configuration"},
		{"far too large", "config.json", strings.Repeat(" ", blobMax+1), "larger than"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBox(t)
			b.add("good", "g")
			b.add("one", "1")
			b.must(os.WriteFile(filepath.Join(b.root, "one", c.file), []byte(c.text), 0o644))
			images, err := readRoot(b.root)
			if err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "/one: ") {
				t.Fatalf("error is %v, not %q", err, c.says)
			}
			if len(images) != 1 || images[0].name != "hearth.local/good:1" {
				t.Fatalf("read %v", images)
			}
		})
	}
}

func TestReadRootMissesLayer(t *testing.T) {
	b := newBox(t)
	img := b.add("one", "1")
	b.must(os.RemoveAll(img.layer))
	if images, err := readRoot(b.root); err == nil || len(images) != 0 || !strings.Contains(err.Error(), "missing") {
		t.Fatalf("%v, %v", images, err)
	}
	if _, err := readRoot(t.TempDir()); err == nil {
		t.Fatal("an empty root is no error")
	}
}

func TestParse(t *testing.T) {
	for line, says := range map[string]string{
		"":                      "no command",
		"frob":                  "unknown command",
		"images":                "wants 1 arguments, not 0",
		"images a b":            "wants 1 arguments, not 2",
		"ps --frob":             "not defined",
		"stop --deadline never": "invalid value",
		"images --socket":       "needs an argument",
	} {
		if _, _, err := parse(strings.Fields(line), io.Discard); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: error is %v, not %q", line, err, says)
		}
	}
	c, r, err := parse(strings.Fields("images --socket /s --wait 5s --deadline 7s DIR"), io.Discard)
	if err != nil || c.name != "images" || r.socket != "/s" || r.wait.Seconds() != 5 || r.deadline.Seconds() != 7 ||
		r.args[0] != "DIR" {
		t.Errorf("%v %v %v", c, r, err)
	}
	var out bytes.Buffer
	usage(&out)
	for _, c := range commands {
		if !strings.Contains(out.String(), c.name) {
			t.Errorf("usage lacks %s", c.name)
		}
	}
}
