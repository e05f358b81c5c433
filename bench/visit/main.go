// Command visit plays many visitors. With -ask it asks a server, each time with another
// token, and prints how many answers there were and their percentiles. The tokens are
// those of a file, in rotation, or new ones of the offline Wix; without -ask, the new
// ones are written to the file.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	workers = 32
	batch   = 1000 // tokens that the offline Wix is asked for at once
)

var client = &http.Client{
	Timeout:   30 * time.Second,
	Transport: &http.Transport{MaxIdleConnsPerHost: workers},
}

func main() {
	wix := flag.String("wix", "", "the offline Wix, which issues the tokens; without it they are read from -tokens")
	count := flag.Int("n", 1, "how many tokens, or requests")
	file := flag.String("tokens", "", "the file of tokens, one a line: read with -ask, else written")
	instances := flag.String("instances", "", "a file of instance ids, one a line, whose visitors they are in equal parts")
	ask := flag.String("ask", "", "the URL to ask with each token")
	flag.Parse()
	if err := run(*wix, *file, *instances, *ask, *count); err != nil {
		log.Fatal(err)
	}
}

func run(wix, file, instances, ask string, count int) error {
	source := func(yield func(string) bool) error { return issue(wix, "", count, yield) }
	switch {
	case ask == "" && instances == "":
		return write(file, source)
	case ask == "":
		ids, err := lines(instances)
		if err != nil {
			return err
		}
		return write(file, func(yield func(string) bool) error {
			for _, id := range ids {
				if err := issue(wix, id, count/len(ids), yield); err != nil {
					return err
				}
			}
			return nil
		})
	case wix == "":
		tokens, err := lines(file)
		if err != nil {
			return err
		}
		source = func(yield func(string) bool) error {
			for n := range count {
				if !yield(tokens[n%len(tokens)]) {
					break
				}
			}
			return nil
		}
	}
	took, err := visit(ask, source)
	if err != nil {
		return err
	}
	slices.Sort(took)
	ms := func(p float64) float64 { return took[int(p*float64(len(took)-1))].Seconds() * 1000 }
	return json.NewEncoder(os.Stdout).Encode(map[string]any{"answers": len(took), "p50": ms(.5), "p99": ms(.99)})
}

// visit asks with every token of the source, many at once, until one fails.
func visit(ask string, source func(yield func(string) bool) error) ([]time.Duration, error) {
	var (
		tokens = make(chan string, batch)
		failed = make(chan error, workers)
		work   sync.WaitGroup
		all    = make([][]time.Duration, workers)
	)
	for w := range all {
		work.Go(func() {
			for token := range tokens {
				began := time.Now()
				if err := get(ask, token); err != nil {
					failed <- err
					return
				}
				all[w] = append(all[w], time.Since(began))
			}
		})
	}
	var failure error
	err := source(func(token string) bool {
		select {
		case tokens <- token:
			return true
		case failure = <-failed:
			return false
		}
	})
	close(tokens)
	work.Wait()
	close(failed)
	took := slices.Concat(all...)
	if err = errors.Join(err, failure, <-failed); err == nil && len(took) == 0 {
		err = errors.New("nobody asked")
	}
	return took, err
}

// issue has the offline Wix make tokens of one instance's visitors.
func issue(wix, instance string, count int, yield func(string) bool) error {
	for count > 0 {
		n := min(count, batch)
		count -= n
		request, err := json.Marshal(map[string]any{"subject": "VISITOR", "instanceId": instance, "count": n})
		if err != nil {
			return err
		}
		answer, err := client.Post(wix+"/_sim/tokens", "application/json", bytes.NewReader(request))
		if err != nil {
			return err
		}
		var issued struct {
			Tokens []string
			Error  string
		}
		err = json.NewDecoder(answer.Body).Decode(&issued)
		answer.Body.Close()
		if err != nil {
			return err
		}
		if len(issued.Tokens) != n {
			return fmt.Errorf("the offline Wix gave %d tokens: %s", len(issued.Tokens), issued.Error)
		}
		for _, token := range issued.Tokens {
			if !yield(token) {
				return nil
			}
		}
	}
	return nil
}

func write(file string, source func(yield func(string) bool) error) error {
	var text strings.Builder
	if err := source(func(token string) bool {
		text.WriteString(token + "\n")
		return true
	}); err != nil {
		return err
	}
	return os.WriteFile(file, []byte(text.String()), 0o600)
}

func lines(file string) (all []string, err error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	scan := bufio.NewScanner(f)
	for scan.Scan() {
		all = append(all, scan.Text())
	}
	if len(all) == 0 && scan.Err() == nil {
		return nil, fmt.Errorf("%s is empty", file)
	}
	return all, scan.Err()
}

func get(url, token string) error {
	request, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", token)
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", answer.Status, body)
	}
	return err
}
