// The simulated site's theme, as the editor's pickers offer it. The values are those
// of bramble.css; the names have the form of Wix's custom properties.

interface ThemeColor {
  /** The editor's key of the color. */
  readonly key: string;
  readonly variable: string;
  readonly name: string;
  readonly value: string;
}

export const colors: readonly ThemeColor[] = [
  { key: "color_36", variable: "--wst-base-1-color", name: "Paper", value: "#fbf8f1" },
  { key: "color_37", variable: "--wst-base-2-color", name: "Ink", value: "#26302a" },
  { key: "color_38", variable: "--wst-shade-1-color", name: "Linen", value: "#efe9db" },
  { key: "color_39", variable: "--wst-shade-3-color", name: "Stone", value: "#6a6a5c" },
  { key: "color_41", variable: "--wst-accent-1-color", name: "Bramble", value: "#6d2a4c" },
  { key: "color_42", variable: "--wst-accent-2-color", name: "Thyme", value: "#3f5f45" },
  { key: "color_43", variable: "--wst-accent-3-color", name: "Sage", value: "#dfe6d6" },
];

interface ThemeFont {
  readonly name: string;
  readonly family: string;
  readonly size: number;
  /** Set for the site's own text styles. */
  readonly variable?: string;
}

export const fonts: readonly ThemeFont[] = [
  { name: "Site heading", family: "Georgia", size: 28, variable: "--wst-heading-4-font" },
  { name: "Site paragraph", family: "Helvetica", size: 16, variable: "--wst-paragraph-2-font" },
  { name: "Georgia", family: "Georgia", size: 20 },
  { name: "Helvetica", family: "Helvetica", size: 20 },
  { name: "Verdana", family: "Verdana", size: 18 },
  { name: "Courier", family: "Courier New", size: 18 },
];
