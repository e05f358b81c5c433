package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/mod/module"
	"golang.org/x/text/unicode/norm"

	"github.com/nametag-dev/nametag/backend/product/appjson"
)

// project is what the arguments ask for.
type project struct{ dir, name, id, tag, module, with string }

// names are what a project is called.
type names struct {
	appjson.File
	module string
}

// check returns the project's names, or every fault of the arguments. own are the names of
// the repository at root. It writes nothing.
func (p project) check(root string, own names) (names, error) {
	var faults []error
	fault := func(argument, value string, err error) {
		switch {
		case err == nil:
		case value == "":
			faults = append(faults, fmt.Errorf("%s is missing: %w", argument, err))
		default:
			faults = append(faults, fmt.Errorf("%s=%s: %w", argument, value, err))
		}
	}
	fault("DIR", p.dir, checkDir(root, p.dir))
	nameFault := appjson.CheckName(p.name)
	fault("NAME", p.name, nameFault)
	id := p.id
	if id == "" && nameFault == nil {
		if id = idOf(p.name); checkID(id) != nil {
			faults = append(faults, fmt.Errorf("NAME=%s: no name for machines can be made of it: add one, such as ID=review-badge", p.name))
		}
	} else if id != "" {
		fault("ID", id, checkID(id))
	}
	fault("TAG", p.tag, checkTag(p.tag, own.Tag))
	fault("MODULE", p.module, checkModule(p.module, own.module))
	if p.with != "" {
		fault("WITH", p.with, checkWith(root, p.with))
	}
	return names{appjson.File{
		Name: p.name, ID: id, Tag: p.tag, Description: p.name + ", a widget for Wix sites.", Budgets: own.Budgets,
	}, p.module}, errors.Join(faults...)
}

// checkDir returns why the project cannot be made in dir, or nil.
func checkDir(root, dir string) error {
	if dir == "" {
		return errors.New("it is the project's folder, such as ../review-badge")
	}
	root, err := realPath(root)
	if err != nil {
		return err
	}
	target, err := realPath(dir)
	if err != nil {
		return err
	}
	if inside, err := filepath.Rel(root, target); err == nil && filepath.IsLocal(inside) {
		return errors.New("it is inside this repository")
	}
	if parent, err := os.Stat(filepath.Dir(target)); err != nil || !parent.IsDir() {
		return fmt.Errorf("there is no folder %s", filepath.Dir(target))
	}
	switch info, err := os.Stat(target); {
	case errors.Is(err, os.ErrNotExist):
	case err != nil:
		return err
	case !info.IsDir():
		return errors.New("it is a file")
	default:
		if entries, err := os.ReadDir(target); err != nil {
			return err
		} else if len(entries) > 0 {
			return errors.New("the folder is not empty")
		}
	}
	probe, err := os.MkdirTemp(filepath.Dir(target), ".new-")
	if err != nil {
		return fmt.Errorf("its parent is not writable: %w", errors.Unwrap(err))
	}
	return os.Remove(probe)
}

// realPath is the absolute path without symbolic links. The last part need not exist.
func realPath(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real, nil
	}
	if parent, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
		return filepath.Join(parent, filepath.Base(path)), nil
	}
	return path, nil
}

// idOf makes the name for machines of the one for people: "Café Reviews" is "cafe-reviews".
// It is "" where a letter has no form in ASCII.
func idOf(name string) string {
	var id strings.Builder
	for _, r := range norm.NFKD.String(strings.ToLower(name)) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			id.WriteRune(r)
		case unicode.Is(unicode.Mn, r), r == '\'', r == '’':
		case unicode.IsLetter(r), unicode.IsNumber(r):
			return ""
		default:
			id.WriteByte(' ')
		}
	}
	return strings.Join(strings.Fields(id.String()), "-")
}

// checkID returns why id cannot name the program, or nil.
func checkID(id string) error {
	switch id {
	case "internal", "testdata", "vendor":
		return errors.New("a folder of this name has a meaning of its own in Go")
	case "wix":
		return errors.New("the variables that begin with WIX_ are those of Wix's own values")
	}
	return appjson.CheckID(id)
}

func checkTag(tag, own string) error {
	if tag == own {
		return errors.New("it is this repository's own: a page can have one widget of a name")
	}
	return appjson.CheckTag(tag)
}

// checkModule returns why path cannot be the module's, or nil.
func checkModule(path, own string) error {
	if path == "" {
		return errors.New("it is the path of the Go module, such as github.com/acme/review-badge")
	}
	if path == own || strings.HasPrefix(path, own+"/") {
		return errors.New("it is this repository's own")
	}
	err := module.CheckPath(path)
	if invalid, ok := errors.AsType[*module.InvalidPathError](err); ok {
		return fmt.Errorf("not a path that Go takes: %w", invalid.Err)
	}
	return err
}

// checkWith returns why the project cannot begin with the app in the folder, or nil.
func checkWith(root, with string) error {
	if !filepath.IsLocal(with) {
		return errors.New("it must be a folder of this repository, such as examples/review-badge")
	}
	files, err := tracked(root)
	if err != nil {
		return err
	}
	business := filepath.ToSlash(filepath.Clean(with)) + "/backend/business/"
	if !slices.ContainsFunc(files, func(name string) bool { return strings.HasPrefix(name, business) }) {
		return fmt.Errorf("there is no app in it: %s has no files that git knows", business)
	}
	return nil
}
