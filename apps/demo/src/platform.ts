// SPDX-License-Identifier: Apache-2.0
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { RESOURCES, type Api } from "@hot/kube";
import { startCluster, type Catalogue } from "@hot/local";
import { sidecarSetCrd } from "@hot/spec";
import { freePort } from "./free-port.ts";
import { program } from "./images.ts";

/** The embedded cluster with the webhook application running in it, as a deployed one would be. */
export interface Platform {
  api: Api;
  kubeconfigPath: string;
  dir: string;
  /** Rejects when a part ends that should go on. */
  failed: Promise<never>;
  stop(): Promise<void>;
}

const WEBHOOK_READY_MS = 30_000;

/** Starts everything in `dir`, which must exist; on failure nothing is left running. */
export async function startPlatform(options: { dir: string; images: Catalogue; apiPort?: number }): Promise<Platform> {
  const { dir, images, apiPort } = options;
  const cluster = await startCluster({ dir, images, ...(apiPort === undefined ? {} : { apiPort }) });
  try {
    await cluster.api.create(RESOURCES.customResourceDefinitions, sidecarSetCrd());
    const webhook = await startWebhook(cluster.kubeconfigPath, join(dir, "webhook.log"));
    let stopping = false;
    const failed = once(webhook, "exit").then(([code]) => {
      if (stopping) return new Promise<never>(() => undefined);
      throw new Error(`the webhook application ended (exit code ${code}); its log: ${join(dir, "webhook.log")}`);
    });
    failed.catch(() => undefined); // whoever waits for it sees it
    return {
      api: cluster.api,
      kubeconfigPath: cluster.kubeconfigPath,
      dir,
      failed,
      stop: async () => {
        stopping = true;
        await endProcess(webhook);
        await cluster.stop();
      },
    };
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

async function startWebhook(kubeconfig: string, log: string): Promise<ChildProcess> {
  const [port, healthPort] = [await freePort(), await freePort()];
  const [command = process.execPath, ...words] = program("webhook", "main");
  const flags = [
    "--kubeconfig",
    kubeconfig,
    "--host",
    "127.0.0.1",
    "--port",
    String(port),
    "--health-port",
    String(healthPort),
  ];
  const url = `https://127.0.0.1:${port}`;
  const child = spawn(command, [...words, ...flags, "--url", url], {
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const file = createWriteStream(log);
  child.stdout.pipe(file);
  child.stderr.pipe(file);
  const deadline = Date.now() + WEBHOOK_READY_MS;
  while (!(await isReady(healthPort))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      await endProcess(child);
      throw new Error(`the webhook application did not become ready; its log: ${log}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return child;
}

async function isReady(healthPort: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${healthPort}/readyz`)).ok;
  } catch {
    return false;
  }
}

async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  const kill = setTimeout(() => child.kill("SIGKILL"), 10_000);
  await ended;
  clearTimeout(kill);
}
