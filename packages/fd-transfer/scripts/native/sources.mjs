// SPDX-License-Identifier: Apache-2.0
// What the binaries are made from, and whether one is up to date.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { say } from "./report.mjs";

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

function filesIn(folder, endings) {
  return readdirSync(join(root, folder))
    .filter((name) => endings.some((ending) => name.endsWith(ending)))
    .sort()
    .map((name) => join(root, folder, name));
}

const scripts = filesIn("scripts/native", [".map", ".mjs"]);
const addonFiles = filesIn("native", [".cc", ".h"]);
const standbyFiles = filesIn("standby", [".c"]);

export const sources = {
  addon: addonFiles.filter((file) => file.endsWith(".cc")),
  standby: standbyFiles,
};

function hashOf(files, facts) {
  const hash = createHash("sha256").update(JSON.stringify(facts));
  for (const file of files) hash.update(relative(root, file)).update("\0").update(readFileSync(file)).update("\0");
  return hash.digest("hex");
}

/** Names the sources of `what` ("addon" or "standby") and all else that decides what the compiler makes of them. */
export function keyOf(what, facts) {
  return hashOf([...scripts, ...(what === "addon" ? addonFiles : standbyFiles)], facts);
}

/**
 * Makes `file` unless it is there with this key. `make` writes under a name of its own, which is then put in place: two
 * builds at once are fine. It returns what to say besides the size.
 */
export async function upToDate(file, key, make) {
  const stamp = `${file}.key`;
  if (existsSync(file) && existsSync(stamp) && readFileSync(stamp, "utf8") === key) return;
  mkdirSync(dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}`;
  const remark = await make(temporary);
  renameSync(temporary, file);
  writeFileSync(stamp, key);
  say(`${relative(root, file)}: ${statSync(file).size.toLocaleString("en")} bytes${remark}`);
}
