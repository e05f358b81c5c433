package wixpages

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/nametag-dev/nametag/backend/wixsim"
)

// FuzzSiteQuery opens the site's page with any query. A query that is understood makes a
// page; one that is not says why, and shows no markup of its own.
func FuzzSiteQuery(f *testing.F) {
	s, err := wixsim.New(wixsim.Config{AppID: testAppID, AppSecret: testSecret})
	if err != nil {
		f.Fatal(err)
	}
	h, err := New(s, testOptions())
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{
		"copies=3&language=pt-BR&dir=rtl&csp=strict", "attr.greeting=%22%3E%3Cscript%3E", "token=foreign&viewer=MEMBER", "copies=0", "copies=1&copies=2",
		"attr.style=x", "attr.onload=x", "%3Cscript%3E=1", "instance=" + noSuchID, "language=en\x00", "attr.=", "a=%zz", "viewer=%ff", "copies=99999999999999999999",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		values, _ := url.ParseQuery(raw) // what can be read of it
		q, problems := parseSiteQuery(values)
		for _, problem := range problems {
			if !utf8.ValidString(problem) || len(problem) > 1000 || !strings.HasSuffix(problem, ".") {
				t.Errorf("%q: %q", raw, problem)
			}
		}
		if len(problems) == 0 && (q.copies > wixsim.MaxElements || q.copies < 0 || !languageTag.MatchString(q.language) || len(q.attributes) > len(values)) {
			t.Errorf("%q is understood as %+v", raw, q)
		}
		r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:8081/site", nil)
		r.URL.RawQuery = values.Encode()
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if ok := len(problems) == 0; w.Code >= 500 || !ok && w.Code != http.StatusBadRequest || ok && w.Code != http.StatusOK && w.Code != http.StatusNotFound {
			t.Errorf("%q: %d with the problems %q", raw, w.Code, problems)
		}
		if strings.Contains(raw, "<script>alert") && strings.Contains(w.Body.String(), "<script>alert") {
			t.Errorf("%q is in the page as markup", raw)
		}
	})
}
