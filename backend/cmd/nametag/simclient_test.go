package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/nametag-dev/nametag/backend/product"
)

// steer runs a command of `nametag sim`, and returns its exit code and output.
func steer(args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = run(append([]string{"sim"}, args...), nil, strings.NewReader(""), &out, &errs)
	return code, out.String(), errs.String()
}

func TestSim_isSteered(t *testing.T) {
	const id = "11111111-1111-4111-8111-111111111111"
	p := startSim(t, "--webhook-url=http://127.0.0.1:1/")
	p.do(t, "POST", "/_sim/installs", `{"instanceId":"`+id+`","members":["bo@example.com"],"silent":true}`)
	for _, tt := range []struct {
		name string
		args []string
		code int
		out  string // the whole output, or "*" for a token
		err  string // part of it
	}{
		{"a visitor's token", []string{"token"}, 0, "*", ""},
		{"an owner's token", []string{"token", "--as", "owner", "--instance", id, "--ttl", "5m"}, 0, "*", ""},
		{"a member's token", []string{"token", "--as=member", "--instance=" + id, "--member=bo@example.com"}, 0, "*", ""},
		{"a token of someone else", []string{"token", "--as=king"}, 2, "", "king"},
		{"a token of an unknown instance", []string{"token", "--instance=99999999-9999-4999-8999-999999999999"}, 1, "", "not installed"},
		{"an event", []string{"trigger", "PaidPlanPurchased", "--instance", id, "--set", "vendorProductId=gold", "--set", "count=5", "--set", `a={"b":[1]}`, "--set", "t=x=y;z,1"}, 0, "1\n", ""},
		{"a field that is none", []string{"trigger", "AppInstalled", "--set=x"}, 2, "", "KEY=VALUE"},
		{"an event without a type", []string{"trigger", ""}, 1, "", "eventType must be"},
		{"a fault", []string{"fault", "token-info", "--status", "503", "--count", "2", "--latency", "20ms"}, 0, `{"endpoint":"token-info","status":503,"latency":"20ms","count":2}` + "\n", ""},
		{"a second fault", []string{"fault", "--outage"}, 0, `{"endpoint":"*","outage":true}` + "\n" + `{"endpoint":"token-info","status":503,"latency":"20ms","count":2}` + "\n", ""},
		{"a fault that is none", []string{"fault", "token", "--status=99"}, 1, "", "status must be"},
		{"the end of faults", []string{"fault", "--clear"}, 0, "", ""},
		{"no fault", []string{"fault"}, 0, "", ""},
		{"back in time", []string{"advance", "--", "-5h"}, 1, "", "advance must be"},
		{"no time", []string{"advance", "soon"}, 2, "", "soon"},
		{"no sim", []string{"token", "--url=http://127.0.0.1:1"}, 1, "", "no offline Wix answers at http://127.0.0.1:1: start one with " + product.ID + " sim"},
		{"no address", []string{"token", "--url=localhost"}, 1, "", "it must be a URL"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			args := append(tt.args[:1:1], "--url="+p.url)
			code, out, errs := steer(append(args, tt.args[1:]...)...)
			if tt.out == "*" && strings.HasPrefix(out, "OauthNG.JWS.") && strings.Count(out, "\n") == 1 {
				out = "*"
			}
			if code != tt.code || out != tt.out || !strings.Contains(errs, tt.err) || (errs == "") != (tt.err == "") {
				t.Errorf("exit code %d, %q, %q", code, out, errs)
			}
		})
	}
	event := p.do(t, "GET", "/_sim/webhooks/1", "")
	for _, field := range []string{`"vendorProductId":"gold"`, `"count":5`, `"a":{"b":[1]}`, `"t":"x=y;z,1"`, `"cycle":"MONTHLY"`} {
		if !strings.Contains(event, field) {
			t.Errorf("no %s in %s", field, event)
		}
	}
	var before, after struct{ Now string }
	if err := json.Unmarshal([]byte(p.do(t, "GET", "/_sim/clock", "")), &before); err != nil {
		t.Fatal(err)
	}
	code, out, errs := steer("advance", "48h", "--url", p.url+"/")
	if err := json.Unmarshal([]byte(p.do(t, "GET", "/_sim/clock", "")), &after); err != nil {
		t.Fatal(err)
	}
	if out = strings.TrimSpace(out); code != 0 || out <= before.Now[:13] || out > after.Now || before.Now[:10] == out[:10] {
		t.Errorf("exit code %d, %s after %s: %s", code, out, before.Now, errs)
	}
}

// Another program at the address is no offline Wix.
func TestSim_isNotWhatAnswers(t *testing.T) {
	server := http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/_sim/tokens" {
			w.WriteHeader(http.StatusNotFound)
		}
		w.Write([]byte("<html>"))
	})}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go server.Serve(listener)
	defer server.Close()
	url := "--url=http://" + listener.Addr().String()
	for args, want := range map[string]string{"token": "which no offline Wix does", "fault": "does not answer as an offline Wix does"} {
		if code, _, errs := steer(args, url); code != 1 || !strings.Contains(errs, want) {
			t.Errorf("%s: exit code %d, %s", args, code, errs)
		}
	}
}

