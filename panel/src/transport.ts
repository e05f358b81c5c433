// Texts that Wix's editor transport cannot carry, and how they are sent all the same.
//
// @wix/editor-platform-transport 1.15.0 gives three characters a meaning of their own: a text that is exactly "°"
// vanishes, exactly "ƒ" arrives as a function, and one that starts with "∂" is lost. A space beside them is enough, and
// HTML shows no difference.

export function toWire(text: string): string {
  if (text === "°" || text === "ƒ") {
    return `${text} `;
  }
  return text.startsWith("∂") ? ` ${text}` : text;
}

export function fromWire(text: string): string {
  if (text === "° " || text === "ƒ ") {
    return text.slice(0, 1);
  }
  return text.startsWith(" ∂") ? text.slice(1) : text;
}
