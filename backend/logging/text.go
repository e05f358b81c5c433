package logging

// The format text, and what both formats do for the safety of terminals.

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/nametag-dev/nametag/backend/terminal"
)

// textHandler writes lines for a person at a terminal: time of day, level, message, and the
// attributes as slog.TextHandler writes them, which quotes what is not plain. A stack
// follows in lines of its own.
type textHandler struct {
	attrs slog.Handler // a TextHandler that writes to line.buf
	line  *line
}

type line struct {
	mu  sync.Mutex
	buf bytes.Buffer
	w   io.Writer
}

func newTextHandler(w io.Writer, o *slog.HandlerOptions) textHandler {
	l := &line{w: w}
	return textHandler{slog.NewTextHandler(&l.buf, &slog.HandlerOptions{Level: o.Level, ReplaceAttr: withoutBuiltIn}), l}
}

// withoutBuiltIn leaves out the level and the empty message of a record that Handle passes on.
func withoutBuiltIn(groups []string, a slog.Attr) slog.Attr {
	if len(groups) > 0 {
		return a
	}
	_, isLevel := a.Value.Any().(slog.Level)
	if a.Key == slog.LevelKey && isLevel || a.Key == slog.MessageKey && a.Value.String() == "" {
		return slog.Attr{}
	}
	return a
}

func (h textHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.attrs.Enabled(ctx, level)
}

func (h textHandler) Handle(ctx context.Context, r slog.Record) error {
	l := h.line
	l.mu.Lock()
	defer l.mu.Unlock()
	l.buf.Reset()
	fmt.Fprintf(&l.buf, "%s %-5s %s ", r.Time.Format(time.TimeOnly), r.Level, terminal.Visible(r.Message))
	stack := ""
	bare := slog.NewRecord(time.Time{}, r.Level, "", 0)
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "stack" {
			stack = a.Value.String()
		} else {
			bare.AddAttrs(a)
		}
		return true
	})
	if err := h.attrs.Handle(ctx, bare); err != nil {
		return err
	}
	text := append(bytes.TrimRight(l.buf.Bytes(), " \n"), '\n')
	for part := range strings.Lines(stack) {
		text = append(text, "    "+terminal.Visible(strings.ReplaceAll(strings.TrimSuffix(part, "\n"), "\t", "    "))+"\n"...)
	}
	_, err := l.w.Write(text)
	return err
}

func (h textHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return textHandler{h.attrs.WithAttrs(attrs), h.line}
}

func (h textHandler) WithGroup(name string) slog.Handler {
	return textHandler{h.attrs.WithGroup(name), h.line}
}

// escaper passes on lines of JSON with every character escaped that acts on a terminal.
type escaper struct{ w io.Writer }

func (e escaper) Write(line []byte) (int, error) {
	if bytes.IndexFunc(line, func(r rune) bool { return r != '\n' && !terminal.IsVisible(r) }) < 0 {
		return e.w.Write(line)
	}
	if _, err := io.WriteString(e.w, terminal.VisibleJSON(string(line))); err != nil {
		return 0, err
	}
	return len(line), nil
}
