// Drops the messages that are not from the window that frames the panel: Wix's editor.
//
// @wix/editor-platform-transport 1.15.0 takes its connection from any window that guesses at which time the panel was
// started, so that a frame beside the panel could be its editor. main.tsx imports this file before all others: a window
// calls its listeners in the order in which they came. Who may frame the panel is checked by the browser (frame-ancestors).
window.addEventListener(
  "message",
  (event) => {
    if (event.source !== window.parent) {
      event.stopImmediatePropagation();
    }
  },
  { capture: true },
);

export {};
