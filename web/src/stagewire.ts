// What an editor and the document of its stage say to each other. They speak through a
// MessagePort, because a sandboxed document is out of the editor's reach.

import type { StageElement } from "./stage";

export interface WidgetState {
  state: "idle" | "loading" | "ready" | "failed";
  code?: string;
  requestId?: string;
}

/** What the stage reports of a request. Times of a request are milliseconds of the Unix epoch. */
export interface StageRequest
  extends Pick<
    PerformanceResourceTiming,
    "name" | "duration" | "responseStatus" | "decodedBodySize" | "transferSize"
  > {
  serverTiming: readonly { name: string; duration: number; description: string }[];
}

/** What the stage shows. */
export interface Scene {
  elements: readonly StageElement[];
  selected: string | null;
  /** Whether the editor's controls are there; a preview has none. */
  editing: boolean;
  direction: "ltr" | "rtl";
}

/** The first message to the stage's window, which comes with the port. */
export interface Opening {
  tag: string;
  /** Null for a site that the app was removed from. */
  script: { url: string; type: "module" | "text/javascript" } | null;
  siteId: string;
  language: string;
  /** Whether the widgets get a token function. */
  token: boolean;
  scene: Scene;
}

export type ToStage =
  | { kind: "show"; scene: Scene }
  | { kind: "token"; id: number; token: string }
  | { kind: "no-token"; id: number; reason: string };

export type FromStage =
  | { kind: "token"; id: number; at: number }
  | { kind: "state"; at: number; state: WidgetState }
  | { kind: "request"; at: number; request: StageRequest }
  | { kind: "select"; id: string | null }
  | { kind: "duplicate" | "remove"; id: string }
  | { kind: "settings" | "undo" | "redo" }
  | { kind: "fault"; text: string };
