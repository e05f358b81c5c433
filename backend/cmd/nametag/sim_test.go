package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// asProgram, set in the environment, makes this test binary the program.
const asProgram = "NAMETAG_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	os.Exit(m.Run())
}

// simProcess is a `nametag sim`.
type simProcess struct {
	cmd  *exec.Cmd
	url  string
	read sync.WaitGroup
	// The output; it can be read after end.
	stdout, stderr bytes.Buffer
}

// startSim starts a `nametag sim` and waits until it says where it is. One that ends before
// that has no url.
func startSim(t *testing.T, args ...string) *simProcess {
	t.Helper()
	p := &simProcess{cmd: exec.Command(os.Args[0], append([]string{"sim", "--addr=127.0.0.1:0", "--data=none"}, args...)...)}
	p.cmd.Env = []string{asProgram + "=1"}
	p.cmd.Stderr = &p.stderr
	p.start(t)
	return p
}

func (p *simProcess) start(t *testing.T) {
	t.Helper()
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.cmd.Process.Kill() })
	lines := bufio.NewScanner(io.TeeReader(stdout, &p.stdout))
	for lines.Scan() {
		if _, url, ok := strings.Cut(lines.Text(), "The offline Wix is at "); ok {
			p.url = strings.TrimSuffix(url, "/")
			break
		}
	}
	p.read.Go(func() {
		for lines.Scan() {
		}
	})
}

// end sends a signal and returns the exit code.
func (p *simProcess) end(t *testing.T, signal syscall.Signal) int {
	t.Helper()
	if err := p.cmd.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	p.read.Wait()
	_ = p.cmd.Wait() // the code says it
	return p.cmd.ProcessState.ExitCode()
}

// ask sends a request and returns the answer's status and body.
func (p *simProcess) ask(t *testing.T, method, path, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequest(method, p.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatalf("%v: %s", err, &p.stderr)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// do is ask for a request that must succeed.
func (p *simProcess) do(t *testing.T, method, path, body string) string {
	t.Helper()
	status, text := p.ask(t, method, path, body)
	if status >= 300 {
		t.Fatalf("%s %s: %d %s", method, path, status, text)
	}
	return text
}

// eventually waits for a condition that another process brings about.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not after two minutes: %s", what)
		}
	}
}

var credentials = regexp.MustCompile(`WIX_APP_ID=(\S+) WIX_APP_SECRET=(\S+)[\s\\]+WIX_PUBLIC_KEY=(\S+)`)

func TestSim_stateSurvivesARestart(t *testing.T) {
	for name, signal := range map[string]syscall.Signal{"SIGTERM": syscall.SIGTERM, "SIGINT": syscall.SIGINT, "SIGKILL": syscall.SIGKILL} {
		t.Run(name, func(t *testing.T) {
			data := filepath.Join(t.TempDir(), "sim.json")
			before := startSim(t, "--data="+data)
			const id = "11111111-1111-4111-8111-111111111111"
			before.do(t, "POST", "/_sim/installs", `{"instanceId":"`+id+`","siteDisplayName":"Lantern Bakery"}`)
			before.do(t, "PUT", "/_sim/installs/"+id+"/plan", `{"plan":"gold","billingCycle":"YEARLY"}`)
			before.do(t, "PUT", "/_sim/faults", `{"endpoint":"token","status":503}`)
			var token struct{ Token string }
			if err := json.Unmarshal([]byte(before.do(t, "POST", "/_sim/tokens", `{"subject":"USER","instanceId":"`+id+`"}`)), &token); err != nil {
				t.Fatal(err)
			}
			info := before.do(t, "POST", "/oauth2/token-info", `{"token":"`+token.Token+`"}`)
			before.do(t, "PUT", "/_sim/published/"+id, `{"elements":[{"attributes":[{"name":"display-name","value":"Ada"}]}]}`)
			installs := before.do(t, "GET", "/_sim/installs", "")
			if signal == syscall.SIGKILL { // it loses no more than the last moments
				eventually(t, "the page is saved", func() bool {
					text, err := os.ReadFile(data)
					return err == nil && strings.Contains(string(text), `"Ada"`)
				})
			}
			want := map[bool]int{true: -1, false: 0}[signal == syscall.SIGKILL]
			if code := before.end(t, signal); code != want {
				t.Fatalf("exit code %d: %s", code, &before.stderr)
			}
			if info, err := os.Stat(data); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("the file: %v, %v", info, err)
			}

			after := startSim(t, "--data="+data)
			if after.url == "" {
				t.Fatalf("it does not start: %s", &after.stderr)
			}
			if got := after.do(t, "POST", "/oauth2/token-info", `{"token":"`+token.Token+`"}`); got != info || !strings.Contains(got, `"active":true`) {
				t.Errorf("the token: %s, before: %s", got, info)
			}
			if got := after.do(t, "GET", "/_sim/installs", ""); got != installs {
				t.Errorf("the sites: %s, before: %s", got, installs)
			}
			if _, page := after.ask(t, "GET", "/site?instance="+id, ""); !strings.Contains(page, `display-name="Ada"`) {
				t.Errorf("the page: %s", page)
			}
			c := credentials.FindStringSubmatch(before.stdout.String())
			if c == nil {
				t.Fatalf("no credentials in %s", &before.stdout)
			}
			after.do(t, "POST", "/oauth2/token", `{"grant_type":"client_credentials","client_id":"`+c[1]+`","client_secret":"`+c[2]+`","instance_id":"`+id+`"}`)
			if code := after.end(t, syscall.SIGINT); code != 0 {
				t.Errorf("exit code %d: %s", code, &after.stderr)
			}
			if !strings.Contains(after.stdout.String(), c[0]) {
				t.Errorf("other credentials:\n%s\nbefore:\n%s", &after.stdout, &before.stdout)
			}
		})
	}
}

