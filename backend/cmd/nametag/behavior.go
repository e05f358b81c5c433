package main

import (
	"errors"

	"github.com/nametag-dev/nametag/backend/wixsim"
)

// behaviorFlags are the switches of wixsim.Behavior. One that is not given leaves what the
// state has.
type behaviorFlags struct {
	OwnerSubject  string `help:"Subject of the tokens that the editor and the dashboard hand out: USER, APP or MEMBER. Default: USER." enum:",USER,APP,MEMBER" default:"" placeholder:"USER"`
	Strict        *bool  `help:"Refuse instanceId at /oauth2/token, which some pages of Wix's documentation send for instance_id." negatable:""`
	FormRequests  *bool  `help:"Take forms at /oauth2/*, besides JSON." negatable:""`
	StringFields  *bool  `help:"Send active, exp and iat of token info as text." negatable:""`
	ResignRetries *bool  `help:"Sign each retry of a webhook again, with the time of the retry." negatable:""`
	StageToken    *bool  `help:"Give the widget on the editor's stage a token." negatable:""`
	StageSandbox  *bool  `help:"Make the editor's stage an opaque origin without storage. The default; --no-stage-sandbox does not." negatable:""`
	ClassicScript *bool  `help:"Load the widget's script as a classic one, not as a module." negatable:""`
	LockedPage    *bool  `help:"Lock fetch, XMLHttpRequest and cookies on the site page. The default; --no-locked-page does not." negatable:""`
}

func (f behaviorFlags) change() wixsim.BehaviorChange {
	c := wixsim.BehaviorChange{Strict: f.Strict, FormRequests: f.FormRequests, StringFields: f.StringFields, ResignRetries: f.ResignRetries,
		StageToken: f.StageToken, StageSandbox: f.StageSandbox, ClassicScript: f.ClassicScript, LockedPage: f.LockedPage}
	if f.OwnerSubject != "" {
		c.OwnerSubject = &f.OwnerSubject
	}
	return c
}

// recordFlags are for people who have a site on Wix.
type recordFlags struct {
	Record    string `help:"Pass calls that are not simulated on to the real Wix, and write each exchange to a file in this folder, without tokens, secrets, e-mail addresses and ids." placeholder:"DIR"`
	RecordAll bool   `help:"With --record: pass all calls of Wix's REST API on."`
	Upstream  string `help:"With --record: the address of the real Wix, with https or of this machine." placeholder:"https://www.wixapis.com"`
}

func (f recordFlags) recording() (*wixsim.Recording, error) {
	switch {
	case f.Record != "":
		return &wixsim.Recording{Dir: f.Record, Upstream: f.Upstream, All: f.RecordAll}, nil
	case f.RecordAll || f.Upstream != "":
		return nil, usageError{errors.New("--record-all and --upstream need --record DIR")}
	}
	return nil, nil
}
