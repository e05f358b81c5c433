package app

// What deploy/ says of the metrics, held to what a running server answers.

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metricsql"
	"github.com/goccy/go-yaml"

	"github.com/nametag-dev/nametag/backend/apierr"
	"github.com/nametag-dev/nametag/backend/product"
	"github.com/nametag-dev/nametag/backend/store/pgtest"
	"github.com/nametag-dev/nametag/backend/wixsim"
)

// exposed are the metrics of a server, each with its labels and their values.
type exposed map[string]map[string][]string

var (
	sample = regexp.MustCompile(`^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? `)
	label  = regexp.MustCompile(`([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"`)
)

// exposition is what /metrics answers.
func (w *world) exposition() string {
	w.t.Helper()
	res, err := http.Get(w.admin + "/metrics")
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return string(text)
}

func (w *world) metrics() exposed {
	w.t.Helper()
	all := exposed{}
	for line := range strings.Lines(w.exposition()) {
		found := sample.FindStringSubmatch(line)
		if found == nil {
			continue // a comment
		}
		if all[found[1]] == nil {
			// Those that Prometheus gives to all that it reads from one address.
			all[found[1]] = map[string][]string{"instance": nil, "job": nil}
		}
		for _, l := range label.FindAllStringSubmatch(found[2], -1) {
			all[found[1]][l[1]] = append(all[found[1]][l[1]], l[2])
		}
	}
	return all
}

// busyServer has counted something of everything.
func busyServer(t *testing.T) *world {
	t.Helper()
	signer := newSigner(t)
	w := start(t, "WIX_PUBLIC_KEY="+signer.public, product.EnvPrefix+"DATABASE_URL="+pgtest.URL(t))
	id := w.install()
	if got := w.as(w.mint(wixsim.TokenRequest{InstanceID: id}), "/api/get-instance"); got.status != 200 {
		t.Fatal(got)
	}
	w.as("nobody's", "/api/get-instance")
	w.webhook("no webhook")
	if got := w.webhook(signer.plan(t, id, "gold", time.Now())); got.status != 200 {
		t.Fatal(got)
	}
	w.until("a job is done and changes are noticed", func() bool {
		all := w.metrics()
		return all[metricJobs] != nil && all[metricConnected] != nil
	})
	return w
}

// expression checks an expression of PromQL, and returns the labels that its result has.
func (all exposed) expression(text string, fault func(format string, args ...any)) []string {
	e, err := metricsql.Parse(strings.ReplaceAll(text, "$__rate_interval", "5m"))
	if err != nil {
		fault("%s: %v", text, err)
		return nil
	}
	var of, by []string
	metricsql.VisitAll(e, func(e metricsql.Expr) {
		switch e := e.(type) {
		case *metricsql.MetricExpr:
			if len(e.LabelFilterss) != 1 {
				fault("%s: a selector is not of PromQL", text)
				return
			}
			labels := all[e.LabelFilterss[0][0].Value]
			if e.LabelFilterss[0][0].Label != "__name__" || labels == nil {
				fault("%s: there is no metric %s", text, e.LabelFilterss[0][0].Value)
				return
			}
			of = append(of, slices.Collect(maps.Keys(labels))...)
			for _, filter := range e.LabelFilterss[0][1:] {
				if _, ok := labels[filter.Label]; !ok {
					fault("%s: the metric has no label %s", text, filter.Label)
				}
				all.values(text, filter, fault)
			}
		case *metricsql.AggrFuncExpr:
			if op := strings.ToLower(e.Modifier.Op); op != "" && op != "by" {
				fault("%s: %s", text, op)
			}
			by = append(by, e.Modifier.Args...)
		case *metricsql.FuncExpr:
			// The parser knows more than Prometheus does.
			if !slices.Contains([]string{"rate", "increase", "histogram_quantile"}, e.Name) {
				fault("%s: is %s a function of Prometheus?", text, e.Name)
			}
		}
	})
	for _, name := range by {
		if !slices.Contains(of, name) {
			fault("%s: the metric has no label %s", text, name)
		}
	}
	if strings.Contains(text, " by ") || regexp.MustCompile(`\b(sum|max|min)\(`).MatchString(text) {
		return by
	}
	return of
}

// values checks that what a filter selects can occur.
func (all exposed) values(text string, filter metricsql.LabelFilter, fault func(format string, args ...any)) {
	var possible []string
	switch filter.Label {
	case "code", "error_type":
		for _, code := range apierr.Codes() {
			possible = append(possible, code.Name)
		}
	case "route", "http_route":
		possible = all[metricRequests]["route"]
	default:
		return // a status or a replica
	}
	for alternative := range strings.SplitSeq(filter.Value, "|") {
		if alternative == "" {
			continue // none
		}
		pattern := regexp.MustCompile("^(?:" + alternative + ")$")
		if !slices.ContainsFunc(possible, pattern.MatchString) {
			fault("%s: no %s can be %s", text, filter.Label, alternative)
		}
	}
}

