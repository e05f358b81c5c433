// Chooses the page's design tokens: the classic editor's or Studio's.

/** The tokens that @wix/editor 1.866.0 would choose for this page. vite.config.ts binds each set to its name. */
export function chooseTokens(search: string): "default" | "studio" {
  return new URLSearchParams(search).get("editorType") === "CLASSIC" ? "default" : "studio";
}
