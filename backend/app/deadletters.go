package app

import (
	"context"
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/nametag-dev/nametag/backend/instance"
)

// watchDeadLetters reports at each scrape what is in the job queue: how many jobs have failed
// for good, and how many are due, since when. The numbers are NaN while the store does not
// answer.
func (m *metrics) watchDeadLetters(jobs instance.Jobs) {
	m.registry.MustRegister(queue{
		jobs: jobs,
		dead: prometheus.NewDesc(metricDeadLetters,
			"Webhook events and refreshes from Wix that have failed for good and wait for a person.", nil, nil),
		due: prometheus.NewDesc(metricJobsDue,
			"Webhook events and refreshes from Wix that are due and that nobody has begun.", nil, nil),
		oldest: prometheus.NewDesc(metricJobsOldest,
			"For how many seconds the one of them that waits longest has been due; 0 when there is none.", nil, nil),
	})
}

// queue is the collector of the job queue's metrics.
type queue struct {
	jobs              instance.Jobs
	dead, due, oldest *prometheus.Desc
}

// Describe implements prometheus.Collector.
func (q queue) Describe(descs chan<- *prometheus.Desc) {
	descs <- q.dead
	descs <- q.due
	descs <- q.oldest
}

// Collect implements prometheus.Collector.
func (q queue) Collect(collected chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	dead, due, oldest := math.NaN(), math.NaN(), math.NaN()
	if n, err := q.jobs.DeadLetters(ctx); err == nil {
		dead = float64(n)
	}
	now := time.Now()
	if b, err := q.jobs.Backlog(ctx, now); err == nil {
		due, oldest = float64(b.Jobs), 0
		if !b.Oldest.IsZero() {
			oldest = max(0, now.Sub(b.Oldest).Seconds())
		}
	}
	for desc, value := range map[*prometheus.Desc]float64{q.dead: dead, q.due: due, q.oldest: oldest} {
		collected <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value)
	}
}
