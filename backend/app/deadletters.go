package app

import (
	"context"
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/nametag-dev/nametag/backend/instance"
)

// watchDeadLetters reports at each scrape how many jobs have failed for good. It is NaN
// while the store does not answer.
func (m *metrics) watchDeadLetters(jobs instance.Jobs) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: metricDeadLetters, Help: "Webhook events and refreshes from Wix that have failed for good and wait for a person.",
	}, func() float64 {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		n, err := jobs.DeadLetters(ctx)
		if err != nil {
			return math.NaN()
		}
		return float64(n)
	}))
}
