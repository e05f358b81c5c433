package app

import (
	"encoding/base64"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/nametag-dev/nametag/backend/product"
	"github.com/nametag-dev/nametag/backend/wix"
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

const oldSecret = "1c9d7a04-66f5-4a0e-8b0c-2f7f0a1d9e55"

// pastedForms are what people make of a value on its way.
var pastedForms = map[string]func(string) string{
	"as it is":              func(v string) string { return v },
	"with spaces":           func(v string) string { return "  " + v + "\t" },
	"with no-break spaces":  func(v string) string { return "\u00a0" + v + "\u00a0" },
	"with CRLF":             func(v string) string { return v + "\r\n" },
	"with a BOM":            func(v string) string { return "\ufeff" + v },
	"with zero-width space": func(v string) string { return v + "\u200b" },
	"in double quotes":      func(v string) string { return `"` + v + `"` },
	"in single quotes":      func(v string) string { return `'` + v + `'` },
	"in typographic quotes": func(v string) string { return "“" + v + "”" },
	"in escaped quotes":     func(v string) string { return `\"` + v + `\"` },
	"with a written break":  func(v string) string { return v + `\n` },
	"with a double escape":  func(v string) string { return v + `\\n` },
	"quoted with a break":   func(v string) string { return `"` + v + `\n"` },
	"with a semicolon":      func(v string) string { return v + ";" },
	"as a JSON field":       func(v string) string { return ` "` + v + `",` },
	"with all of it":        func(v string) string { return "\ufeff “" + v + "\\n” ;\r\n" },
}

// goodValues are a value of each variable, and others that mean the same.
func goodValues(t *testing.T) map[string][]string {
	one, other := newSigner(t).public, newSigner(t).public
	pem := func(key string) string {
		text, err := base64.StdEncoding.DecodeString(key)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	own := func(name string) string { return product.EnvPrefix + name }
	return map[string][]string{
		"WIX_APP_ID":     {appID, strings.ToUpper(appID)},
		"WIX_APP_SECRET": {appSecret + "," + oldSecret, appSecret + " , " + oldSecret, `"` + appSecret + `","` + oldSecret + `"`, appSecret + "\n" + oldSecret, appSecret + `\n` + oldSecret},
		"WIX_PUBLIC_KEY": {
			one + "," + other, pem(one) + pem(other), pem(one) + "," + other, one + "\n" + other, strings.ReplaceAll(pem(one)+pem(other), "\n", `\n`),
			`"` + one + `", "` + other + `"`, base64.StdEncoding.EncodeToString([]byte(pem(one) + pem(other))),
			base64.RawURLEncoding.EncodeToString([]byte("\ufeff" + strings.ReplaceAll(pem(one)+pem(other), "\n", "\r\n"))),
		},
		"WIX_API_URL":          {"https://www.wixapis.com", "https://www.wixapis.com/", "HTTPS://WWW.WixAPIs.com"},
		own("PUBLIC_URL"):      {"https://badge.example.org/app", "https://badge.example.org/app/", "HTTPS://Badge.Example.ORG/app//"},
		own("DATABASE_URL"):    {"postgres://u:p%22%24x;@db.internal/app?sslmode=disable"},
		own("ADDR"):            {"127.0.0.1:8085"},
		own("ADMIN_ADDR"):      {"10.1.2.3:9091"},
		own("ADMIN_EXPOSED"):   {"true", "True", "1", "yes", "ON"},
		own("TRUSTED_PROXIES"): {"10.0.0.0/8,fd00::/8", "10.0.0.0/8, fd00::/8", "10.1.2.3/8 fd00::/8", "10.0.0.0/8\nfd00::/8", `"10.0.0.0/8","fd00::/8"`, "::ffff:10.0.0.0/104,FD00::/8"},
		own("DEMO"):            {"false", "FALSE", "0", "no", "Off"},
		own("FRAME_ANCESTORS"): {"'self',https://*.wix.com", "'self' https://*.wix.com", "self, https://*.wix.com", `"'self'","https://*.wix.com"`},
		own("RETENTION"):       {"48h", "48H", "48h0m"},
		own("LOG_LEVEL"):       {"warn", "WARN", "Warn"},
		own("LOG_FORMAT"):      {"text", "TEXT", "Text"},
	}
}

// settled is what of a configuration the server works with.
var settled = []cmp.Option{
	cmp.AllowUnexported(Config{}), cmp.Comparer(func(a, b *wix.Webhooks) bool { return (a == nil) == (b == nil) }),
	cmpopts.EquateComparable(netip.Prefix{}), cmpopts.IgnoreFields(WixVariables{}, "PublicKeys"), cmpopts.IgnoreFields(OwnVariables{}, "TrustedProxies"),
	cmp.Comparer(func(a, b wix.Secret) bool { return a == b }),
}

// Every form of every variable works, in the environment and in a file.
func TestLoadConfig_pastedForms(t *testing.T) {
	values := goodValues(t)
	var plain []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		plain = append(plain, name+"="+values[name][0])
	}
	want, err := LoadConfig(plain)
	if err != nil {
		t.Fatal(err)
	}
	if string(want.AppSecret) != appSecret || string(want.OldSecret) != oldSecret || want.webhooks == nil || len(want.proxies) != 2 || len(want.Warnings) != 0 {
		t.Fatalf("%+v", want)
	}
	for _, v := range variables(t) {
		if values[v.Name] == nil {
			t.Errorf("%s has no value in this test", v.Name)
		}
	}
	file := filepath.Join(t.TempDir(), "value")
	for name, same := range values {
		others := slices.DeleteFunc(slices.Clone(plain), func(variable string) bool { return strings.HasPrefix(variable, name+"=") })
		check := func(t *testing.T, environ ...string) {
			t.Helper()
			got, err := LoadConfig(append(environ, others...))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got, settled...); diff != "" {
				t.Error(diff)
			}
		}
		for _, value := range same {
			check(t, name+"="+name+"="+value)
			for form, paste := range pastedForms {
				t.Run(name+" "+form, func(t *testing.T) {
					check(t, name+"="+paste(value))
					if !slices.Contains(fileForms, name) {
						return
					}
					for _, content := range []string{paste(value) + "\n", utf16le(name + "=" + paste(value))} {
						if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
							t.Fatal(err)
						}
						check(t, name+"_FILE="+paste(file), name+"=")
					}
				})
			}
		}
	}
}

