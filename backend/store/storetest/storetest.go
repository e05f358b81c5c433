// Package storetest checks that a store keeps the contract that the comments of
// instance.Store, instance.Jobs, kit.DB and kit.Data state: Run with one caller,
// RunConcurrency with many at once.
package storetest

import (
	"encoding/json"
	"errors"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nametag-dev/nametag/backend/instance"
	"github.com/nametag-dev/nametag/backend/kit"
)

// Storage is a whole store.
type Storage interface {
	instance.Store
	instance.Jobs
	kit.DB
}

// Opener opens a store for one check, with the app's data. It must be empty and of its
// own; Opener closes it with t.Cleanup, where it may be closed already.
type Opener func(t *testing.T, data kit.Data) Storage

// group is a part of the contract. A check is run by the name of its function.
type group[F any] struct {
	name   string
	checks []F
}

type check = func(t *testing.T, s Storage)

// dataCheck opens the store itself, since it declares data.
type dataCheck = func(t *testing.T, open Opener)

// Run checks what one caller sees.
func Run(t *testing.T, open Opener) {
	run(t, open, []group[check]{
		{"Seen", []check{
			seenFirstVisitCreates, seenFindCreatesNothing, seenEmptySiteKeepsKnown, seenNewSiteReplaces, seenFirstSeenStays,
			seenLastSeenMovesAfterSeenEvery, seenLastSeenNeverMovesBack, seenTruncatesTimes, seenTokenShowsInstallation,
			seenChangesNothingElse, seenNeedsID,
		}},
		{"SaveSettings", []check{
			settingsVersionCountsSaves, settingsStaleVersionConflicts, settingsSameSaveNeedsVersion, settingsOfUnknownInstance,
			settingsChangeNothingElse, settingsOfDeletedBeginAgain, settingsKeepText, settingsMustBeJSON,
		}},
		{"SaveProfile", []check{
			profileIsStoredWithItsTime, profileReplacedWhole, profileOlderIsIgnored, profileOfUnknownInstance, profileKeepsLanguages,
			profileKeepsText, profileChangesNothingElse, profileKeepsPlanKind,
		}},
		{"Rows", []check{
			rowsDeletedIsNotFound, rowsDeletingTwice, rowsDoNotMix, rowsComparedByByte, rowsReturnedBelongToCaller,
			rowsGivenBelongToCaller, rowsPing,
		}},
		{"Faults", []check{faultsCancelledContext, faultsPassedDeadline, faultsClosedStore, faultsClosingTwice}},
		{"Accept", []check{
			acceptStoresDueJob, acceptCreatesNoInstance, acceptIsFreshOnce, acceptRevivesDead, acceptNeedsIDs, acceptKeepsBytes,
			acceptTruncatesTimes, acceptSharesNoPayload,
		}},
		{"Claim", []check{
			claimByAnyClock, claimRemovalsFirst, claimOneOfEachInstance, claimSeveralOfAnInstance, claimByTurns, claimPastLeased, claimRefreshesInOrder,
			claimOfNone, claimLeasesJob, claimLeasesEndApart,
		}},
		{"Clocks", []check{clockSetBack, clocksApart}},
		{"Finish", []check{
			endFinishedStaysDone, endRetryCountsAttempts, endDeferCountsNone, endBuriedIsDead, endIsFinal, endOfLostLease, endOfMissingJob, endClipsCause,
		}},
		{"RequestRefresh", []check{
			refreshManyAreOne, refreshCreatesNoInstance, refreshRequestedWhileResting, refreshStartsAgain,
			refreshRequestedWhileClaimed, refreshRequestedBeforeCrash, refreshRequestedBeforeFailure,
		}},
		{"Rearm", []check{rearmDead, backlogCountsDue}},
		{"ApplyEvent", []check{
			applyCreatesInstance, applyChangesOnlyItsSubject, applyTwiceChangesNothing, applyTwiceRequestsNoRefresh,
			applyWithoutAccept, applyBuriedEvent, applyRevivesDead, applyRequestsRefresh, applyInAnyOrder, applyInternalEventCreatesNothing,
		}},
		{"Copy", []check{
			copyTakesSettingsOnce, copyOfDefaults, copyOfUnknownOrigin, copyOfItself, copyKeepsOwnSettings, copyOwnsItsSettings,
		}},
		{"Status", []check{
			statusOldTokenChangesNothing, statusNewTokenRevives, statusNewTokenRevivesAtOnce, statusOldRemovalIsIgnored, statusOldTokenAfterReinstallation,
			statusLaterEventCounts, statusRemovedCanBeSaved, statusDeletedIsNotRemoved,
		}},
		{"Plan", []check{
			planOfEventIsKnown, planNewerThanProfile, planOfOldProfile, planOfOldEvent, planEventKeepsProfile, planBackToFree,
		}},
		{"Retention", []check{
			jobsOfInstanceInOrder, deadLettersOfAllInstances, deleteRemovesJobs, deleteDoneByReceiptTime, purgeByRemovalTime,
			purgeSparesRevived, purgeThenEventStartsAgain, purgeThenVisit, purgeOfInstalled, purgeIsForgotten, listByPage, listSharesNothing,
		}},
		{"JobFaults", []check{jobFaultsCancelledContext, jobFaultsPassedDeadline, jobFaultsClosedStore}},
	}, func(t *testing.T, c check) { c(t, open(t, kit.Data{})) })

	run(t, open, []group[dataCheck]{
		{"Write", []dataCheck{
			writeCommits, writeOfMissingInstance, writeOfRemovedInstance, writeRollsBackOnError, writeRollsBackOnPanic,
			writeSharedNeedsNoInstance, writeEachLeavesOthersOut, writesOfOneInstanceTakeTurns, writePlaceholders, writeSeesItsOwnRows, queryReadsRows, dataFaults, dataClosedStore,
		}},
		{"Purge", []dataCheck{
			purgeDeletesOwnRows, purgeGoesOnAfterBrokenHook, deleteDeletesOwnRows, deleteWithBrokenHookDeletesNothing,
			purgeHookThatBlocks,
		}},
		{"CopyData", []dataCheck{copyDataOnce, copyDataFails, copyDataOfItself, dataInOrderOfForeignKeys}},
		{"OnEvent", []dataCheck{
			eventInstalled, eventCopied, eventRemovedAndRevived, eventPlanChanged, eventRevivedByToken, eventPlanRefreshed,
			eventNotInterestingIsNotReported, eventHookFails, eventHookPanics, eventHookBlocks, eventHookIsInTransaction,
			eventOfOutdatedRevivalIsDropped, eventReportsCurrentPlan,
		}},
	}, func(t *testing.T, c dataCheck) { c(t, open) })
}

