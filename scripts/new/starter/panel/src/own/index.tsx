// What the app draws itself in its settings panel, beside the declared settings: nothing yet.
// section.ts says what the two are.

import type { Overrides } from "../overrides";
import type { Section } from "../section";

/** Controls in place of those that the settings have by their kinds, by the setting's name. */
export const fields: Overrides = {};

/** Sections after the settings. */
export const sections: readonly Section[] = [];
