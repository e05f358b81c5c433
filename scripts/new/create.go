package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// branch is the branch of a project's repository that has the base alone.
const branch = "nametag"

// create makes the project of the repository at root. An error leaves nothing behind.
func create(out io.Writer, root string, p project) (err error) {
	files, err := readTree(root)
	if err != nil {
		return err
	}
	own, err := files.ownNames()
	if err != nil {
		return err
	}
	project, err := p.check(root, own)
	if err != nil {
		return refusal{err}
	}
	all, err := files.project(p.with, own, project)
	if err != nil {
		return err
	}
	target, err := realPath(p.dir)
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp(filepath.Dir(target), ".new-")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.RemoveAll(folder)
		}
	}()
	if err := os.Chmod(folder, 0o755); err != nil {
		return err
	}
	if err := all.write(folder); err != nil {
		return err
	}
	if err := complete(folder); err != nil {
		return err
	}
	if err := begin(root, folder, project); err != nil {
		return err
	}
	if err := os.Remove(target); err != nil && !os.IsNotExist(err) {
		return err
	}
	if err := os.Rename(folder, target); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, `%s is in %s, with a git repository of its own.

  cd %s
  make dev     # the app on an offline Wix, where each saved file is seen at once
  make run     # installs, builds and starts the demo
  make test    # everything

Its README.md says where to write.
`, project.Name, p.dir, p.dir)
	return err
}

// complete makes what a project has beside its hand-written files.
func complete(folder string) error {
	if _, err := command(folder, nil, "make", "--silent", "generate"); err != nil {
		return err
	}
	_, err := command(folder, nil, "go", "mod", "tidy")
	return err
}

// begin makes the project's repository: main, and the branch of the base, both at the first
// commit.
func begin(root, folder string, project names) error {
	if _, err := git(folder, "init", "--quiet", "--template=", "--initial-branch=main"); err != nil {
		return err
	}
	from, err := version(root)
	if err != nil {
		return err
	}
	commit, err := commitFolder(folder, folder, "Begin with Nametag "+from, project.ID, "")
	if err != nil {
		return err
	}
	for _, name := range []string{branch, "main"} { // main is checked out
		if _, err := git(folder, "update-ref", "refs/heads/"+name, commit); err != nil {
			return err
		}
	}
	_, err = git(folder, "reset", "--quiet")
	return err
}
