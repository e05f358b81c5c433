// Starts the panel: connects the editor, the server and the page.
import "./parent"; // the first of all: see there

import { createRoot } from "react-dom/client";
import { createApi } from "./api";
import { App } from "./components/App";
import type { Panel } from "./components/context";
import { directionFor } from "./direction";
import type { Editor } from "./editor";
import { connectEditor, isFramed } from "./editor";
import { sections, siteFields, widgetFields } from "./fields";
import { createLoader } from "./loader";
import { messagesFor } from "./messages";
import { createSiteModel } from "./siteModel";
import "./styles";
import { chooseTokens } from "./tokens";
import { createWidgetModel } from "./widgetModel";

const editor = isFramed() ? connectEditor() : null;
const language = editor?.language ?? "";
const messages = messagesFor(language);
document.documentElement.lang = messages.language;
document.documentElement.setAttribute("data-tokens", chooseTokens(window.location.search));
document.title = messages.title;
// The Design System's rules match a dir on any ancestor, the token sets only one inside the html element.
document.body.dir = directionFor(null, language);

const root = document.getElementById("root");
if (root) {
  const panel = editor && start(editor);
  await designSystem();
  createRoot(root).render(<App panel={panel} texts={{ messages, language }} />);
}

/** Applies the stylesheet that the page has only fetched (see firstpaint.ts). If that cannot be loaded, the panel starts without it. */
function designSystem(): Promise<unknown> | undefined {
  const link = document.querySelector<HTMLLinkElement>("link[rel=preload][as=style]");
  if (link) {
    link.rel = "stylesheet";
    return new Promise((done) => {
      link.onload = link.onerror = done;
    });
  }
}

function start(editor: Editor): Panel {
  const api = createApi(new URL("../api/", window.location.href), editor.session);
  const widget = createWidgetModel(editor.widget, widgetFields);
  const site = createSiteModel(api, siteFields, (version) => widget.announceVersion(version));
  const instance = createLoader(api.loadInstance);
  const own = sections.map((section) => ({
    section,
    loader: createLoader(() => section.load(api)),
  }));
  const load = () => {
    for (const part of [site, instance, ...own.map(({ loader }) => loader)]) {
      void part.load();
    }
  };

  void widget.load();
  load();
  editor.onSelection((components) => void widget.selectionChanged(components));
  editor.siteDirection().then(
    (direction) => {
      document.body.dir = directionFor(direction, language);
    },
    () => {}, // no editor, or one without this call
  );

  // Leaving the panel ends the typing. While it was left, an undo in the editor may have changed the widget.
  const leave = () => {
    widget.flush();
    site.leave();
  };
  window.addEventListener("blur", () => {
    widget.flush();
    site.flush();
  });
  window.addEventListener("pagehide", leave);
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      leave();
    }
  });
  window.addEventListener("focus", () => void widget.refresh());
  return { editor, api, widget, site, instance, own, load };
}
