// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished, vi } from "vitest";
import type { Container, ContainerStatus, Pod } from "@hot/spec";
import type { Catalogue, ImageEntry } from "../../src/catalogue.ts";
import { startNode, type NodeAgent, type NodeOptions } from "../../src/node/agent.ts";
import { startTimeOf } from "../../src/node/process.ts";
import { FakeApi } from "./fake-api.ts";

export interface Harness {
  api: FakeApi;
  agent: NodeAgent;
  dir: string;
  log: string[];
}

/** An image that runs a shell script. */
export function script(text: string, more: Partial<ImageEntry> = {}): ImageEntry {
  return {
    entrypoint: ["/bin/sh", "-c", text],
    env: { SHM: "$(SHM)", POD_IP: "$(POD_IP)", NAME: "$(CONTAINER)" },
    ...more,
  };
}

/** Waits for TERM and ends with 0, as a good container does; says so as soon as it would. */
export const OBEDIENT = script('trap "exit 0" TERM; echo obeys; while :; do sleep 60 & wait $!; done');

/** A node with these images in a folder of its own; both are gone after the test. */
export async function startHarness(images: Catalogue["images"], options: Partial<NodeOptions> = {}): Promise<Harness> {
  const dir = mkdtempSync(join(tmpdir(), "hot-node-"));
  const api = new FakeApi();
  const log: string[] = [];
  const agent = await startNode({ api, dir, catalogue: { images }, log: (line) => log.push(line), ...options });
  onTestFinished(async (context) => {
    if (context.task.result?.state === "fail")
      console.log(log.join("\n"), JSON.stringify(api.history.at(-1)?.status, null, 1));
    await agent.stop();
    rmSync(dir, { recursive: true, force: true });
  });
  return { api, agent, dir, log };
}

export function container(name: string, image: string, more: Partial<Container> = {}): Container {
  return { name, image, imagePullPolicy: "IfNotPresent", ...more };
}

export function statusOf(pod: Pod, name: string): ContainerStatus | undefined {
  return [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])].find(
    (one) => one.name === name,
  );
}

export function isReady(pod: Pod): boolean {
  return pod.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
}

/** What the API showed about a container, state by state, without repetitions. */
export function states(api: FakeApi, pod: string, name: string, show: (status: ContainerStatus) => string): string[] {
  const all = api.history.filter((one) => one.metadata.name === pod).map((one) => statusOf(one, name));
  return all
    .flatMap((status) => (status === undefined ? [] : [show(status)]))
    .filter((text, i, list) => text !== list[i - 1]);
}

/** What a container has printed; `instance` counts its starts from 0. */
export function output(harness: Harness, pod: Pod, name: string, instance = 0): string {
  return readFileSync(join(harness.dir, "pods", pod.metadata.uid ?? "", name, `${instance}.log`), "utf8");
}

/** As long as a test may wait for anything; on a busy machine a start of Node takes seconds. */
const PATIENCE = { timeout: 30_000, interval: 10 };

/** Resolves with what `look` answers once that is neither undefined nor false. */
export function eventually<T>(what: string, look: () => T | undefined | false): Promise<T> {
  return vi.waitFor(() => {
    const found = look();
    if (found === undefined || found === false) throw new Error(`waited in vain: ${what}`);
    return found;
  }, PATIENCE);
}

/** Resolves when the container has printed a line that matches, with that match. */
export function printed(
  harness: Harness,
  pod: Pod,
  name: string,
  pattern: RegExp,
  instance = 0,
): Promise<RegExpExecArray> {
  const file = join(harness.dir, "pods", pod.metadata.uid ?? "", name, `${instance}.log`);
  return eventually(`${pattern} of ${name}`, () => pattern.exec(contentOf(file)) ?? undefined);
}

/** Resolves when an {@link OBEDIENT} container would end with 0: it is ready as soon as its process exists, a little earlier. */
export function obeys(harness: Harness, pod: Pod, name: string, instance = 0): Promise<RegExpExecArray> {
  return printed(harness, pod, name, /obeys/, instance);
}

export function alive(pid: number | string): boolean {
  return startTimeOf(Number(pid)) !== undefined;
}

export function ended(pid: number | string): Promise<true> {
  return eventually(`end of process ${pid}`, () => !alive(pid));
}

/** Resolves with the content of a file once there is any. */
export function written(path: string): Promise<string> {
  return eventually(path, () => contentOf(path).trim() || undefined);
}

export function gone(path: string): Promise<true> {
  return eventually(`end of ${path}`, () => !existsSync(path));
}

function contentOf(path: string): string {
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}
