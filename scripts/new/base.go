package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/format"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/mod/modfile"

	"github.com/nametag-dev/nametag/backend/product/appjson"
)

// The files of this repository are of three sorts. The base is what every app gets, and what
// an upgrade brings. The rooms are what the app writes. The rest is about Nametag itself.

// rooms are what the app writes. A project gets the starter's, and no upgrade touches them.
var rooms = []string{
	"README.md",
	"app.json",
	"backend/business/",
	"e2e/own.spec.ts",
	"panel/src/own/",
	"widget/src/face/",
}

// made are the files that make generate makes of what stands in the rooms.
var made = []string{
	"backend/product/product.gen.go",
	"docs/settings.md",
	"docs/settings.schema.json",
	"panel/src/settings.gen.ts",
	"widget/src/settings.gen.ts",
}

// ownMatters are about Nametag itself.
var ownMatters = []string{
	"bench/",
	"docs/benchmarks.md",
	"docs/demo.png",
	"e2e/shipped/",
	"examples/",
	"scripts/new/",
}

const starter = "scripts/new/starter/"

// within reports whether a file is one of the paths, or in one of the folders.
func within(name string, paths []string) bool {
	return slices.ContainsFunc(paths, func(p string) bool {
		return name == p || strings.HasSuffix(p, "/") && strings.HasPrefix(name, p)
	})
}

// tree is a set of files by their paths.
type tree map[string]file

type file struct {
	content []byte
	mode    fs.FileMode
}

// readTree returns the files at root that git knows, as they are in the folder.
func readTree(root string) (tree, error) {
	listed, err := tracked(root)
	if err != nil {
		return nil, err
	}
	all := tree{}
	for _, name := range listed {
		at := filepath.Join(root, name)
		info, err := os.Lstat(at)
		if errors.Is(err, fs.ErrNotExist) {
			continue // deleted, and not committed yet
		}
		if err != nil {
			return nil, err
		}
		if !info.Mode().IsRegular() {
			return nil, fmt.Errorf("%s is not a file", name)
		}
		content, err := os.ReadFile(at)
		if err != nil {
			return nil, err
		}
		all[name] = file{content, info.Mode().Perm()}
	}
	return all, nil
}

// write puts the files below dir.
func (t tree) write(dir string) error {
	for name, f := range t {
		at := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(at), 0o777); err != nil {
			return err
		}
		if err := os.WriteFile(at, f.content, f.mode|0o600); err != nil {
			return err
		}
	}
	return nil
}

// ownNames reads what the repository in the files is called.
func (t tree) ownNames() (names, error) {
	app, err := appjson.Parse(t["app.json"].content)
	if err != nil {
		return names{}, fmt.Errorf("app.json: %w", err)
	}
	path := modfile.ModulePath(t["go.mod"].content)
	if path == "" {
		return names{}, errors.New("go.mod names no module")
	}
	return names{app, path}, nil
}

// project returns all files of a project under its names: the base, and rooms to begin with.
// The same repository always makes the same base, so that git merges what has changed and
// nothing else.
func (t tree) project(with string, own, project names) (tree, error) {
	all := tree{}
	for name, f := range t {
		if within(name, rooms) || within(name, made) || within(name, ownMatters) {
			continue
		}
		if err := all.add(name, f, own, project); err != nil {
			return nil, err
		}
	}
	app := t.below(starter)
	if with != "" {
		with = path.Clean(filepath.ToSlash(with)) + "/"
		maps.DeleteFunc(app, func(name string, _ file) bool { return isTest.MatchString(name) }) // of another app
		maps.Copy(app, t.below(with))
	}
	placeholders := strings.NewReplacer("APP_NAME", project.Name, "APP_DESCRIPTION", project.Description,
		"APP_ID", project.ID, "APP_TAG", project.Tag)
	for name, f := range app {
		for _, folder := range []string{starter, with} {
			if folder != "" {
				f.content = bytes.ReplaceAll(f.content, []byte(own.module+"/"+folder), []byte(own.module+"/"))
			}
		}
		if err := all.add(name, f, own, project); err != nil {
			return nil, err
		}
		f = all[name]
		f.content = []byte(placeholders.Replace(string(f.content)))
		all[name] = f
	}
	names, err := json.MarshalIndent(project.File, "", "  ")
	all["app.json"] = file{append(names, '\n'), 0o644}
	return all, err
}

// below returns the files of a folder by their paths in it.
func (t tree) below(folder string) tree {
	all := tree{}
	for name, f := range t {
		if inside, ok := strings.CutPrefix(name, folder); ok {
			all[inside] = f
		}
	}
	return all
}

// isTest matches the files that test the starter's rooms.
var isTest = regexp.MustCompile(`_test\.go$|\.test\.tsx?$`)

// add puts a file under the project's names.
func (t tree) add(name string, f file, own, project names) error {
	if utf8.Valid(f.content) {
		var err error
		if f.content, err = rename(name, f.content, own, project); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if program, ok := strings.CutPrefix(name, "backend/cmd/"+own.ID+"/"); ok {
		name = "backend/cmd/" + project.ID + "/" + program
	}
	t[name] = f
	return nil
}

// speaksOfBoth are the documents with names of both: APP_NAME and the like are the project's.
var speaksOfBoth = []string{"README.md", "docs/upstream.md"}

// speaksOfTheBase are the documents in which the product's name for people means the base.
// In code it always does: what an app shows comes from app.json.
var speaksOfTheBase = []string{"docs/architecture.md", "docs/library.md", "docs/own-app.md"}

// keepsTableNames are the files with names of the base's own tables.
var keepsTableNames = []string{"backend/store/sqlstore/", "docs/own-app.md"}

// rename gives a text file the project's names.
func rename(name string, content []byte, own, project names) ([]byte, error) {
	content = onlyOwn.ReplaceAll(content, nil)
	if within(name, speaksOfBoth) {
		return content, nil
	}
	pairs := []string{own.module, project.module, own.EnvPrefix(), project.EnvPrefix(), own.Tag, project.Tag}
	if within(name, keepsTableNames) {
		pairs = append(pairs, own.MetricPrefix(), own.MetricPrefix())
	}
	pairs = append(pairs, own.MetricPrefix(), project.MetricPrefix(), own.ID, project.ID)
	isGo := path.Ext(name) == ".go"
	if within(name, []string{"docs/", "deploy/"}) && !within(name, speaksOfTheBase) {
		pairs = append(pairs, own.Name, strings.ReplaceAll(project.Name, "<", "&lt;"))
	}
	renamed := []byte(strings.NewReplacer(pairs...).Replace(string(content)))
	if isGo && !bytes.Equal(renamed, content) {
		return format.Source(renamed)
	}
	return renamed, nil
}

// onlyOwn are the lines of the base's files that a project does not get: those with
// [only here/], and from one with [only here] to one with [/only here].
var onlyOwn = regexp.MustCompile(`(?m)^.*\[only here/\].*\n|^.*\[only here\].*\n(?s:.*?)\[/only here\].*\n`)
