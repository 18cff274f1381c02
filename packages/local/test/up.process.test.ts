// SPDX-License-Identifier: Apache-2.0
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { RESOURCES, type Api } from "@hot/kube";
import type { Pod } from "@hot/spec";
import { startCluster } from "../src/up.ts";
import { isReady, OBEDIENT, script, statusOf } from "./node/node-harness.ts";

let dir = "";
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "hot-up-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
});

const deployment = (image: string, replicas: number): object => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "web", namespace: "default" },
  spec: {
    replicas,
    selector: { matchLabels: { app: "web" } },
    template: {
      metadata: { labels: { app: "web" } },
      spec: {
        containers: [
          { name: "x", image, readinessProbe: { exec: { command: ["true"] } } },
          { name: "y", image },
        ],
      },
    },
  },
});

async function until(api: Api, accept: (pods: Pod[]) => boolean): Promise<Pod[]> {
  return vi.waitFor(
    async () => {
      const { items } = await api.list<Pod>(RESOURCES.pods, { namespace: "default" });
      if (!accept(items)) throw new Error(JSON.stringify(items.map(({ status }) => status)));
      return items;
    },
    { timeout: 60_000, interval: 20 },
  );
}

async function connectTo(url: string): Promise<void> {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  await once(socket, "connect");
  socket.destroy();
}

test("a Deployment runs, a container's image changes in place, a deletion ends the processes, stop leaves nothing", async () => {
  const told = script("exec sleep 1000");
  const cluster = await startCluster({ dir, images: { images: { told, "b:1": OBEDIENT } } });
  onTestFinished(() => cluster.stop());
  const { api } = cluster;
  await api.create(RESOURCES.deployments, deployment("told", 2));
  const pods = await until(api, (all) => all.length === 2 && all.every(isReady));
  const [first] = pods;
  const body = { spec: { containers: [{ name: "x", image: "b:1" }] } };
  await api.patch(RESOURCES.pods, first!.metadata.name!, { type: "strategic", body }, { namespace: "default" });
  const changed = await until(api, (all) => all.some((pod) => statusOf(pod, "x")?.image === "b:1" && isReady(pod)));
  const after = changed.find(({ metadata }) => metadata.uid === first!.metadata.uid)!;
  expect(statusOf(after, "x")?.restartCount).toBe(1);
  expect(statusOf(after, "y")).toEqual(statusOf(first!, "y"));
  expect(after.status?.observedGeneration).toBe(after.metadata.generation);
  const ready = after.status?.conditions?.find(({ type }) => type === "Ready");
  expect(ready).toMatchObject({ status: "True", observedGeneration: after.metadata.generation });
  expect(ready).not.toHaveProperty("reason");

  await api.delete(RESOURCES.pods, after.metadata.name!, { namespace: "default", gracePeriodSeconds: 2 });
  await until(api, (all) => all.every(({ metadata }) => metadata.uid !== after.metadata.uid) && all.length === 2);
  await cluster.stop();
  expect(readdirSync(join(dir, "node"))).toEqual([]);
  await expect(connectTo(cluster.url)).rejects.toThrow("ECONNREFUSED");
});

test("a taken port is one clear error, and nothing is left", async () => {
  const blocker = createServer().listen(0, "127.0.0.1");
  await once(blocker, "listening");
  onTestFinished(() => void blocker.close());
  const { port } = blocker.address() as AddressInfo;
  await expect(startCluster({ dir, images: { images: {} }, apiPort: port })).rejects.toThrow(
    `the API cannot listen on 127.0.0.1:${port}`,
  );
});

test("a folder that cannot be written is one clear error", async () => {
  writeFileSync(join(dir, "file"), "");
  await expect(startCluster({ dir: join(dir, "file"), images: { images: {} } })).rejects.toThrow(/cannot be written/);
});

test("a folder in which a cluster runs is refused, and that cluster goes on", async () => {
  const first = await startCluster({ dir, images: { images: { a: OBEDIENT } } });
  onTestFinished(() => first.stop());
  const second = startCluster({ dir, images: { images: {} } });
  await expect(second).rejects.toThrow(
    `${dir} cannot be used: process ${process.pid} runs a cluster in it; stop that cluster or name another folder`,
  );
  await connectTo(first.url);
  await first.stop();
  const third = await startCluster({ dir, images: { images: {} } });
  await third.stop();
});

test("a node that cannot start takes the API down with it", async () => {
  writeFileSync(join(dir, "node"), "in the way");
  const log: string[] = [];
  const start = startCluster({ dir, images: { images: {} }, log: (line) => log.push(line) });
  await expect(start).rejects.toThrow(/node/);
  const [url = ""] = /https:\S+:\d+/.exec(log.join("\n")) ?? [];
  expect(url).not.toBe("");
  await expect(connectTo(url)).rejects.toThrow("ECONNREFUSED");
});

test("a catalogue that is wrong is refused before anything starts", async () => {
  writeFileSync(join(dir, "images.yaml"), "images: { a: { entrypoint: run } }");
  await expect(startCluster({ dir, images: join(dir, "images.yaml") })).rejects.toThrow(
    'images["a"].entrypoint: must be a list of strings, but it is "run"; write "entrypoint: [a, b]", numbers in quotes',
  );
  expect(readdirSync(dir)).toEqual(["images.yaml"]);
});
