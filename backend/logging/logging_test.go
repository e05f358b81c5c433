package logging

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode"
)

// out takes lines from the test and from timers.
type out struct {
	mu sync.Mutex
	b  bytes.Buffer
	// writes counts the calls of Write.
	writes int
}

func (o *out) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.writes++
	return o.b.Write(p)
}

func (o *out) lines() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return strings.Split(strings.TrimSuffix(o.b.String(), "\n"), "\n")
}

func (o *out) parsed(t *testing.T) (lines []map[string]any) {
	t.Helper()
	for _, text := range o.lines() {
		var line map[string]any
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		lines = append(lines, line)
	}
	return lines
}

func TestParseLevel(t *testing.T) {
	for word, want := range map[string]slog.Level{
		"debug": slog.LevelDebug, "INFO": slog.LevelInfo, "Warn": slog.LevelWarn, "eRRor": slog.LevelError,
	} {
		if got, err := ParseLevel(word); err != nil || got != want {
			t.Errorf("%s is %v, %v", word, got, err)
		}
	}
	for _, word := range []string{"", "warning", "info+2", "-4", " info"} {
		if got, err := ParseLevel(word); err == nil {
			t.Errorf("%q is %v", word, got)
		}
	}
}

func TestNew_levels(t *testing.T) {
	for _, format := range []string{JSON, Text} {
		for level, want := range map[slog.Level]int{slog.LevelDebug: 4, slog.LevelInfo: 3, slog.LevelWarn: 2, slog.LevelError: 1} {
			var o out
			log := New(&o, level, format)
			log.Debug("d")
			log.Info("i")
			log.Warn("w")
			log.Error("e")
			if o.writes != want {
				t.Errorf("%s from %s: %d lines, want %d", format, level, o.writes, want)
			}
		}
	}
}

func TestNew_text(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var o out
		log := New(&o, slog.LevelInfo, Text)
		log.Info("listening", "url", "http://localhost:8080", "version", "1.2 beta")
		log.Warn("ended")
		log.With("instanceId", "i-1").WithGroup("g").Error("three\x1b[2Jlines", "cause", "a\nb", "msg", "", "level", "high", "time", 3)
		log.Error("panic", "stack", "goroutine 1:\n\tmain.go:3\n")
		want := []string{
			`00:00:00 INFO  listening url=http://localhost:8080 version="1.2 beta"`,
			`00:00:00 WARN  ended`,
			`00:00:00 ERROR three\x1b[2Jlines instanceId=i-1 g.cause="a\nb" g.msg="" g.level=high g.time=3`,
			`00:00:00 ERROR panic`,
			`    goroutine 1:`,
			`        main.go:3`,
		}
		if got := strings.Join(o.lines(), "\n"); got != strings.Join(want, "\n") {
			t.Errorf("got\n%s", got)
		}
	})
}

// hostile has what must never reach a terminal.
var hostile = []string{
	"\x1b]0;pwn\x07\x1b[31mRED\x1b[2J\r\nfake\trow", // an escape, a title, a line of its own
	"\u009b31m", "\x9b31m", // the same in one character, and in one byte
	"\u202egnp.exe",            // reversed
	"\u2066hidden\u2069",       // isolated
	"\U000E0041\U000E0042",     // tag characters
	"\u2028\u2029\ufeff\u200b", // lines and what has no width
	"\x7f\x00",
}

func TestNew_hostileText(t *testing.T) {
	for _, format := range []string{JSON, Text} {
		for _, text := range hostile {
			t.Run(fmt.Sprintf("%s %q", format, text), func(t *testing.T) {
				var o out
				New(&o, slog.LevelInfo, format).With(text, text).Info(text, text, text, "stack", text, "cause", fmt.Errorf("no %s", text), "group", slog.GroupValue(slog.String(text, text)))
				written := strings.TrimSuffix(o.b.String(), "\n")
				if format == JSON {
					o.parsed(t)
				} else {
					written = strings.ReplaceAll(written, "\n    ", "") // the stack is below its line
				}
				for _, r := range written {
					if unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) || r == unicode.ReplacementChar {
						t.Errorf("%U is written: %q", r, written)
					}
				}
			})
		}
	}
	t.Run("what is harmless stays", func(t *testing.T) {
		const name = "Bramble & Thyme 花 naïve 🌿"
		var o out
		New(&o, slog.LevelInfo, JSON).Info(name, "name", name+"\u202e\U000E0041")
		if line := o.parsed(t)[0]; line["msg"] != name || line["name"] != name+"\u202e\U000E0041" {
			t.Errorf("JSON has another meaning: %v", line)
		}
	})
}

