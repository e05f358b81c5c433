package app

// The client side of a health check: a container without a shell or curl asks by the program.

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/nametag-dev/nametag/backend/product"
)

// healthTimeout bounds one question.
const healthTimeout = 3 * time.Second

// HealthURL returns where the server that is configured by the same environment answers on
// this machine whether it is ready, or, with live, whether it lives.
func HealthURL(environ []string, live bool) (string, error) {
	var c Config
	e := readEnvironment(environ, namesOf(variablesOf(&c.OwnVariables, product.EnvPrefix)))
	e.parse(&c.OwnVariables, product.EnvPrefix)
	c.checkAddresses(e)
	public, err := webURL(c.PublicURL)
	if err != nil {
		e.fault(product.EnvPrefix+"PUBLIC_URL", "%w", err)
	}
	if len(e.faults) > 0 {
		return "", errors.Join(e.faults...)
	}
	host, port, err := net.SplitHostPort(c.Addr)
	if err != nil {
		return "", err
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	path := "/readyz"
	if live {
		path = "/healthz"
	}
	return "http://" + net.JoinHostPort(host, port) + public.Path + path, nil
}

// AskHealth returns the status that a URL of HealthURL answers. The error of any answer but
// 200 says what it was.
func AskHealth(ctx context.Context, url string) (status string, err error) {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	// A proxy of the environment does not lead to this machine.
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(r)
	if err != nil {
		return "", fmt.Errorf("the server does not answer: %w", err)
	}
	defer response.Body.Close()
	var answer struct{ Status string }
	err = json.NewDecoder(io.LimitReader(response.Body, 4<<10)).Decode(&answer)
	switch {
	case err != nil:
		return "", fmt.Errorf("%s answers %d, and not as %s does", url, response.StatusCode, product.Name)
	case response.StatusCode != http.StatusOK:
		return "", fmt.Errorf("%s answers %d: %s", url, response.StatusCode, answer.Status)
	}
	return answer.Status, nil
}
