// The install guide: its copy buttons.

import { copyButtons } from "./copy";

copyButtons();
