// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { once } from "node:events";
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

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
