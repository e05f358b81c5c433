package app

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nametag-dev/nametag/backend/product"
)

var complete = []string{"WIX_APP_ID=" + appID, "WIX_APP_SECRET=" + appSecret}

func TestLoadConfig(t *testing.T) {
	c, err := LoadConfig(append([]string{
		product.EnvPrefix + "PUBLIC_URL=https://apps.example.com/app/", product.EnvPrefix + "TRUSTED_PROXIES=10.0.0.0/8, fd00::/8",
		product.EnvPrefix + "FRAME_ANCESTORS=https://*.wix.com,'self'", "WIX_API_URL=http://127.0.0.1:8081/",
	}, complete...))
	if err != nil {
		t.Fatal(err)
	}
	if c.basePath != "/app" || c.PublicURL != "https://apps.example.com/app" || c.WixURL != "http://127.0.0.1:8081" {
		t.Errorf("base path %q, public URL %q, Wix at %q", c.basePath, c.PublicURL, c.WixURL)
	}
	if len(c.proxies) != 2 || len(c.FrameAncestors) != 2 || !c.Demo {
		t.Errorf("%+v", c)
	}
	if printed := fmt.Sprintf("%v %+v %#v", c, c, c); strings.Contains(printed, appSecret) {
		t.Error("the configuration prints the app secret")
	}
}

func TestSplitKeys(t *testing.T) {
	block := "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"
	for _, tt := range []struct {
		name, value string
		want        int
	}{
		{"none", "", 0},
		{"none but spaces", " \n", 0},
		{"one PEM block", block + "\n", 1},
		{"two PEM blocks of a file", block + "\n" + block + "\n", 2},
		{"two PEM blocks and a comma", block + ",\n" + block, 2},
		{"two in base64", "LS0tAAA=,LS0tBBB=", 2},
	} {
		if got := splitKeys(tt.value); len(got) != tt.want {
			t.Errorf("%s: %d keys, want %d", tt.name, len(got), tt.want)
		}
	}
}

func TestLoadConfig_faults(t *testing.T) {
	dir := t.TempDir()
	secretFile := filepath.Join(dir, "secret")
	if err := os.WriteFile(secretFile, []byte(appSecret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name    string
		environ []string
		want    []string // each is named; none at all means no fault
	}{
		{"the secret from a file", []string{"WIX_APP_ID=" + appID, "WIX_APP_SECRET_FILE=" + secretFile}, nil},
		{"all that is missing is reported at once", nil, []string{"WIX_APP_ID is missing", "WIX_APP_SECRET is missing"}},
		{"an id that is no GUID", []string{"WIX_APP_ID=" + appSecret[1:], "WIX_APP_SECRET=x"}, []string{"it must be a GUID"}},
		{"a file that is not there", []string{"WIX_APP_ID=" + appID, "WIX_APP_SECRET_FILE=" + dir + "/nothing"}, []string{"WIX_APP_SECRET_FILE"}},
		{"a secret given twice", append([]string{"WIX_APP_SECRET_FILE=" + secretFile}, complete...), []string{"WIX_APP_SECRET and WIX_APP_SECRET_FILE are both set"}},
		{"faults of every kind together", append([]string{
			product.EnvPrefix + "PUBLIC_URL=app.example.com", "WIX_API_URL=ftp://x", product.EnvPrefix + "TRUSTED_PROXIES=10.0.0.1",
			product.EnvPrefix + "FRAME_ANCESTORS=https://a.example; script-src *", product.EnvPrefix + "DEMO=perhaps", product.EnvPrefix + "ADDR=8080", "WIX_PUBLIC_KEY=not a key", product.EnvPrefix + "RETENTION=-1h",
		}, complete...), []string{"WIX_PUBLIC_KEY", product.EnvPrefix + "RETENTION", product.EnvPrefix + "PUBLIC_URL", "WIX_API_URL", product.EnvPrefix + "TRUSTED_PROXIES", product.EnvPrefix + "FRAME_ANCESTORS", product.EnvPrefix + "DEMO", product.EnvPrefix + "ADDR"}},
		{"the log", append([]string{product.EnvPrefix + "LOG_LEVEL=verbose", product.EnvPrefix + "LOG_FORMAT=xml"}, complete...),
			[]string{product.EnvPrefix + `LOG_LEVEL is "verbose": it must be debug, info, warn or error`, product.EnvPrefix + `LOG_FORMAT is "xml": it must be json or text`}},
		{"a query in the public URL", append([]string{product.EnvPrefix + "PUBLIC_URL=https://x.example/?a=b"}, complete...), []string{product.EnvPrefix + "PUBLIC_URL"}},
		{"a router's pattern in the base path", append([]string{product.EnvPrefix + "PUBLIC_URL=https://x.example/:id"}, complete...), []string{product.EnvPrefix + "PUBLIC_URL"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := LoadConfig(tt.environ)
			if len(tt.want) == 0 {
				if err != nil || string(c.AppSecret) != appSecret {
					t.Fatalf("got %v, secret of %d bytes", err, len(c.AppSecret))
				}
				return
			}
			if err == nil {
				t.Fatal("no fault was found")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not named in:\n%v", want, err)
				}
			}
			if strings.Contains(err.Error(), appSecret) {
				t.Error("the secret is in the error")
			}
		})
	}
}
