// The demo on the home page: the settings panel beside a stage with the widget, the
// same page as a visitor sees it, and the report of what happens between them.

import { boot, byId, press } from "./dom";
import { undoKeys } from "./history";
import { type AccessToken, type PanelActivity, PanelHost } from "./host";
import { type Pickers, pickersIn } from "./pickers";
import { Report } from "./report";
import { DemoSession } from "./session";
import { maxCopies, Stage, type StageChange } from "./stage";
import { StageView } from "./stageview";
import type { StageRequest, WidgetState } from "./stagewire";
import { count, type Fact, type Metric } from "./timeline";

export async function startDemo(): Promise<void> {
  const { demo: base, assets } = boot<{ demo: string; assets: string }>();
  let session: DemoSession;
  try {
    session = await DemoSession.open(base);
  } catch (error) {
    // Nothing but the reason is left, or a phone would show an empty page first.
    for (const part of byId("demo").querySelectorAll(".bar, .split, .line")) {
      part.remove();
    }
    showFault(sentence(error));
    return;
  }
  await new Demo(session, assets).start();
}

/** How long opening the page waits for the widget. */
const identifyTimeout = 2000; // ms

class Demo {
  #session: DemoSession;
  #stage = new Stage([{}]);
  #report: Report;
  #view: StageView;
  #pickers: Pickers = pickersIn(byId("picker"));
  #panel: PanelHost;
  #visitor: AccessToken | null = null;
  #newVisitor = true;
  #identified = () => {};

