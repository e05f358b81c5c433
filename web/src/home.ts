// The demo on the home page: the settings panel beside a stage with the widget, the
// same page as a visitor sees it, and the timeline of what happens between them.

import { copyButtons } from "./copy";
import { boot, byId, press } from "./dom";
import { PanelHost } from "./host";
import { pickersIn } from "./pickers";
import { type Call, DemoClient, type Session, SessionLost } from "./session";
import { maxCopies, Stage } from "./stage";
import { StageView, undoKeys } from "./stageview";
import { count, type Fact, figures, type Metric, milliseconds } from "./timeline";
import { timelineIn } from "./timelineview";

copyButtons();
if (document.getElementById("boot")) {
  void start();
}

async function start(): Promise<void> {
  const { demo, assets } = boot<{ demo: string; assets: string }>();
  const client = new DemoClient(demo);
  const fault = byId("fault");
  const say = (text: string) => {
    fault.textContent = text;
    fault.hidden = text === "";
  };
  let session: Session;
  try {
    session = await client.create();
  } catch (error) {
    say(sentence(error));
    for (const id of ["again", "fresh"]) {
      byId(id).addEventListener("click", () => location.reload());
    }
    return;
  }

  // Runs fn, and once more with a new session if the old one has ended.
  const withSession = async <T>(fn: (s: Session) => Promise<T>): Promise<T> => {
    try {
      return await fn(session);
    } catch (error) {
      if (!(error instanceof SessionLost)) {
        throw error;
      }
      session = await client.create();
      visitor = null; // Their token was for the installation that has ended.
      callsBefore = callsKnown = 0;
      return fn(session);
    }
  };

  // --- what is known of the load that is being shown

  let facts: Fact[] = [];
  let visitor: { token: string; expiresAt?: string } | null = null;
  let callsBefore = 0;
  let callsKnown = 0;
  let settled = () => {};
  const draw = timelineIn(byId("steps"));
  const learn = (...news: Fact[]) => {
    facts.push(...news);
    show();
  };
  const show = () => {
    draw(facts);
    const f = figures(facts);
    byId("figure-time").textContent = f.identifiedIn === null ? "–" : milliseconds(f.identifiedIn);
    byId("figure-requests").textContent = f.requests === null ? "–" : String(f.requests);
    byId("figure-requests-label").textContent =
      `${f.requests === 1 ? "request" : "requests"} to Nametag, for ${count(stage.elements.length, "copy", "copies")}`;
    byId("figure-calls").textContent = f.requests === null ? "–" : String(f.asked);
    byId("figure-calls-label").textContent =
      f.asked === 1 ? "call to Wix to identify" : "calls to Wix to identify";
  };
  const readCalls = async () => {
    let all: Call[];
    try {
      all = await client.calls(session);
    } catch {
      return; // The log is a courtesy: the timeline is whole without it.
    }
    callsKnown = all.length;
    facts = facts.filter((f) => f.kind !== "call");
    learn(
      ...all.slice(callsBefore).map(
        (c): Fact => ({
          kind: "call",
          wall: Date.parse(c.at),
          duration: c.durationMs,
          method: c.method,
          path: c.path,
          status: c.status,
        }),
      ),
    );
  };
  let soon: ReturnType<typeof setTimeout> | undefined;
  const readCallsSoon = () => {
    clearTimeout(soon);
    // Nametag brings its record of the site up to date after it has answered.
    soon = setTimeout(() => void readCalls().then(() => setTimeout(readCalls, 900)), 120);
  };

  // --- the stage and the panel

  const stage = new Stage([{ "display-name": "Ada", "show-status": "true" }]);
  const direction = () => view.direction;
  const view = new StageView({
    stage,
    canvas: byId("canvas"),
    tag: session.tag,
    widgetUrl: session.widgetUrl,
    stylesheet: `${assets}bramble.css`,
    language: "en",
    visitorToken: () => async () => visitor?.token ?? "",
    onSettings: () => byId("panel").scrollIntoView({ block: "nearest" }),
    onFault: say,
    onToken: (at) => {
      if (visitor && !facts.some((f) => f.kind === "token")) {
        learn({ kind: "token", at, newVisitor, ...visitor });
      }
    },
    onState: (at, state) => {
      learn({ kind: "state", at, ...state });
      if (state.state === "idle" || state.state === "loading") {
        return;
      }
      readCallsSoon();
      settled();
      byId("line-status").textContent =
        state.state === "ready"
          ? "The widget has been identified."
          : "The widget could not be identified.";
    },
    onRequest: (at, entry) => {
      if (!isAPI(entry.name)) {
        return;
      }
      learn({
        kind: "request",
        at,
        end: at + entry.duration,
        url: entry.name,
        status: entry.responseStatus,
        bytes: entry.decodedBodySize,
        metrics: metrics(entry),
        // Nothing came over the network: not even the header of a 304.
        kept: entry.transferSize === 0 && entry.decodedBodySize > 0,
      });
    },
  });
  const frame = byId<HTMLIFrameElement>("panel-frame");
  const pickers = pickersIn(byId("picker"));
  const panel = new PanelHost({
    frame,
    panelUrl: session.panelUrl,
    appId: session.appId,
    siteId: session.siteId,
    language: "en",
    stage,
    pickers,
    direction,
    viewMode: () => "Editor",
    ownerToken: () => withSession((s) => client.token(s, "USER")),
    preloadFonts: () => {},
    notice: say,
    onActivity: (activity) => {
      const at = performance.now();
      switch (activity.kind) {
        case "connected":
          watchPanel(frame, (request) => {
            learn(request);
            readCallsSoon();
          });
          break;
        case "token":
          learn({ kind: "owner-token", at, token: activity.token, expiresAt: activity.expiresAt });
          break;
        case "prop":
          learn({ kind: "prop", at, name: activity.name, value: activity.value });
          break;
      }
    },
  });

  // --- loading the page, as a new visitor or as the same one

  let newVisitor = true;
  const open = async (asNewVisitor: boolean) => {
    let asNew = asNewVisitor;
    say("");
    try {
      // A session that has ended shows here, and takes its visitor with it.
      if (!asNew) {
        await withSession((s) => client.calls(s));
      }
      if (asNew || !visitor) {
        visitor = await withSession((s) => client.token(s, "VISITOR"));
        asNew = true;
      }
    } catch (error) {
      say(sentence(error));
      return;
    }
    newVisitor = asNew;
    callsBefore = callsKnown;
    facts = [];
    const identified = new Promise<void>((resolve) => {
      settled = resolve;
    });
    learn({ kind: "opened", at: performance.now(), copies: stage.elements.length, newVisitor });
    await view.load();
    await Promise.race([identified, new Promise((resolve) => setTimeout(resolve, 2000))]);
  };

  // --- the controls

  const bench = byId("bench");
  const update = () => {
    byId<HTMLButtonElement>("undo").disabled = !stage.canUndo;
    byId<HTMLButtonElement>("redo").disabled = !stage.canRedo;
    byId<HTMLButtonElement>("fewer").disabled = stage.elements.length <= 1;
    byId<HTMLButtonElement>("more").disabled = stage.elements.length >= maxCopies;
    byId("copies").textContent = count(stage.elements.length, "copy", "copies");
  };
  stage.subscribe((change) => {
    update();
    if (change !== "attribute") {
      panel.selectionChanged();
    }
    if (change === "elements" || change === "history") {
      show();
    }
  });
  update();
  const modes = [byId("as-owner"), byId("as-visitor")];
  for (const button of modes) {
    button.addEventListener("click", () => {
      const visiting = button.id === "as-visitor";
      press(modes, (b) => b === button);
      pickers.close();
      bench.dataset.mode = visiting ? "visitor" : "editor";
      view.setMode(visiting ? "visitor" : "editor");
    });
  }
  const devices = document.querySelectorAll<HTMLElement>("button[data-device]");
  for (const button of devices) {
    button.addEventListener("click", () => {
      press(devices, (b) => b === button);
      byId("stage").dataset.device = button.dataset.device ?? "desktop";
    });
  }
  byId("undo").addEventListener("click", () => stage.undo());
  byId("redo").addEventListener("click", () => stage.redo());
  byId("more").addEventListener("click", () => stage.add(stage.elements.at(-1)?.attributes));
  byId("fewer").addEventListener("click", () => {
    const last = stage.elements.at(-1);
    if (last) {
      stage.remove(last.id);
    }
  });
  byId("again").addEventListener("click", () => void open(false));
  byId("fresh").addEventListener("click", () => void open(true));
  byId("panel-reload").addEventListener("click", () => panel.open());
  document.addEventListener("keydown", (event) => {
    if (!(event.target instanceof HTMLInputElement)) {
      undoKeys(event, stage);
    }
  });

  // The panel waits for the widget, so that the timeline tells one thing after the other.
  await open(true);
  panel.open();
}

/** Reports what the panel, which is of our own origin here, asks of the server. */
function watchPanel(frame: HTMLIFrameElement, tell: (fact: Fact) => void): void {
  const win = frame.contentWindow as (Window & typeof globalThis) | null;
  if (!win) {
    return;
  }
  new win.PerformanceObserver((list) => {
    for (const entry of list.getEntries() as PerformanceResourceTiming[]) {
      if (!isAPI(entry.name)) {
        continue;
      }
      const at = entry.startTime + win.performance.timeOrigin - performance.timeOrigin;
      tell({
        kind: "panel-request",
        at,
        end: at + entry.duration,
        url: entry.name,
        status: entry.responseStatus,
        metrics: metrics(entry),
      });
    }
  }).observe({ type: "resource", buffered: true });
}

function isAPI(url: string): boolean {
  return new URL(url).pathname.includes("/api/");
}

function metrics(entry: PerformanceResourceTiming): Metric[] {
  return entry.serverTiming.map((t) => ({
    name: t.name,
    duration: t.duration,
    description: t.description,
  }));
}

function sentence(error: unknown): string {
  return error instanceof TypeError || !(error instanceof Error)
    ? "The server cannot be reached. Reload the page to try again."
    : error.message;
}
