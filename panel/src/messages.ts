// Every text of the panel, by language.
import { name } from "../../app.json";
import type { Kind } from "./fault";
import type { Wrong } from "./wrong";

export interface Notice {
  title: string;
  body: string;
}

const english = {
  /** The code of the language, for numbers and dates. */
  language: "en",
  title: `${name} Settings`,
  loading: "Loading settings",
  tryAgain: "Try again",
  tryAgainIn: (seconds: number) => `Try again in ${seconds} s`,
  reload: "Reload panel",

  noEditor: {
    title: "Open this page in the Wix editor",
    body: `Select a ${name} widget on your site and choose Settings. The editor opens this panel for you.`,
  },
  noSelection: {
    title: "No widget selected",
    body: `Select a ${name} widget on the page to change how it looks.`,
    action: "Look again",
  },
  unreadable: {
    title: "The widget could not be read",
    body: "The editor did not return this widget’s settings.",
  },

  needsYou: "needs your attention",
  upgrade: "Upgrade",
  opensNewTab: "opens in a new tab",
  cancel: "Cancel",
  on: "On",
  off: "Off",
  chooseLink: "Choose a link",
  /** The site's own text style, and what it is now: "Georgia, 24px". */
  textStyle: (style: "heading" | "paragraph", number: number, font: string) =>
    `${style === "heading" ? "Heading" : "Paragraph"} ${number}: ${font}`,
  /** ratio is the contrast, such as "2.3". */
  lowContrast: (background: string, ratio: string) =>
    `Hard to read on “${background}”: contrast ${ratio}, better 4.5 or more.`,
  /** What is wrong with a value, after the name of its field. */
  wrong(fault: Wrong): string {
    switch (fault.reason) {
      case "empty":
        return "must not be empty";
      case "short":
        return `must have at least ${fault.limit} characters`;
      case "long":
        return `must have at most ${fault.limit} characters`;
      case "unicode":
        return "is not valid Unicode text";
      case "control":
        return "must not contain control characters";
      case "number":
        return "must be a number";
      case "whole":
        return "must be a whole number";
      case "least":
        return `must be at least ${fault.limit}`;
      case "most":
        return `must be at most ${fault.limit}`;
      case "multiple":
        return `must be a multiple of ${fault.limit}`;
      case "steps":
        return `must be in steps of ${fault.limit} from ${fault.from}`;
      case "choice":
        return "must be one of the choices";
      case "link":
        return "must be a link that begins with https://, http://, mailto: or tel:";
      case "refused":
        return fault.words;
    }
  },
  secret: {
    set: "Set",
    notSet: "Not set",
    enter: "Enter",
    replace: "Replace",
    save: "Save",
    remove: "Remove",
    removeQuestion: "Remove it?",
  },

  widget: {
    title: "This widget",
    unsent: "The editor did not take the last change. Change it again to retry.",
    reset: "Reset to defaults",
    resetQuestion: {
      title: "Reset this widget?",
      body: "All of its settings go back to the defaults. Undo in the editor brings them back.",
    },
    resetConfirm: "Reset",
    resetDone: "This widget is back to its defaults.",
  },

  site: {
    title: "All widgets on this site",
    tab: "All widgets",
    /** Wix's editor hands a widget no token, so that it cannot load these settings there. */
    where: "This shows on the published site. In the editor a widget may show a sample.",
    saving: "Saving…",
    saved: "Saved",
    saveFailed: "Not saved",
    undo: "Undo",
    conflict: {
      title: (label: string) => `Someone else changed “${label}”`,
      body: "Which one should all widgets use?",
      theirs: "Theirs",
      mine: "Yours",
    },
    useTheirs: "Use theirs",
    keepMine: "Keep mine",
  },
  unavailable: "This can’t be shown right now.",

  about: {
    title: "About this app",
    tab: "About",
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
    setup: {
      title: "This app isn’t set up right",
      body: "Its makers have to mend its connection to Wix. This widget’s own settings still work.",
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
