// SPDX-License-Identifier: Apache-2.0
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url));

let dir: string;
let api: Server;
let child: ChildProcess | undefined;
/** `PATH` of objects that the API server has. */
let objects: Map<string, object>;

/** Just enough of an API server: objects by path, an empty list and a watch without events for everything else. */
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "hot-webhook-"));
  objects = new Map([
    ["/apis/apiextensions.k8s.io/v1/customresourcedefinitions/sidecarsets.apps.kruise.io", { metadata: { name: "x" } }],
  ]);
  api = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "", "http://x");
    const answer = (status: number, body: object): void => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(body));
    };
    let text = "";
    request.on("data", (chunk: Buffer) => (text += chunk.toString()));
    request.on("end", () => {
      if (request.method === "GET") {
        const isList = /\/(sidecarsets|namespaces|controllerrevisions|pods)$/.test(pathname);
        if (isList && searchParams.get("watch") === "true") return response.writeHead(200).flushHeaders();
        if (isList) return answer(200, { metadata: { resourceVersion: "1" }, items: [] });
        const object = objects.get(pathname);
        return object === undefined ? answer(404, { kind: "Status", code: 404 }) : answer(200, object);
      }
      if (request.method === "DELETE") {
        const found = objects.get(pathname);
        objects.delete(pathname);
        return answer(found === undefined ? 404 : 200, found ?? { kind: "Status", code: 404 });
      }
      const object = JSON.parse(text) as { metadata?: { name: string } };
      if (request.method === "POST") objects.set(`${pathname}/${object.metadata?.name}`, object);
      answer(request.method === "POST" ? 201 : 200, object);
    });
  });
  api.listen(0, "127.0.0.1");
  await once(api, "listening");
  const { port } = api.address() as AddressInfo;
  writeFileSync(
    join(dir, "kubeconfig"),
    JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name: "c", cluster: { server: `http://127.0.0.1:${port}` } }],
      users: [{ name: "u", user: {} }],
      contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
      "current-context": "x",
    }),
  );
});

afterEach(async () => {
  if (child !== undefined && child.exitCode === null && child.signalCode === null) {
    child.kill("SIGKILL");
    await once(child, "exit");
  }
  child = undefined;
  api.closeAllConnections();
  api.close();
  await once(api, "close");
  rmSync(dir, { recursive: true });
});

interface Run {
  process: ChildProcess;
  /** JSON lines of the log so far. */
  lines: { msg: string; level: string; [field: string]: unknown }[];
  stderr(): string;
  /** Resolves with the line that has this message. */
  line(message: string): Promise<Run["lines"][number]>;
  exit: Promise<number | null>;
}

