// Wix's page with the plans of the app, for one site.

import { appMenu } from "./appmenu";
import { boot } from "./dom";
import { type AppState, Lifecycle } from "./lifecycle";

const config = boot<{
  instanceId: string;
  controlUrl: string;
  app: AppState;
  retryMs: number[];
}>();
appMenu({
  instanceId: config.instanceId,
  app: config.app,
  wix: new Lifecycle(config.controlUrl, config.retryMs),
});
