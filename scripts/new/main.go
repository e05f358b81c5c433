// Command new makes the project of an app of its own on Nametag, and brings a later Nametag
// into one. It runs at the top of the repository:
//
//	make new DIR=../review-badge NAME="Review Badge" TAG=review-badge MODULE=github.com/acme/review-badge
//	make upgrade DIR=../review-badge
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/alecthomas/kong"
)

// exitUsage is the exit code when an argument is wrong; nothing has been written then.
const exitUsage = 2

type commands struct {
	New     newCmd     `cmd:"" help:"Make a project of its own."`
	Upgrade upgradeCmd `cmd:"" help:"Bring this Nametag into a project."`
}

type newCmd struct {
	Dir    string `help:"The project's folder, which is empty or does not exist."`
	Name   string `help:"The app's name for people."`
	ID     string `help:"Its name for machines. Made of the name if it is empty."`
	Tag    string `help:"The name of the custom element."`
	Module string `help:"The path of the Go module."`
	With   string `help:"A folder, such as examples/review-badge, whose app the project begins with."`
}

func (c newCmd) Run(root repository, out io.Writer) error {
	return create(out, string(root), project{dir: c.Dir, name: c.Name, id: c.ID, tag: c.Tag, module: c.Module, with: c.With})
}

type upgradeCmd struct {
	Dir string `help:"The project's folder."`
}

func (c upgradeCmd) Run(root repository, out io.Writer) error {
	return upgrade(out, string(root), c.Dir)
}

// repository is the folder of the repository that projects are made of.
type repository string

// refusal names every reason why nothing was done, a line each.
type refusal struct{ error }

func main() {
	// An interrupt ends the program that runs at the moment, which is a failure like others:
	// nothing is left behind.
	signal.Notify(make(chan os.Signal, 1), os.Interrupt)
	os.Exit(run(".", os.Args[1:], os.Stdout, os.Stderr))
}

func run(root repository, args []string, stdout, stderr io.Writer) int {
	parser, err := kong.New(new(commands), kong.Name("new"), kong.Writers(stdout, stderr),
		kong.Bind(root), kong.BindTo(stdout, (*io.Writer)(nil)))
	if err != nil {
		panic(err) // the commands struct is wrong
	}
	command, err := parser.Parse(args)
	if err == nil {
		err = command.Run()
	} else {
		err = refusal{err}
	}
	var refused refusal
	switch {
	case errors.As(err, &refused):
		fmt.Fprintf(stderr, "%v\nNothing was written.\n", err)
		return exitUsage
	case err != nil:
		fmt.Fprintln(stderr, err)
		return 1
	}
	return 0
}
