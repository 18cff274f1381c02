// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FixtureProcess } from "../../../packages/fd-transfer/test/fixtures/fixture-process.ts";

/** A process of bench/handoff/servers. */
export function startServer(script: string, env: NodeJS.ProcessEnv): FixtureProcess {
  return new FixtureProcess(new URL(`../servers/${script}`, import.meta.url).href, env);
}

/** A new folder, and how to take it away. */
export class Folder {
  readonly path = mkdtempSync(join(tmpdir(), "bench-handoff-"));

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
