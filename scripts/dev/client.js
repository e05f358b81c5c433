// Runs in every page of the server under make dev, through Vite.

const hot = import.meta.hot;

// The widget or the server is new. A page that takes it over without a reload says so.
for (const what of ["widget", "server"]) {
  hot.on(`dev:${what}`, () => {
    const event = new CustomEvent("dev", { detail: what, cancelable: true });
    if (document.dispatchEvent(event)) {
      location.reload();
    }
  });
}

const overlays = () => document.querySelectorAll("vite-error-overlay");
hot.on("dev:fixed", () => {
  for (const overlay of overlays()) {
    overlay.close();
  }
});

// Vite's overlay is a mere box. As a dialog with the focus it is read out.
new MutationObserver(() => {
  for (const overlay of overlays()) {
    if (!overlay.role) {
      overlay.role = "alertdialog";
      overlay.ariaLabel = overlay.shadowRoot.querySelector(".message-body").textContent;
      overlay.tabIndex = -1;
      overlay.focus();
    }
  }
}).observe(document.documentElement, { childList: true, subtree: true });
