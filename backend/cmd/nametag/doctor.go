package main

// The command doctor: prints what app.Doctor has found.

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/nametag-dev/nametag/backend/app"
	"github.com/nametag-dev/nametag/backend/business"
	"github.com/nametag-dev/nametag/backend/doctor"
)

type doctorCmd struct {
	JSON bool `name:"json" help:"Print JSON for programs."`
}

// Run ends with exit code 0 without a fault, with 1 otherwise, and with exitUsage when the
// configuration cannot be read.
func (c doctorCmd) Run(p *process) error {
	start := time.Now()
	findings, err := app.Doctor(p.ctx, p.environ, bundles(), business.New)
	if err != nil && !errors.Is(err, app.ErrConfiguration) {
		return declared(err)
	}
	count := map[doctor.State]int{}
	for i, f := range findings {
		findings[i].Saw, findings[i].Do = printable(f.Saw), printable(f.Do)
		count[f.State]++
	}
	if c.JSON {
		encoder := json.NewEncoder(p.stdout)
		encoder.SetIndent("", "  ")
		if err := encoder.Encode(map[string]any{"ok": count[doctor.Fault] == 0, "findings": findings}); err != nil {
			return err
		}
	} else {
		printFindings(p.stdout, findings)
		fmt.Fprintf(p.stdout, "\n%d ok, %s, %s, %d skipped, in %.1f s\n", count[doctor.OK],
			plural(count[doctor.Warning], "warning"), plural(count[doctor.Fault], "fault"), count[doctor.Skipped], time.Since(start).Seconds())
	}
	switch {
	case err != nil:
		return usageError{err}
	case count[doctor.Fault] > 0:
		return fmt.Errorf("%s found", plural(count[doctor.Fault], "fault"))
	}
	return nil
}

// printFindings prints a table: the check, its state, and what was seen and can be done, in
// lines of a hundred characters.
func printFindings(w io.Writer, findings []doctor.Finding) {
	const checks, states, width = 16, 9, 100
	indent := strings.Repeat(" ", checks+states)
	fmt.Fprintf(w, "%-*s%-*s%s\n", checks, "CHECK", states, "STATE", "FOUND, AND WHAT TO DO")
	for _, f := range findings {
		fmt.Fprintf(w, "%-*s%-*s", checks, f.Check, states, f.State)
		for i, line := range wrapped(f.Saw, width-len(indent)) {
			fmt.Fprintf(w, "%s%s\n", indent[:len(indent)*min(i, 1)], line)
		}
		for i, line := range wrapped(f.Do, width-len(indent)-2) {
			mark := "→ "
			if i > 0 {
				mark = "  "
			}
			fmt.Fprintf(w, "%s%s%s\n", indent, mark, line)
		}
	}
}

// wrapped parts a text into lines, between words. A text of several lines stays so.
func wrapped(text string, width int) (lines []string) {
	for paragraph := range strings.SplitSeq(text, "\n") {
		line := ""
		for _, word := range strings.Fields(paragraph) {
			switch {
			case line == "":
				line = word
			case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) <= width:
				line += " " + word
			default:
				lines = append(lines, line)
				line = word
			}
		}
		if line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

// printable replaces what a terminal could obey, or what is not seen: a part of a finding may
// be of another server.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && !unicode.IsPrint(r) {
			return utf8.RuneError
		}
		return r
	}, text)
}