// utf16le is a file of Windows' PowerShell.
func utf16le(text string) string {
	var b strings.Builder
	for _, unit := range utf16.Encode([]rune("\ufeff" + strings.TrimPrefix(text, "\ufeff"))) {
		b.Write([]byte{byte(unit), byte(unit >> 8)})
	}
	return b.String()
}

// What cannot be used is refused by one sentence that begins with the variable's name.
func TestLoadConfig_refusals(t *testing.T) {
	own := func(name string) string { return product.EnvPrefix + name }
	placeholders := []string{"…", "your-app-id", "<app id>", "changeme", "CHANGE-ME", "xxx", "XXXX-XXXX", "***", "...", "{{value}}", "[YOUR-PASSWORD]", "%VALUE%", "placeholder", "your_secret", "my-secret", "replace-me", "todo"}
	unexpanded := []string{"$VALUE", "${VALUE}", "$(cat value)", "${{ secrets.VALUE }}"}
	signer := newSigner(t)
	for name, values := range map[string][]string{
		"WIX_APP_ID": append([]string{
			"hello", appID[1:], appID + "0", "{" + appID + "}", strings.ReplaceAll(appID, "-", ""), appID + "," + foreignID,
			"00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff", "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", "12345678-1234-1234-1234-123456789abc",
		}, placeholders...),
		"WIX_APP_SECRET": append([]string{
			"sécret-value", "a\x00b-value", appID, strings.ToUpper(appID), "first,second,third", "new-one;old-one", "https://manage.wix.com", `"a"b`, "secret: abc", "some words here", "secret",
		}, placeholders...),
		"WIX_PUBLIC_KEY": append([]string{
			"hello-key", "-----BEGIN PUBLIC KEY-----", signer.public[:100], strings.Repeat(signer.public+",", 3), "https://manage.wix.com/key",
		}, placeholders...),
		"WIX_API_URL": append([]string{
			"www.wixapis.com", "ftp://www.wixapis.com", "http://www.wixapis.com", "http://8.8.8.8", "http://[2001:db8::1]:80", "http://wixapis.com:8080",
			"https://", "https:///x", "https://www.wixapis.com?q=1", "https://www.wixapis.com?", "https://www.wixapis.com#f", "https://name@www.wixapis.com", "https://www.wixapis.com:99999",
			"https://www.wix apis.com", "https://www.wixapis.com/a/../b", `https://www.wixapis.com"`,
		}, placeholders...),
		own("PUBLIC_URL"): append([]string{
			"app.example.org", "https://bücher.example", "https://x.example/?a=b", "https://x.example/:id", "https://x.example//a//b", "https://x.example/..",
			"https://your-domain.com", "https://yourdomain.com", "https://app.your-company.com", "https://x.example:0", "https://x.example:port", "https://*.example",
		}, placeholders...),
		own("DATABASE_URL"): append([]string{
			"mysql://u:p@h/db", "app.db", "sqlite:", "sqlite://app.db", "sqlite:file:app.db", "postgres://u:p@h:port/db", "postgres://u:p%zz@h/db", "postgres://u:pa ss@h/db", "postgres://h/db?sslmode=perhaps",
			"postgres://USER:PASSWORD@HOST/DATABASE", "postgres://user:password@hostname:5432/db", "postgres://nametag:<the password>@postgres/nametag", "postgresql://postgres:[YOUR-PASSWORD]@db.supabase.example/postgres",
			"postgres://u:$PASSWORD@h/db", "postgres://u:${PASSWORD}@h/db", "postgres://u:pw@$HOST/db", "postgres://$USER:pw@h/db",
			"postgres://u:p@h/db?pgbouncer=true", "postgres://u:p@h/db?schema=public", "postgres://u:p@h/db?connection_limit=1",
		}, placeholders...),
		own("ADDR"): append([]string{
			"8080", "localhost", ":$PORT", "127.0.0.1:http", ":70000", ":-1", "http://0.0.0.0:8080", "*:8080", "[::1", "a b:80", "127.0.0.1:8080,127.0.0.1:8081",
		}, placeholders...),
		own("ADMIN_ADDR"): append([]string{
			"9090", "0.0.0.0:9090", ":9090", "[::]:9090", "8.8.8.8:9090", "[2001:db8::1]:9090", "metrics.example.org:9090", "127.0.0.1:8080", "127.0.0.1:$PORT",
		}, placeholders...),
		own("ADMIN_EXPOSED"): {"perhaps", "2", "truee", "…", "$X"},
		own("LOG_LEVEL"):     {"verbose", "warning", "7", "<level>"},
		own("LOG_FORMAT"):    {"xml", "logfmt", "$X"},
		own("DEMO"):          {"perhaps", "nope", "<true or false>"},
		own("TRUSTED_PROXIES"): {
			"0.0.0.0/0", "::/0", "0.0.0.0/1,128.0.0.0/1", "10.0.0.0/7", "::ffff:0.0.0.0/96", "2000::/3", "*", "private", "fe80::1%eth0", "10.0.0.0/33", "10.0.0.0/8;172.16.0.0/12", "127.0.0.1:80", "<network>", "$PROXIES",
		},
		own("FRAME_ANCESTORS"): {
			"https://a.example; script-src *", "https://a.example;https://b.example", "javascript:alert", "wix", "data:", "https://a.example/path?x", "<host>",
		},
		own("RETENTION"): {"0", "-1h", "720", "30 days", "soon", "1h-", "…"},
		platformPort:     {"http", "0x50", "99999", "80 80", "$PORT", "tcp://10.0.0.1:80"},
		platformDatabase: {"postgres://u:p@h:port/db", "postgres://u:$PASSWORD@h/db", "postgres://USER:PASSWORD@HOST/DATABASE"},
	} {
		if name != platformPort && name != platformDatabase && !slices.ContainsFunc([]string{"DEMO", "EXPOSED", "RETENTION", "PROXIES", "ANCESTORS"}, func(end string) bool { return strings.HasSuffix(name, end) }) {
			values = append(values, unexpanded...)
		}
		for _, value := range values {
			t.Run(name+" "+value, func(t *testing.T) {
				_, err := LoadConfig(append(slices.Clone(complete), name+"="+value))
				if err == nil {
					t.Fatal("it was taken")
				}
				lines := strings.Split(err.Error(), "\n")
				for _, line := range lines {
					if !strings.HasPrefix(line, name+" ") {
						t.Errorf("%q does not begin with the variable", line)
					}
				}
				if len(lines) != 1 && name != "WIX_PUBLIC_KEY" && name != own("TRUSTED_PROXIES") && name != own("FRAME_ANCESTORS") {
					t.Errorf("%d lines: %v", len(lines), err)
				}
			})
		}
	}
}

