// Buttons that copy a value: <button data-copy="…">.

export function copyButtons(root: ParentNode = document): void {
  for (const button of root.querySelectorAll<HTMLButtonElement>("button[data-copy]")) {
    button.addEventListener("click", () => void copy(button));
  }
}

async function copy(button: HTMLButtonElement): Promise<void> {
  const label = button.textContent;
  try {
    await navigator.clipboard.writeText(button.dataset.copy ?? "");
    button.textContent = "Copied";
  } catch {
    // No clipboard over plain http: select the value, so that the keyboard can copy it.
    const code = button.parentElement?.querySelector("code");
    if (code) {
      getSelection()?.selectAllChildren(code);
    }
    button.textContent = "Selected";
  }
  setTimeout(() => {
    button.textContent = label;
  }, 1600);
}
