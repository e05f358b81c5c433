// Copies text, also in a frame without permission for the clipboard API.

/** Copies a field's value and returns whether that worked. Without the clipboard API the field is selected and copied. */
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
