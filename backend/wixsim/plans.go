package wixsim

// Plans: what a site's owner buys, changes and cancels, and the event that follows.

import (
	"cmp"
	"encoding/json"
	"errors"
	"time"
)

// PlanRequest changes an installation's plan. What is left out stays as it is. The event
// follows from the change.
type PlanRequest struct {
	// Plan is the paid plan's id; "" is the free plan.
	Plan *string `json:"plan"`
	// BillingCycle is one of Wix's; a new plan's default is MONTHLY.
	BillingCycle string `json:"billingCycle"`
	// Trial is IN_PROGRESS for a plan that begins with a free trial, or ENDED for the
	// end of a running one.
	Trial string `json:"trial"`
	// AutoRenewing set to false cancels the renewal; the plan lasts until its end.
	AutoRenewing *bool `json:"autoRenewing"`
	// Event is a plan event to send in place of the one that follows from the change.
	// PaidPlanAutoRenewalCancelled, PlanReactivated and PlanConvertedToPaid make their
	// change too.
	Event string `json:"event"`
	// Data overrides the event's fields, such as couponName or cancelReason.
	Data json.RawMessage `json:"data"`
	// Silent makes the change and sends nothing, as if Wix had lost the event.
	Silent bool `json:"silent"`
}

// SetPlan changes the plan of an installation, and sends the event if there is a
// webhook URL. Wix names no event for the end of a plan: a change to the free plan sends
// none. The error is ErrNotInstalled or says what is wrong with the request; nothing is
// changed then.
func (s *Sim) SetPlan(instanceID string, req PlanRequest) (Installation, error) {
	if req.Event != "" && !isPlanEvent(req.Event) {
		return Installation{}, errors.New("event must be one of Wix's plan events")
	}
	if _, err := eventData(req.Data, map[string]any{}); err != nil {
		return Installation{}, err
	}
	now := s.Now().UTC().Truncate(time.Millisecond)
	before, after, event, err := s.setPlan(instanceID, req, now)
	if err != nil {
		return Installation{}, err
	}
	if event != "" && !req.Silent {
		s.notify(Webhook{EventType: event, Data: req.Data, At: now}, after, before)
	}
	return after.clone(), nil
}

func (s *Sim) setPlan(instanceID string, req PlanRequest, now time.Time) (before, after Installation, event string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before, ok := s.installs[idKey(instanceID)]
	if !ok {
		return before, after, "", ErrNotInstalled
	}
	after, event, err = before.changePlan(req, now)
	if err == nil {
		s.installs[idKey(instanceID)] = after
		s.changed()
		s.publishInstall(after.InstanceID, false)
	}
	return before, after, event, err
}

// changePlan returns the installation after the change, and the event that reports it, or
// "" when there is none.
func (in Installation) changePlan(req PlanRequest, now time.Time) (after Installation, event string, err error) {
	after = in.with(req)
	if after.Plan == "" {
		if !req.plain() {
			return in, "", errors.New("plan must be there for a billingCycle, trial, autoRenewing or event")
		}
		return after.free(), "", nil
	}
	if after.InstallRequest, err = after.complete(); err != nil {
		return in, "", err
	}
	if err := in.checkChange(after); err != nil {
		return in, "", err
	}
	if in.buys(after) {
		after.PlanSince = now
		if req.AutoRenewing == nil && req.Event != PaidPlanAutoRenewalCancelled {
			after.RenewalCancelled = false
		}
	}
	if after.Trial == trialEnded && in.Trial == trialInProgress {
		after.TrialEndedAt = now
	}
	return after, cmp.Or(req.Event, in.eventOf(after)), nil
}

// plain says whether the request names nothing but a plan.
func (r PlanRequest) plain() bool {
	return r.BillingCycle == "" && r.Trial == "" && r.AutoRenewing == nil && r.Event == ""
}

