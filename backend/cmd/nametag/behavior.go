package main

import "github.com/nametag-dev/nametag/backend/wixsim"

// behaviorFlags are the switches of wixsim.Behavior. One that is not given leaves what the
// state has.
type behaviorFlags struct {
	OwnerSubject  string `help:"Subject of the tokens that the editor and the dashboard hand out: USER, APP or MEMBER. Default: USER." enum:",USER,APP,MEMBER" default:"" placeholder:"USER"`
	Strict        *bool  `help:"Refuse instanceId at /oauth2/token, which some pages of Wix's documentation send for instance_id." negatable:""`
	FormRequests  *bool  `help:"Take forms at /oauth2/*, besides JSON." negatable:""`
	StringFields  *bool  `help:"Send active, exp and iat of token info as text." negatable:""`
	StageToken    *bool  `help:"Give the widget on the editor's stage a token." negatable:""`
	StageSandbox  *bool  `help:"Make the editor's stage an opaque origin without storage. The default; --no-stage-sandbox does not." negatable:""`
	ClassicScript *bool  `help:"Load the widget's script as a classic one, not as a module." negatable:""`
	LockedPage    *bool  `help:"Lock fetch, XMLHttpRequest and cookies on the site page. The default; --no-locked-page does not." negatable:""`
}

func (f behaviorFlags) change() wixsim.BehaviorChange {
	c := wixsim.BehaviorChange{Strict: f.Strict, FormRequests: f.FormRequests, StringFields: f.StringFields,
		StageToken: f.StageToken, StageSandbox: f.StageSandbox, ClassicScript: f.ClassicScript, LockedPage: f.LockedPage}
	if f.OwnerSubject != "" {
		c.OwnerSubject = &f.OwnerSubject
	}
	return c
}
