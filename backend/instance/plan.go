package instance

import (
	"encoding/json"
	"fmt"
)

// PlanKind says whether a plan is paid for. The zero value is PlanUnknown, so that an
// instance of which Wix has reported nothing never counts as paid.
type PlanKind string

const (
	// PlanUnknown means that Wix has not reported the plan yet.
	PlanUnknown PlanKind = ""
	// PlanFree is the free plan.
	PlanFree PlanKind = "free"
	// PlanPaid is any paid plan.
	PlanPaid PlanKind = "paid"
)

// Plan is the plan of an instance.
type Plan struct {
	// Name is the plan's id in the app dashboard (Wix's packageName, the same as
	// vendorProductId). It is "" for the free plan, and for a paid plan whose name Wix
	// has not reported.
	Name string
	Kind PlanKind
}

// NewPlan returns the plan with an id of the app dashboard; "" is the free plan.
func NewPlan(name string) Plan {
	if name == "" {
		return Plan{Kind: PlanFree}
	}
	return Plan{Name: name, Kind: PlanPaid}
}

// Paid reports whether the plan is a paid one. An unknown plan is not.
func (p Plan) Paid() bool { return p.Kind == PlanPaid }

// planJSON is the stored and exported form. isFree is what the first edition wrote
// instead of kind; it is still written, so that an older program reads the row.
type planJSON struct {
	Name   string    `json:"name"`
	IsFree bool      `json:"isFree"`
	Kind   *PlanKind `json:"kind,omitempty"`
}

// MarshalJSON implements json.Marshaler.
func (p Plan) MarshalJSON() ([]byte, error) {
	return json.Marshal(planJSON{p.Name, p.Kind == PlanFree, &p.Kind})
}

// UnmarshalJSON implements json.Unmarshaler. A plan without a kind was written by the
// first edition, which knew free and paid plans only: see Instance.UnmarshalJSON for its
// unknown ones.
func (p *Plan) UnmarshalJSON(data []byte) error {
	var stored planJSON
	if err := json.Unmarshal(data, &stored); err != nil {
		return fmt.Errorf("read a plan: %w", err)
	}
	*p = Plan{Name: stored.Name}
	switch {
	case stored.Kind != nil:
		p.Kind = *stored.Kind
	case stored.IsFree:
		p.Kind = PlanFree
	default:
		p.Kind = PlanPaid
	}
	return nil
}
