// Reduces the Design System's stylesheets (1.9 MB for all its components) to what the panel can show.
//
// The Design System builds class names at run time: defineClassNames('button', {root: {states: ['disabled']}}) makes
// "wds_1_328_0-button--disabled". These names are not in the code, so rules are selected by block: all classes of a
// component whose code is in the bundle stay, with its parts, variants and states.
import { createHash } from "node:crypto";
import { basename } from "node:path";
import { PurgeCSS } from "purgecss";
import type { Plugin } from "vite";

/** The blocks (components) that a module of the Design System names its classes after. */
export function blocksIn(code: string): string[] {
  const named = code.matchAll(/(?:defineClassNames|createClassNames)\(\s*['"]([\w-]+)['"]/g);
  const stylable = code.matchAll(/_namespace_\s*=\s*['"]wds_\d+_\d+_\d+_(\w+)['"]/g);
  return [...named, ...stylable].map((match) => match[1] ?? "");
}

/** The block of a class of the Design System, or null for any other class. */
export function blockOf(className: string): string | null {
  const [, rest] = /^(?:wds_\d+_\d+_\d+[-_]|wds-)(.+)$/.exec(className) ?? [];
  return rest?.split(/__|--/)[0] ?? null;
}

/** PurgeCSS 8.0.0 drops :where(:not(…)), which every focus ring has. It leaves unknown pseudo-classes alone. */
const OPAQUE = ":-purge-where(";
const hideWhere = (css: string) =>
  css.replace(/(^|[{},;\s>+~])(?=:where\()/g, "$1*").replaceAll(":where(", OPAQUE);
const showWhere = (css: string) => css.replaceAll(OPAQUE, ":where(");

/** Returns the rules of the named blocks, and those whose names are in the code. */
export async function purge(css: string, blocks: Set<string>, code: string): Promise<string> {
  const selected = [...css.matchAll(/\.(-?[A-Za-z_][\w-]*)/g)]
    .map((match) => match[1] ?? "")
    .filter((name) => blocks.has(blockOf(name) ?? ""));
  const words = (text: string) => text.match(/[A-Za-z_-][\w-]*/g) ?? [];
  const [result] = await new PurgeCSS().purge({
    content: [{ raw: `${selected.join(" ")} html body ${code}`, extension: "txt" }],
    css: [{ raw: hideWhere(css) }],
    defaultExtractor: words,
    variables: true,
    keyframes: true,
    // Variables that scripts read or set by name.
    safelist: { variables: words(code).filter((word) => word.startsWith("--")) },
  });
  return showWhere(result?.css ?? "");
}

/** Purges every stylesheet of the bundle, and puts its new hash into its name. */
export function purgeDesignSystem(): Plugin {
  return {
    name: "purge-design-system",
    apply: "build",
    enforce: "post",
    generateBundle: {
      order: "post",
      async handler(_, bundle) {
        const blocks = new Set<string>();
        let code = "";
        for (const output of Object.values(bundle)) {
          if (output.type !== "chunk") {
            continue;
          }
          code += output.code;
          for (const [id, module] of Object.entries(output.modules)) {
            if (module.renderedLength === 0) {
              continue;
            }
            for (const block of blocksIn(this.getModuleInfo(id)?.code ?? "")) {
              blocks.add(block);
            }
          }
        }
        if (blocks.size === 0) {
          this.error("no class names of the Design System found in the bundle");
        }
        for (const output of Object.values(bundle)) {
          if (output.type !== "asset" || !output.fileName.endsWith(".css")) {
            continue;
          }
          const css = await purge(String(output.source), blocks, code);
          const hash = createHash("sha256").update(css).digest("hex").slice(0, 16);
          const fileName = output.fileName.replace(/-[0-9a-f]{16}\.css$/, `-${hash}.css`);
          const html = bundle["index.html"];
          if (html?.type !== "asset" || !String(html.source).includes(basename(output.fileName))) {
            this.error(`${output.fileName} is not linked from index.html`);
          }
          html.source = String(html.source).replace(basename(output.fileName), basename(fileName));
          delete bundle[output.fileName];
          this.emitFile({ type: "asset", fileName, source: css });
          for (const [name, other] of Object.entries(bundle)) {
            const image = other.type === "asset" && /\.(png|jpg|gif|svg|woff2?)$/.test(name);
            if (image && !css.includes(basename(name))) {
              delete bundle[name];
            }
          }
        }
      },
    },
  };
}
