package durable

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "folder", "file")
	if err := Write(path, []byte("one"), Private); err != nil {
		t.Fatal(err)
	}
	expect(t, path, "one", 0o600)
	if err := Write(path, []byte("two"), Owner{Mode: 0o640, Group: os.Getgid()}); err != nil {
		t.Fatal(err)
	}
	expect(t, path, "two", 0o640)
}

func TestWriteLeavesTheSameTextAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := Write(path, []byte("text"), Public); err != nil {
		t.Fatal(err)
	}
	before := inode(t, path)
	if err := Write(path, []byte("text"), Public); err != nil {
		t.Fatal(err)
	}
	if !os.SameFile(before, inode(t, path)) {
		t.Error("an unchanged file was written again")
	}
	if err := Write(path, []byte("texT"), Public); err != nil {
		t.Fatal(err)
	}
	if os.SameFile(before, inode(t, path)) {
		t.Error("the file was changed in place")
	}
}

func TestWriteChangesTheOwnerOfTheSameText(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	for _, owner := range []Owner{Public, Private, {Mode: 0o600, Group: os.Getgid()}} {
		if err := Write(path, []byte("text"), owner); err != nil {
			t.Fatal(err)
		}
		expect(t, path, "text", owner.Mode)
	}
	if os.Getuid() != 0 {
		t.Skip("other groups need root")
	}
	if err := Write(path, []byte("text"), Owner{Mode: 0o600, Group: 12345}); err != nil {
		t.Fatal(err)
	}
	if gid := inode(t, path).Sys().(*syscall.Stat_t).Gid; gid != 12345 {
		t.Errorf("the group is %d", gid)
	}
}

func TestWriteAfterAStopInTheMiddle(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path+".new", []byte("half of it"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := Write(path, []byte("whole"), Private); err != nil {
		t.Fatal(err)
	}
	expect(t, path, "whole", 0o600)
	if _, err := os.Stat(path + ".new"); !os.IsNotExist(err) {
		t.Errorf("the temporary file is still there: %v", err)
	}
}

func TestWriteFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.MkdirAll(filepath.Join(path, "is a folder"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := Write(path, []byte("x"), Private); err == nil {
		t.Error("a folder was replaced by a file")
	}
	if _, err := os.Stat(path + ".new"); !os.IsNotExist(err) {
		t.Errorf("the temporary file is still there: %v", err)
	}
}

func expect(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != text || inode(t, path).Mode().Perm() != mode {
		t.Errorf("%s: %q, mode %o, want %q, mode %o", path, got, inode(t, path).Mode().Perm(), text, mode)
	}
}

func inode(t *testing.T, path string) os.FileInfo {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info
}
