package wixsim

// The seed: the first sites, from a file.

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Seed describes the sites with which a Sim starts.
type Seed struct {
	// IDSeed is Config.IDSeed.
	IDSeed string `json:"idSeed"`
	// Sites are the sites on which the app is installed, the oldest first.
	Sites []InstallRequest `json:"sites"`
}

// ReadSeed reads a Seed from JSON. The error names the line and the field.
func ReadSeed(r io.Reader) (Seed, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return Seed{}, err
	}
	if fault := new(json.SyntaxError); errors.As(json.Unmarshal(text, new(any)), &fault) {
		return Seed{}, fmt.Errorf("line %d: this is no JSON: %w", lineOf(text, int(fault.Offset)), fault)
	}
	if bytes.TrimSpace(text)[0] != '{' {
		return Seed{}, errors.New("line 1: a seed must be one JSON object")
	}
	var in struct {
		IDSeed string            `json:"idSeed"`
		Sites  []json.RawMessage `json:"sites"`
	}
	if decodeStrictly(text, &in) != nil {
		return Seed{}, errors.New(fieldFault(text, &in))
	}
	err = check(
		rule{isText(in.IDSeed, 200), "idSeed must be text of at most 200 characters"},
		rule{len(in.Sites) > 0, "sites must be at least one"},
		rule{len(in.Sites) <= maxInstallations, fmt.Sprintf("sites must be at most %d", maxInstallations)},
	)
	if err != nil {
		return Seed{}, err
	}
	seed := Seed{IDSeed: in.IDSeed}
	at := max(0, bytes.Index(text, []byte(`"sites"`)))
	seen := map[string]bool{}
	for i, raw := range in.Sites {
		at += max(0, bytes.Index(text[at:], raw))
		site, problem := readSite(raw, seen)
		if problem != "" {
			return Seed{}, fmt.Errorf("line %d: sites[%d]%s", lineOf(text, at), i, problem)
		}
		at += len(raw)
		seed.Sites = append(seed.Sites, site)
	}
	return seed, nil
}

// readSite reads one site, and says what is wrong with it, after the name of the site.
func readSite(raw json.RawMessage, seen map[string]bool) (site InstallRequest, problem string) {
	if raw[0] != '{' {
		return site, " must be an object"
	}
	if decodeStrictly(raw, &site) != nil {
		return site, "." + fieldFault(raw, &site)
	}
	checked := site
	if site.InstanceID == "" {
		checked.InstanceID = seededID("", "") // any: it gets its own when it is installed
	} else if err := once(seen, site.InstanceID); err != nil {
		return site, "." + err.Error()
	}
	if _, err := checked.complete(); err != nil {
		return site, "." + err.Error()
	}
	return site, ""
}

func lineOf(text []byte, offset int) int {
	return 1 + bytes.Count(text[:min(offset, len(text))], []byte("\n"))
}

// plant installs the app on the sites of a seed. No webhook is sent: the app was installed
// before its server ran.
func (s *Sim) plant(seed Seed) error {
	for i, site := range seed.Sites {
		if _, err := s.install(site); err != nil {
			return fmt.Errorf("sites[%d]: %w", i, err)
		}
	}
	return nil
}
