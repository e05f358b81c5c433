// The home page: its copy buttons, and the demo where it is turned on.

import { copyButtons } from "./copy";
import { startDemo } from "./demo";

copyButtons();
if (document.getElementById("boot")) {
  void startDemo();
}
