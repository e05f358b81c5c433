package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/nametag-dev/nametag/backend/product"
)

// release is the version that make release was given. The linker sets it.
var release string

type versionCmd struct{}

func (versionCmd) Run(p *process) error {
	_, err := fmt.Fprintln(p.stdout, versionLine())
	return err
}

// versionLine is what nametag version prints.
func versionLine() string {
	commit := setting("vcs.revision")
	if commit == "" {
		commit = "unknown"
	} else if setting("vcs.modified") == "true" {
		commit += ", with changes"
	}
	return fmt.Sprintf("%s %s (commit %s, %s)", product.ID, version(), commit, runtime.Version())
}

// version is the version of the release, or that of the module, which Go makes from the commit.
func version() string {
	info, ok := debug.ReadBuildInfo()
	switch {
	case release != "":
		return release
	case ok && info.Main.Version != "" && info.Main.Version != "(devel)":
		return info.Main.Version
	}
	return "devel"
}

// setting is what the build recorded under a key, or "".
func setting(key string) string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == key {
				return s.Value
			}
		}
	}
	return ""
}
