package app

// A second app, the review badge, written through the door alone: what a team would put
// into package business.

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"net/http"
	"testing/fstest"

	"github.com/nametag-dev/nametag/backend/apierr"
	"github.com/nametag-dev/nametag/backend/identity"
	"github.com/nametag-dev/nametag/backend/kit"
	"github.com/nametag-dev/nametag/backend/settings"
)

// reviewSettings are set once for a site.
type reviewSettings struct {
	Title string `json:"title" setting:"text" default:"Reviews" min:"1" max:"40"`
	Stars int    `json:"stars" setting:"number" default:"5" min:"1" max:"10"`
}

// freeReviews is how many reviews a site without a paid plan may have.
const freeReviews = 3

var reviewLimit = apierr.Code{Name: "review_limit", Status: http.StatusPaymentRequired, Message: "The free plan has no more reviews."}

const reviewsSchema = `-- +goose Up
CREATE TABLE reviews (
    id          TEXT    NOT NULL PRIMARY KEY,
    instance_id TEXT    NOT NULL REFERENCES instances (id),
    stars       INTEGER NOT NULL,
    text        TEXT    NOT NULL
);
CREATE INDEX reviews_instance_id ON reviews (instance_id);
`

const historySchema = `-- +goose Up
CREATE TABLE history (
    instance_id TEXT   NOT NULL,
    kind        TEXT   NOT NULL,
    detail      TEXT   NOT NULL,
    at          BIGINT NOT NULL,
    PRIMARY KEY (instance_id, kind, at)
);
`

type review struct {
	ID    string `json:"id"`
	Stars int    `json:"stars"`
	Text  string `json:"text"`
}

// newReviews declares the review badge.
func newReviews(t kit.Tools) (kit.App, error) {
	schema, err := settings.For[reviewSettings]()
	if err != nil {
		return kit.App{}, err
	}
	migrations := fstest.MapFS{}
	for _, dialect := range []string{"sqlite", "postgres"} {
		migrations[dialect+"/00001_reviews.sql"] = &fstest.MapFile{Data: []byte(reviewsSchema)}
		migrations[dialect+"/00002_history.sql"] = &fstest.MapFile{Data: []byte(historySchema)}
	}
	owned := kit.Owned("reviews", "instance_id")
	owned.Copy = copyReviews
	r := reviews{t}
	return kit.App{
		Settings: schema,
		Answer:   r.answer,
		Routes: []kit.Route{
			{Method: http.MethodGet, Path: "reviews", Role: identity.Visitor, Handle: r.list},
			{Method: http.MethodPost, Path: "reviews", Role: identity.Visitor, Handle: kit.Body(r.add)},
			{Method: http.MethodDelete, Path: "reviews/:id", Role: identity.Owner, Handle: r.remove},
			{Method: http.MethodGet, Path: "contacts", Role: identity.Owner, Handle: r.contacts},
		},
		Errors: []apierr.Code{reviewLimit},
		Data: kit.Data{
			Migrations: migrations,
			Tables:     []kit.Table{owned, kit.Owned("history", "instance_id")},
			OnEvent:    record,
		},
	}, nil
}

type reviews struct{ kit.Tools }

type badge struct {
	Title   string  `json:"title"`
	Stars   int     `json:"stars"`
	Reviews int     `json:"reviews"`
	Average float64 `json:"average"`
	Paid    bool    `json:"paid"`
}

// answer is get-instance: the settings, the average, and nothing of Nametag's own answer.
func (r reviews) answer(ctx context.Context, c kit.Call) (any, error) {
	set, err := settings.Decode[reviewSettings](c.Instance.Settings)
	if err != nil {
		return nil, err
	}
	b := badge{Title: set.Title, Stars: set.Stars, Paid: c.Instance.Paid()}
	var average sql.Null[float64]
	err = r.DB.QueryRow(ctx, `SELECT count(*), avg(stars) FROM reviews WHERE instance_id = ?`, c.Instance.ID).Scan(&b.Reviews, &average)
	b.Average = average.V
	return kit.Reply{Body: b, NoReuse: true}, err
}

func (r reviews) list(ctx context.Context, c kit.Call) (any, error) {
	rows, err := r.DB.Query(ctx, `SELECT id, stars, text FROM reviews WHERE instance_id = ? ORDER BY text, id`, c.Instance.ID)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := []review{}
	for rows.Next() {
		var one review
		if err := rows.Scan(&one.ID, &one.Stars, &one.Text); err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}

func (r reviews) add(ctx context.Context, c kit.Call, body review) (any, error) {
	if body.Stars < 1 || body.Stars > 10 {
		return nil, kit.Invalid(apierr.Field{Name: "stars", Reason: "must be 1 to 10"})
	}
	body.ID = rand.Text()
	err := r.DB.Write(ctx, c.Instance.ID, func(tx kit.Tx) error {
		var n int
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM reviews WHERE instance_id = ?`, c.Instance.ID).Scan(&n); err != nil {
			return err
		}
		if n >= freeReviews && !c.Instance.Paid() {
			return &apierr.Error{Code: reviewLimit}
		}
		_, err := tx.Exec(ctx, `INSERT INTO reviews (id, instance_id, stars, text) VALUES (?, ?, ?, ?)`,
			body.ID, c.Instance.ID, body.Stars, body.Text)
		return err
	})
	if err != nil {
		return nil, err
	}
	return kit.Reply{Status: http.StatusCreated, Body: body}, nil
}

func (r reviews) remove(ctx context.Context, c kit.Call) (any, error) {
	return nil, r.DB.Write(ctx, c.Instance.ID, func(tx kit.Tx) error {
		result, err := tx.Exec(ctx, `DELETE FROM reviews WHERE id = ? AND instance_id = ?`, c.Params["id"], c.Instance.ID)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, &apierr.Error{Code: apierr.NotFound})
		}
		return nil
	})
}

// contacts asks another API of Wix as the app.
func (r reviews) contacts(ctx context.Context, c kit.Call) (any, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://www.wixapis.com/apps/v1/instance", http.NoBody)
	if err != nil {
		return nil, err
	}
	response, err := r.Wix(c.Instance.ID).Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	return response.StatusCode, nil
}

// record writes each event down.
func record(ctx context.Context, tx kit.Tx, e kit.Event) error {
	_, err := tx.Exec(ctx, `INSERT INTO history (instance_id, kind, detail, at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		e.InstanceID, string(e.Kind), e.OriginID+e.Plan, e.At.UnixMilli())
	return err
}

func copyReviews(ctx context.Context, tx kit.Tx, origin, instanceID string) error {
	_, err := tx.Exec(ctx, `
INSERT INTO reviews (id, instance_id, stars, text)
SELECT 'copy-' || id, ?, stars, text FROM reviews WHERE instance_id = ?
ON CONFLICT DO NOTHING`, instanceID, origin)
	return err
}