// A secret in the wrong variable is in no error and no warning.
func TestLoadConfig_showsNoValue(t *testing.T) {
	const secret = "PASSW0RD-3b1f7c52"
	names := []string{platformPort, platformDatabase, product.EnvPrefix + "PUBLICURL", "WIX_SECRET"}
	for _, v := range variables(t) {
		names = append(names, v.Name, v.Name+"_FILE")
	}
	for _, name := range names {
		for _, value := range []string{
			secret, `"` + secret, secret + "," + secret, "/" + secret, "./" + secret + "/", ":" + secret, secret + ":80", "127.0.0.1:" + secret, "ftp://u:" + secret + "@h", "https://u:" + secret + "@h/p?q",
			"https://" + secret + "@h", "https://h:" + secret, "https://h/" + secret + "?x", "http://" + secret + ".example", "https://" + secret + ".example", "https://[" + secret, "https://h\x7f" + secret, "postgres://u:" + secret + "@h:x/db",
			"postgres://u:" + secret + "%@h/db", "postgres://u:p@h/db?x=" + secret + "&sslmode=" + secret, "sqlite:file:" + secret, "mysql://u:" + secret + "@h/db",
			"-----BEGIN " + secret + "-----", "-----BEGIN PRIVATE KEY-----" + secret + "-----END PRIVATE KEY-----", "10.0.0.0/" + secret, "https://" + secret + " x", "$" + secret, "<" + secret + ">", "720" + secret,
		} {
			c, err := LoadConfig(append(slices.Clone(complete), name+"="+value))
			if text := fmt.Sprint(err, c.Warnings); strings.Contains(text, secret) {
				t.Errorf("%s=%q: %s", name, value, text)
			}
			if _, err := LoadDatabaseURL([]string{name + "=" + value}); err != nil && strings.Contains(err.Error(), secret) {
				t.Errorf("%s=%q, for the database alone: %v", name, value, err)
			}
		}
	}
}

