// SPDX-License-Identifier: Apache-2.0
// pnpm bench NAME: runs bench/NAME/run.ts on the sources.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

const names = readdirSync(import.meta.dirname).filter((name) => existsSync(join(import.meta.dirname, name, "run.ts")));
const [name, ...rest] = process.argv.slice(2).filter((one) => one !== "--");
if (name === undefined || !names.includes(name)) {
  process.stderr.write(
    `hot: ${name ?? "no name"} is not a bench\n  usage: pnpm bench NAME, with NAME one of: ${names.join(", ")}\n`,
  );
  process.exit(2);
}
const file = join(import.meta.dirname, name, "run.ts");
const { status } = spawnSync(process.execPath, ["--conditions=@hot/source", file, ...rest], { stdio: "inherit" });
process.exit(status ?? 1);