function start(...flags: string[]): Run {
  const started = spawn(process.execPath, ["--conditions=@hot/source", MAIN, ...flags], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  child = started;
  const lines: Run["lines"] = [];
  const waiting: (() => void)[] = [];
  let rest = "";
  let errors = "";
  started.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  started.stdout.on("data", (chunk: Buffer) => {
    const parts = (rest + chunk.toString()).split("\n");
    rest = parts.pop() ?? "";
    lines.push(...parts.map((part) => JSON.parse(part) as Run["lines"][number]));
    for (const check of waiting) check();
  });
  const exit = once(started, "close").then(([code]) => code as number | null);
  return {
    process: started,
    lines,
    stderr: () => errors,
    exit,
    line: (message) =>
      new Promise((resolve, reject) => {
        const check = (): void => {
          const found = lines.find(({ msg }) => msg === message);
          if (found !== undefined) resolve(found);
        };
        waiting.push(check);
        check();
        void exit.then(() => reject(new Error(`ended without "${message}": ${errors}`)));
      }),
  };
}

const flags = (...more: string[]): string[] => {
  const common = {
    kubeconfig: join(dir, "kubeconfig"),
    host: "127.0.0.1",
    port: "0",
    "health-port": "0",
    role: "webhook",
  };
  const url = { url: "https://127.0.0.1:9443" };
  return [...Object.entries({ ...common, ...url }).flatMap(([name, value]) => [`--${name}`, value]), ...more];
};

describe("a start that can't succeed is one clear message", () => {
  test("a bad flag: exit 2, nothing on standard output", async () => {
    const run = start("--port", "http");
    expect(await run.exit).toBe(2);
    expect(run.lines).toEqual([]);
    expect(run.stderr()).toBe(
      'hot-webhook: --port is "http", but has to be a port number from 0 (any) to 65535. See --help. (HOT5001)\n',
    );
  });

  test("a port that is taken: exit 1", async () => {
    const { port } = api.address() as AddressInfo;
    const run = start(...flags("--port", String(port)));
    expect(await run.exit).toBe(1);
    expect(run.stderr()).toMatch(
      new RegExp(`^hot-webhook: 127\\.0\\.0\\.1:${port}: The port is in use.*HOT5004\\)\\n$`),
    );
  });

  test("a kubeconfig that is not there: exit 1 and its path", async () => {
    const run = start("--kubeconfig", join(dir, "missing"));
    expect(await run.exit).toBe(1);
    expect(run.stderr()).toContain(join(dir, "missing"));
    expect(run.stderr().trimEnd()).not.toContain("\n");
  });
});

test("registers, says ready, answers the probes, and ends with 0 on SIGTERM", async () => {
  const run = start(...flags());
  const { healthPort } = (await run.line("ready")) as unknown as { healthPort: number };
  expect([...objects.keys()].filter((path) => path.includes("webhook"))).toHaveLength(3);
  for (const path of ["healthz", "readyz"]) {
    expect((await fetch(`http://127.0.0.1:${healthPort}/${path}`)).status).toBe(200);
  }
  expect(await (await fetch(`http://127.0.0.1:${healthPort}/metrics`)).text()).toContain(
    "hot_cert_expiry_timestamp_seconds",
  );
  run.process.kill("SIGTERM");
  expect(await run.exit).toBe(0);
  expect(run.lines.at(-1)).toMatchObject({ level: "info", msg: "stopped" });
  for (const line of run.lines) expect(line).toMatchObject({ time: expect.any(String) as unknown, level: "info" });
});

test("alive but not ready while the CustomResourceDefinition is missing, and ends with 0 on SIGTERM", async () => {
  objects.clear();
  const run = start(...flags("--health-port", "0"));
  const failure = await run.line("not registered");
  expect(failure["err"]).toMatchObject({ message: expect.stringContaining("HOT5002") as unknown });
  const { port } = (await run.line("probes")) as unknown as { port: number };
  expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
  const readiness = await fetch(`http://127.0.0.1:${port}/readyz`);
  expect(readiness.status).toBe(503);
  expect(await readiness.text()).toContain("registration");
  run.process.kill("SIGTERM");
  expect(await run.exit).toBe(0);
  expect(run.lines.map(({ msg }) => msg)).not.toContain("ready");
});

/** Kubernetes kills what has not ended 30 s after SIGTERM. */
const GRACE_MS = 30_000;

test.each(["from the start", "after a while"])(
  "an API server that is silent %s does not hold up the end on SIGTERM",
  async (since) => {
    let silent = since === "from the start";
    const asked = new Promise<void>((resolve) => {
      api.prependListener("request", (_, response) => {
        if (!silent) return;
        response.writeHead = () => response;
        response.end = () => response;
        resolve();
      });
    });
    const run = start(...flags("--leaf-lifetime", "30s", "--authority-lifetime", "2m"));
    if (!silent) await run.line("ready");
    silent = true;
    await asked;
    run.process.kill("SIGTERM");
    expect(await run.exit).toBe(0);
  },
  GRACE_MS,
);

test("as controller only: ready when its caches are, and nothing is registered", async () => {
  const run = start(...flags("--role", "controller"));
  expect(await run.line("ready")).toMatchObject({ role: "controller" });
  expect([...objects.keys()].filter((path) => path.includes("webhook"))).toEqual([]);
  expect(run.lines.map(({ msg }) => msg)).not.toContain("listening");
  run.process.kill("SIGTERM");
  expect(await run.exit).toBe(0);
});

test("a replica that is not the leader is ready, and says that it does not lead", async () => {
  const lease = "/apis/coordination.k8s.io/v1/namespaces/hot-system/leases/hot-controller";
  const other = { holderIdentity: "other_1", leaseDurationSeconds: 15, leaseTransitions: 3 };
  objects.set(lease, { metadata: { name: "hot-controller", namespace: "hot-system" }, spec: other });
  const run = start(...flags("--role", "all"));
  const { healthPort } = (await run.line("ready")) as unknown as { healthPort: number };
  expect((await fetch(`http://127.0.0.1:${healthPort}/readyz`)).status).toBe(200);
  expect(await (await fetch(`http://127.0.0.1:${healthPort}/metrics`)).text()).toContain("hot_leader 0\n");
  run.process.kill("SIGTERM");
  expect(await run.exit).toBe(0);
  expect(run.lines.map(({ msg }) => msg)).not.toContain("became the leader");
  expect(objects.get(lease)).toMatchObject({ spec: other });
});

test("uninstall: deletes both configurations and ends with 0", async () => {
  const admission = "/apis/admissionregistration.k8s.io/v1";
  for (const plural of ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"]) {
    objects.set(`${admission}/${plural}/hot-webhook`, { metadata: { name: "hot-webhook" } });
  }
  const run = start("uninstall", "--kubeconfig", join(dir, "kubeconfig"));
  expect(await run.exit).toBe(0);
  expect([...objects.keys()].filter((path) => path.includes(admission))).toEqual([]);
  expect(run.lines.at(-1)).toMatchObject({ msg: "uninstalled" });
});