func TestLoadConfig_faults(t *testing.T) {
	dir := t.TempDir()
	secretFile, locked, empty := filepath.Join(dir, "secret"), filepath.Join(dir, "locked"), filepath.Join(dir, "empty")
	for path, content := range map[string]string{secretFile: appSecret + "\n", locked: "x", empty: "\r\n"} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	own := func(name string) string { return product.EnvPrefix + name }
	for _, tt := range []struct {
		name    string
		environ []string
		want    []string // begins each line of the error; none at all means no fault
	}{
		{"the secret from a file", []string{"WIX_APP_ID=" + appID, "WIX_APP_SECRET_FILE=" + secretFile}, nil},
		{"an empty path is none", append([]string{"WIX_PUBLIC_KEY_FILE="}, complete...), nil},
		{"an empty file is a variable that is not set", append([]string{"WIX_PUBLIC_KEY_FILE=" + empty}, complete...), nil},
		{"all that is missing is reported at once", nil, []string{"WIX_APP_ID is missing", "WIX_APP_SECRET is missing"}},
		{"an empty file of what is required", []string{"WIX_APP_ID=" + appID, "WIX_APP_SECRET_FILE=" + empty}, []string{"WIX_APP_SECRET is missing"}},
		{"a file that is not there", []string{"WIX_APP_ID=" + appID, "WIX_APP_SECRET_FILE=" + dir + "/nothing"}, []string{"WIX_APP_SECRET has a file (WIX_APP_SECRET_FILE, which must be a path) that cannot be read: no such file"}},
		{"a directory", []string{"WIX_APP_ID=" + appID, "WIX_APP_SECRET_FILE=" + dir}, []string{"WIX_APP_SECRET has a file"}},
		{"a secret given twice", append([]string{"WIX_APP_SECRET_FILE=" + secretFile}, complete...), []string{"WIX_APP_SECRET and WIX_APP_SECRET_FILE are both set"}},
		{"faults of every kind together", []string{
			own("PUBLIC_URL=app.example.com"), "WIX_API_URL=ftp://u:p@x", own("TRUSTED_PROXIES=10.0.0.1.2,0.0.0.0/0"), own("ADMIN_ADDR=:9090"), own("DATABASE_URL=mysql://x"),
			own("FRAME_ANCESTORS=;"), own("DEMO=perhaps"), own("ADDR=8080"), "WIX_PUBLIC_KEY=not a key", own("RETENTION=-1h"), "WIX_APP_ID=x", "WIX_APP_SECRET=…",
		}, []string{
			"WIX_APP_SECRET is the placeholder", own("DEMO must be true or false"), "WIX_APP_ID must be a GUID", "WIX_PUBLIC_KEY cannot be used: public key 1", own("DATABASE_URL cannot be used"),
			own("PUBLIC_URL must be a URL"), "WIX_API_URL must be a URL", own("ADDR must be host:port"), own("ADMIN_ADDR lets other machines"), own("RETENTION must be a time"),
			own("TRUSTED_PROXIES has a value (number 1)"), own("TRUSTED_PROXIES has a value (number 2) that is wider"),
		}},
		{"an exposed admin address, asked for by name", append([]string{own("ADMIN_ADDR=:9090"), own("ADMIN_EXPOSED=yes")}, complete...), nil},
		{"admin addresses of this machine and of private networks", append([]string{own("ADMIN_ADDR=[fd00::1]:9090")}, complete...), nil},
		{"the offline Wix in a network of compose", append([]string{"WIX_API_URL=http://sim:8081"}, complete...), nil},
		{"the offline Wix on the host of a container", append([]string{"WIX_API_URL=http://host.docker.internal:8081"}, complete...), nil},
		{"two addresses on one port", append([]string{"PORT=9090"}, complete...), []string{own("ADMIN_ADDR and PORT are the same address")}},
		{"a password with a dollar sign", append([]string{own("DATABASE_URL=postgres://u:pa$word@h/db")}, complete...), nil},
		{"platform variables that are not used may be anything", append([]string{"PORT=$X", "DATABASE_URL=postgres://u:$P@h:x/", own("ADDR=:1"), own("DATABASE_URL=sqlite:a.db")}, complete...), nil},
		{"a database that is not ours", append([]string{"DATABASE_URL=mysql://u:p@h/db"}, complete...), nil},
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
			lines := strings.Split(err.Error(), "\n")
			for i, line := range lines {
				if i >= len(tt.want) || !strings.HasPrefix(line, tt.want[i]) {
					t.Fatalf("line %d is not the one that is expected:\n%v", i+1, err)
				}
			}
			if len(lines) != len(tt.want) {
				t.Errorf("%d lines, want %d:\n%v", len(lines), len(tt.want), err)
			}
		})
	}
}