// asServed gives a file of deploy/ the prefix of this product's metrics.
func asServed(t *testing.T, path string) string {
	t.Helper()
	text := read(t, path)
	found := regexp.MustCompile(`\b([a-z0-9_]+_)dead_letters\b`).FindStringSubmatch(text)
	if found == nil {
		t.Fatalf("%s does not watch the dead letters", path)
	}
	return strings.ReplaceAll(text, found[1], product.MetricPrefix)
}

func TestDeploy_metrics(t *testing.T) {
	all := busyServer(t).metrics()
	t.Run("alerts", func(t *testing.T) { checkAlerts(t, all) })
	t.Run("dashboard", func(t *testing.T) { checkDashboard(t, all) })
}

func checkAlerts(t *testing.T, all exposed) {
	type rule struct {
		Alert, Expr, For    string
		Labels, Annotations map[string]string
	}
	var file struct {
		Groups []struct {
			Name  string
			Rules []rule
		}
	}
	if err := yaml.UnmarshalWithOptions([]byte(asServed(t, "../../deploy/alerts.yaml")), &file, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range file.Groups[0].Rules {
		names = append(names, r.Alert)
		t.Run(r.Alert, func(t *testing.T) {
			labels := all.expression(r.Expr, t.Errorf)
			if _, err := time.ParseDuration(r.For); r.For != "" && err != nil {
				t.Error(err)
			}
			if !slices.Contains([]string{"warning", "critical"}, r.Labels["severity"]) || r.Annotations["summary"] == "" || r.Annotations["description"] == "" {
				t.Errorf("its labels are %v, its annotations %v", r.Labels, r.Annotations)
			}
			for _, text := range r.Annotations {
				for _, used := range regexp.MustCompile(`\$labels\.(\w+)`).FindAllStringSubmatch(text, -1) {
					if !slices.Contains(labels, used[1]) {
						t.Errorf("its text uses the label %s, of %v", used[1], labels)
					}
				}
			}
		})
	}
	want := []string{"DeadLetters", "JobsLate", "ServerErrors", "WixFailing", "WebhooksSlow", "WebhooksRefused", "TokensRefused", "ChangeNotificationsLost"}
	if !slices.Equal(names, want) || len(file.Groups) != 1 {
		t.Errorf("the rules are %v", names)
	}
}

func checkDashboard(t *testing.T, all exposed) {
	var dashboard struct {
		Title, UID string
		Templating struct {
			List []struct {
				Name  string
				Query any
			}
		}
		Panels []struct {
			ID      int
			Type    string
			Title   string
			GridPos struct{ X, Y, W, H int }
			Targets []struct{ Expr, LegendFormat, RefID string }
		}
	}
	if err := json.Unmarshal([]byte(asServed(t, "../../deploy/dashboard.json")), &dashboard); err != nil {
		t.Fatal(err)
	}
	for _, v := range dashboard.Templating.List {
		for _, found := range regexp.MustCompile(`label_values\((\w+), (\w+)\)`).FindAllStringSubmatch(fmt.Sprint(v.Query), -1) {
			if _, ok := all[found[1]][found[2]]; !ok {
				t.Errorf("the variable %s is made of %s", v.Name, found[0])
			}
		}
	}
	ids := map[int]bool{}
	for _, p := range dashboard.Panels {
		t.Run(p.Title, func(t *testing.T) {
			if ids[p.ID] || p.GridPos.X+p.GridPos.W > 24 || p.Title == "" {
				t.Errorf("its id is %d, its place %+v", p.ID, p.GridPos)
			}
			ids[p.ID] = true
			if len(p.Targets) == 0 && p.Type != "row" {
				t.Error("it is empty")
			}
			for _, target := range p.Targets {
				labels := all.expression(target.Expr, t.Errorf)
				for _, used := range regexp.MustCompile(`\{\{(\w+)\}\}`).FindAllStringSubmatch(target.LegendFormat, -1) {
					if !slices.Contains(labels, used[1]) {
						t.Errorf("its legend uses the label %s, of %v", used[1], labels)
					}
				}
			}
		})
	}
	if len(dashboard.Panels) < 10 {
		t.Errorf("%d panels", len(dashboard.Panels))
	}
}

// TestDeploy_metricsNoticed has the check notice what is wrong.
func TestDeploy_metricsNoticed(t *testing.T) {
	all := exposed{
		"a_total": {"route": {"/webhooks/wix"}, "code": {""}, "instance": nil},
		"b":       {"instance": nil},
	}
	for name, text := range map[string]string{
		"no PromQL":               `sum(rate(a_total[5m])`,
		"a metric that is not":    `c_total > 0`,
		"a label that is not":     `a_total{path="x"}`,
		"a grouping that is not":  `sum by (path) (a_total)`,
		"a function of another":   `rollup_rate(a_total[5m])`,
		"a code that is not":      `a_total{code=~"token_foreign|token_stolen"}`,
		"a selector without name": `{instance="x"}`,
	} {
		noticed := false
		all.expression(text, func(string, ...any) { noticed = true })
		if !noticed {
			t.Errorf("%s is not noticed: %s", name, text)
		}
	}
	all.expression(`sum by (route) (rate(a_total{code=~"token_.*",instance=~"$instance"}[$__rate_interval])) / sum by (route) (rate(a_total[5m])) > 0.5`, t.Errorf)
}
