// Package logging makes the program's logger: JSON for machines or text for people, where no
// text of a stranger reaches a terminal as more than text, and where a line that repeats
// itself does not fill the disk.
package logging

import (
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"strings"
)

// The formats.
const (
	JSON = "json"
	Text = "text"
)

// ParseLevel returns the level that a word names, in any case: debug, info, warn or error.
func ParseLevel(word string) (slog.Level, error) {
	switch strings.ToLower(word) {
	case "debug":
		return slog.LevelDebug, nil
	case "info":
		return slog.LevelInfo, nil
	case "warn":
		return slog.LevelWarn, nil
	case "error":
		return slog.LevelError, nil
	}
	return 0, fmt.Errorf("is %q: it must be debug, info, warn or error", word)
}

// New returns a logger that writes each line in one piece, lines from level upwards. Of
// lines that are alike it writes the first ones, and how many were dropped; with the level
// debug it writes all. An unknown format is JSON.
func New(w io.Writer, level slog.Level, format string) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	var h slog.Handler
	if format == Text {
		h = newTextHandler(w, options)
	} else {
		h = slog.NewJSONHandler(escaper{w}, options)
	}
	if level > slog.LevelDebug {
		h = newSampler(h)
	}
	return slog.New(h)
}

// Flush writes how many lines a logger of New has dropped and not yet reported, for the end
// of the program.
func Flush(l *slog.Logger) {
	if s, ok := l.Handler().(sampler); ok {
		s.state.flush()
	}
}

// Standard returns a logger of package log for a library that has no other. Its texts are
// unlike each other, because they hold addresses; so each becomes the cause of one message.
func Standard(l *slog.Logger, level slog.Level, message string) *log.Logger {
	return log.New(standard{l, level, message}, "", 0)
}

type standard struct {
	log     *slog.Logger
	level   slog.Level
	message string
}

func (s standard) Write(p []byte) (int, error) {
	s.log.Log(context.Background(), s.level, s.message, "cause", strings.TrimSuffix(string(p), "\n"))
	return len(p), nil
}
