package wixsim

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// listen opens the stream of events of a server and returns a function that reads the next.
func listen(t *testing.T, url string) (next func() (kind, data string)) {
	t.Helper()
	answer, err := http.Get(url + "/_sim/events")
	if err != nil || answer.StatusCode != 200 || answer.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%v %v", answer, err)
	}
	t.Cleanup(func() { answer.Body.Close() })
	lines := bufio.NewReader(answer.Body)
	if line, err := lines.ReadString('\n'); err != nil || !strings.HasPrefix(line, ": ") {
		t.Fatalf("%q %v", line, err)
	}
	return func() (kind, data string) {
		for {
			line, err := lines.ReadString('\n')
			if err != nil {
				return "", err.Error()
			}
			if value, ok := strings.CutPrefix(line, "event: "); ok {
				kind = strings.TrimSpace(value)
			}
			if value, ok := strings.CutPrefix(line, "data: "); ok {
				return kind, strings.TrimSpace(value)
			}
		}
	}
}

func TestEvents(t *testing.T) {
	s, v := newSender(t)
	v.answer = always(200)
	server := httptest.NewServer(s.Handler())
	defer server.Close()
	next := listen(t, server.URL)
	in := install(t, s, InstallRequest{Silent: true})
	ask(s.REST(), "POST", "/oauth2/token-info?token="+mint(t, s, TokenRequest{Subject: App}), "{}")
	if err := s.SetFault(Fault{Endpoint: "token", Status: 503, Count: 1}); err != nil {
		t.Fatal(err)
	}
	ask(s.REST(), "POST", "/oauth2/token", "{}")
	if err := s.Advance(time.Hour); err != nil {
		t.Fatal(err)
	}
	s.UninstallSilently(in.InstanceID)
	if err := s.Restore(State{Version: StateVersion}); err != nil {
		t.Fatal(err)
	}
	post(t, s, Webhook{EventType: AppInstalled, InstanceID: noSuchID})
	for _, want := range []struct{ kind, data string }{
		{"install", `{"instanceId":"` + in.InstanceID + `","removed":false}`},
		{"call", `"path":"/oauth2/token-info","query":"token=OauthN…`},
		{"faults", `[{"endpoint":"token","status":503,"count":1}]`},
		{"faults", `[]`},
		{"call", `"fault":true}`},
		{"clock", `"aheadMs":3600000`},
		{"install", `"removed":true`},
		{"state", `{}`},
		{"delivery", `"state":"pending","attempts":[]`},
		{"delivery", `"state":"delivered","attempts":[{`},
	} {
		if kind, data := next(); kind != want.kind || !strings.Contains(data, want.data) {
			t.Fatalf("%s %s, want %+v", kind, data, want)
		}
	}
	s.Close()
	if kind, data := next(); kind != "" {
		t.Errorf("after the end: %s %s", kind, data)
	}
	if w := ask(s.Handler(), "GET", "/_sim/events", ""); w.Code != 503 {
		t.Errorf("a stream of a closed Sim: %d", w.Code)
	}
}

func TestEvents_slowReader(t *testing.T) {
	var h hub
	slow, other := h.join(), h.join()
	for i := range maxQueue + 7 {
		h.publish("call", func() any { return i })
		if events, _ := h.take(other); len(events) != 1 || string(events[0]) != fmt.Sprintf("event: call\ndata: %d\n\n", i) {
			t.Fatalf("%q", events)
		}
	}
	events, open := h.take(slow)
	if len(events) != maxQueue+1 || !open || string(events[maxQueue]) != "event: lost\ndata: {\"count\":7}\n\n" {
		t.Errorf("%d events, the last %q", len(events), events[len(events)-1])
	}
	for range maxReaders - 2 {
		if h.join() == nil {
			t.Fatal("too few readers")
		}
	}
	if h.join() != nil {
		t.Error("too many readers")
	}
	h.leave(slow)
	if h.join() == nil {
		t.Error("there is no room for another reader")
	}
}

func TestEvents_heartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSim(t)
		ctx, cancel := context.WithCancel(t.Context())
		w := httptest.NewRecorder()
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.Handler().ServeHTTP(w, httptest.NewRequestWithContext(ctx, "GET", "http://127.0.0.1/_sim/events", nil))
		}()
		time.Sleep(2*heartbeat + time.Second)
		cancel()
		<-done
		if n := strings.Count(w.Body.String(), ": still here\n\n"); n != 2 {
			t.Errorf("%d in %q", n, w.Body)
		}
		if len(s.events.readers) != 0 {
			t.Error("the reader is still there")
		}
	})
}
