package crictl

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

const followPoll = 300 * time.Millisecond

// logs prints what a container wrote. Following ends with the container.
func (t *Tool) logs(ctx context.Context, o *options) error {
	status, err := t.logged(ctx, o.args[0])
	if err != nil {
		return err
	}
	path := status.GetLogPath()
	if path == "" {
		return errors.New("it has no log")
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { file.Close() }()
	if o.tail >= 0 {
		if err := toTail(file, o.tail); err != nil {
			return err
		}
	}
	reader := bufio.NewReader(file)
	var rest []byte // of a line that is not complete yet
	for ended := false; ; {
		line, err := reader.ReadBytes('\n')
		rest = append(rest, line...)
		switch {
		case err == nil:
			if err := t.line(rest); err != nil {
				return err
			}
			rest = rest[:0]
			continue
		case !errors.Is(err, io.EOF):
			return err
		case !o.follow:
			return nil
		}
		if next := turned(path, file); next != nil { // the kubelet began a new file
			file.Close()
			file, rest = next, rest[:0]
			reader.Reset(file)
			continue
		}
		if ended {
			return nil
		}
		if err := t.Pause(ctx, followPoll); err != nil {
			return nil
		}
		if status, err = t.logged(ctx, o.args[0]); err != nil {
			return err
		}
		ended = status.GetState() != cri.ContainerState_CONTAINER_RUNNING // and once more for what came meanwhile
	}
}

func (t *Tool) logged(ctx context.Context, id string) (*cri.ContainerStatus, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	answer, err := t.Runtime.ContainerStatus(ctx, &cri.ContainerStatusRequest{ContainerId: id})
	return answer.GetStatus(), err
}

// line prints one line of the file, "TIME stdout|stderr F|P TEXT": P is a part of a line that goes on.
func (t *Tool) line(line []byte) error {
	words := bytes.SplitN(line, []byte(" "), 4)
	if len(words) != 4 {
		return fmt.Errorf("not a line of a log: %q", line)
	}
	to, text := t.Out, words[3]
	if string(words[1]) == "stderr" {
		to = t.Err
	}
	if string(words[2]) == "P" {
		text = bytes.TrimSuffix(text, []byte("\n"))
	}
	_, err := to.Write(text)
	return err
}

// turned opens the file that now has the name, when it is another one.
func turned(path string, old *os.File) *os.File {
	was, err := old.Stat()
	if err != nil {
		return nil
	}
	if now, err := os.Stat(path); err != nil || os.SameFile(was, now) {
		return nil
	}
	next, err := os.Open(path)
	if err != nil {
		return nil
	}
	return next
}

// toTail goes to where the last lines begin. Parts of lines count as lines.
func toTail(file *os.File, lines int) error {
	end, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	block := make([]byte, 64<<10)
	lines++ // the line feed before the first one that is wanted
	for at := end; at > 0; {
		size := min(at, int64(len(block)))
		at -= size
		if _, err := file.ReadAt(block[:size], at); err != nil {
			return err
		}
		for i := size - 1; i >= 0; i-- {
			if block[i] != '\n' {
				continue
			}
			if lines--; lines == 0 {
				_, err := file.Seek(at+i+1, io.SeekStart)
				return err
			}
		}
	}
	_, err = file.Seek(0, io.SeekStart)
	return err
}
