// Package crictl looks at what the container runtime has, below Kubernetes: the everyday commands of the program of that
// name, which the official k3s carries, with its names, columns and flags. Its own code can not be had for the
// Kubernetes of this tree.
package crictl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

const (
	callTime  = 30 * time.Second // for one answer of the runtime
	maxAnswer = 16 << 20
)

// ErrUsage is an error in the words of the command; Run's errors wrap it.
var ErrUsage = errors.New("try crictl help")

// Tool is where a command works.
type Tool struct {
	Runtime cri.RuntimeServiceClient
	Images  cri.ImageServiceClient
	Out     io.Writer // and what containers wrote to their standard output
	Err     io.Writer // what they wrote to their standard error
	Now     func() time.Time
	Pause   func(context.Context, time.Duration) error
}

// options are the flags of all commands; each command takes some.
type options struct {
	all, quiet, force, follow bool
	output, name, pod, space  string
	tail                      int
	grace                     int64
	args                      []string
}

type command struct {
	name, words, does string
	least, most       int // arguments
	flags             func(*pflag.FlagSet, *options)
	run               func(*Tool, context.Context, *options) error
}

const many = 1 << 10

var commands = []command{
	{"ps", "", "list running containers", 0, 0, func(f *pflag.FlagSet, o *options) {
		f.BoolVarP(&o.all, "all", "a", false, "those that have ended, too")
		f.StringVar(&o.name, "name", "", "containers whose name has this in it")
		f.StringVarP(&o.pod, "pod", "p", "", "containers of the pod with this id")
		listFlags(f, o)
	}, (*Tool).ps},
	{"pods", "", "list pods", 0, 0, func(f *pflag.FlagSet, o *options) {
		f.StringVar(&o.name, "name", "", "pods whose name has this in it")
		f.StringVar(&o.space, "namespace", "", "pods of this namespace")
		listFlags(f, o)
	}, (*Tool).pods},
	{"images", "", "list images", 0, 0, listFlags, (*Tool).images},
	{"inspect", "ID...", "show everything about containers", 1, many, nil, (*Tool).inspect},
	{"inspectp", "ID...", "show everything about pods", 1, many, nil, (*Tool).inspectp},
	{"logs", "ID", "show a container's log", 1, 1, func(f *pflag.FlagSet, o *options) {
		f.BoolVarP(&o.follow, "follow", "f", false, "go on with what comes")
		f.IntVar(&o.tail, "tail", -1, "only so many last lines")
	}, (*Tool).logs},
	{"stop", "ID...", "stop containers", 1, many, func(f *pflag.FlagSet, o *options) {
		f.Int64VarP(&o.grace, "timeout", "t", 0, "seconds until it is killed")
	}, (*Tool).stop},
	{"rm", "ID...", "remove containers that have ended", 1, many, func(f *pflag.FlagSet, o *options) {
		f.BoolVarP(&o.force, "force", "f", false, "running ones, too")
	}, (*Tool).remove},
	{"version", "", "show the runtime's version", 0, 0, nil, (*Tool).version},
}

func listFlags(f *pflag.FlagSet, o *options) {
	f.BoolVarP(&o.quiet, "quiet", "q", false, "only ids")
	f.StringVarP(&o.output, "output", "o", "table", "table or json")
}

// Help is what the command says about itself.
func Help() string {
	text := &strings.Builder{}
	fmt.Fprint(text, "usage: crictl [-r SOCKET] COMMAND [flags]\n\n")
	for _, c := range commands {
		fmt.Fprintf(text, "  %-18s %s\n", c.name+" "+c.words, c.does)
		if c.flags != nil {
			f := pflag.NewFlagSet(c.name, pflag.ContinueOnError)
			c.flags(f, &options{})
			fmt.Fprint(text, f.FlagUsages())
		}
	}
	return text.String()
}

