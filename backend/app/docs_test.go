package app

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/caarlos0/env/v11"

	"github.com/nametag-dev/nametag/backend/apierr"
	"github.com/nametag-dev/nametag/backend/product"
	"github.com/nametag-dev/nametag/backend/product/appjson"
	"github.com/nametag-dev/nametag/web"
)

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// variables returns the variables of Config, without their meanings.
func variables(t *testing.T) []web.Variable {
	t.Helper()
	own, err := env.GetFieldParamsWithOptions(&OwnVariables{}, env.Options{Prefix: product.EnvPrefix})
	if err != nil {
		t.Fatal(err)
	}
	wix, err := env.GetFieldParams(&WixVariables{})
	if err != nil {
		t.Fatal(err)
	}
	var all []web.Variable
	for _, p := range slices.Concat(own, wix) {
		v := web.Variable{Name: p.Key, Default: p.DefaultValue, File: slices.Contains(fileForms, p.Key)}
		if v.Name == databaseURL {
			v.Default = defaultDatabase
		}
		all = append(all, v)
	}
	return all
}

// asDocumented gives a text the names that a document calls the product by. Those of a new
// product may still be Nametag's.
func asDocumented(t *testing.T, document string) *strings.Replacer {
	t.Helper()
	found := regexp.MustCompile("`([A-Z0-9_]+)_DATABASE_URL`").FindStringSubmatch(document)
	if found == nil {
		t.Fatal("the document names no database")
	}
	theirs := appjson.File{ID: strings.ToLower(strings.ReplaceAll(found[1], "_", "-"))}
	return strings.NewReplacer(product.EnvPrefix, theirs.EnvPrefix(), product.MetricPrefix, theirs.MetricPrefix(),
		defaultDatabase, "sqlite:"+theirs.ID+".db")
}

// TestDocs holds the documents to the code.
func TestDocs(t *testing.T) {
	operations := read(t, "../../docs/operations.md")
	names := asDocumented(t, operations)
	for _, v := range variables(t) {
		v.Name, v.Default = names.Replace(v.Name), names.Replace(v.Default)
		for _, text := range []string{v.Name, v.Default} {
			if text != "" && !strings.Contains(operations, "`"+text+"`") {
				t.Errorf("docs/operations.md lacks the variable %s or its default %s", v.Name, v.Default)
			}
		}
		if v.File && !strings.Contains(operations, "`"+v.Name+"_FILE`") {
			t.Errorf("docs/operations.md lacks the variable %s_FILE", v.Name)
		}
	}
	for _, name := range []string{
		metricRequests, metricDuration, metricCallers, metricWixCalls, metricJobs, metricDeadLetters, metricJobsDue, metricJobsOldest, metricConnected, metricServer, metricClient,
	} {
		if !strings.Contains(operations, "`"+names.Replace(name)+"`") {
			t.Errorf("docs/operations.md lacks the metric %s", name)
		}
	}
	api := read(t, "../../docs/http-api.md")
	for _, code := range apierr.Codes() {
		if !strings.Contains(api, "`"+code.Name+"`") {
			t.Errorf("docs/http-api.md lacks the code %s", code)
		}
	}
	if lines := strings.Count(read(t, "../../README.md"), "\n"); lines > 120 {
		t.Errorf("README.md has %d lines, 120 are the most: the rest belongs in docs/", lines)
	}
}

// TestInstallGuide_variables holds the install guide's table to the configuration.
func TestInstallGuide_variables(t *testing.T) {
	byName := func(a, b web.Variable) int { return strings.Compare(a.Name, b.Name) }
	want, got := variables(t), names().Variables()
	for i, v := range got {
		if v.Meaning == "" {
			t.Errorf("%s has no meaning", v.Name)
		}
		got[i].Meaning = ""
	}
	slices.SortFunc(want, byName)
	slices.SortFunc(got, byName)
	if !slices.Equal(got, want) {
		t.Errorf("the install guide has  %v\nthe configuration has %v", got, want)
	}
}
