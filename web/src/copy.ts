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
    // There is no clipboard over plain http. The selected value can be copied with the keyboard.
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