// Run does what the words say. socket is the runtime's when neither they nor CONTAINER_RUNTIME_ENDPOINT name another.
func Run(ctx context.Context, socket string, words []string, out, err io.Writer) error {
	if other := os.Getenv("CONTAINER_RUNTIME_ENDPOINT"); other != "" {
		socket = other
	}
	top := pflag.NewFlagSet("crictl", pflag.ContinueOnError)
	top.SetOutput(io.Discard)
	top.SetInterspersed(false)
	top.StringVarP(&socket, "runtime-endpoint", "r", socket, "socket of the container runtime")
	if err := top.Parse(words); err != nil && !errors.Is(err, pflag.ErrHelp) {
		return fmt.Errorf("%w; %w", err, ErrUsage)
	} else if err != nil || top.NArg() == 0 || top.Arg(0) == "help" {
		_, err := io.WriteString(out, Help())
		return err
	}
	c, o, problem := parse(top.Args())
	if problem != nil {
		return fmt.Errorf("%w; %w", problem, ErrUsage)
	}
	if !strings.Contains(socket, "://") {
		socket = "unix://" + socket
	}
	connection, problem := grpc.NewClient(socket, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxAnswer)))
	if problem != nil {
		return fmt.Errorf("%s: %w", socket, problem)
	}
	defer connection.Close()
	t := &Tool{cri.NewRuntimeServiceClient(connection), cri.NewImageServiceClient(connection), out, err, time.Now, pause}
	return c.run(t, ctx, o)
}

func parse(words []string) (*command, *options, error) {
	for i := range commands {
		c := &commands[i]
		if c.name != words[0] {
			continue
		}
		o := &options{}
		f := pflag.NewFlagSet(c.name, pflag.ContinueOnError)
		f.SetOutput(io.Discard)
		if c.flags != nil {
			c.flags(f, o)
		}
		if err := f.Parse(words[1:]); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", c.name, err)
		}
		if o.output != "" && o.output != "table" && o.output != "json" {
			return nil, nil, fmt.Errorf("%s: output %q is neither table nor json", c.name, o.output)
		}
		if o.args = f.Args(); len(o.args) < c.least || len(o.args) > c.most {
			return nil, nil, fmt.Errorf("usage: crictl %s %s", c.name, c.words)
		}
		return c, o, nil
	}
	return nil, nil, fmt.Errorf("no such command: %s", words[0])
}

func pause(ctx context.Context, duration time.Duration) error {
	timer := time.NewTimer(duration)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// each does one thing to every id, and goes on after an error.
func each(ctx context.Context, ids []string, time time.Duration, do func(context.Context, string) error) error {
	var failed []error
	for _, id := range ids {
		ctx, cancel := context.WithTimeout(ctx, time)
		if err := do(ctx, id); err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", id, err))
		}
		cancel()
	}
	return errors.Join(failed...)
}

func (t *Tool) stop(ctx context.Context, o *options) error {
	grace := time.Duration(o.grace) * time.Second
	return each(ctx, o.args, callTime+grace, func(ctx context.Context, id string) error {
		_, err := t.Runtime.StopContainer(ctx, &cri.StopContainerRequest{ContainerId: id, Timeout: o.grace})
		return t.done(id, err)
	})
}

// remove refuses a running container as crictl does: the runtime itself would kill it.
func (t *Tool) remove(ctx context.Context, o *options) error {
	return each(ctx, o.args, callTime, func(ctx context.Context, id string) error {
		if !o.force {
			answer, err := t.Runtime.ContainerStatus(ctx, &cri.ContainerStatusRequest{ContainerId: id})
			if err != nil {
				return err
			}
			if answer.GetStatus().GetState() == cri.ContainerState_CONTAINER_RUNNING {
				return errors.New("it is running: stop it first, or use --force")
			}
		}
		_, err := t.Runtime.RemoveContainer(ctx, &cri.RemoveContainerRequest{ContainerId: id})
		return t.done(id, err)
	})
}

func (t *Tool) done(id string, err error) error {
	if err == nil {
		_, err = fmt.Fprintln(t.Out, id)
	}
	return err
}

func (t *Tool) version(ctx context.Context, _ *options) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	v, err := t.Runtime.Version(ctx, &cri.VersionRequest{})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(t.Out, "Version:  %s\nRuntimeName:  %s\nRuntimeVersion:  %s\nRuntimeApiVersion:  %s\n",
		v.GetVersion(), v.GetRuntimeName(), v.GetRuntimeVersion(), v.GetRuntimeApiVersion())
	return err
}