// RunConcurrency checks what many callers at once see. It is worth most under the race
// detector.
func RunConcurrency(t *testing.T, open Opener) {
	run(t, open, []group[check]{
		{"Instances", []check{
			concurrentSavesOneWins, concurrentSavesWithRetryLoseNone, concurrentFirstVisitsMakeOneRow, concurrentVisitsMoveLastSeenForward,
			concurrentProfilesNewestStays, concurrentCallsOfOneInstance, concurrentReadersSeeAcknowledgedSaves, concurrentDeleteLeavesNoHalf,
			concurrentInstancesDoNotMix,
		}},
		{"Jobs", []check{
			concurrentAcceptOneIsFresh, concurrentAcceptStoresAll, concurrentClaimsShareNoJob, concurrentClaimsOneOfEachInstance, concurrentApplyChangesOnce,
			concurrentApplyEndsByTime, concurrentEventsAndCalls, concurrentOldTokensDoNotRevive, concurrentRefreshRequestsAreNotLost,
			concurrentCopiesOfEachOther, concurrentDeleteAndEvents, concurrentRevivalAndPurge, concurrentPurgesPurgeOnce,
		}},
	}, func(t *testing.T, c check) { c(t, open(t, kit.Data{})) })
	run(t, open, []group[dataCheck]{
		{"Data", []dataCheck{concurrentWritesLoseNone, concurrentWritesAndDelete, concurrentWritesAndRemoval, concurrentWritesAndPurge}},
	}, func(t *testing.T, c dataCheck) { c(t, open) })
}

func run[F any](t *testing.T, open Opener, groups []group[F], f func(t *testing.T, c F)) {
	t.Helper()
	for _, g := range groups {
		t.Run(g.name, func(t *testing.T) {
			for _, c := range g.checks {
				t.Run(nameOf(c), func(t *testing.T) { f(t, c) })
			}
		})
	}
}

// nameOf returns the name of a function without its package.
func nameOf(function any) string {
	name := runtime.FuncForPC(reflect.ValueOf(function).Pointer()).Name()
	return name[strings.LastIndexByte(name, '.')+1:]
}

