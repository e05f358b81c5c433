// The two programs: the app and the offline Wix, and how each is started.

import { join } from "node:path";
import { logLine } from "./report.mjs";
import { Service } from "./service.mjs";

/**
 * @param {object} options
 * @param {string} options.root the repository
 * @param {string} options.folder for what they store
 * @param {string} options.id the product's id
 * @param {{ appId: string, appSecret: string }} options.state
 * @param {{ app: string, wix: string }} options.urls their addresses for everyone
 * @param {(program: string) => string} options.textsOf the folder with a program's texts
 * @param {import("./report.mjs").Report} options.report
 */
export function createPrograms({ root, folder, id, state, urls, textsOf, report }) {
  const prefix = `${id.toUpperCase().replaceAll("-", "_")}_`;
  const environment = (program, variables) => ({
    ...process.env,
    TEMPL_DEV_MODE: "true",
    TEMPL_DEV_MODE_ROOT: textsOf(program),
    TEMPL_DEV_MODE_WATCH_ROOT: join(root, "web"),
    ...variables,
  });
  const hear = (quiet) => (line) => {
    const text = logLine(line, quiet);
    if (text !== null) {
      report.text(text);
    }
  };
  let key = ""; // the same at every start
  const wix = new Service({
    health: "/_sim/health",
    alone: true, // its file has one writer
    command: async (port, program) => ({
      args: [
        "sim",
        `--addr=127.0.0.1:${port}`,
        `--app-id=${state.appId}`,
        `--app-secret=${state.appSecret}`,
        `--app-url=${urls.app}`,
        `--data=${join(folder, "wix.json")}`,
      ],
      env: environment(program, {}),
    }),
    onLine: hear(true),
    onCrash: (text) => report.fault("the offline Wix", "ended by itself", text),
  });
  const app = new Service({
    health: "/readyz",
    alone: false,
    command: async (port, program) => {
      key ||= await publicKey(urls.wix);
      return {
        args: ["serve"],
        env: environment(program, {
          // A database of one's own may be tried.
          [`${prefix}DATABASE_URL`]:
            process.env[`${prefix}DATABASE_URL`] ?? `sqlite:${join(folder, "app.db")}`,
          [`${prefix}ADDR`]: `127.0.0.1:${port}`,
          [`${prefix}ADMIN_ADDR`]: "127.0.0.1:0",
          [`${prefix}PUBLIC_URL`]: urls.app,
          WIX_API_URL: urls.wix,
          WIX_APP_ID: state.appId,
          WIX_APP_SECRET: state.appSecret,
          WIX_PUBLIC_KEY: key,
        }),
      };
    },
    onLine: hear(false),
    onCrash: (text) => report.fault("the app", "ended by itself", text),
  });
  return { app, wix };
}

/** The webhook key of the offline Wix, as WIX_PUBLIC_KEY takes it. */
async function publicKey(wix) {
  const answer = await fetch(`${wix}/_sim/public-key`);
  if (!answer.ok) {
    throw new Error(`read the webhook key of the offline Wix: status ${answer.status}`);
  }
  return Buffer.from(await answer.text()).toString("base64");
}