func TestSim_refusesAStateFile(t *testing.T) {
	dir := t.TempDir()
	good := filepath.Join(dir, "good.json")
	if code := startSim(t, "--data="+good).end(t, syscall.SIGINT); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	state, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"empty.json": "", "half.json": string(state[:len(state)/2]), "other.json": `{"name":"nametag"}`,
		"newer.json": strings.Replace(string(state), `"version": 1`, `"version": 2`, 1),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name, file string
		args       []string
		want       string
	}{
		{"an empty file", "empty.json", nil, "no state of the offline Wix"},
		{"half a file", "half.json", nil, "no state of the offline Wix"},
		{"another file", "other.json", nil, "no state of the offline Wix"},
		{"a newer file", "newer.json", nil, "is of version 2"},
		{"another app id", "good.json", []string{"--app-id=another"}, "of another app: its app id is"},
		{"another secret", "good.json", []string{"--app-secret=another"}, "Leave out --app-id, --app-secret"},
		{"a folder that is not there", "no/sim.json", nil, "no such file or directory"},
		{"a folder", ".", nil, "is a directory"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file := filepath.Join(dir, tt.file)
			before, _ := os.ReadFile(file)
			var stdout, stderr bytes.Buffer
			args := append([]string{"sim", "--addr=127.0.0.1:0", "--data=" + file}, tt.args...)
			if code := run(args, nil, strings.NewReader(""), &stdout, &stderr); code != 1 || !strings.Contains(stderr.String(), tt.want) {
				t.Errorf("exit code %d, %s", code, &stderr)
			}
			if after, _ := os.ReadFile(file); !bytes.Equal(before, after) {
				t.Error("the file has changed")
			}
		})
	}
	t.Run("a file that another sim has open", func(t *testing.T) {
		first := startSim(t, "--data="+good)
		link := filepath.Join(dir, "link.json")
		if err := os.Symlink(good, link); err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{good, link} {
			var stdout, stderr bytes.Buffer
			code := run([]string{"sim", "--addr=127.0.0.1:0", "--data=" + path}, nil, strings.NewReader(""), &stdout, &stderr)
			if code != 1 || !strings.Contains(stderr.String(), "another offline Wix has it open") {
				t.Errorf("exit code %d, %s", code, &stderr)
			}
		}
		first.do(t, "GET", "/_sim/health", "")
	})
}

func TestSim_savesWhatItCouldNotSave(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	p := startSim(t, "--data="+filepath.Join(dir, "sim.json"))
	if err := os.Rename(dir, dir+"-away"); err != nil {
		t.Fatal(err)
	}
	p.do(t, "POST", "/_sim/installs", `{"siteDisplayName":"Late"}`)
	time.Sleep(200 * time.Millisecond) // it fails in this time, or not yet: both must end well
	if err := os.Rename(dir+"-away", dir); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is saved", func() bool {
		text, err := os.ReadFile(filepath.Join(dir, "sim.json"))
		return err == nil && strings.Contains(string(text), `"Late"`)
	})
	if err := os.Rename(dir, dir+"-away"); err != nil {
		t.Fatal(err)
	}
	if code := p.end(t, syscall.SIGTERM); code != 1 || !strings.Contains(p.stderr.String(), "save the state") {
		t.Errorf("exit code %d: %s", code, &p.stderr)
	}
}