  constructor(session: DemoSession, assets: string) {
    this.#session = session;
    this.#report = new Report(
      () => this.#stage.elements.length,
      () => session.calls(),
      session.callsBefore,
    );
    this.#view = this.#createView(assets);
    this.#panel = this.#createPanel();
    session.onReplaced(() => {
      this.#visitor = null; // Their token belongs to the session that has ended.
      this.#report.restartLog();
    });
  }

  async start(): Promise<void> {
    this.#connectStage();
    this.#connectModes();
    this.#connectDevices();
    this.#connectButtons();
    // The panel opens after the widget, so that their steps do not mix in the timeline.
    await this.#open(true);
    this.#panel.open();
  }

  /** Loads the page, as a new visitor or as the same one. */
  async #open(asNewVisitor: boolean): Promise<void> {
    showFault("");
    try {
      this.#newVisitor = await this.#prepareVisitor(asNewVisitor);
    } catch (error) {
      showFault(sentence(error));
      return;
    }
    const identified = new Promise<void>((resolve) => {
      this.#identified = resolve;
    });
    this.#report.open(this.#newVisitor);
    await this.#view.load();
    await Promise.race([
      identified,
      new Promise((resolve) => setTimeout(resolve, identifyTimeout)),
    ]);
  }

  /** Gets the visitor's token, and returns whether the visitor is a new one. */
  async #prepareVisitor(asNew: boolean): Promise<boolean> {
    if (!asNew) {
      await this.#session.renew();
    }
    if (!asNew && this.#visitor) {
      return false;
    }
    this.#visitor = await this.#session.token("VISITOR");
    return true;
  }

  #createView(assets: string): StageView {
    const { tag, widgetUrl, siteId } = this.#session.current;
    return new StageView({
      stage: this.#stage,
      canvas: byId("canvas"),
      tag,
      widgetUrl,
      assets,
      siteId,
      language: "en",
      sandbox: () => false,
      visitorToken: () => async () => this.#visitor?.token ?? "",
      onSettings: () => byId("panel").scrollIntoView({ block: "nearest" }),
      onFault: showFault,
      onToken: (at) => this.#onToken(at),
      onState: (at, state) => this.#onState(at, state),
      onRequest: (at, request) => this.#onRequest(at, request),
    });
  }

  #onToken(at: number): void {
    if (this.#visitor && !this.#report.has("token")) {
      this.#report.add({ kind: "token", at, newVisitor: this.#newVisitor, ...this.#visitor });
    }
  }

  #onState(at: number, state: WidgetState): void {
    this.#report.add({ kind: "state", at, ...state });
    if (state.state === "idle" || state.state === "loading") {
      return;
    }
    this.#report.readCallsSoon();
    this.#identified();
    byId("line-status").textContent =
      state.state === "ready"
        ? "The widget has been identified."
        : "The widget could not be identified.";
  }

  #onRequest(at: number, entry: StageRequest): void {
    if (!isAPI(entry.name)) {
      return;
    }
    this.#report.add({
      kind: "request",
      at,
      end: at + entry.duration,
      url: entry.name,
      status: entry.responseStatus,
      bytes: entry.decodedBodySize,
      metrics: metrics(entry),
      // Nothing came over the network, not even the header of a 304.
      cached: entry.transferSize === 0 && entry.decodedBodySize > 0,
    });
  }

  #createPanel(): PanelHost {
    const { tag, panelUrl, appId, siteId } = this.#session.current;
    return new PanelHost({
      frame: byId<HTMLIFrameElement>("panel-frame"),
      panelUrl,
      tag,
      appId,
      siteId,
      instance: "", // the demo has no dashboard that would sign one
      language: "en",
      stage: this.#stage,
      pickers: this.#pickers,
      direction: () => this.#view.direction,
      viewMode: () => "Editor",
      ownerToken: () => this.#session.token("USER"),
      preloadFonts: () => {},
      notice: showFault,
      onActivity: (activity) => this.#onActivity(activity),
    });
  }

  #onActivity(activity: PanelActivity): void {
    const at = performance.now();
    switch (activity.kind) {
      case "connected":
        watchPanel(byId<HTMLIFrameElement>("panel-frame"), (request) => {
          this.#report.add(request);
          this.#report.readCallsSoon();
        });
        break;
      case "token":
        this.#report.add({ ...activity, kind: "owner-token", at });
        break;
      case "prop":
        this.#report.add({ ...activity, at });
        break;
    }
  }

  #connectStage(): void {
    const update = () => {
      const { elements, canUndo, canRedo } = this.#stage;
      enable("undo", canUndo);
      enable("redo", canRedo);
      enable("fewer", elements.length > 1);
      enable("more", elements.length < maxCopies);
      byId("copies").textContent = count(elements.length, "copy", "copies");
    };
    this.#stage.subscribe((change: StageChange) => {
      update();
      if (change !== "attribute") {
        this.#panel.selectionChanged();
      }
      if (change === "elements" || change === "history") {
        this.#report.show();
      }
    });
    update();
  }

  #connectModes(): void {
    const modes = [byId("as-owner"), byId("as-visitor")];
    for (const button of modes) {
      onClick(button, () => {
        const mode = button.id === "as-visitor" ? "visitor" : "editor";
        press(modes, (b) => b === button);
        this.#pickers.close();
        byId("bench").dataset.mode = mode;
        this.#view.setMode(mode);
      });
    }
  }

  #connectDevices(): void {
    const devices = document.querySelectorAll<HTMLElement>("button[data-device]");
    for (const button of devices) {
      onClick(button, () => {
        press(devices, (b) => b === button);
        byId("stage").dataset.device = button.dataset.device ?? "desktop";
      });
    }
  }

  #connectButtons(): void {
    const stage = this.#stage;
    onClick(byId("undo"), () => stage.undo());
    onClick(byId("redo"), () => stage.redo());
    onClick(byId("more"), () => stage.add(stage.elements.at(-1)?.attributes));
    onClick(byId("fewer"), () => {
      const last = stage.elements.at(-1);
      if (last) {
        stage.remove(last.id);
      }
    });
    onClick(byId("again"), () => void this.#open(false));
    onClick(byId("fresh"), () => void this.#open(true));
    onClick(byId("panel-reload"), () => this.#panel.open());
    document.addEventListener("keydown", (event) => {
      if (!(event.target instanceof HTMLInputElement)) {
        undoKeys(event, stage);
      }
    });
    // Under make dev, the widget is new. A new server has lost the session: the page is reloaded.
    if (import.meta.hot) {
      document.addEventListener("dev", (event) => {
        if ((event as CustomEvent<string>).detail === "widget") {
          event.preventDefault();
          void this.#open(false);
        }
      });
    }
  }
}

function onClick(element: HTMLElement, callback: () => void): void {
  element.addEventListener("click", callback);
}

function enable(id: string, enabled: boolean): void {
  byId<HTMLButtonElement>(id).disabled = !enabled;
}

/** Shows a message below the stage; "" hides it. */
function showFault(text: string): void {
  const fault = byId("fault");
  fault.textContent = text;
  fault.hidden = text === "";
}

/** Reports the panel's requests to the server. The demo's panel has the page's own origin. */
function watchPanel(frame: HTMLIFrameElement, report: (fact: Fact) => void): void {
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
      report({
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

function metrics(entry: StageRequest): Metric[] {
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
