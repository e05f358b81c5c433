package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// root is the repository.
var root = func() string {
	dir, err := filepath.Abs("../..")
	if err != nil {
		panic(err)
	}
	return dir
}()

// good are arguments that are taken.
func good(dir string) map[string]string {
	return map[string]string{
		"dir": dir, "name": "Review Badge",
		"tag": "review-badge", "module": "github.com/acme/review-badge",
	}
}

func flags(arguments map[string]string) []string {
	var all []string
	for name, value := range arguments {
		all = append(all, "--"+name+"="+value)
	}
	return all
}

// at runs the program for the repository in a folder.
func at(dir string, args ...string) (code int, stdout, stderr string) {
	var out, errors bytes.Buffer
	code = run(repository(dir), args, &out, &errors)
	return code, out.String(), errors.String()
}

func TestNew_refuses(t *testing.T) {
	outside := t.TempDir()
	full, aFile, link := filepath.Join(outside, "full"), filepath.Join(outside, "file"), filepath.Join(outside, "link")
	for _, err := range []error{
		os.Mkdir(full, 0o700), os.WriteFile(filepath.Join(full, "x"), nil, 0o600), os.WriteFile(aFile, nil, 0o600),
		os.Symlink(root, link),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name, flag, value, reason string
	}{
		{"a tag without a hyphen", "tag", "reviewbadge", "TAG=reviewbadge: it must be lowercase letters and digits with at least one hyphen"},
		{"a tag that HTML reserves", "tag", "font-face", "TAG=font-face: HTML reserves this name"},
		{"a tag that Wix refuses", "tag", "Review-Badge", "TAG=Review-Badge: it must be lowercase letters"},
		{"a tag that is too long for Wix", "tag", "a-" + strings.Repeat("b", 63), "it must have at most 64 characters"},
		{"the tag of Nametag", "tag", "nametag-widget", "TAG=nametag-widget: it is this repository's own"},
		{"no tag", "tag", "", "TAG is missing"},
		{"a module without a host", "module", "review-badge", "MODULE=review-badge: not a path that Go takes: missing dot in first path element"},
		{"a host in capitals", "module", "GitHub.com/acme/badge", "not a path that Go takes: invalid char 'G' in first path element"},
		{"a module with a space", "module", "github.com/acme/review badge", "not a path that Go takes: invalid char ' '"},
		{"a module of version 1", "module", "github.com/acme/badge/v1", "not a path that Go takes: invalid version"},
		{"a module that begins with a slash", "module", "/acme/badge", "not a path that Go takes"},
		{"the module of Nametag", "module", "github.com/nametag-dev/nametag", "it is this repository's own"},
		{"a module within Nametag's", "module", "github.com/nametag-dev/nametag/badge", "it is this repository's own"},
		{"no module", "module", "", "MODULE is missing"},
		{"a folder that is not empty", "dir", full, "the folder is not empty"},
		{"a folder inside the repository", "dir", "backend/badge", "it is inside this repository"},
		{"the repository", "dir", root, "it is inside this repository"},
		{"a folder inside it by another name", "dir", filepath.Join(link, "badge"), "it is inside this repository"},
		{"a file", "dir", aFile, "it is a file"},
		{"a folder below a file", "dir", filepath.Join(aFile, "badge"), "there is no folder " + aFile},
		{"a folder without a parent", "dir", filepath.Join(outside, "none", "badge"), "there is no folder " + filepath.Join(outside, "none")},
		{"a folder that cannot be written", "dir", "/proc/badge", "its parent is not writable"},
		{"no folder", "dir", "", "DIR is missing"},
		{"no name", "name", "", "NAME is missing: it must have 1 to 40 characters"},
		{"a name of spaces", "name", "  ", "NAME=  : it must neither begin nor end with a space"},
		{"a name that cannot be printed", "name", "Review\x07Badge", "U+0007 is not a character that can be printed"},
		{"a name without Latin letters", "name", "口コミ", "NAME=口コミ: no name for machines can be made of it: add one, such as ID=review-badge"},
		{"a name that begins with a digit", "name", "3D Badge", "add one, such as ID="},
		{"an id that cannot name a program", "id", "Review_Badge", "ID=Review_Badge: it must be lowercase letters"},
		{"an id with Wix's variables", "id", "wix", "the variables that begin with WIX_"},
		{"an id that Go gives a meaning", "id", "internal", "a folder of this name has a meaning"},
		{"an app that is not there", "with", "examples/none", "WITH=examples/none: there is no app in it"},
		{"an app outside of the repository", "with", "../none", "WITH=../none: it must be a folder of this repository"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			arguments := good(filepath.Join(outside, "badge"))
			arguments[tt.flag] = tt.value
			before := everything(t, outside)
			code, stdout, stderr := at(root, append([]string{"new"}, flags(arguments)...)...)
			if code != exitUsage || stdout != "" || !strings.Contains(stderr, tt.reason) {
				t.Errorf("got %d, %q, not a reason with %q:\n%s", code, stdout, tt.reason, stderr)
			}
			if lines := strings.Count(stderr, "\n"); lines != 2 || !strings.HasSuffix(stderr, "\nNothing was written.\n") {
				t.Errorf("%d lines, not the reason and what was done:\n%s", lines, stderr)
			}
			if after := everything(t, outside); !slices.Equal(before, after) {
				t.Errorf("there are now %q, and were %q", after, before)
			}
		})
	}
	t.Run("everything at once", func(t *testing.T) {
		_, _, stderr := at(root, "new", "--dir="+full, "--name=\x07", "--tag=badge", "--module=badge", "--with=none", "--id=1")
		for _, argument := range []string{"DIR=", "NAME=", "ID=", "TAG=", "MODULE=", "WITH="} {
			if !strings.Contains("\n"+stderr, "\n"+argument) {
				t.Errorf("%s is not in:\n%s", argument, stderr)
			}
		}
	})
	t.Run("an unknown argument", func(t *testing.T) {
		if code, _, stderr := at(root, "new", "--colour=red"); code != exitUsage || !strings.Contains(stderr, "unknown flag --colour") {
			t.Errorf("got %d:\n%s", code, stderr)
		}
	})
}

// everything lists what is below a folder.
func everything(t *testing.T, folder string) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(folder, func(path string, _ os.DirEntry, err error) error {
		all = append(all, path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestIDOf(t *testing.T) {
	for name, want := range map[string]string{
		"Review Badge":    "review-badge",
		"Café Reviews":    "cafe-reviews",
		"Ada's  Badge!":   "adas-badge",
		"A & \"B\" <C>":   "a-b-c",
		"ＦＵＬＬ width 2":    "full-width-2",
		"口コミ Badge":       "",
		"Straße":          "",
		"…":               "",
		"-":               "",
		"Reviews (beta) ": "reviews-beta",
	} {
		if got := idOf(name); got != want {
			t.Errorf("%q: got %q, not %q", name, got, want)
		}
	}
}
