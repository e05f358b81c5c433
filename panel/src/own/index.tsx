// What the app draws itself in its settings panel. An app that draws nothing exports an empty object and an empty list.
import type { Overrides } from "../overrides";
import type { Section } from "../section";
import { AlignControl } from "./align";
import { guests } from "./guests";

/** Controls of declared settings that replace those of their kinds, by the name of the setting. */
export const fields = { align: { beside: true, Control: AlignControl } } satisfies Overrides;

/** Sections after the settings of all widgets. */
export const sections: readonly Section[] = [guests];