func TestSim_behaviorFlags(t *testing.T) {
	data := filepath.Join(t.TempDir(), "sim.json")
	behavior := func(args ...string) string {
		p := startSim(t, append(args, "--data="+data)...)
		got := p.do(t, "GET", "/_sim/behavior", "")
		if code := p.end(t, syscall.SIGINT); code != 0 {
			t.Fatalf("exit code %d: %s", code, &p.stderr)
		}
		return strings.TrimSpace(got)
	}
	for _, tt := range []struct {
		name string
		args []string
		want string
	}{
		{"no flag", nil,
			`{"ownerSubject":"USER","strict":false,"formRequests":false,"stringFields":false,"resignRetries":false,"stageToken":false,"stageSandbox":true,"classicScript":false,"lockedPage":true}`},
		{"each flag", []string{"--owner-subject=APP", "--strict", "--form-requests", "--string-fields", "--resign-retries", "--stage-token", "--no-stage-sandbox", "--classic-script", "--no-locked-page"},
			`{"ownerSubject":"APP","strict":true,"formRequests":true,"stringFields":true,"resignRetries":true,"stageToken":true,"stageSandbox":false,"classicScript":true,"lockedPage":false}`},
		{"the state's, but for what is given", []string{"--no-strict", "--owner-subject=MEMBER", "--stage-sandbox"},
			`{"ownerSubject":"MEMBER","strict":false,"formRequests":true,"stringFields":true,"resignRetries":true,"stageToken":true,"stageSandbox":true,"classicScript":true,"lockedPage":false}`},
	} {
		if got := behavior(tt.args...); got != tt.want {
			t.Errorf("%s: %s", tt.name, got)
		}
	}
}

func TestSim_tokenTTL(t *testing.T) {
	p := startSim(t, "--data=none", "--token-ttl=90s")
	var token struct{ Expires time.Time }
	before := time.Now()
	if err := json.Unmarshal([]byte(p.do(t, "POST", "/_sim/tokens", `{"subject":"VISITOR"}`)), &token); err != nil {
		t.Fatal(err)
	}
	if after := time.Now(); token.Expires.Before(before.Add(89*time.Second)) || token.Expires.After(after.Add(91*time.Second)) {
		t.Errorf("the token expires at %v", token.Expires)
	}
	var stderr bytes.Buffer
	for _, ttl := range []string{"-1s", "100000h", "soon"} {
		if code := run([]string{"sim", "--data=none", "--addr=127.0.0.1:0", "--token-ttl=" + ttl}, nil, strings.NewReader(""), io.Discard, &stderr); code == 0 {
			t.Errorf("%s is taken", ttl)
		}
	}
}

func TestSim_records(t *testing.T) {
	real := startSim(t, "--app-id=one", "--app-secret=the-real-secret")
	dir := filepath.Join(t.TempDir(), "recordings")
	p := startSim(t, "--record="+dir, "--upstream="+real.url)
	if status, text := p.ask(t, "POST", "/oauth2/token", `{"grant_type":"client_credentials","client_id":"one","client_secret":"the-real-secret"}`); status != 401 {
		t.Errorf("a call that is simulated: %d %s", status, text)
	}
	status, text := p.ask(t, "POST", "/stores/v3/products", `{"apiKey":"the-real-key"}`)
	if want := "does not simulate this API: Stores"; status != 404 || !strings.Contains(text, want) {
		t.Errorf("%d %s", status, text)
	}
	all := startSim(t, "--record="+dir, "--upstream="+real.url, "--record-all", "--app-secret=the-real-secret")
	all.do(t, "POST", "/oauth2/token", `{"grant_type":"client_credentials","client_id":"one","client_secret":"the-real-secret"}`)
	for name, want := range map[string]string{"00001.json": `"/stores/v3/products"`, "00002.json": `"access_token": "secret-`} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || !strings.Contains(string(text), want) || strings.Contains(string(text), "the-real") {
			t.Errorf("%s, %v", text, err)
		}
	}
	for _, process := range []*simProcess{p, all} {
		if code := process.end(t, syscall.SIGTERM); code != 0 {
			t.Errorf("exit code %d: %s", code, &process.stderr)
		}
	}
	for _, tt := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"--record-all"}, exitUsage, "need --record DIR"},
		{[]string{"--upstream=https://example.com"}, exitUsage, "need --record DIR"},
		{[]string{"--record=" + dir, "--upstream=http://example.com"}, 1, "must be a URL with https"},
	} {
		var stdout, stderr bytes.Buffer
		args := append([]string{"sim", "--addr=127.0.0.1:0", "--data=none"}, tt.args...)
		if code := run(args, nil, strings.NewReader(""), &stdout, &stderr); code != tt.code || !strings.Contains(stderr.String(), tt.want) {
			t.Errorf("%v: exit code %d: %s", tt.args, code, &stderr)
		}
	}
}
