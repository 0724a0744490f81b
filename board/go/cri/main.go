// Command hearth-cri is the box's companion of containerd: it makes the images that the read-only root carries known
// to containerd, imports the user's own, looks after the image store, and stops all pods in order at shutdown.
//
// Exit status: 0 done, 1 failed or something found, 2 wrong usage.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// request is one call of the program: what every command gets.
type request struct {
	socket   string        // containerd's
	wait     time.Duration // for containerd to answer
	deadline time.Duration // for the whole command
	args     []string
	out      io.Writer
}

type command struct {
	name     string
	args     string // as usage shows them; their number is checked
	count    int
	wait     time.Duration
	deadline time.Duration
	what     string
	run      func(context.Context, *request) error
}

var commands = []command{
	{"images", "DIR", 1, time.Minute, 2 * time.Minute, "registers the images of DIR in the root", runImages},
	{"import", "DIR", 1, time.Minute, 30 * time.Minute, "imports the new ones of DIR/*.tar", runImport},
	{"check", "DIR", 1, time.Minute, 5 * time.Minute, "checks every image, DIR's and others", runCheck},
	{"stop", "", 0, 5 * time.Second, time.Minute, "stops containers, then pods, after k3s", runStop},
	{"ps", "", 0, 2 * time.Second, 10 * time.Second, "one line per container", runPs},
}

func usage(w io.Writer) {
	fmt.Fprintln(w, "usage: hearth-cri COMMAND [--socket PATH] [--wait TIME] [--deadline TIME] ...")
	for _, c := range commands {
		fmt.Fprintf(w, "  %-12s %s\n", c.name+" "+c.args, c.what)
		fmt.Fprintf(w, "  %-12s waits %s for containerd, lasts %s at most\n", "", c.wait, c.deadline)
	}
}

// parse turns the command line into the command's row and its request.
func parse(args []string, out io.Writer) (*command, *request, error) {
	if len(args) == 0 {
		return nil, nil, fmt.Errorf("no command given")
	}
	for i := range commands {
		c := &commands[i]
		if c.name != args[0] {
			continue
		}
		r := &request{out: out}
		flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
		flags.SetOutput(io.Discard)
		flags.StringVar(&r.socket, "socket", "/run/containerd/containerd.sock", "")
		flags.DurationVar(&r.wait, "wait", c.wait, "")
		flags.DurationVar(&r.deadline, "deadline", c.deadline, "")
		if err := flags.Parse(args[1:]); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", c.name, err)
		}
		if r.args = flags.Args(); len(r.args) != c.count {
			return nil, nil, fmt.Errorf("%s wants %d arguments, not %d", c.name, c.count, len(r.args))
		}
		return c, r, nil
	}
	return nil, nil, fmt.Errorf("unknown command %q", args[0])
}

func main() {
	c, r, err := parse(os.Args[1:], os.Stdout)
	if err != nil {
		fmt.Fprintf(os.Stderr, "hearth-cri: %v\n", err)
		usage(os.Stderr)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	ctx, cancel := context.WithTimeout(ctx, r.deadline)
	err = c.run(ctx, r)
	cancel()
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "hearth-cri: %s: %v\n", c.name, err)
		os.Exit(1)
	}
}