func TestSim_seed(t *testing.T) {
	dir := t.TempDir()
	seed := filepath.Join(dir, "seed.json")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(seed, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("{\"idSeed\": \"a\", \"sites\": [\n{\"siteDisplayName\": \"Bakery\"},\n{\"plan\": 5}]}")
	for _, tt := range []struct{ file, want string }{
		{seed, "--seed " + seed + ": line 3: sites[1].plan must be text"},
		{filepath.Join(dir, "none.json"), "--seed open"},
	} {
		data := filepath.Join(dir, "never.json")
		if code, _, errs := steer("--addr=127.0.0.1:0", "--data="+data, "--seed="+tt.file); code != 1 || !strings.Contains(errs, tt.want) {
			t.Errorf("exit code %d, %s", code, errs)
		}
		if _, err := os.Stat(data); err == nil {
			t.Error("something has started")
		}
	}
	write("{\"idSeed\": \"a\", \"sites\": [\n{\"siteDisplayName\": \"Bakery\"},\n{\"plan\": \"gold\"}]}")
	ids := func(args ...string) (sites, output string) {
		p := startSim(t, append([]string{"--seed=" + seed}, args...)...)
		if p.url == "" {
			t.Fatal(p.stderr.String())
		}
		var installs []struct{ InstanceID, SiteDisplayName string }
		if err := json.Unmarshal([]byte(p.do(t, "GET", "/_sim/installs", "")), &installs); err != nil {
			t.Fatal(err)
		}
		for _, in := range installs {
			sites += in.InstanceID + " " + in.SiteDisplayName + "\n"
		}
		p.end(t, syscall.SIGTERM)
		c := credentials.FindStringSubmatch(p.stdout.String())
		return sites + c[1] + c[2], p.stdout.String()
	}
	first, _ := ids()
	if again, _ := ids(); again != first || strings.Count(first, "\n") != 2 || !strings.Contains(first, " Bakery\n") {
		t.Errorf("the ids are not those of the seed: %s and %s", first, again)
	}
	if other, _ := ids("--id-seed=b"); other == first {
		t.Error("--id-seed is not used")
	}
	data := filepath.Join(dir, "state.json")
	if got, _ := ids("--data=" + data); got != first {
		t.Errorf("into a file: %s", got)
	}
	write(`{"sites": [{"siteDisplayName": "Other"}]}`)
	if got, output := ids("--data=" + data); got != first || !strings.Contains(output, "are not loaded") {
		t.Errorf("from a file: %s\n%s", got, output)
	}
}

func TestSim_defaultStateFile(t *testing.T) {
	dir := t.TempDir()
	start := func() *simProcess {
		p := &simProcess{cmd: exec.Command(os.Args[0], "sim", "--addr=127.0.0.1:0")}
		p.cmd.Env, p.cmd.Dir, p.cmd.Stderr = []string{asProgram + "=1"}, dir, &p.stderr
		p.start(t)
		return p
	}
	p := start()
	id := p.do(t, "POST", "/_sim/installs", `{"siteDisplayName":"Bakery"}`)
	if code := p.end(t, syscall.SIGTERM); code != 0 || !strings.Contains(p.stdout.String(), product.ID+"-sim.json") {
		t.Errorf("exit code %d\n%s%s", code, &p.stdout, &p.stderr)
	}
	again := start()
	if got := again.do(t, "GET", "/_sim/installs", ""); !strings.Contains(got, strings.TrimSpace(id)) {
		t.Errorf("%s is not in %s", id, got)
	}
	second := start()
	second.read.Wait()
	_ = second.cmd.Wait()
	if code := second.cmd.ProcessState.ExitCode(); second.url != "" || code != 1 || !strings.Contains(second.stderr.String(), "another offline Wix has it open") {
		t.Errorf("a second one in the same folder: exit code %d: %s", code, &second.stderr)
	}
}

func TestSim_network(t *testing.T) {
	for _, args := range [][]string{{"--allow-network"}, {"--allow-network", "--password=eleven-long"}} {
		if code, _, errs := steer(append([]string{"--addr=0.0.0.0:0", "--data=none"}, args...)...); code != 1 || !strings.Contains(errs, "a password of at least 12 characters") {
			t.Errorf("%v: exit code %d, %s", args, code, errs)
		}
	}
	const password = "correct horse battery"
	p := startSim(t, "--addr=0.0.0.0:0", "--allow-network", "--password="+password, "--host=wix.example.com")
	if p.url == "" {
		t.Fatal(p.stderr.String())
	}
	for path, want := range map[string]int{"/": 401, "/site": 401, "/_sim/health": 401, "/oauth2/token-info": 405} {
		if status, _ := p.ask(t, "GET", path, ""); status != want {
			t.Errorf("%s: %d", path, status)
		}
	}
	r, _ := http.NewRequest("GET", p.url+"/_sim/health", nil)
	r.SetBasicAuth("sim", password)
	r.Host = "wix.example.com"
	if answer, err := http.DefaultClient.Do(r); err != nil || answer.StatusCode != 200 {
		t.Errorf("with the password: %v %v", answer, err)
	}
	if code, _, errs := steer("token", "--url="+p.url); code != 1 || !strings.Contains(errs, "wants its password") {
		t.Errorf("exit code %d, %s", code, errs)
	}
	if code, out, errs := steer("token", "--url="+p.url, "--password="+password); code != 0 || !strings.HasPrefix(out, "OauthNG.") {
		t.Errorf("exit code %d, %s", code, errs)
	}
	if code := p.end(t, syscall.SIGTERM); code != 0 || !strings.Contains(p.stderr.String(), "open to the network") || strings.Contains(p.stdout.String()+p.stderr.String(), password) {
		t.Errorf("exit code %d\n%s%s", code, &p.stdout, &p.stderr)
	}
}

func TestSim_endsWhileEventsAreRead(t *testing.T) {
	p := startSim(t)
	answer, err := http.Get(p.url + "/_sim/events")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	lines := bufio.NewScanner(answer.Body)
	if !lines.Scan() {
		t.Fatal(lines.Err())
	}
	if code := p.end(t, syscall.SIGTERM); code != 0 {
		t.Errorf("exit code %d: %s", code, &p.stderr)
	}
	for lines.Scan() {
	}
	if err := lines.Err(); err != nil {
		t.Error("the stream is cut:", err)
	}
}
