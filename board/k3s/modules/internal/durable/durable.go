// Package durable writes files that must survive a power cut: a reader finds the old text or the new one, whole.
package durable

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Owner is who a file belongs to; KeepGroup leaves the group of the process.
type Owner struct {
	Mode  fs.FileMode
	Group int
}

// KeepGroup is the Group of a file that nobody else needs to read.
const KeepGroup = -1

// Private is a file for this process only, Public one that everybody may read.
var (
	Private = Owner{Mode: 0o600, Group: KeepGroup}
	Public  = Owner{Mode: 0o644, Group: KeepGroup}
)

// Write puts text into path by a temporary file beside it, fsync, rename and fsync of the folder, and makes the folder
// when there is none. A file that already has this text and owner is left alone, so that a start without news writes
// nothing to the disk.
func Write(path string, text []byte, owner Owner) error {
	if same(path, text, owner) {
		return nil
	}
	folder := filepath.Dir(path)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	temporary, err := write(path+".new", text, owner)
	if err != nil {
		return errors.Join(err, remove(temporary))
	}
	if err := os.Rename(temporary, path); err != nil {
		return errors.Join(err, remove(temporary))
	}
	return syncFolder(folder)
}

func same(path string, text []byte, owner Owner) bool {
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != owner.Mode || info.Size() != int64(len(text)) {
		return false
	}
	if owner.Group != KeepGroup && info.Sys().(*syscall.Stat_t).Gid != uint32(owner.Group) {
		return false
	}
	old, err := os.ReadFile(path)
	return err == nil && bytes.Equal(old, text)
}

func write(path string, text []byte, owner Owner) (string, error) {
	if err := remove(path); err != nil { // left by a stop in the middle, perhaps with another mode
		return path, err
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return path, err
	}
	defer file.Close()
	if owner.Group != KeepGroup {
		if err := file.Chown(-1, owner.Group); err != nil {
			return path, err
		}
	}
	if err := file.Chmod(owner.Mode); err != nil {
		return path, err
	}
	if _, err := file.Write(text); err != nil {
		return path, err
	}
	return path, file.Sync()
}

func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	defer folder.Close()
	return folder.Sync()
}
