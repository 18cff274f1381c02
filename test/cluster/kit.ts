// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { connect, RESOURCES, type Api, type KubeObject } from "@hot/kube";
import type { Pod, SidecarSet } from "@hot/spec";
import { inject, onTestFinished } from "vitest";
import { SIDECAR_SETS } from "../../apps/demo/src/fleet.ts";
import { startLoad as start } from "../../apps/demo/src/load/load.ts";
import { total, type TallySnapshot } from "../../apps/demo/src/load/tally.ts";
import { find, type Cluster } from "../../tools/cluster/cluster.ts";

/** False for a cluster that somebody else has made (`KUBECONFIG`): its processes can't be stopped by a test. */
export const own = inject("cluster") !== "";

/** The cluster that the tests share. Tests that need its processes are skipped where it is not our {@link own}. */
export function cluster(): Cluster {
  const found = find(inject("cluster"));
  if (found === undefined) throw new Error(`the cluster "${inject("cluster")}" does not run`);
  return found;
}

let connected: Api | undefined;

/** The API server, as administrator. */
export function api(): Api {
  return (connected ??= connect({ kubeconfig: inject("kubeconfig"), userAgent: "hot-test" }));
}

export function kubectl(args: readonly string[], input?: string): string {
  if (own) return cluster().kubectl(args, input);
  const env = { ...process.env, KUBECONFIG: inject("kubeconfig") };
  return execFileSync("kubectl", args, { encoding: "utf8", input, env, stdio: ["pipe", "pipe", "pipe"] });
}

/** `kubectl apply` of objects. */
export function apply(...objects: object[]): void {
  kubectl(["apply", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }));
}

/** A name that no other test uses. */
export const unique = (prefix: string): string => `${prefix}-${randomBytes(3).toString("hex")}`;

/** A new namespace, removed with all its pods when the test ends. */
export async function namespace(): Promise<string> {
  const name = unique("test");
  await api().create(RESOURCES.namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name } });
  onTestFinished(async () => {
    await api().delete(RESOURCES.namespaces, name);
    kubectl(["delete", "pods", "--all", "-n", name, "--grace-period=1", "--wait=false"]);
  });
  return name;
}

export const image = (version: string): string => `localhost/hot/sidecar-demo:${version}`;
export const EMPTY = "localhost/hot/standby:v1";
export const PROXY_PORT = 9091;

export interface SidecarSetOptions {
  name: string;
  namespace: string;
  version?: string;
  /** Merged into `spec.updateStrategy`. */
  updateStrategy?: object;
  /** Merged into the container. */
  container?: object;
}

/** The same as {@link newSidecarSet}, removed from the shared cluster when the test ends. */
export function sidecarSet(options: SidecarSetOptions): object {
  onTestFinished(() => void kubectl(["delete", "sidecarset", options.name, "--ignore-not-found", "--wait=false"]));
  return newSidecarSet(options);
}

/** A SidecarSet with one hot container `sidecar`, for the pods `app: web` of one namespace. */
export function newSidecarSet({
  name,
  namespace,
  version = "v1",
  updateStrategy,
  container,
}: SidecarSetOptions): object {
  const standby = (mode: string, ...rest: string[]): object => ({
    exec: { command: ["/hot-standby", mode, "--name", "sidecar", ...rest] },
  });
  return {
    apiVersion: "apps.kruise.io/v1beta1",
    kind: "SidecarSet",
    metadata: { name },
    spec: {
      selector: { matchLabels: { app: "web" } },
      namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } },
      updateStrategy: { type: "RollingUpdate", maxUnavailable: "100%", ...updateStrategy },
      containers: [
        {
          name: "sidecar",
          image: image(version),
          imagePullPolicy: "IfNotPresent",
          ports: [{ name: "proxy", containerPort: PROXY_PORT }],
          lifecycle: { postStart: standby("migrate", "--timeout", "30") },
          readinessProbe: { ...standby("probe"), periodSeconds: 1 },
          upgradeStrategy: { upgradeType: "HotUpgrade", hotUpgradeEmptyImage: EMPTY },
          ...container,
        },
      ],
    },
  };
}

export interface DeploymentOptions {
  name?: string;
  namespace: string;
  replicas: number;
  /** Value of the label `app`. */
  app?: string;
}

