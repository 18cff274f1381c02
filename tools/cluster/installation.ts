// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { buildImages } from "../image/index.ts";
import { cacheFolder } from "./binaries.ts";

/** Archives with all images of this repository, made anew where something has changed. */
export async function projectImages(): Promise<string[]> {
  const built = await buildImages({ out: join(cacheFolder(), "images"), allInOne: true });
  return [...new Set(built.map(({ file }) => file))];
}

/** Installs or upgrades the chart with these images, and waits until it is ready. */
export function installChart(helm: string, kubeconfig: string): void {
  const chart = join(import.meta.dirname, "..", "..", "charts", "hot");
  const command = ["upgrade", "--install", "hot", chart, "--namespace", "hot-system", "--create-namespace"];
  execFileSync(helm, [...command, "--set", "image.tag=dev", "--wait", "--timeout", "120s"], {
    env: { ...process.env, KUBECONFIG: kubeconfig },
    stdio: ["ignore", "ignore", "inherit"],
  });
}
