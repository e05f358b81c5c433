package api

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
)

const (
	// maxWebhookBody is the longest delivery that is read, in bytes.
	maxWebhookBody = 256 << 10
	// webhookTimeout bounds the storing of a delivery: Wix waits 1,250 ms for the answer,
	// and a 503 in time is better than none.
	webhookTimeout = time.Second
)

// postWebhook takes a delivery of Wix: the body is the bare JWT. 200 means that the
// event is durable, and no more; what follows from it is done afterwards.
func (h handlers) postWebhook(c echo.Context) error {
	body, err := io.ReadAll(http.MaxBytesReader(c.Response(), c.Request().Body, maxWebhookBody))
	if err != nil {
		return bodyError(err)
	}
	ctx, cancel := context.WithTimeout(c.Request().Context(), webhookTimeout)
	defer cancel()
	if err := h.Webhooks.Receive(ctx, body); err != nil {
		return err
	}
	return c.NoContent(http.StatusOK)
}
