// Copies text, also where the frame has no permission for the clipboard API.

/** Says whether it worked. field shows the text: it is what is selected when the clipboard API is refused. */
export async function copyFrom(field: HTMLInputElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(field.value);
    return true;
  } catch {
    field.focus();
    field.select();
    return document.execCommand("copy");
  }
}
