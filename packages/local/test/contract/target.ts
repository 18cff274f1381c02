// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { Agent, request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { vi } from "vitest";
import { parse } from "yaml";
import { type ApiServerOptions, startApiServer } from "../../src/api/server.ts";

// A loaded machine is slow, not wrong.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

/** An API to test: where it is and how to prove who we are. */
export interface Target {
  url: string;
  agent: Agent;
  close(): Promise<void>;
}

export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests read into answers of every shape
  body: any;
}

/**
 * The API under test: the cluster of `HOT_CONTRACT_KUBECONFIG` if that is set, else an embedded one of its own.
 * Tests therefore use only what both have, and their own namespaces and cluster-scoped names.
 */
export async function target(options: Partial<ApiServerOptions> = {}): Promise<Target> {
  const existing = process.env.HOT_CONTRACT_KUBECONFIG;
  const dir = await mkdtemp(join(tmpdir(), "hot-contract-"));
  const server = existing === undefined ? await startApiServer({ dir, ...options }) : undefined;
  const config = parse(await readFile(existing ?? server!.kubeconfigPath, "utf8")) as {
    clusters: { cluster: Record<string, string> }[];
    users: { user: Record<string, string> }[];
  };
  const [{ cluster }, { user }] = [config.clusters[0]!, config.users[0]!];
  const pem = (text: string | undefined): Buffer => Buffer.from(text ?? "", "base64");
  const agent = new Agent({
    keepAlive: true,
    ca: pem(cluster["certificate-authority-data"]),
    cert: pem(user["client-certificate-data"]),
    key: pem(user["client-key-data"]),
  });
  return {
    url: cluster.server!,
    agent,
    async close() {
      agent.destroy();
      await server?.stop();
      await rm(dir, { recursive: true });
    },
  };
}

export interface CallOptions {
  body?: unknown;
  headers?: Record<string, string>;
}

/** One request; a body that is no text is sent as JSON. */
export function call(
  on: Target,
  method: string,
  path: string,
  { body, headers = {} }: CallOptions = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const text = typeof body === "string" || Buffer.isBuffer(body) || body === undefined ? body : JSON.stringify(body);
    const type: Record<string, string> =
      text === undefined
        ? {}
        : { "content-type": "application/json", "content-length": String(Buffer.byteLength(text)) };
    const outgoing = request(
      on.url + path,
      { method, agent: on.agent, headers: { ...type, ...headers } },
      (response) => {
        let received = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => (received += chunk));
        response.on("error", reject);
        response.on("end", () => {
          const json = String(response.headers["content-type"]).startsWith("application/json");
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: json ? JSON.parse(received) : received,
          });
        });
      },
    );
    outgoing.on("error", reject);
    outgoing.end(text);
  });
}

export const PATCH_TYPES = {
  json: "application/json-patch+json",
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
} as const;

export function patch(on: Target, path: string, type: keyof typeof PATCH_TYPES, body: unknown): Promise<Answer> {
  return call(on, "PATCH", path, { body, headers: { "content-type": PATCH_TYPES[type] } });
}

// oxlint-disable-next-line typescript/no-explicit-any -- events carry objects of every shape
export type Line = { type: string; object: any };

/** A running watch: `next()` gives one event after the other, undefined at its end. */
export interface Watching {
  next(): Promise<Line | undefined>;
  stop(): void;
}

export function watch(on: Target, path: string, headers: Record<string, string> = {}): Promise<Watching> {
  return new Promise((resolve, reject) => {
    const outgoing = request(on.url + path, { agent: on.agent, headers }, (response) => {
      const lines = readLines(response);
      resolve({
        next: async () => {
          const { value, done } = await lines.next();
          return done ? undefined : (JSON.parse(value) as Line);
        },
        stop: () => outgoing.destroy(),
      });
    });
    outgoing.on("error", reject);
    outgoing.end();
  });
}

async function* readLines(stream: AsyncIterable<Buffer>): AsyncGenerator<string, undefined> {
  let rest = "";
  for await (const chunk of stream) {
    const parts = (rest + chunk.toString("utf8")).split("\n");
    rest = parts.pop() ?? "";
    yield* parts;
  }
  return undefined;
}

let counter = 0;

/** A name that no other test uses. */
export const unique = (prefix: string): string =>
  `${prefix}-${process.pid.toString(36)}-${Date.now().toString(36)}-${counter++}`;

/** A namespace of its own. */
export async function namespace(on: Target): Promise<string> {
  const name = unique("contract");
  const { status } = await call(on, "POST", "/api/v1/namespaces", { body: { metadata: { name } } });
  if (status !== 201) throw new Error(`namespace ${name}: ${status}`);
  return name;
}

/** A pod that no scheduler takes, so that it stays as the test made it. */
export const pod = (name: string, more: { metadata?: object; spec?: object } = {}) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, ...more.metadata },
  spec: { schedulerName: "nobody", containers: [{ name: "app", image: "app:1" }], ...more.spec },
});
