// SPDX-License-Identifier: Apache-2.0
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Api } from "@hot/kube";
import type { SidecarSet } from "@hot/spec";
import { SIDECAR_SETS } from "../../../apps/demo/src/fleet.ts";
import { NAMESPACES, SET } from "./objects.ts";

const MAIN = join(import.meta.dirname, "../../../apps/webhook/src/main.ts");
const LIMIT_MS = 120_000;

/** The application in the role of the controller, as a process of its own. `flags`: of Node, such as --cpu-prof. */
export async function startController(
  kubeconfig: string,
  api: Api,
  pods: number,
  flags: readonly string[],
): Promise<{ readonly pid: number } & AsyncDisposable> {
  const args = ["--kubeconfig", kubeconfig, "--role", "controller", "--namespace", NAMESPACES.system];
  const child = spawn(
    process.execPath,
    ["--conditions=@hot/source", ...flags, MAIN, ...args, "--host", "127.0.0.1", "--health-port", "0"],
    { stdio: ["ignore", "ignore", "inherit"] },
  );
  // It must not outlive a bench that is ended by a signal: another cluster may get the same address.
  process.once("exit", () => child.kill("SIGKILL"));
  const ended = once(child, "exit");
  const stop = async (): Promise<void> => {
    child.kill();
    await ended;
  };
  try {
    const end = performance.now() + LIMIT_MS;
    for (;;) {
      const { status } = await api.get<SidecarSet>(SIDECAR_SETS, SET);
      if (status?.matchedPods === pods && status.readyPods === pods) break;
      if (child.exitCode !== null || performance.now() > end) throw new Error("the controller does not get ready");
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return { pid: child.pid ?? 0, [Symbol.asyncDispose]: stop };
}
