package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/nametag-dev/nametag/backend/app"
	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/store/sqlstore"
)

// instancesCmd is for whoever answers for the data: what is held, on whom, and its end.
type instancesCmd struct {
	List   listCmd   `cmd:"" help:"List the installations."`
	Show   showCmd   `cmd:"" help:"Show one installation and the work that is open for it."`
	Export exportCmd `cmd:"" help:"Write all that is held on an installation, as JSON."`
	Purge  purgeCmd  `cmd:"" help:"Delete all that is held on an installation."`
}

// withStore runs do on the database of NAMETAG_DATABASE_URL.
func withStore(p *process, do func(*sqlstore.Store) error) error {
	url, err := app.LoadDatabaseURL(p.environ)
	if err != nil {
		return usageError{err}
	}
	store, err := sqlstore.Open(p.ctx, url, sqlstore.Options{})
	if err != nil {
		return err
	}
	return errors.Join(do(store), store.Close())
}

// withHeld runs do on all that is held on an instance. Work may be held without a
// row: events that are not applied yet.
func withHeld(p *process, id string, do func(*sqlstore.Store, instance.Instance, []instance.Job) error) error {
	return withStore(p, func(store *sqlstore.Store) error {
		i, err := store.Find(p.ctx, id)
		if err != nil && !errors.Is(err, instance.ErrNotFound) {
			return err
		}
		jobs, jobsErr := store.Jobs(p.ctx, id)
		if jobsErr != nil {
			return jobsErr
		}
		if err != nil && len(jobs) == 0 {
			return fmt.Errorf("nothing is held on %q", id)
		}
		i.ID = id
		return do(store, i, jobs)
	})
}

const pageSize = 500

type listCmd struct{}

func (listCmd) Run(p *process) error {
	return withStore(p, func(store *sqlstore.Store) error { return list(p, store) })
}

func list(p *process, store *sqlstore.Store) error {
	table := tabwriter.NewWriter(p.stdout, 0, 4, 2, ' ', 0)
	fmt.Fprintln(table, "INSTANCE\tSITE\tPLAN\tLAST SEEN\tREMOVED")
	for after := ""; ; {
		page, err := store.List(p.ctx, after, pageSize)
		if err != nil {
			return err
		}
		for _, i := range page {
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", i.ID, or(i.Profile.SiteDisplayName), planName(i), moment(i.LastSeen), moment(i.RemovedAt))
		}
		if len(page) < pageSize {
			return table.Flush()
		}
		after = page[len(page)-1].ID
	}
}

type showCmd struct {
	ID string `arg:"" help:"The instance id."`
}

func (c showCmd) Run(p *process) error { return withHeld(p, c.ID, c.run(p)) }

func (c showCmd) run(p *process) func(*sqlstore.Store, instance.Instance, []instance.Job) error {
	return func(store *sqlstore.Store, i instance.Instance, jobs []instance.Job) error {
		table := tabwriter.NewWriter(p.stdout, 0, 4, 2, ' ', 0)
		for _, row := range [][2]string{
			{"instance", i.ID}, {"site id", or(i.SiteID)}, {"site", or(i.Profile.SiteDisplayName)}, {"plan", planName(i)},
			{"greeting", i.Settings.Greeting}, {"settings version", fmt.Sprint(i.Version)}, {"copied from", or(i.OriginID)},
			{"first seen", moment(i.FirstSeen)}, {"last seen", moment(i.LastSeen)},
			{"read from Wix", moment(i.ProfileAt)}, {"removed", moment(i.RemovedAt)},
		} {
			fmt.Fprintf(table, "%s\t%s\n", row[0], row[1])
		}
		if err := table.Flush(); err != nil {
			return err
		}
		fmt.Fprintln(p.stdout)
		fmt.Fprintln(table, "WORK\tSTATE\tDUE\tATTEMPTS\tLAST ERROR")
		for _, j := range jobs {
			fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%s\n", jobName(j), j.State, moment(j.Due), j.Attempts, or(j.LastError))
		}
		return table.Flush()
	}
}

type exportCmd struct {
	ID string `arg:"" help:"The instance id."`
}

func (c exportCmd) Run(p *process) error { return withHeld(p, c.ID, c.run(p)) }

func (c exportCmd) run(p *process) func(*sqlstore.Store, instance.Instance, []instance.Job) error {
	return func(store *sqlstore.Store, i instance.Instance, jobs []instance.Job) error {
		out := json.NewEncoder(p.stdout)
		out.SetIndent("", "  ")
		return out.Encode(map[string]any{"instance": i, "work": jobs})
	}
}

type purgeCmd struct {
	ID  string `arg:"" help:"The instance id."`
	Yes bool   `help:"Do not ask."`
}

func (c purgeCmd) Run(p *process) error { return withHeld(p, c.ID, c.run(p)) }

func (c purgeCmd) run(p *process) func(*sqlstore.Store, instance.Instance, []instance.Job) error {
	return func(store *sqlstore.Store, i instance.Instance, jobs []instance.Job) error {
		if !c.Yes {
			fmt.Fprintf(p.stdout, "Delete all that is held on %s (%s, %d webhooks and readings)? It cannot be undone. Type yes: ",
				c.ID, or(i.Profile.SiteDisplayName), len(jobs))
			answer, err := bufio.NewReader(p.stdin).ReadString('\n')
			if err != nil && err != io.EOF {
				return err
			}
			if strings.TrimSpace(answer) != "yes" {
				return errors.New("nothing was deleted")
			}
		}
		if err := store.Delete(p.ctx, c.ID); err != nil {
			return err
		}
		fmt.Fprintln(p.stdout, "Deleted.")
		return nil
	}
}

func jobName(j instance.Job) string {
	if j.Event == nil {
		return "reading from Wix"
	}
	return j.Event.Type + " of " + moment(j.Event.At)
}

func planName(i instance.Instance) string {
	switch {
	case i.PlanAt.IsZero():
		return "unknown"
	case i.Profile.Plan.Free:
		return "free"
	default:
		return or(i.Profile.Plan.Name)
	}
}

// or shows that there is nothing, where an empty cell could be a fault.
func or(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

func moment(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.RFC3339)
}
