package logging

// The format text, and what both formats do for the safety of terminals.

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
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
	fmt.Fprintf(&l.buf, "%s %-5s %s ", r.Time.Format(time.TimeOnly), r.Level, Printable(r.Message))
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
		text = append(text, "    "+Printable(strings.ReplaceAll(strings.TrimSuffix(part, "\n"), "\t", "    "))+"\n"...)
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

// escaper passes on lines of JSON with every character escaped that acts on a terminal. A
// line is one call of Write.
type escaper struct{ w io.Writer }

func (e escaper) Write(line []byte) (int, error) {
	text := bytes.TrimSuffix(line, []byte("\n"))
	if bytes.IndexFunc(text, acts) < 0 {
		return e.w.Write(line)
	}
	if _, err := e.w.Write(append(escaped(text, appendJSONEscape), '\n')); err != nil {
		return 0, err
	}
	return len(line), nil
}

// escaped returns a text with the characters escaped that act on a terminal.
func escaped(text []byte, escape func(to []byte, r rune) []byte) []byte {
	to := make([]byte, 0, len(text)+len(text)/4)
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		if acts(r) {
			to = escape(to, r)
		} else {
			to = append(to, text[:size]...)
		}
		text = text[size:]
	}
	return to
}

// acts reports whether a terminal may do anything with a character but show it: control
// characters, marks that reverse the direction of text, tag characters. Bytes that are not
// UTF-8 count too: some terminals take 0x9b for the beginning of a command.
func acts(r rune) bool {
	return r == utf8.RuneError || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Zl, unicode.Zp)
}

// appendTextEscape writes a character as Go does, such as \x1b.
func appendTextEscape(to []byte, r rune) []byte {
	quoted := strconv.AppendQuoteRuneToASCII(nil, r)
	return append(to, quoted[1:len(quoted)-1]...)
}

// appendJSONEscape writes a character that is within a string of JSON: slog writes nothing
// but ASCII outside.
func appendJSONEscape(to []byte, r rune) []byte {
	if high, low := utf16.EncodeRune(r); high != unicode.ReplacementChar {
		return fmt.Appendf(to, `\u%04x\u%04x`, high, low)
	}
	return fmt.Appendf(to, `\u%04x`, r)
}

// Printable returns a text of unknown origin as it may be shown at a terminal: each
// character that would do anything there but appear is escaped.
func Printable(text string) string {
	if strings.IndexFunc(text, acts) < 0 {
		return text
	}
	return string(escaped([]byte(text), appendTextEscape))
}
