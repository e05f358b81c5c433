// Escapes the texts that Wix's editor transport cannot carry.
//
// @wix/editor-platform-transport 1.15.0 uses three characters as markers: a text that is exactly "°" disappears, exactly
// "ƒ" arrives as a function, and one that starts with "∂" is lost. An added space avoids this and does not show in HTML.

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