func TestLoadConfig_hostingPlatform(t *testing.T) {
	own := func(name string) string { return product.EnvPrefix + name }
	const database = "postgres://u:p@db.example/app"
	for _, tt := range []struct {
		name           string
		environ        []string
		addr, database string
	}{
		{"nothing", nil, ":8080", defaultDatabase},
		{"a port", []string{"PORT=9000"}, ":9000", defaultDatabase},
		{"a port in quotes", []string{`PORT="9000"`}, ":9000", defaultDatabase},
		{"our own address wins", []string{"PORT=9000", own("ADDR=:8081")}, ":8081", defaultDatabase},
		{"ours is empty", []string{"PORT=9000", own("ADDR=")}, ":9000", defaultDatabase},
		{"a database", []string{"DATABASE_URL=" + database}, ":8080", database},
		{"our own database wins", []string{"DATABASE_URL=" + database, own("DATABASE_URL=sqlite:a.db")}, ":8080", "sqlite:a.db"},
		{"another kind of database", []string{"DATABASE_URL=sqlite:///other.db"}, ":8080", defaultDatabase},
	} {
		c, err := LoadConfig(append(tt.environ, complete...))
		if err != nil || c.Addr != tt.addr || c.DatabaseURL != tt.database {
			t.Errorf("%s: %s, %s, %v", tt.name, c.Addr, c.DatabaseURL, err)
		}
		if url, err := LoadDatabaseURL(tt.environ); err != nil || url != tt.database {
			t.Errorf("%s: the commands use %s, %v", tt.name, url, err)
		}
	}
}

