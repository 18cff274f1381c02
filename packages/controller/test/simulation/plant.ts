// SPDX-License-Identifier: Apache-2.0
import { registerHooks } from "node:module";
import { BUGS } from "./bugs.ts";

/**
 * Puts a known bug into the controller's code while it is loaded; the files stay as they are. Has to be called before
 * the code is imported.
 */
export function plant(name: string): void {
  const bug = BUGS.find((one) => one.name === name);
  if (bug === undefined) throw new Error(`no such bug: ${name}; known: ${BUGS.map((one) => one.name).join("; ")}`);
  registerHooks({
    load: (url, context, nextLoad) => {
      const loaded = nextLoad(url, context);
      const changes = bug.changes.filter(({ file }) => url.endsWith(`/controller/src/${file}`));
      if (changes.length === 0 || loaded.source === undefined) return loaded;
      return { ...loaded, source: changes.reduce(changed, Buffer.from(loaded.source as string).toString()) };
    },
  });
}

function changed(source: string, { file, from, to }: (typeof BUGS)[number]["changes"][number]): string {
  const parts = source.split(from);
  if (parts.length !== 2) throw new Error(`${file} has ${parts.length - 1} places to plant a bug in, not 1: ${from}`);
  return parts.join(to);
}
