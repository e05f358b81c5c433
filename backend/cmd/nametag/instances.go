package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/nametag-dev/nametag/backend/app"
	"github.com/nametag-dev/nametag/backend/business"
	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/store/sqlstore"
	"github.com/nametag-dev/nametag/backend/terminal"
)

// instancesCmd is for the people who answer for the data: what is stored, about which
// installation, and its deletion.
type instancesCmd struct {
	List   listCmd   `cmd:"" help:"List the installations."`
	Show   showCmd   `cmd:"" help:"Show one installation and its open jobs."`
	Export exportCmd `cmd:"" help:"Write all that is stored on an installation, as JSON."`
	Retry  retryCmd  `cmd:"" help:"Let the dead letters of an installation start again."`
	Purge  purgeCmd  `cmd:"" help:"Delete all that is stored on an installation."`
}

// withStore runs do on the database that the environment names.
func withStore(p *process, do func(*sqlstore.Store) error) error {
	url, err := app.LoadDatabaseURL(p.environ)
	if err != nil {
		return usageError{err}
	}
	store, err := app.OpenStore(p.ctx, url, business.New, p.log)
	if err != nil {
		return declared(err)
	}
	return errors.Join(do(store), store.Close())
}

// record is what Nametag has stored on one instance.
type record struct {
	instance.Instance
	jobs []instance.Job
}

// withRecord runs do on what is stored on an instance. There may be jobs without a row:
// events that have not been applied yet.
func withRecord(p *process, id string, do func(*sqlstore.Store, record) error) error {
	id = strings.ToLower(id)
	return withStore(p, func(store *sqlstore.Store) error {
		row, err := store.Find(p.ctx, id)
		if err != nil && !errors.Is(err, instance.ErrNotFound) {
			return err
		}
		jobs, jobsErr := store.JobsOf(p.ctx, id)
		if jobsErr != nil {
			return jobsErr
		}
		if err != nil && len(jobs) == 0 {
			return fmt.Errorf("nothing is stored on %q", id)
		}
		row.ID = id
		return do(store, record{row, jobs})
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
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", or(i.ID), or(short(i.Profile.SiteDisplayName)), planName(i), moment(i.LastSeen), moment(i.RemovedAt))
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

func (c showCmd) Run(p *process) error {
	return withRecord(p, c.ID, func(_ *sqlstore.Store, r record) error {
		table := tabwriter.NewWriter(p.stdout, 0, 4, 2, ' ', 0)
		for _, row := range [][2]string{
			{"instance", or(r.ID)}, {"site id", or(r.SiteID)}, {"site", or(r.Profile.SiteDisplayName)}, {"plan", planName(r.Instance)},
			{"settings", or(string(r.Settings))}, {"secrets set", or(strings.Join(r.Secrets.Names(), ", "))}, {"settings version", fmt.Sprint(r.Version)}, {"copied from", or(r.OriginID)},
			{"first seen", moment(r.FirstSeen)}, {"last seen", moment(r.LastSeen)},
			{"read from Wix", moment(r.ProfileAt)}, {"removed", moment(r.RemovedAt)},
		} {
			fmt.Fprintf(table, "%s\t%s\n", row[0], row[1])
		}
		if err := table.Flush(); err != nil {
			return err
		}
		fmt.Fprintln(p.stdout)
		fmt.Fprintln(table, "JOB\tSTATE\tDUE\tATTEMPTS\tLAST ERROR")
		for _, j := range r.jobs {
			fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%s\n", or(jobName(j)), j.State, due(j), j.Attempts, or(j.LastError))
		}
		return table.Flush()
	})
}

type exportCmd struct {
	ID string `arg:"" help:"The instance id."`
}

func (c exportCmd) Run(p *process) error {
	return withRecord(p, c.ID, func(store *sqlstore.Store, r record) error {
		export, err := store.Export(p.ctx, r.ID)
		if err != nil {
			return err
		}
		var text bytes.Buffer
		out := json.NewEncoder(&text)
		out.SetIndent("", "  ")
		if err := out.Encode(export); err != nil {
			return err
		}
		_, err = io.WriteString(p.stdout, terminal.VisibleJSON(text.String()))
		return err
	})
}

type retryCmd struct {
	ID  string `arg:"" optional:"" help:"The instance id."`
	All bool   `help:"The dead letters of all installations."`
}

func (c retryCmd) Run(p *process) error {
	if c.All == (c.ID != "") {
		return usageError{errors.New("name an instance id, or give --all")}
	}
	return withStore(p, func(store *sqlstore.Store) error {
		table := tabwriter.NewWriter(p.stdout, 0, 4, 2, ' ', 0)
		fmt.Fprintln(table, "INSTANCE\tJOB")
		for count := 0; ; {
			jobs, err := store.Rearm(p.ctx, strings.ToLower(c.ID), time.Now(), pageSize)
			if err != nil {
				return err
			}
			for _, j := range jobs {
				fmt.Fprintf(table, "%s\t%s\n", or(j.InstanceID), or(jobName(j)))
			}
			if count += len(jobs); len(jobs) == pageSize {
				continue
			}
			if count == 0 {
				fmt.Fprintln(p.stdout, "There is no dead letter.")
				return nil
			}
			if err := table.Flush(); err != nil {
				return err
			}
			fmt.Fprintf(p.stdout, "\n%d jobs start again. A running server takes them up within seconds.\n", count)
			return nil
		}
	})
}

type purgeCmd struct {
	ID  string `arg:"" help:"The instance id."`
	Yes bool   `help:"Do not ask."`
}

func (c purgeCmd) Run(p *process) error {
	return withRecord(p, c.ID, func(store *sqlstore.Store, r record) error {
		if !c.Yes {
			fmt.Fprintf(p.stdout, "Delete all that is stored on %s (%s, %d jobs)? It cannot be undone. Type yes: ",
				or(r.ID), or(short(r.Profile.SiteDisplayName)), len(r.jobs))
			answer, err := bufio.NewReader(p.stdin).ReadString('\n')
			if err != nil && err != io.EOF {
				return err
			}
			if strings.TrimSpace(answer) != "yes" {
				return errors.New("nothing was deleted")
			}
		}
		if err := store.Delete(p.ctx, r.ID); err != nil {
			return err
		}
		fmt.Fprintln(p.stdout, "Deleted.")
		return nil
	})
}

func jobName(j instance.Job) string {
	if j.Event == nil {
		return "refresh from Wix"
	}
	return j.Event.Type + " of " + moment(j.Event.At)
}

func planName(i instance.Instance) string {
	switch {
	case i.Paid():
		return or(i.Profile.Plan.Name)
	case i.Profile.Plan.Kind == instance.PlanUnknown:
		return "unknown"
	default:
		return "free"
	}
}

// due is when a job may be tried, or be tried again.
func due(j instance.Job) string {
	if j.State == instance.JobPending && j.Due.IsZero() {
		return "now"
	}
	return moment(j.Due)
}

// or returns a cell of a table. It shows that there is nothing, where an empty cell could be
// a fault.
func or(text string) string {
	if text == "" {
		return "-"
	}
	return terminal.Visible(text)
}

// short cuts a name that would fill the screen.
func short(name string) string {
	const most = 60
	if runes := []rune(name); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return name
}

func moment(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.RFC3339)
}
