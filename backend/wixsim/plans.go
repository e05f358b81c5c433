package wixsim

// Plans: what a site's owner buys, changes and cancels, and the event that tells of it.

import (
	"encoding/json"
	"errors"
	"time"
)

// PlanRequest says what becomes of an installation's plan. What is left out stays.
// The event follows from the change.
type PlanRequest struct {
	// Plan is the paid plan's id; "" is the free plan.
	Plan *string `json:"plan"`
	// BillingCycle is one of Wix's; a new plan's default is MONTHLY.
	BillingCycle string `json:"billingCycle"`
	// Trial is IN_PROGRESS for a plan that begins with a free trial, or ENDED for the
	// end of a running one.
	Trial string `json:"trial"`
	// AutoRenewing set to false cancels the renewal; the plan lasts on.
	AutoRenewing *bool `json:"autoRenewing"`
	// Event is a plan event to send in place of the one that follows from the change.
	// PaidPlanAutoRenewalCancelled, PlanReactivated and PlanConvertedToPaid make their
	// change too.
	Event string `json:"event"`
	// Data goes over the event's fields, such as couponName or cancelReason.
	Data json.RawMessage `json:"data"`
	// Silent makes the change and sends nothing, as if Wix had lost the event.
	Silent bool `json:"silent"`
}

// SetPlan changes the plan of an installation, and sends the event if there is a
// webhook URL. Wix names no event for the end of a plan: going free sends none. The
// error is ErrNotInstalled or says what is wrong with the request; nothing is
// changed then.
func (s *Sim) SetPlan(instanceID string, req PlanRequest) (Installation, error) {
	if req.Event != "" && !isPlanEvent(req.Event) {
		return Installation{}, errors.New("event must be one of Wix's plan events")
	}
	if _, err := eventData(req.Data, map[string]any{}); err != nil {
		return Installation{}, err
	}
	s.mu.Lock()
	was, ok := s.installs[instanceID]
	if !ok {
		s.mu.Unlock()
		return Installation{}, ErrNotInstalled
	}
	now := s.cfg.Now().UTC().Truncate(time.Millisecond)
	in, event, err := was.changePlan(req, now)
	if err != nil {
		s.mu.Unlock()
		return Installation{}, err
	}
	s.installs[instanceID] = in
	s.mu.Unlock()
	if event != "" && !req.Silent {
		s.tell(Webhook{EventType: event, Data: req.Data, At: now}, in, was)
	}
	return in.clone(), nil
}

// changePlan returns the installation after the change, and the event that tells of it.
func (in Installation) changePlan(req PlanRequest, now time.Time) (after Installation, event string, err error) {
	after = in
	if req.Plan != nil {
		after.Plan = *req.Plan
	}
	if req.BillingCycle != "" {
		after.BillingCycle = req.BillingCycle
	}
	if req.Trial != "" {
		after.Trial = req.Trial
	}
	if req.AutoRenewing != nil {
		after.RenewalCancelled = !*req.AutoRenewing
	}
	switch req.Event {
	case PaidPlanAutoRenewalCancelled:
		after.RenewalCancelled = true
	case PlanReactivated:
		after.RenewalCancelled = false
	case PlanConvertedToPaid:
		after.Trial = trialEnded
	}
	if after.Plan == "" {
		if req.BillingCycle != "" || req.Trial != "" || req.AutoRenewing != nil || req.Event != "" {
			return in, "", errors.New("a billing cycle, trial, renewal or event needs a plan")
		}
		after.BillingCycle, after.Trial, after.RenewalCancelled = "", "", false
		after.PlanSince, after.TrialEndedAt = time.Time{}, time.Time{}
		return after, "", nil
	}
	if after.InstallRequest, err = after.complete(); err != nil {
		return in, "", err
	}
	bought := after.Plan != in.Plan || after.BillingCycle != in.BillingCycle
	switch {
	case after.Trial == trialInProgress && in.Trial != trialInProgress && in.Plan != "":
		return in, "", errors.New("a trial begins with the first plan")
	case after.Trial == trialEnded && in.Trial == "":
		return in, "", errors.New("no trial is running that could end")
	case after.RenewalCancelled && !in.RenewalCancelled && !renews(after.BillingCycle):
		return in, "", errors.New("this billing cycle is not renewed, so that there is nothing to cancel")
	}
	if bought {
		after.PlanSince = now
		if req.AutoRenewing == nil && req.Event != PaidPlanAutoRenewalCancelled {
			after.RenewalCancelled = false
		}
	}
	if after.Trial == trialEnded && in.Trial == trialInProgress {
		after.TrialEndedAt = now
	}
	switch {
	case req.Event != "":
		event = req.Event
	case in.Plan == "":
		event = PaidPlanPurchased
	case bought:
		event = PaidPlanChanged
	case after.Trial != in.Trial:
		event = PlanConvertedToPaid
	case after.RenewalCancelled && !in.RenewalCancelled:
		event = PaidPlanAutoRenewalCancelled
	case !after.RenewalCancelled && in.RenewalCancelled:
		event = PlanReactivated
	}
	return after, event, nil
}
