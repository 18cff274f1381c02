// SPDX-License-Identifier: Apache-2.0
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { connect } from "@hot/kube";
import { afterAll } from "vitest";
import { startApiServer } from "../../src/api/server.ts";
import { startNode } from "../../src/node/agent.ts";
import { nodeContract } from "./contract.ts";
import { imageOf, SCRIPTS, type NodeTarget } from "./target.ts";

const run = promisify(execFile);

const catalogue = {
  images: Object.fromEntries(
    Object.entries(SCRIPTS).map(([tag, image]) => {
      const env = "env" in image ? { env: image.env } : {};
      return [imageOf(tag as keyof typeof SCRIPTS), { entrypoint: ["/bin/sh", "-c", image.script], ...env }];
    }),
  ),
};

const stack = new AsyncDisposableStack();
// registered before the contract's own, so that it runs after it
afterAll(() => stack.disposeAsync());

nodeContract(async (): Promise<NodeTarget> => {
  const dir = mkdtempSync(join(tmpdir(), "hot-node-contract-"));
  stack.defer(() => rmSync(dir, { recursive: true, force: true }));
  const server = await startApiServer({ dir });
  stack.defer(() => server.stop());
  const api = stack.use(connect({ kubeconfig: server.kubeconfigPath, userAgent: "hot-contract" }));
  const node = await startNode({ api, dir: join(dir, "node"), catalogue });
  stack.defer(() => node.stop());
  const pods = join(dir, "node", "pods");
  return {
    api,
    nodeName: "local",
    exec: async ({ metadata }, container, script) => {
      const folders = readdirSync(join(pods, metadata.uid ?? "", container)).filter((name) => /^\d+$/.test(name));
      const newest = String(Math.max(...folders.map(Number)));
      return (await run("sh", ["-c", script], { cwd: join(pods, metadata.uid ?? "", container, newest) })).stdout;
    },
    crash: () => Promise.resolve(node.crash()),
    restart: () => node.restart(),
  };
});