// TestNew_floods has 2,000 lines that are alike, however quickly they come.
func TestNew_floods(t *testing.T) {
	for _, format := range []string{JSON, Text} {
		for _, gap := range []time.Duration{0, time.Millisecond, 30 * time.Millisecond, 100 * time.Millisecond, 500 * time.Millisecond} {
			t.Run(fmt.Sprint(format, gap), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var o out
					log := New(&o, slog.LevelInfo, format)
					for i := range 2000 {
						log.Info("request refused", "code", "token_foreign", "client", fmt.Sprintf("10.%d.%d.0/24", i/256, i%256))
						time.Sleep(gap)
					}
					time.Sleep(lastPeriod)
					lines := o.lines()
					if len(lines) > 200 || len(lines) < writeFirst {
						t.Errorf("%d lines", len(lines))
					}
					if !strings.Contains(lines[0], "10.0.0.0/24") {
						t.Errorf("the first line is %s", lines[0])
					}
				})
			})
		}
	}
}

func TestNew_dropsAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var o out
		log := New(&o, slog.LevelInfo, JSON)
		flood := func(n int, with func(string, ...any), message string, args ...any) {
			for range n {
				with(message, args...)
			}
		}
		written := func() (lines, dropped int) {
			for _, l := range o.parsed(t) {
				if n, ok := l["dropped"].(float64); ok {
					dropped += int(n)
				} else {
					lines++
				}
			}
			return lines, dropped
		}
		flood(2000, log.Warn, "request refused", "code", "rate_limited")
		log.Warn("request refused", "code", "token_foreign")
		log.Warn("something else")
		if lines, dropped := written(); lines != writeFirst+2 || dropped != 0 {
			t.Fatalf("%d lines and %d dropped while the period lasts", lines, dropped)
		}
		time.Sleep(firstPeriod)
		synctest.Wait()
		all := o.parsed(t)
		last := all[len(all)-1]
		delete(last, "time")
		want := map[string]any{
			"level": "WARN", "msg": "more lines like this were dropped", "message": "request refused", "code": "rate_limited",
			"dropped": 1990.0, "within": "10s",
		}
		if fmt.Sprint(last) != fmt.Sprint(want) {
			t.Errorf("got %v\nwant %v", last, want)
		}
		// A logger with attributes counts with the others of its kind.
		more := log.With("code", "rate_limited", "instanceId", "i")
		flood(writeFirst, more.Info, "request refused")
		flood(5, more.Error, "request refused")
		if lines, dropped := written(); lines != 2*writeFirst+2 || dropped != 1990 {
			t.Errorf("%d lines and %d dropped in the second period", lines, dropped)
		}
		Flush(log)
		Flush(log)
		if lines, dropped := written(); lines != 2*writeFirst+2 || dropped != 1995 {
			t.Errorf("%d lines and %d dropped after Flush", lines, dropped)
		}
		time.Sleep(time.Hour)
		flood(writeFirst, log.Info, "request refused", "code", "rate_limited")
		if lines, dropped := written(); lines != 3*writeFirst+2 || dropped != 1995 {
			t.Errorf("%d lines and %d dropped in the end", lines, dropped)
		}
	})
}

func TestNew_memoryIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var o out
		log := New(&o, slog.LevelInfo, JSON)
		for i := range 10 * maxKinds {
			log.Info(fmt.Sprint("message ", i))
		}
		state := log.Handler().(sampler).state
		if n := len(state.kinds); n > maxKinds+1 {
			t.Errorf("%d kinds are remembered", n)
		}
		if n := len(o.lines()); n != maxKinds+writeFirst {
			t.Errorf("%d lines", n)
		}
		time.Sleep(firstPeriod)
		log.Info("of a later time")
		if n := len(state.kinds); n != 1 {
			t.Errorf("%d kinds are remembered after their period", n)
		}
	})
}

func TestNew_clockSetBack(t *testing.T) {
	var o out
	log := New(&o, slog.LevelInfo, JSON)
	at := time.Now()
	write := func(at time.Time, n int) {
		for range n {
			if err := log.Handler().Handle(t.Context(), slog.NewRecord(at, slog.LevelInfo, "x", 0)); err != nil {
				t.Fatal(err)
			}
		}
	}
	write(at, writeFirst)
	write(at.Add(-time.Hour), 1)
	if n := len(o.lines()); n != writeFirst+1 {
		t.Errorf("%d lines", n)
	}
}

func TestNew_debugWritesAll(t *testing.T) {
	var o out
	log := New(&o, slog.LevelDebug, JSON)
	for range 500 {
		log.Info("x")
	}
	if o.writes != 500 {
		t.Errorf("%d lines", o.writes)
	}
	Flush(log)
}

func TestStandard(t *testing.T) {
	var o out
	Standard(New(&o, slog.LevelInfo, JSON), slog.LevelWarn, "the HTTP server").Printf("http: panic serving %s: x\nstack", "192.0.2.1:99")
	line := o.parsed(t)[0]
	if line["level"] != "WARN" || line["msg"] != "the HTTP server" || line["cause"] != "http: panic serving 192.0.2.1:99: x\nstack" {
		t.Errorf("got %v", line)
	}
}
