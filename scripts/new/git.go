package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// command runs a program in a folder and returns what it prints. The error has what it
// printed to stderr.
func command(dir string, env []string, name string, args ...string) (string, error) {
	c := exec.Command(name, args...)
	c.Dir = dir
	c.Env = append(append(environ(), "NO_COLOR=1"), env...)
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	if err := c.Run(); err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, strings.TrimSpace(stderr.String()+stdout.String()))
	}
	return stdout.String(), nil
}

// environ is the environment without what a surrounding make, git or Go workspace has set
// for itself.
func environ() []string {
	env := slices.DeleteFunc(os.Environ(), func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		switch name {
		case "MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES", "MAKELEVEL", "MAKEFILES",
			"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR":
			return true
		}
		return false
	})
	return append(env, "GOWORK=off")
}

// git runs git in a folder, and returns what it prints without the line's end.
func git(dir string, args ...string) (string, error) {
	out, err := command(dir, nil, "git", args...)
	return strings.TrimSuffix(out, "\n"), err
}

// tracked returns the files that git knows at root, by their paths.
func tracked(root string) ([]string, error) {
	out, err := command(root, nil, "git", "ls-files", "-z")
	if err != nil {
		return nil, err
	}
	files := strings.FieldsFunc(out, func(r rune) bool { return r == 0 })
	return files, nil
}

// version names the state of the repository at root.
func version(root string) (string, error) {
	return git(root, "describe", "--tags", "--always", "--dirty")
}

// commitFolder stores a folder as a commit in the repository at dir, and returns it. Where it
// has a parent, the rooms and what is made of them stay as the parent has them; without any
// other change the commit is the parent. The checkout, the index and the branches of the
// repository stay as they are.
func commitFolder(dir, folder, message, author, parent string) (string, error) {
	gitDir, err := git(dir, "rev-parse", "--absolute-git-dir")
	if err != nil {
		return "", err
	}
	scratch, err := os.MkdirTemp("", "nametag-index-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(scratch)
	env := append(authorOf(dir, author), "GIT_DIR="+gitDir, "GIT_WORK_TREE="+folder, "GIT_INDEX_FILE="+filepath.Join(scratch, "index"))
	run := func(args ...string) (string, error) {
		out, err := command(folder, env, "git", args...)
		return strings.TrimSpace(out), err
	}
	// What the user's own git would leave out or convert is part of the project as it is.
	add := []string{"-c", "core.excludesFile=", "-c", "core.autocrlf=false", "-c", "core.fileMode=true", "add", "--all", "--", "."}
	commit := []string{"commit-tree", "-m", message}
	if parent != "" {
		if _, err := run("read-tree", parent); err != nil {
			return "", err
		}
		for _, path := range slices.Concat(rooms, made) {
			add = append(add, ":(exclude)"+path)
		}
		commit = append(commit, "-p", parent)
	}
	if _, err := run(add...); err != nil {
		return "", err
	}
	tree, err := run("write-tree")
	if err != nil {
		return "", err
	}
	if parent != "" {
		if old, err := run("rev-parse", parent+"^{tree}"); err != nil || old == tree {
			return parent, err
		}
	}
	return run(append(commit, tree)...)
}

// authorOf is the environment that gives a commit an author where the user has none.
func authorOf(dir, author string) []string {
	var env []string
	for _, role := range []string{"AUTHOR", "COMMITTER"} {
		if _, err := command(dir, nil, "git", "-c", "user.useConfigOnly=true", "var", "GIT_"+role+"_IDENT"); err != nil {
			env = append(env, "GIT_"+role+"_NAME="+author, "GIT_"+role+"_EMAIL=nobody@localhost")
		}
	}
	return env
}
