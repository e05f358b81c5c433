package app

// The environment as the program reads it: each variable is cleaned, taken from its file,
// and refused if it stands for a value that nobody filled in. No error shows a value, since
// people put secrets into the wrong variable too.

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"

	"github.com/nametag-dev/nametag/backend/pasted"
	"github.com/nametag-dev/nametag/backend/product"
)

// The variables of hosting platforms, which are read when ours are not set.
const (
	platformPort     = "PORT"
	platformDatabase = "DATABASE_URL"
)

// fileForms are the variables that may be given as <NAME>_FILE, the path of a file
// that holds the value, as container platforms hand out secrets.
var fileForms = []string{"WIX_APP_ID", "WIX_APP_SECRET", "WIX_PUBLIC_KEY", databaseURL}

// environment are the variables that are set to something.
type environment struct {
	given  map[string]string
	values map[string]string
	faults []error
	// faulty are the variables that a fault names already.
	faulty map[string]bool
}

// readEnvironment reads the variables with these names.
func readEnvironment(environ, names []string) *environment {
	e := &environment{given: env.ToMap(environ), values: map[string]string{}, faulty: map[string]bool{}}
	for _, name := range names {
		value, err := e.read(name)
		if err == nil {
			err = checkFilledIn(name, value)
		}
		if err != nil {
			e.fault(name, "%w", err)
		} else if value != "" {
			e.values[name] = value
		}
	}
	return e
}

// platform returns a variable of the hosting platform that stands for one of ours, if ours
// is not set and the other has a value for it.
func (e *environment) platform(name, ours string, usable func(value string) bool) (value string, found bool) {
	value = cleanVariable(name, e.given[name])
	if e.values[ours] != "" || e.faulty[ours] || value == "" || !usable(value) {
		return "", false
	}
	if err := checkFilledIn(name, value); err != nil {
		e.fault(name, "%w", err)
		return "", false
	}
	return value, true
}

// fault adds a fault of a variable, as the sentence that goes on after its name.
func (e *environment) fault(name, format string, args ...any) {
	e.faulty[name] = true
	e.faults = append(e.faults, fmt.Errorf(name+" "+format, args...))
}

// read returns a variable's value, cleaned, or that of the file that it names.
func (e *environment) read(name string) (string, error) {
	value := cleanVariable(name, e.given[name])
	path := pasted.Clean(e.given[name+"_FILE"])
	if path == "" || !slices.Contains(fileForms, name) {
		return value, nil
	}
	if value != "" {
		return "", fmt.Errorf("and %s_FILE are both set: keep one", name)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		// Without the path: it may be the secret itself.
		if cause := new(fs.PathError); errors.As(err, &cause) {
			err = cause.Err
		}
		if errors.Is(err, fs.ErrPermission) {
			return "", fmt.Errorf("has a file (%s_FILE) that user %d, as which this process runs, may not read", name, os.Getuid())
		}
		return "", fmt.Errorf("has a file (%s_FILE, which must be a path) that cannot be read: %w", name, err)
	}
	return cleanVariable(name, pasted.Text(content)), nil
}

// cleanVariable also takes the line of a .env file for the value that is in it.
func cleanVariable(name, value string) string {
	value = pasted.Clean(value)
	if assigned, ok := strings.CutPrefix(strings.TrimPrefix(value, "export "), name+"="); ok {
		return pasted.Clean(assigned)
	}
	return value
}

var (
	// unexpanded is the name of a variable, or a command, that a shell would have replaced.
	unexpanded = regexp.MustCompile(`\$[A-Za-z_({]`)
	// wholeVariable is a password that is such a name and nothing else.
	wholeVariable = regexp.MustCompile(`^\$(\{\w+\}|[A-Z_]+)$`)
	// placeholders stand for a value in instructions and examples.
	placeholders = regexp.MustCompile(`(?i)…|\.\.\.|<[^>]*>|\{\{|\[your\b|^\[[a-z_ -]+\]$|^%\w+%$` + // templates
		`|^[x*.?_#-]{3,}$|^[0-]{8,}$|^[f-]{8,}$|^12345678-1234-1234-1234-` + // fillers
		`|^(your|my|the|insert|enter|paste|put|replace|todo|tbd|fixme|dummy|sample|example|placeholder|change)([-_ ][^:/]*|me|it|this)?$|^(app[-_ ]?)?(secret|password)$|^your` + // words
		`|//user(name)?:pass(word)?@host|[/@.](your[-_](domain|host|server|site|app|name|url|company|project)|yourdomain)\b`) // parts of a URL
	password = regexp.MustCompile(`^(\w+://[^/?#]*?:)([^/?#]*)@`)
)