// with returns the installation with the fields that the request names.
func (in Installation) with(req PlanRequest) Installation {
	if req.Plan != nil {
		in.Plan = *req.Plan
	}
	in.BillingCycle = cmp.Or(req.BillingCycle, in.BillingCycle)
	in.Trial = cmp.Or(req.Trial, in.Trial)
	if req.AutoRenewing != nil {
		in.RenewalCancelled = !*req.AutoRenewing
	}
	switch req.Event {
	case PaidPlanAutoRenewalCancelled:
		in.RenewalCancelled = true
	case PlanReactivated:
		in.RenewalCancelled = false
	case PlanConvertedToPaid:
		in.Trial = trialEnded
	}
	return in
}

// free returns the installation without anything that belongs to a plan.
func (in Installation) free() Installation {
	in.Plan, in.BillingCycle, in.Trial, in.RenewalCancelled = "", "", "", false
	in.PlanSince, in.TrialEndedAt = time.Time{}, time.Time{}
	return in
}

// checkChange returns why Wix could not change the plan in this way.
func (in Installation) checkChange(after Installation) error {
	startsTrial := after.Trial == trialInProgress && in.Trial != trialInProgress
	endsTrial := after.Trial == trialEnded && in.Trial == ""
	cancels := after.RenewalCancelled && !in.RenewalCancelled
	return check(
		rule{!startsTrial || in.Plan == "", "trial begins with the first plan"},
		rule{!endsTrial, "trial cannot end: none is running"},
		rule{!cancels || renews(after.BillingCycle), "autoRenewing cannot be changed: this billing cycle is not renewed"},
	)
}

// trialLength is that of each free trial here.
const trialLength = 14 * 24 * time.Hour

// cycleEnd returns the end of the billing cycle at a time, of a plan that has cycles.
func (in Installation) cycleEnd(now time.Time) time.Time {
	years, months := cycleYears(in.BillingCycle), 0
	if years == 0 {
		months = 1
	}
	for n := 1; ; n++ {
		if end := in.PlanSince.AddDate(n*years, n*months, 0); end.After(now) {
			return end
		}
	}
}

// changesAfter returns when the plan changes by itself after a time: when its trial or its last
// billing cycle ends.
func (in Installation) changesAfter(now time.Time) (at time.Time, ok bool) {
	switch {
	case in.Trial == trialInProgress:
		at = in.PlanSince.Add(trialLength)
	case in.Plan != "" && in.RenewalCancelled:
		at = in.cycleEnd(now)
	}
	return at, at.After(now)
}

// nextPlanChange returns when the first plan changes by itself after a time.
func (s *Sim) nextPlanChange(now time.Time) (at time.Time, ok bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, in := range s.installs {
		if its, changes := in.changesAfter(now); changes && (!ok || its.Before(at)) {
			at, ok = its, true
		}
	}
	return at, ok
}

// changePlansAt makes the changes for which a time has come, the first after the given one.
// A trial becomes a paid plan, which Wix reports; a plan whose renewal was cancelled becomes
// the free one, for which Wix names no event.
func (s *Sim) changePlansAt(at, after time.Time) {
	var converted []Installation
	s.mu.Lock()
	for key, in := range s.installs {
		if its, changes := in.changesAfter(after); !changes || !its.Equal(at) {
			continue
		}
		if in.RenewalCancelled {
			in = in.free()
		} else {
			in.Trial, in.TrialEndedAt = trialEnded, at
			converted = append(converted, in)
		}
		s.installs[key] = in
		s.changed()
		s.publishInstall(in.InstanceID, false)
	}
	s.mu.Unlock()
	for _, in := range converted {
		s.notify(Webhook{EventType: PlanConvertedToPaid, At: at}, in, in)
	}
}

// buys says whether the change is a purchase.
func (in Installation) buys(after Installation) bool {
	return after.Plan != in.Plan || after.BillingCycle != in.BillingCycle
}

// eventOf returns the event with which Wix reports the change from in to after, or "".
func (in Installation) eventOf(after Installation) string {
	switch {
	case in.Plan == "":
		return PaidPlanPurchased
	case in.buys(after):
		return PaidPlanChanged
	case after.Trial != in.Trial:
		return PlanConvertedToPaid
	case after.RenewalCancelled && !in.RenewalCancelled:
		return PaidPlanAutoRenewalCancelled
	case !after.RenewalCancelled && in.RenewalCancelled:
		return PlanReactivated
	}
	return ""
}
