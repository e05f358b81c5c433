// The panel's text direction: right to left when the site's direction or the editor's language is.

const RTL_LANGUAGES = ["ar", "dv", "fa", "he", "iw", "ku", "ps", "sd", "ug", "ur", "yi"];

export function directionFor(siteDirection: unknown, language: string): "rtl" | "ltr" {
  if (typeof siteDirection === "string" && siteDirection.toLowerCase() === "rtl") {
    return "rtl";
  }
  const primary = language.toLowerCase().split(/[-_]/)[0] ?? "";
  return RTL_LANGUAGES.includes(primary) ? "rtl" : "ltr";
}
