package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// upgrade stores the base of the repository at root, under the project's names, as the next
// commit of the project's branch of the base. What the project has written is not touched;
// the team merges the branch.
func upgrade(out io.Writer, root, dir string) (err error) {
	project, tip, err := checkProject(root, dir)
	if err != nil {
		return refusal{err}
	}
	files, err := readTree(root)
	if err != nil {
		return err
	}
	own, err := files.ownNames()
	if err != nil {
		return err
	}
	all, err := files.project("", own, project)
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "nametag-upgrade-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	if err := all.write(folder); err != nil {
		return err
	}
	if err := complete(folder); err != nil {
		return err
	}
	from, err := version(root)
	if err != nil {
		return err
	}
	commit, err := commitFolder(dir, folder, "Nametag "+from, project.ID, tip)
	if err != nil {
		return err
	}
	if commit == tip {
		_, err = fmt.Fprintf(out, "%s has this Nametag already (%s).\n", dir, from)
		return err
	}
	if _, err := git(dir, "update-ref", "refs/heads/"+branch, commit, tip); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, `The branch %s of %s has Nametag %s now. Your own branches are as they were. To merge it:

  cd %s
  git merge %s
  make generate check test
`, branch, dir, from, dir, branch)
	return err
}

// checkProject returns the project's names and the newest commit of its branch of the base,
// or every reason why it cannot be upgraded.
func checkProject(root, dir string) (project names, tip string, err error) {
	if dir == "" {
		return project, "", errors.New("DIR is missing: it is the project's folder, such as ../review-badge")
	}
	refuse := func(format string, args ...any) error {
		return fmt.Errorf("DIR=%s: %w", dir, fmt.Errorf(format, args...))
	}
	top, err := git(dir, "rev-parse", "--show-toplevel")
	if err != nil {
		return project, "", refuse("there is no git repository: %w", err)
	}
	here, err := realPath(root)
	if err != nil {
		return project, "", err
	}
	target, err := realPath(dir)
	if err != nil {
		return project, "", err
	}
	switch {
	case target == here:
		return project, "", refuse("it is this repository")
	case target != top:
		return project, "", refuse("it is not the top of its git repository, which is %s", top)
	}
	var faults []error
	if project, err = namesAt(dir); err != nil {
		faults = append(faults, refuse("%w", err))
	}
	changed, err := git(dir, "status", "--porcelain", "--untracked-files=no")
	switch {
	case err != nil:
		faults = append(faults, refuse("%w", err))
	case changed != "":
		faults = append(faults, refuse("commit or stash what has changed:\n%s", changed))
	}
	tip, err = git(dir, "rev-parse", "--verify", "--quiet", "refs/heads/"+branch)
	if err != nil {
		hint := "give that name to the commit that has the base alone: git branch " + branch + " <commit>"
		if _, err := git(dir, "rev-parse", "--verify", "--quiet", "refs/remotes/origin/"+branch); err == nil {
			hint = "git branch " + branch + " origin/" + branch
		}
		faults = append(faults, refuse("it has no branch %s (%s)", branch, hint))
	}
	if current, err := git(dir, "symbolic-ref", "--quiet", "--short", "HEAD"); err == nil && current == branch {
		faults = append(faults, refuse("it has the branch %s checked out: check out the one that you work on", branch))
	}
	return project, tip, errors.Join(faults...)
}

// namesAt reads the names of the project in dir.
func namesAt(dir string) (names, error) {
	files := tree{}
	for _, name := range []string{"app.json", "go.mod"} {
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return names{}, err
		}
		files[name] = file{content, 0}
	}
	return files.ownNames()
}
