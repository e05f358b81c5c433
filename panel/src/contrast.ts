// Whether a text can be read on its background: WCAG 2.2, success criterion 1.4.3.

/** What text of an ordinary size needs. */
export const ENOUGH = 4.5;

/** Red, green and blue, from 0 to 255. */
export type Paint = readonly [number, number, number];
/** Returns what is seen of these colors of CSS, each laid over the one before. */
export type Painter = (...layers: string[]) => Paint;

/** The contrast of a color on another one, or null where one of them is not a color. */
export function contrastOf(color: string, on: string, paint: Painter = onCanvas): number | null {
  const [front, back] = [ownColor(color), ownColor(on)];
  if (!CSS.supports("color", front) || !CSS.supports("color", back)) {
    return null;
  }
  const [one, other] = [luminance(paint("#fff", back, front)), luminance(paint("#fff", back))];
  return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
}

/** The panel has none of the site's custom properties, so a color of the theme is what it was when it was chosen. */
export function ownColor(color: string): string {
  const fallback = /^var\(\s*--[\w-]+\s*,(.*)\)$/s.exec(color.trim())?.[1];
  return fallback === undefined ? color.trim() : ownColor(fallback);
}

/** The canvas understands every notation of CSS, and transparency. */
const onCanvas: Painter = (...layers) => {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 1;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) {
    return [0, 0, 0];
  }
  for (const layer of layers) {
    context.fillStyle = layer;
    context.fillRect(0, 0, 1, 1);
  }
  const [red = 0, green = 0, blue = 0] = context.getImageData(0, 0, 1, 1).data;
  return [red, green, blue];
};

function luminance(paint: Paint): number {
  const [red, green, blue] = paint.map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
