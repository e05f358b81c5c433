// The simulated Wix editor: connects the stage, the settings panel and the controls.

import { appMenu } from "./appmenu";
import { boot, byId, press } from "./dom";
import { undoKeys } from "./history";
import { type AccessToken, PanelHost } from "./host";
import { type AppState, Lifecycle } from "./lifecycle";
import { pickersIn } from "./pickers";
import { Stage } from "./stage";
import { StageView } from "./stageview";

interface EditorBoot {
  assets: string;
  appId: string;
  instanceId: string;
  siteId: string;
  ownerSubject: string;
  instance: string;
  tag: string;
  widgetUrl: string;
  classicScript: boolean;
  panelUrl: string;
  tokensUrl: string;
  publishUrl: string;
  elements: { attributes: { name: string; value: string }[] }[];
  app: AppState;
  retryMs: number[];
}

const config = boot<EditorBoot>();
const bench = byId("bench");
const stage = new Stage(
  config.elements.map((e) => Object.fromEntries(e.attributes.map((a) => [a.name, a.value]))),
);

let clearing: ReturnType<typeof setTimeout> | undefined;
const say = (text: string) => {
  const status = byId("status");
  clearTimeout(clearing);
  status.textContent = text;
  clearing = setTimeout(() => status.replaceChildren(), 6000);
};

async function token(subject: string): Promise<AccessToken> {
  const answer = await fetch(config.tokensUrl, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ subject, instanceId: config.instanceId }),
  });
  if (!answer.ok) {
    throw new Error(`request a token from the offline Wix: status ${answer.status}`);
  }
  return (await answer.json()) as AccessToken;
}

let { app } = config;
const stageToken = byId<HTMLInputElement>("stage-token");
const sandbox = byId<HTMLInputElement>("sandbox");
const preview = byId<HTMLInputElement>("preview");
let visitor: Promise<AccessToken> | undefined;

const view = new StageView({
  stage,
  canvas: byId("canvas"),
  tag: config.tag,
  widgetUrl: config.widgetUrl,
  classic: config.classicScript,
  assets: config.assets,
  siteId: config.siteId,
  language: "en",
  sandbox: () => sandbox.checked,
  visitorToken: () =>
    stageToken.checked
      ? async () => {
          visitor ??= token("VISITOR");
          return (await visitor).token;
        }
      : null,
  removed: () => !app.installed,
  onSettings: () => openPanel(),
  onFault: say,
});

const pickers = pickersIn(byId("picker"));
const panel = new PanelHost({
  frame: byId<HTMLIFrameElement>("panel-frame"),
  panelUrl: config.panelUrl,
  tag: config.tag,
  appId: config.appId,
  siteId: config.siteId,
  instance: config.instance,
  language: "en",
  stage,
  pickers,
  direction: () => view.direction,
  viewMode: () => (preview.checked ? "Preview" : "Editor"),
  ownerToken: () => token(config.ownerSubject),
  preloadFonts: () => {},
  notice: say,
  onActivity: () => {},
});

function openPanel(): void {
  bench.dataset.panel = "open";
  if (!panel.isOpen) {
    panel.open();
  }
}

function closePanel(): void {
  pickers.close();
  bench.dataset.panel = "closed";
  panel.close();
}

function update(): void {
  byId<HTMLButtonElement>("undo").disabled = !app.installed || !stage.canUndo;
  byId<HTMLButtonElement>("redo").disabled = !app.installed || !stage.canRedo;
  for (const id of ["add", "publish"]) {
    byId<HTMLButtonElement>(id).disabled = !app.installed;
  }
}

stage.subscribe((change) => {
  update();
  if (change !== "attribute") {
    panel.selectionChanged();
  }
  say("");
});

byId("undo").addEventListener("click", () => stage.undo());
byId("redo").addEventListener("click", () => stage.redo());
byId("add").addEventListener("click", () => {
  if (stage.add() === null) {
    say("The page is full.");
  }
});
byId("panel-reload").addEventListener("click", () => panel.open());
byId("panel-close").addEventListener("click", closePanel);
document.addEventListener("keydown", (event) => {
  if (!(event.target instanceof HTMLInputElement)) {
    undoKeys(event, stage);
  }
});

const devices = document.querySelectorAll<HTMLElement>("button[data-device]");
for (const button of devices) {
  button.addEventListener("click", () => {
    press(devices, (b) => b === button);
    byId("stage").dataset.device = button.dataset.device ?? "desktop";
  });
}

const directions = document.querySelectorAll<HTMLElement>("button[data-direction]");
for (const button of directions) {
  button.addEventListener("click", () => {
    press(directions, (b) => b === button);
    view.setDirection(button.dataset.direction === "rtl" ? "rtl" : "ltr");
    // A panel reads the direction when it starts.
    if (panel.isOpen) {
      panel.open();
    }
  });
}

for (const option of [stageToken, sandbox]) {
  option.addEventListener("change", () => void view.load());
}
preview.addEventListener("change", () => {
  pickers.close();
  bench.dataset.mode = preview.checked ? "visitor" : "editor";
  view.setMode(preview.checked ? "visitor" : "editor");
});

byId("publish").addEventListener("click", async () => {
  const elements = stage.elements.map((e) => ({
    attributes: Object.entries(e.attributes).map(([name, value]) => ({ name, value })),
  }));
  const answer = await fetch(config.publishUrl, {
    method: "PUT",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ elements }),
  });
  say(
    answer.ok
      ? "Published."
      : `Not published: ${((await answer.json()) as { error: string }).error}`,
  );
});

appMenu({
  instanceId: config.instanceId,
  app,
  wix: new Lifecycle("_sim/", config.retryMs),
  changed(now) {
    const back = now.installed && !app.installed;
    app = now;
    // A reload of the page is a new visit. The panel reads the plan when it starts.
    visitor = undefined;
    update();
    if (!app.installed) {
      closePanel();
    } else if (back) {
      openPanel();
    } else if (panel.isOpen) {
      panel.open();
    }
    void view.load();
  },
});

// Under make dev, the widget or the server is new. What is on the stage stays, published or not.
if (import.meta.hot) {
  document.addEventListener("dev", (event) => {
    event.preventDefault();
    if ((event as CustomEvent<string>).detail === "server" && panel.isOpen) {
      panel.open();
    }
    void view.load();
  });
}

update();
if (app.installed) {
  openPanel();
} else {
  closePanel();
}
await view.load();