// noon is the time at which most of these checks begin.
func noon() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 123_000_000, time.UTC) }

// noSettings is what an instance has that has saved none.
func noSettings() json.RawMessage { return json.RawMessage(`{}`) }

// greeting is settings of an app that has one text.
func greeting(text string) json.RawMessage {
	encoded, err := json.Marshal(map[string]string{"greeting": text})
	if err != nil {
		panic(err)
	}
	return encoded
}

// greetingOf is the reverse of greeting.
func greetingOf(row instance.Instance) string {
	var settings struct{ Greeting string }
	if err := json.Unmarshal(row.Settings, &settings); err != nil {
		return "error: " + err.Error()
	}
	return settings.Greeting
}

// newInstance is instance.NewInstance as a store returns it.
func newInstance(id string, at time.Time) instance.Instance {
	row := instance.NewInstance(id, at)
	row.Settings = noSettings()
	return row
}

// visit is a visit with a token of unknown age.
func visit(id, siteID string, at time.Time) instance.Visit {
	return instance.Visit{InstanceID: id, SiteID: siteID, At: at}
}

func seen(t *testing.T, s Storage, id, siteID string, at time.Time) instance.Instance {
	t.Helper()
	return recordVisit(t, s, visit(id, siteID, at))
}

func recordVisit(t *testing.T, s Storage, v instance.Visit) instance.Instance {
	t.Helper()
	row, err := s.Seen(t.Context(), v)
	if err != nil {
		t.Fatalf("Seen(%+v): %v", v, err)
	}
	return row
}

func find(t *testing.T, s Storage, id string) instance.Instance {
	t.Helper()
	row, err := s.Find(t.Context(), id)
	if err != nil {
		t.Fatalf("Find(%q): %v", id, err)
	}
	return row
}

func save(t *testing.T, s Storage, id, text string, version int64) instance.Instance {
	t.Helper()
	row, err := s.SaveSettings(t.Context(), id, greeting(text), version)
	if err != nil {
		t.Fatalf("SaveSettings(%q, %q, %d): %v", id, text, version, err)
	}
	return row
}

func saveProfile(t *testing.T, s Storage, id string, p instance.Profile, at time.Time) instance.Instance {
	t.Helper()
	row, err := s.SaveProfile(t.Context(), id, p, at)
	if err != nil {
		t.Fatalf("SaveProfile(%q, %v): %v", id, at, err)
	}
	return row
}

func deleteInstance(t *testing.T, s Storage, id string) {
	t.Helper()
	if err := s.Delete(t.Context(), id); err != nil {
		t.Fatalf("Delete(%q): %v", id, err)
	}
}

func wantMissing(t *testing.T, s Storage, id string) {
	t.Helper()
	if row, err := s.Find(t.Context(), id); !errors.Is(err, instance.ErrNotFound) {
		t.Errorf("Find(%q) = %+v, %v; want ErrNotFound", id, row, err)
	}
}

func wantConflict(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, instance.ErrVersionConflict) {
		t.Errorf("got error %v; want ErrVersionConflict", err)
	}
}

// wantRow compares exactly: a nil slice differs from an empty one, and a time
// from the same instant in another zone.
func wantRow(t *testing.T, what string, got, want instance.Instance) {
	t.Helper()
	if diff := difference(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// difference returns how two values differ, or "". cmp takes a second under the race detector
// to look through a large payload, so that it only has to explain what is not the same.
func difference(want, got any) string {
	if reflect.DeepEqual(want, got) {
		return ""
	}
	return cmp.Diff(want, got, cmp.Options{
		cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) && a.Location() == b.Location() }),
		cmp.Comparer(func(a, b *instance.Encodings) bool { return true }), // a cache, no part of the record
	})
}

// full is a row in which nothing has its zero value.
func full(t *testing.T, s Storage, id string) instance.Instance {
	t.Helper()
	seen(t, s, id, "site of "+id, noon())
	save(t, s, id, "Hello from "+id, 0)
	return saveProfile(t, s, id, profile(id), noon().Add(time.Second))
}

func profile(name string) instance.Profile {
	return instance.Profile{
		Plan:            instance.NewPlan("plan of " + name),
		Locale:          "en",
		Currency:        "EUR",
		SiteDisplayName: "Site of " + name,
		Languages:       []string{"en", "he", "pt-BR"},
	}
}
