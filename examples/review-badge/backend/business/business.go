// Package business is the app: a badge with the average of a site's reviews. Visitors give
// stars; a site without a paid plan has room for three reviews.
package business

import (
	"context"
	"crypto/rand"
	"database/sql"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"

	"github.com/nametag-dev/nametag/backend/apierr"
	"github.com/nametag-dev/nametag/backend/identity"
	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/kit"
	"github.com/nametag-dev/nametag/backend/settings"
)

const (
	// paidPlan is the id of the paid plan in the Wix app dashboard.
	paidPlan = "pro"
	// freeReviews is how many reviews a site without a paid plan can have.
	freeReviews = 3
	mostStars   = 5
)

var reviewLimit = apierr.Code{
	Name: "review_limit", Status: http.StatusPaymentRequired, Message: "There is no room for more reviews at the moment.",
}

//go:embed migrations
var migrations embed.FS

// New declares the app.
func New(t kit.Tools) (kit.App, error) {
	schema, err := settings.For[Site]()
	if err != nil {
		return kit.App{}, err
	}
	folder, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return kit.App{}, err
	}
	r := reviews{t}
	return kit.App{
		Settings: schema,
		Answer:   r.answer,
		Routes: []kit.Route{
			{Method: http.MethodPost, Path: "reviews", Role: identity.Visitor, Handle: kit.Body(r.add)},
			{Method: http.MethodGet, Path: "reviews", Role: identity.Owner, Handle: r.latest},
		},
		Errors: []apierr.Code{reviewLimit},
		Plans:  []string{paidPlan},
		Data: kit.Data{
			Migrations: folder,
			Tables:     []kit.Table{kit.Owned("reviews", "instance_id")},
		},
	}, nil
}

type reviews struct{ kit.Tools }

// answer is what the badge and the panel read.
type answer struct {
	Status   string          `json:"status"`
	Settings json.RawMessage `json:"settings"`
	Instance instance.View   `json:"instance"`
	Reviews  int             `json:"reviews"`
	Average  float64         `json:"average"`
}

// answer answers get-instance. A browser must not reuse it: a new review shows at once.
func (r reviews) answer(ctx context.Context, c kit.Call) (any, error) {
	var (
		count   int
		average sql.Null[float64]
	)
	err := r.DB.QueryRow(ctx, `SELECT count(*), avg(stars) FROM reviews WHERE instance_id = ?`, c.Instance.ID).
		Scan(&count, &average)
	if err != nil {
		return nil, fmt.Errorf("read the average: %w", err)
	}
	return kit.Reply{Body: answer{"Success", c.Instance.Settings, c.View(), count, average.V}, NoReuse: true}, nil
}

type review struct {
	Stars int   `json:"stars"`
	At    int64 `json:"at"`
}

// add answers POST api/reviews with the review.
func (r reviews) add(ctx context.Context, c kit.Call, given review) (any, error) {
	if given.Stars < 1 || given.Stars > mostStars {
		return nil, kit.Invalid(apierr.Field{Name: "stars", Reason: fmt.Sprintf("must be 1 to %d", mostStars)})
	}
	given.At = r.Now().UnixMilli()
	err := r.DB.Write(ctx, c.Instance.ID, func(tx kit.Tx) error {
		var count int
		err := tx.QueryRow(ctx, `SELECT count(*) FROM reviews WHERE instance_id = ?`, c.Instance.ID).Scan(&count)
		if err != nil {
			return err
		}
		if count >= freeReviews && !c.Instance.Paid() { // an unknown plan does not count as paid
			return &apierr.Error{Code: reviewLimit}
		}
		_, err = tx.Exec(ctx, `INSERT INTO reviews (id, instance_id, stars, at) VALUES (?, ?, ?, ?)`,
			rand.Text(), c.Instance.ID, given.Stars, given.At)
		return err
	})
	if err != nil {
		return nil, err
	}
	return kit.Reply{Status: http.StatusCreated, Body: given}, nil
}

// latest answers GET api/reviews: the newest reviews, for the site's owner.
func (r reviews) latest(ctx context.Context, c kit.Call) (any, error) {
	rows, err := r.DB.Query(ctx, `SELECT stars, at FROM reviews WHERE instance_id = ? ORDER BY at DESC LIMIT 100`, c.Instance.ID)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := []review{}
	for rows.Next() {
		var one review
		if err := rows.Scan(&one.Stars, &one.At); err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}