func TestLoadConfig_warnings(t *testing.T) {
	own := func(name string) string { return product.EnvPrefix + name }
	public := own("PUBLIC_URL=https://badge.example.org")
	for _, tt := range []struct {
		name    string
		environ []string
		want    []string // begins each warning
	}{
		{"none", []string{public}, nil},
		{"typing errors", []string{public, own("PUBLICURL=https://x.example"), "WIX_PUBLICKEY=k", own("TRUSTED_PROXYS=x"), "WIX_SECRET=s", "wix_app_id=x"}, []string{
			own("PUBLICURL is not read: it should perhaps be ") + own("PUBLIC_URL"), own("TRUSTED_PROXYS is not read: it should perhaps be ") + own("TRUSTED_PROXIES"),
			"WIX_PUBLICKEY is not read: it should perhaps be WIX_PUBLIC_KEY", "WIX_SECRET is not read: it should perhaps be WIX_APP_SECRET", "wix_app_id is not read: it should perhaps be WIX_APP_ID",
		}},
		{"something quite different", []string{public, own("SOMETHING_OF_ANOTHER_PROGRAM=x")}, []string{own("SOMETHING_OF_ANOTHER_PROGRAM is not read: there is no such variable")}},
		{"a file form that does not exist", []string{public, own("RETENTION_FILE=x")}, []string{own("RETENTION_FILE is not read")}},
		{"one that does", []string{public, "WIX_PUBLIC_KEY_FILE="}, nil},
		{"what Kubernetes sets", []string{public, own("PORT=tcp://10.0.0.1:80"), own("PORT_80_TCP_ADDR=x"), own("SERVICE_HOST=x"), own("SERVICE_PORT_HTTP=80")}, nil},
		{"a port of our own", []string{public, own("PORT=80")}, []string{own("PORT is not read")}},
		{"no public address", nil, []string{own("PUBLIC_URL cannot be used by Wix"), own("PUBLIC_URL cannot be used by Wix")}},
		{"a public address without https", []string{own("PUBLIC_URL=http://badge.example.org")}, []string{own("PUBLIC_URL cannot be used by Wix")}},
		{"a name without a dot", []string{own("PUBLIC_URL=https://the-address-it-printed")}, []string{own("PUBLIC_URL cannot be used by Wix")}},
		{"the offline Wix needs no public address", []string{"WIX_API_URL=http://127.0.0.1:8081"}, nil},
		{"an address that is not Wix's", []string{public, "WIX_API_URL=https://www.wixapis.co"}, []string{"WIX_API_URL is not Wix's"}},
	} {
		c, err := LoadConfig(append(tt.environ, complete...))
		if err != nil || len(c.Warnings) != len(tt.want) {
			t.Errorf("%s: %q, %v", tt.name, c.Warnings, err)
			continue
		}
		for i, warning := range c.Warnings {
			if !strings.HasPrefix(warning, tt.want[i]) {
				t.Errorf("%s: %q, want %q", tt.name, warning, tt.want[i])
			}
		}
	}
}

// The example of a .env file has known variables, and its placeholders do not start.
func TestEnvExample(t *testing.T) {
	example := read(t, "../../.env.example")
	names := asDocumented(t, read(t, "../../docs/operations.md"))
	var known []string
	for _, v := range variables(t) {
		known = append(known, names.Replace(v.Name))
	}
	for line := range strings.Lines(example) {
		name, _, assigned := strings.Cut(strings.TrimSpace(line), "=")
		if assigned && !strings.HasPrefix(line, "#") && !slices.Contains(known, name) {
			t.Errorf("there is no variable %s", name)
		}
	}
	environ := strings.Split(example, "\n")
	_, err := LoadConfig(environ)
	for _, name := range []string{"WIX_APP_ID", "WIX_APP_SECRET"} {
		if err == nil || !strings.Contains(err.Error(), name+" is the placeholder") {
			t.Errorf("the placeholder of %s is taken: %v", name, err)
		}
	}
}
