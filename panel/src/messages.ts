// Every text of the panel, by language.
import type { Kind } from "./fault";
import type { GreetingFault } from "./siteModel";

export interface Notice {
  title: string;
  body: string;
}

const english = {
  /** The code of the language, for numbers and dates. */
  language: "en",
  title: "Nametag Settings",
  loading: "Loading settings",
  tryAgain: "Try again",
  tryAgainIn: (seconds: number) => `Try again in ${seconds} s`,
  reload: "Reload panel",

  noEditor: {
    title: "Open this page in the Wix editor",
    body: "Select a Nametag widget on your site and choose Settings. The editor opens this panel for you.",
  },
  noSelection: {
    title: "No widget selected",
    body: "Select a Nametag widget on the page to change how it looks.",
    action: "Look again",
  },
  unreadable: {
    title: "The widget could not be read",
    body: "The editor did not return this widget’s settings.",
  },

  widget: {
    title: "This widget",
    displayName: "Display name",
    /** What the widget shows when the name is empty. */
    displayNamePlaceholder: "friend",
    textColor: "Text color",
    backgroundColor: "Background color",
    font: "Font",
    pageFont: "Same as the page",
    align: "Alignment",
    alignments: { start: "Start", center: "Center", end: "End" },
    showStatus: "Show status line",
    unsent: "The editor did not take the last change. Change it again to retry.",
    reset: "Reset to defaults",
    resetQuestion: {
      title: "Reset this widget?",
      body: "Its name, colors, font and alignment go back to the defaults. Undo in the editor brings them back.",
    },
    resetConfirm: "Reset",
    cancel: "Cancel",
    resetDone: "This widget is back to its defaults.",
  },

  site: {
    title: "All widgets on this site",
    greeting: "Greeting",
    greetingHelp: "Stands before the name in every Nametag widget.",
    save: "Save",
    saving: "Saving…",
    saved: "Saved",
    unsaved: "Not saved yet",
    saveFailed: "Not saved",
    invalid(fault: GreetingFault): string {
      switch (fault.reason) {
        case "empty":
          return "Enter a greeting.";
        case "long":
          return "Use 80 characters at most.";
        case "control":
          return "Remove the line break or other control character.";
        case "refused":
          return `The greeting ${fault.words}.`;
      }
    },
    conflict: {
      title: "Someone else changed the greeting",
      body: "Which one should all widgets show?",
      theirs: "Theirs",
      mine: "Yours",
    },
    useTheirs: "Use theirs",
    keepMine: "Keep mine",
  },

  guests: {
    title: "Guests greeted",
    lastDays: "in the last 7 days (UTC)",
    /** count is the number as the language writes it. */
    day: (date: string, guests: number, count: string) =>
      `${date}: ${count} ${guests === 1 ? "guest" : "guests"}`,
    empty: {
      title: "No guests yet",
      body: "The number of guests shows here once a widget on your site has greeted someone.",
    },
    unavailable: "The number of guests can’t be shown right now.",
  },

  about: {
    title: "About this app",
    plan: "Plan",
    free: "Free",
    unknown: "Not known yet",
    site: "Site",
    instanceId: "Instance ID",
    copy: "Copy instance ID",
    copied: "Copied",
    copyFailed: "Press Ctrl+C or ⌘C to copy",
  },

  faults: {
    expired: {
      title: "Your session has ended",
      body: "Reopen this panel to go on. This widget’s own settings still work.",
    },
    foreign: {
      title: "This panel belongs to another app",
      body: "The editor signed in a different app than the one this panel serves. Check the panel’s address in the app’s dashboard.",
    },
    owner: {
      title: "You can’t change site-wide settings",
      body: "Only people who may edit this site can.",
    },
    instance: {
      title: "This site doesn’t have the app",
      body: "Install the app on this site and reopen this panel.",
    },
    wix: {
      title: "Wix can’t be reached right now",
      body: "This widget’s own settings still work; the site-wide part will be back.",
    },
    limited: {
      title: "Too many requests",
      body: "Wait a moment. This widget’s own settings still work.",
    },
    offline: {
      title: "No connection",
      body: "Check your network. This widget’s own settings still work.",
    },
    store: {
      title: "Our server has a problem right now",
      body: "It is on our side, and usually over soon. This widget’s own settings still work.",
    },
    server: {
      title: "Something went wrong on our side",
      body: "This widget’s own settings still work.",
    },
    /** The body is the app's own sentence. */
    app: {
      title: "This didn’t work",
      body: "",
    },
  } satisfies Record<Kind, Notice>,
  reference: (requestId: string) => `Reference: ${requestId}`,
};

export type Messages = typeof english;

/** To add a language, write its messages and list it here. */
const languages = new Map<string, Messages>([["en", english]]);

/** The messages for a language code such as "en" or "pt-BR"; English for a language that is not here. */
export function messagesFor(language: string): Messages {
  const primary = language.toLowerCase().split(/[-_]/)[0] ?? "";
  return languages.get(primary) ?? english;
}
