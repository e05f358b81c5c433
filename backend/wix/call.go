package wix

// One call to Wix: at most two attempts, each with its own deadline and a bounded body.

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

const (
	// maxBody is in bytes. A real answer has a few kilobytes.
	maxBody = 1 << 20
	// maxBackoff bounds the random pause before the second attempt.
	maxBackoff = 300 * time.Millisecond
	// maxWait is the longest Retry-After that a call waits for: a visitor is waiting too.
	maxWait = time.Second
)

type request struct {
	op, method, path string
	authorization    string
	body             any
}

// call sends the request and decodes the answer into v. check, if any, then decides
// whether the answer is usable.
func (c *Client) call(ctx context.Context, r request, v any, check func() error) error {
	answer, failure := c.try(ctx, r)
	if failure != nil && failure.retry && failure.RetryAfter <= maxWait {
		if pause(ctx, failure.RetryAfter+rand.N(maxBackoff)) {
			answer, failure = c.try(ctx, r)
		} else if errors.Is(ctx.Err(), context.Canceled) {
			failure = connectionError(ctx, r.op, ctx.Err())
		}
	}
	if failure != nil {
		return failure
	}
	err := decode(answer.body, v)
	if err == nil && check != nil {
		err = check()
	}
	if err != nil {
		return &Error{Op: r.op, Kind: BadResponse, Status: http.StatusOK, RequestID: answer.requestID, Err: err}
	}
	return nil
}

// pause waits for d and returns true. It returns false if the context ends first, and
// does not wait at all if the context's deadline is too near.
func pause(ctx context.Context, d time.Duration) bool {
	if end, ok := ctx.Deadline(); ok && time.Until(end) <= d {
		return false
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// answer is a response with status 200.
type answer struct {
	body      []byte
	requestID string
}

func (c *Client) try(ctx context.Context, r request) (answer, *Error) {
	attempt, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()

	var body io.Reader
	if r.body != nil {
		encoded, err := json.Marshal(r.body)
		if err != nil {
			return answer{}, &Error{Op: r.op, Kind: BadResponse, Err: errors.New("encode the request")}
		}
		body = bytes.NewReader(encoded)
	}
	req, err := http.NewRequestWithContext(attempt, r.method, c.baseURL+r.path, body)
	if err != nil {
		return answer{}, &Error{Op: r.op, Kind: Unavailable, Err: errors.New("the base URL is not valid")}
	}
	req.Header.Set("Accept", "application/json")
	if r.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if r.authorization != "" {
		req.Header.Set("Authorization", r.authorization)
	}

	resp, err := c.http.Do(req)
	if err != nil {
		if ctx.Err() == nil {
			ctx = attempt
		}
		return answer{}, connectionError(ctx, r.op, err)
	}
	defer resp.Body.Close()

	requestID := identifier(resp.Header.Get("X-Wix-Request-Id"))
	content, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if resp.StatusCode != http.StatusOK {
		return answer{}, c.statusError(r.op, resp, requestID, content)
	}
	bad := &Error{Op: r.op, Kind: BadResponse, Status: resp.StatusCode, RequestID: requestID}
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		bad.Kind, bad.Err = Canceled, context.Canceled
		return answer{}, bad
	case err != nil && attempt.Err() != nil:
		bad.Kind, bad.Err = Timeout, context.DeadlineExceeded
		return answer{}, bad
	case err != nil:
		bad.Err = errors.New("the body was cut short")
		return answer{}, bad
	case len(content) > maxBody:
		bad.Err = errors.New("the body is longer than 1 MB")
		return answer{}, bad
	}
	return answer{content, requestID}, nil
}

// statusError makes an error of a response with another status than 200. Of its body
// only the code is used: of Wix's error shape ("Errors" in Wix's REST documentation), or of
// OAuth's.
func (c *Client) statusError(op string, resp *http.Response, requestID string, content []byte) *Error {
	e := &Error{Op: op, Status: resp.StatusCode, RequestID: requestID}
	var shape struct {
		// Error is that of /oauth2/token: RFC 6749 §5.2.
		Error   Optional[string] `json:"error"`
		Details Optional[struct {
			ApplicationError Optional[struct {
				Code Optional[string] `json:"code"`
			}] `json:"applicationError"`
		}] `json:"details"`
	}
	if decode(content, &shape) == nil {
		e.Code = cmp.Or(identifier(shape.Details.Value.ApplicationError.Value.Code.Value), identifier(shape.Error.Value))
	}
	switch status := resp.StatusCode; {
	case status == http.StatusTooManyRequests:
		e.Kind = RateLimited
	case status == http.StatusGatewayTimeout:
		e.Kind, e.retry = Timeout, true
	case status == http.StatusRequestTimeout:
		e.Kind = Timeout
	case status == http.StatusBadGateway, status == http.StatusServiceUnavailable:
		e.Kind, e.retry = Unavailable, true
	case status >= 500:
		e.Kind = Unavailable
	case status >= 400:
		e.Kind = Refused
	default:
		e.Kind = BadResponse
	}
	if e.Kind == RateLimited || e.Kind == Unavailable || e.Kind == Timeout {
		e.RetryAfter = RetryAfter(resp.Header, c.now())
	}
	return e
}

// RetryAfter reads the Retry-After of a response: seconds or an HTTP date. An unreadable
// value and a time in the past are 0; more than a day is a day.
func RetryAfter(h http.Header, now time.Time) time.Duration {
	header := h.Get("Retry-After")
	const most = 24 * time.Hour
	if n, err := strconv.ParseUint(header, 10, 64); err == nil {
		if n > uint64(most/time.Second) {
			return most
		}
		return time.Duration(n) * time.Second
	}
	at, err := http.ParseTime(header)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), most)
}
