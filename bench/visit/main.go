// Command visit plays many visitors: it has the offline Wix issue their tokens, and asks
// a server with each. It prints how many answers there were, and their percentiles.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const workers = 32

var client = &http.Client{
	Timeout:   30 * time.Second,
	Transport: &http.Transport{MaxIdleConnsPerHost: workers},
}

func main() {
	wix := flag.String("wix", "", "the offline Wix, which issues the tokens; without it they are read from -tokens")
	count := flag.Int("n", 1, "how many requests, each with the next token, in rotation")
	file := flag.String("tokens", "", "the file of tokens, one a line: written with -wix, else read")
	instances := flag.String("instances", "", "a file of instance ids, one a line, whose visitors they are in rotation")
	ask := flag.String("ask", "", "the URL to ask with each token")
	flag.Parse()
	if err := run(*wix, *file, *instances, *ask, *count); err != nil {
		log.Fatal(err)
	}
}

func run(wix, file, instances, ask string, count int) error {
	tokens, ids := make([]string, count), []string{""}
	var err error
	if wix == "" {
		if tokens, err = lines(file); err != nil {
			return err
		}
	}
	if instances != "" {
		if ids, err = lines(instances); err != nil {
			return err
		}
	}
	took := make([]time.Duration, count)
	err = each(count, func(n int) error {
		token := tokens[n%len(tokens)]
		if wix != "" {
			if token, err = mint(wix, ids[n%len(ids)]); err != nil {
				return err
			}
			if file != "" {
				tokens[n] = token
			}
		}
		if ask == "" {
			return nil
		}
		began := time.Now()
		defer func() { took[n] = time.Since(began) }()
		return get(ask, token)
	})
	if err != nil {
		return err
	}
	if wix != "" && file != "" {
		var text bytes.Buffer
		for _, token := range tokens {
			text.WriteString(token + "\n")
		}
		if err := os.WriteFile(file, text.Bytes(), 0o600); err != nil {
			return err
		}
	}
	slices.Sort(took)
	ms := func(p float64) float64 { return took[int(p*float64(count-1))].Seconds() * 1000 }
	return json.NewEncoder(os.Stdout).Encode(map[string]any{"answers": count, "p50": ms(.5), "p99": ms(.99)})
}

// each calls f with 0 to count-1, many at once, until one fails.
func each(count int, f func(n int) error) error {
	var (
		next   atomic.Int64
		failed = make(chan error, workers)
		work   sync.WaitGroup
	)
	for range workers {
		work.Go(func() {
			for n := int(next.Add(1)) - 1; n < count; n = int(next.Add(1)) - 1 {
				if err := f(n); err != nil {
					next.Add(int64(count))
					failed <- err
					return
				}
			}
		})
	}
	work.Wait()
	close(failed)
	return <-failed
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

func mint(wix, instance string) (string, error) {
	request, err := json.Marshal(map[string]string{"subject": "VISITOR", "instanceId": instance})
	if err != nil {
		return "", err
	}
	answer, err := client.Post(wix+"/_sim/tokens", "application/json", bytes.NewReader(request))
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	var minted struct{ Token, Error string }
	if err := json.NewDecoder(answer.Body).Decode(&minted); err != nil {
		return "", err
	}
	if minted.Token == "" {
		return "", fmt.Errorf("the offline Wix gave no token: %s", minted.Error)
	}
	return minted.Token, nil
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
