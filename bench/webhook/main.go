// Command webhook plays Wix: it signs events about the plans of many sites, sends them to a
// server, and prints how many were accepted in a second, the percentiles of the answers, and how
// many were applied in a second. With -key it prints the public key that the server needs, and
// writes the private one to the file.
package main

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// workers is how many deliveries are under way at once.
const workers = 16

func main() {
	key := flag.String("key", "", "the file of the private key")
	to := flag.String("to", "", "the URL that takes webhooks; without it, a key is made")
	metrics := flag.String("metrics", "", "the URL of the server's metrics")
	count := flag.Int("n", 10_000, "how many events")
	instances := flag.String("instances", "", "the file of the instances that they are about, one a line")
	flag.Parse()
	var err error
	if *to == "" {
		err = makeKey(*key)
	} else {
		err = run(*key, *to, *metrics, *instances, *count)
	}
	if err != nil {
		log.Fatal(err)
	}
}

func makeKey(file string) error {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	public, err := x509.MarshalPKIXPublicKey(&private.PublicKey)
	if err != nil {
		return err
	}
	der := x509.MarshalPKCS1PrivateKey(private)
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		return err
	}
	return pem.Encode(os.Stdout, &pem.Block{Type: "PUBLIC KEY", Bytes: public})
}

func run(keyFile, to, metrics, instances string, count int) error {
	content, err := os.ReadFile(keyFile)
	if err != nil {
		return err
	}
	key, err := jwt.ParseRSAPrivateKeyFromPEM(content)
	if err != nil {
		return err
	}
	ids, err := os.ReadFile(instances)
	if err != nil {
		return err
	}
	deliveries, err := sign(key, strings.Fields(string(ids)), count)
	if err != nil {
		return err
	}
	began := time.Now()
	took, err := deliver(to, deliveries)
	if err != nil {
		return err
	}
	accepted := time.Since(began)
	for applied := 0; applied < count; time.Sleep(20 * time.Millisecond) {
		if applied, err = countApplied(metrics); err != nil {
			return err
		}
	}
	applied := time.Since(began)
	slices.Sort(took)
	ms := func(p float64) float64 { return took[int(p*float64(len(took)-1))].Seconds() * 1000 }
	perSecond := func(d time.Duration) float64 { return float64(count) / d.Seconds() }
	return json.NewEncoder(os.Stdout).Encode(map[string]float64{
		"accepted": perSecond(accepted), "p50": ms(.5), "p99": ms(.99), "applied": perSecond(applied),
	})
}

// sign makes the deliveries before the clock runs: a signature costs more than its check.
func sign(key *rsa.PrivateKey, ids []string, count int) ([]string, error) {
	var (
		all  = make([]string, count)
		work sync.WaitGroup
		errs [workers]error
		now  = time.Now()
	)
	for w := range workers {
		work.Go(func() {
			for i := w; i < count; i += workers {
				at := now.Add(time.Duration(i) * time.Millisecond)
				var err error
				all[i], err = delivery(key, ids[i%len(ids)], at)
				if err != nil {
					errs[w] = err
					return
				}
			}
		})
	}
	work.Wait()
	return all, errors.Join(errs[:]...)
}

// delivery is one JWT, with its three layers of JSON.
func delivery(key *rsa.PrivateKey, instanceID string, at time.Time) (string, error) {
	event, err := json.Marshal(map[string]string{
		"operationTimeStamp": at.UTC().Format(time.RFC3339Nano), "vendorProductId": "gold", "cycle": "MONTHLY",
	})
	if err != nil {
		return "", err
	}
	envelope, err := json.Marshal(map[string]string{
		"data": string(event), "instanceId": instanceID, "eventType": "PaidPlanChanged", "identity": `{"identityType":"WIX_USER"}`,
	})
	if err != nil {
		return "", err
	}
	return jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{
		"data": string(envelope), "iat": at.Unix(), "exp": at.Add(72 * time.Hour).Unix(),
	}).SignedString(key)
}

// deliver sends all deliveries and returns how long each took.
func deliver(to string, deliveries []string) ([]time.Duration, error) {
	var (
		client = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: workers}}
		work   sync.WaitGroup
		took   = make([]time.Duration, len(deliveries))
		errs   [workers]error
	)
	for w := range workers {
		work.Go(func() {
			for i := w; i < len(deliveries) && errs[w] == nil; i += workers {
				began := time.Now()
				response, err := client.Post(to, "text/plain", bytes.NewBufferString(deliveries[i]))
				if err != nil {
					errs[w] = err
					return
				}
				body, err := io.ReadAll(response.Body)
				_ = response.Body.Close()
				took[i] = time.Since(began)
				if errs[w] = err; err == nil && response.StatusCode != http.StatusOK {
					errs[w] = fmt.Errorf("status %d: %s", response.StatusCode, body)
				}
			}
		})
	}
	work.Wait()
	return took, errors.Join(errs[:]...)
}

var jobsDone = regexp.MustCompile(`(?m)^\w+_jobs_total\{kind="plan",outcome="done"\} (\S+)$`)

// countApplied reads how many events about plans the server has applied.
func countApplied(metrics string) (int, error) {
	response, err := http.Get(metrics)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err
	}
	found := jobsDone.FindSubmatch(text)
	if found == nil {
		return 0, nil
	}
	n, err := strconv.ParseFloat(string(found[1]), 64)
	return int(n), err
}
