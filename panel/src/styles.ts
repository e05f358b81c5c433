// The stylesheets, in the order in which they must apply.
import "@wix/design-system/styles.global.css";
import "@wix/design-system/tokens-default.global.css";
import "@wix/design-system/tokens-studio.global.css";
import "./panel.css";
