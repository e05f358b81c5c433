// Says at the terminal and in the browser what has been done, and what cannot be.

/** @param {{ write: (text: string) => void }} out */
export class Report {
  #out;
  #faults = new Map();
  #browser = null;

  constructor(out) {
    this.#out = out;
  }

  /** Shows the faults in the pages of a Vite server, those that open later, too. */
  connect(vite) {
    this.#browser = vite;
    vite.ws.on("connection", (socket) => {
      const payload = this.#payload();
      if (payload) {
        socket.send(JSON.stringify(payload));
      }
    });
  }

  /** One line: which file, what was done, and how long that took. */
  line(what, done, ms) {
    const time = new Date().toTimeString().slice(0, 8);
    const took = ms === undefined ? "" : `  ${duration(ms)}`;
    this.text(`${time}  ${what}  ${done}${took}`);
  }

  text(text) {
    this.#out.write(`${text}\n`);
  }

  /** A fault of a part of the work, which lasts until the part is fixed. */
  fault(part, title, detail) {
    this.#faults.set(part, { title, detail });
    this.line(part, title);
    this.text(detail.replace(/^/gm, "  "));
    this.#browser?.ws.send(this.#payload());
  }

  fixed(part) {
    if (this.#faults.delete(part)) {
      this.#browser?.ws.send(this.#payload() ?? { type: "custom", event: "dev:fixed" });
    }
  }

  get problem() {
    const [fault] = this.#faults.values();
    return fault ? `${fault.title}\n\n${fault.detail}` : "The first build is under way.";
  }

  #payload() {
    const [fault] = this.#faults.values();
    return fault && { type: "error", err: { message: fault.title, stack: fault.detail } };
  }
}

const duration = (ms) => (ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);

/** Names the files of a change: the first, and how many more there are. */
export function names(paths) {
  const [first, ...more] = paths;
  return more.length === 0 ? first : `${first} and ${more.length} more`;
}

/** Makes Go's relative positions absolute, so that Vite's overlay opens them in an editor. */
export function positions(output, root) {
  return output.replace(/^(?:\.\/)?([\w./-]+\.(?:go|templ):\d+:\d+)/gm, `${root}/$1`);
}

/** What the app says at each of its starts and ends. */
const usual = new Set(["listening", "ending", "ended"]);

/**
 * Makes a line of a program's output one for people, or null where it is of no interest.
 * Of a quiet program only warnings and errors are.
 */
export function logLine(line, quiet) {
  let entry = {};
  try {
    entry = JSON.parse(line);
  } catch {
    // not of the log
  }
  const { time, level, msg, ...rest } = entry;
  if (level === undefined || msg === undefined) {
    return quiet ? null : line;
  }
  if ((quiet && level === "INFO") || usual.has(msg)) {
    return null;
  }
  const values = Object.entries(rest).map(([key, value]) => ` ${key}=${text(value)}`);
  return `${level} ${msg}${values.join("")}`;
}

const text = (value) => (typeof value === "string" ? value : JSON.stringify(value));