export function deployment({ name = "web", namespace, replicas, app = "web" }: DeploymentOptions): object {
  const labels = { app };
  const container = {
    name: "app",
    image: "localhost/hot/demo-app:v1",
    imagePullPolicy: "IfNotPresent",
    ports: [{ name: "http", containerPort: 8080 }],
    // Ready is what the load waits for: before the application listens, the sidecar rightly answers 502
    startupProbe: { tcpSocket: { port: "http" }, periodSeconds: 1, failureThreshold: 60 },
  };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [container] } },
    },
  };
}

/** The pods of a namespace that are not on their way out, by name. */
export async function pods(namespace: string): Promise<Pod[]> {
  const { items } = await api().list<Pod & KubeObject>(RESOURCES.pods, { namespace });
  const living = items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  return living.sort((a, b) => ((a.metadata.name ?? "") < (b.metadata.name ?? "") ? -1 : 1));
}

export function getSidecarSet(name: string): Promise<SidecarSet> {
  return api().get<SidecarSet & KubeObject>(SIDECAR_SETS, name);
}

/** Changes the image of the only container. */
export async function setVersion(name: string, version: string): Promise<void> {
  const body = [
    { op: "replace", path: "/spec/containers/0/image", value: version.includes("/") ? version : image(version) },
  ];
  await api().patch(SIDECAR_SETS, name, { type: "json", body });
}

/**
 * Polls until the check returns something. When it never does, the error says what was seen last: let the check throw,
 * or pass `seen`.
 */
export async function until<T>(
  what: string,
  check: () => T | undefined | false | Promise<T | undefined | false>,
  limitMs = 60_000,
  seen: () => unknown = () => undefined,
): Promise<T> {
  const end = performance.now() + limitMs;
  for (;;) {
    let last: unknown;
    try {
      const value = await check();
      if (value !== undefined && value !== false) return value;
      last = await seen();
    } catch (error) {
      last = error;
    }
    if (performance.now() > end) {
      const shown = last instanceof Error ? last.message : JSON.stringify(last, undefined, 1);
      throw new Error(`${what}: not within ${limitMs} ms; last seen: ${shown}`);
    }
    await sleep(50);
  }
}

/** Waits as a user would, with `kubectl wait`, for the condition Ready of the SidecarSet as it is now. */
export function waitReady(name: string, limitSeconds = 60): void {
  kubectl(["wait", `sidecarset/${name}`, "--for=condition=Ready", `--timeout=${limitSeconds}s`]);
}

/** Applies SidecarSet and Deployment, and resolves with the pods when all of them are Ready. */
export async function injected(set: SidecarSetOptions, replicas: number): Promise<Pod[]> {
  apply(sidecarSet(set));
  await until("the SidecarSet is observed", async () => (await getSidecarSet(set.name)).status !== undefined);
  apply(deployment({ namespace: set.namespace, replicas }));
  return until(
    `${replicas} injected pods are Ready`,
    async () => {
      const found = await pods(set.namespace);
      return found.length === replicas && found.every(isReady) && found;
    },
    90_000,
    async () => (await pods(set.namespace)).map(({ status }) => status),
  );
}

export const isReady = (pod: Pod): boolean =>
  pod.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;

const MIX = {
  keepAlive: { clients: 2, thinkMs: 20 },
  newConnection: { clients: 1, thinkMs: 30 },
  idle: { clients: 2, thinkMs: 1000 },
  slow: { clients: 1, thinkMs: 200 },
};

/** Load through the sidecar of every pod, without retries; ended when the test ends. */
export function startLoad(targets: readonly Pod[]): { report(): TallySnapshot; stop(): Promise<TallySnapshot> } {
  const load = start(
    targets.map(({ metadata, status }) => ({
      pod: metadata?.name ?? "",
      host: (status as { podIP?: string } | undefined)?.podIP ?? "",
      port: PROXY_PORT,
    })),
    MIX,
  );
  onTestFinished(() => load.kill());
  return {
    report: () => {
      const latest = load.latest();
      if (latest === undefined) throw new Error("the load has not reported yet");
      return latest;
    },
    stop: () => load.stop(),
  };
}

/** Everything that went wrong for a client, in words; empty when nothing did. */
export function losses({ failed, lostConnections, failures }: TallySnapshot): string[] {
  return total(failed) + total(lostConnections) === 0 ? [] : failures;
}