// checkFilledIn refuses what stands for a value. Its errors go on after the variable's name.
func checkFilledIn(name, value string) error {
	outside := value
	if name == databaseURL || name == platformDatabase {
		// A password may have a dollar sign.
		if parts := password.FindStringSubmatch(value); parts != nil {
			outside = parts[1] + strings.TrimPrefix(value, parts[0])
			if wholeVariable.MatchString(parts[2]) {
				outside = parts[2]
			}
		}
	}
	if unexpanded.MatchString(outside) {
		return errors.New("has a $ before a name that nothing has replaced by its value: the shell does that, .env files and docker --env-file do not")
	}
	if placeholders.MatchString(value) {
		return errors.New("is the placeholder of an example: replace it by your own value")
	}
	return nil
}

// variable is one that is read into a field of Config.
type variable struct {
	name string
	kind reflect.Type
}

// variablesOf returns the variables of a struct, whose names begin with prefix.
func variablesOf(of any, prefix string) []variable {
	var all []variable
	for _, field := range reflect.VisibleFields(reflect.TypeOf(of).Elem()) {
		if name := field.Tag.Get("env"); name != "" {
			all = append(all, variable{prefix + name, field.Type})
		}
	}
	return all
}

func namesOf(variables []variable) []string {
	var names []string
	for _, v := range variables {
		names = append(names, v.name)
	}
	return names
}

// parse reads variables into a struct.
func (e *environment) parse(into any, prefix string) {
	values := map[string]string{}
	for _, v := range variablesOf(into, prefix) {
		value := e.values[v.name]
		switch v.kind.Kind() {
		case reflect.Slice:
			value = strings.Join(pasted.List(value), ",")
		case reflect.Bool, reflect.Int64: // times too
			value = strings.ToLower(value)
		}
		values[v.name] = value
	}
	err := env.ParseWithOptions(into, env.Options{
		Environment: values, Prefix: prefix,
		FuncMap: map[reflect.Type]env.ParserFunc{reflect.TypeFor[bool](): parseBool},
	})
	var all env.AggregateError
	if err != nil && !errors.As(err, &all) {
		panic(err) // the struct cannot be parsed into
	}
	for _, err := range all.Errors {
		var fault env.ParseError
		if !errors.As(err, &fault) {
			panic(err)
		}
		// env's own text repeats the value.
		field, _ := reflect.TypeOf(into).Elem().FieldByName(fault.Name)
		e.fault(prefix+field.Tag.Get("env"), "must be %s", example(field.Type))
	}
}

// example describes the values of a type.
func example(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[time.Duration]():
		return "a time such as 720h (30 days) or 90m"
	case t.Kind() == reflect.Bool:
		return "true or false"
	case t.Name() == "Level":
		return "debug, info, warn or error"
	default:
		return "a value of the kind that docs/operations.md shows"
	}
}

func parseBool(value string) (any, error) {
	switch value {
	case "true", "t", "1", "yes", "y", "on":
		return true, nil
	case "false", "f", "0", "no", "n", "off":
		return false, nil
	}
	return nil, errors.New("neither true nor false")
}

// kubernetes are the variables that Kubernetes sets for a service with the product's name.
var kubernetes = regexp.MustCompile(`^` + product.EnvPrefix + `(SERVICE_(HOST|PORT)(_.*)?|PORT(_\d+_(TCP|UDP)(_.*)?)?)$`)

// unknown returns a sentence on each variable that looks like one of ours and is not.
func unknown(environ, names []string) []string {
	known := slices.Clone(names)
	for _, name := range fileForms {
		known = append(known, name+"_FILE")
	}
	var sentences []string
	for name, value := range env.ToMap(environ) {
		upper := strings.ToUpper(name)
		ours := strings.HasPrefix(upper, product.EnvPrefix) || strings.HasPrefix(upper, "WIX_")
		service := kubernetes.MatchString(name) && (name != product.EnvPrefix+"PORT" || strings.Contains(value, "://"))
		if !ours || service || slices.Contains(known, name) {
			continue
		}
		if nearest := nearest(upper, known); nearest != "" {
			sentences = append(sentences, fmt.Sprintf("%s is not read: it should perhaps be %s", name, nearest))
		} else {
			sentences = append(sentences, name+" is not read: there is no such variable")
		}
	}
	slices.Sort(sentences)
	return sentences
}

// nearest returns the name that takes the fewest changes to make of a name, or "" if that is
// more than half of it.
func nearest(name string, known []string) string {
	best, fewest := "", len(name)
	for _, candidate := range known {
		_, rest, _ := strings.Cut(candidate, "_")
		if d := distance(name, candidate); d < fewest && 2*d <= len(rest) {
			best, fewest = candidate, d
		}
	}
	return best
}

// distance is how many bytes have to be added, dropped or replaced to make b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
