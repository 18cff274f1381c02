// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { addresses, MAX_NODES, type Addresses } from "./addresses.ts";
import { cacheFolder, provide } from "./binaries.ts";
import { ClusterError } from "./cluster-error.ts";
import { apiServer, controllerManager, etcd, scheduler } from "./control-plane.ts";
import { connect, createCgroups, linkExists, removeCgroups, restoreSettings, saveSettings } from "./host.ts";
import { containerdSocket, nodeComponents, serviceProxy } from "./node.ts";
import { writeCredentials } from "./pki.ts";
import { livingPid, Processes, type Component } from "./processes.ts";
import { requireMachine } from "./requirements.ts";
import { createSandbox, inside, runInside } from "./sandbox.ts";

export interface UpOptions {
  /** Clusters of different names run side by side. */
  name?: string;
  nodes?: number;
  /** OCI archives to load before the nodes start. The sandbox image `localhost/pause:1` has to be in one of them. */
  images: readonly string[];
  say?: (sentence: string) => void;
}

/** What a cluster needs to be found again; everything else follows from it. */
interface Plan {
  slot: number;
  nodes: number;
  bin: { kubernetes: string; etcd: string };
}

/** Starts a cluster, or what is missing of a running one, and resolves when its nodes are Ready. */
export async function up({ name = "default", nodes = 1, images, say = () => undefined }: UpOptions): Promise<Cluster> {
  requireMachine();
  if (!/^[a-z0-9-]{1,20}$/.test(name) || !(nodes >= 1 && nodes <= MAX_NODES)) {
    throw new ClusterError(
      `no cluster "${name}" of ${nodes} nodes`,
      `a name has up to 20 of a-z, 0-9 and "-", and there are 1 to ${MAX_NODES} nodes`,
      "pnpm cluster up --name test --nodes 1",
    );
  }
  const bin = { kubernetes: provide("kubernetes", say), etcd: provide("etcd", say) };
  const folder = folderOf(name);
  const unlock = lock(folder);
  try {
    let cluster = find(name);
    if (cluster === undefined) {
      await down(name);
      cluster = await create(name, folder, nodes, bin);
    }
    await cluster.startAll(images, say);
    return cluster;
  } finally {
    unlock();
  }
}

async function create(name: string, folder: string, nodes: number, bin: Plan["bin"]): Promise<Cluster> {
  for (const part of ["run", "log", "pki", "etcd", "var", "var.work"]) {
    mkdirSync(join(folder, part), { recursive: true });
  }
  saveSettings(join(folder, "settings.json"));
  const init = await createSandbox(folder);
  const at = connect(init, nodes);
  createCgroups(cgroupOf(name), nodes);
  await writeCredentials(folder, at);
  const plan: Plan = { slot: Number(at.link.slice("hotc".length)), nodes, bin };
  writeFileSync(join(folder, "plan.json"), JSON.stringify(plan));
  return new Cluster(name, folder, init, plan);
}

/** The running cluster of that name. */
export function find(name = "default"): Cluster | undefined {
  const folder = folderOf(name);
  const init = livingPid(join(folder, "run", "init.pid"));
  if (init === undefined || !existsSync(join(folder, "plan.json"))) return undefined;
  return new Cluster(name, folder, init, JSON.parse(readFileSync(join(folder, "plan.json"), "utf8")) as Plan);
}

/** Ends a cluster and removes everything of it; fine when there is none. */
export async function down(name = "default"): Promise<void> {
  const folder = folderOf(name);
  if (!existsSync(folder)) return;
  const link = find(name)?.at.link;
  const init = livingPid(join(folder, "run", "init.pid"));
  if (init !== undefined) {
    process.kill(init, "SIGKILL");
    while (existsSync(`/proc/${init}`)) await sleep(10);
  }
  if (link !== undefined) await vanished(link);
  await removeCgroups(cgroupOf(name));
  restoreSettings(join(folder, "settings.json"));
  rmSync(folder, { recursive: true, force: true });
}

/** The kernel takes a namespace's links away some time after its last process. */
async function vanished(link: string): Promise<void> {
  while (linkExists(link)) await sleep(10);
}

/** Names of all clusters of this user, running or left over. */
export function names(): string[] {
  return existsSync(clustersFolder())
    ? readdirSync(clustersFolder())
        .filter((name) => !name.endsWith(".lock"))
        .sort()
    : [];
}

/** A cluster whose processes can be stopped and started one by one. */
export class Cluster {
  readonly name: string;
  readonly folder: string;
  readonly at: Addresses;
  readonly processes: Processes;
  readonly nodes: readonly string[];
  readonly kubectlPath: string;
  readonly #init: number;
  readonly #components: readonly Component[];

  constructor(name: string, folder: string, init: number, { slot, nodes, bin }: Plan) {
    this.name = name;
    this.folder = folder;
    this.#init = init;
    this.at = addresses(slot, nodes);
    this.nodes = this.at.nodes.map((_, index) => `n${index + 1}`);
    this.processes = new Processes(folder, init);
    this.kubectlPath = join(bin.kubernetes, "kubectl");
    const ofNodes = this.nodes.map((_, index) =>
      nodeComponents(folder, bin.kubernetes, cgroupOf(name), index, this.at),
    );
    this.#components = [
      etcd(folder, bin.etcd),
      ...ofNodes.flatMap(([containerd]) => containerd ?? []),
      apiServer(folder, bin.kubernetes, this.at),
      controllerManager(folder, bin.kubernetes),
      scheduler(folder, bin.kubernetes),
      serviceProxy(folder, bin.kubernetes),
      ...ofNodes.flatMap(([, kubelet]) => kubelet ?? []),
    ];
  }

  get kubeconfig(): string {
    return join(this.folder, "kubeconfig", "admin");
  }

  /** Runs kubectl as administrator and returns what it printed. */
  kubectl(args: readonly string[], input?: string): string {
    const options = { encoding: "utf8", input, env: { ...process.env, KUBECONFIG: this.kubeconfig } } as const;
    return execFileSync(this.kubectlPath, args, { ...options, stdio: ["pipe", "pipe", "pipe"], maxBuffer: 1 << 26 });
  }

  /** Starts one process again, such as `kubelet-n1` or `apiserver`. */
  async start(component: string): Promise<void> {
    const found = this.#components.find(({ name }) => name === component);
    if (found === undefined) throw new RangeError(`no component ${component}`);
    await this.processes.start(found);
  }

  /** Ends one process and waits until it is gone. */
  async end(component: string, signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    await this.processes.end(component, signal);
  }

  /** Socket of a node's container runtime, as the host sees it. */
  containerd(node: string): string {
    return `/proc/${this.#init}/root${containerdSocket(node)}`;
  }

  /** Command line that runs `ctr` against the runtime of a node. */
  ctr(node: string, args: readonly string[]): string[] {
    return inside(this.#init, ["ctr", "--address", containerdSocket(node), "--namespace", "k8s.io", ...args]);
  }

  /** Loads an OCI archive into every node. */
  load(archive: string): void {
    for (const node of this.nodes) {
      const [file = "", ...args] = this.ctr(node, ["images", "import", "--digests", archive]);
      execFileSync(file, args, { stdio: "pipe" });
    }
  }

  /** Runs a command in the cluster's namespaces. */
  run(command: readonly string[]): string {
    return runInside(this.#init, command);
  }

  async startAll(images: readonly string[], say: (sentence: string) => void): Promise<void> {
    const begun = performance.now();
    const told = (what: string): void =>
      say(`${((performance.now() - begun) / 1000).toFixed(1).padStart(5)} s  ${what}`);
    const of = (prefix: string): Component[] => this.#components.filter(({ name }) => name.startsWith(prefix));
    for (const one of [...of("etcd"), ...of("containerd"), ...of("apiserver")]) await this.processes.start(one);
    for (const node of this.nodes) {
      await this.processes.until(`containerd-${node}`, () => succeeds(() => this.#list(node)));
    }
    const missing = images.filter((archive) => !existsSync(this.#loaded(archive)));
    for (const archive of missing) {
      this.load(archive);
      writeFileSync(this.#loaded(archive), "");
    }
    told(`images loaded (${missing.length})`);
    await this.processes.until("apiserver", () => succeeds(() => this.kubectl(["get", "--raw", "/readyz"])));
    told("API server ready");
    for (const one of this.#components) await this.processes.start(one);
    for (const node of this.nodes) await this.processes.until(`kubelet-${node}`, () => this.#nodeReady(node));
    told(this.nodes.length === 1 ? "node Ready" : `${this.nodes.length} nodes Ready`);
    await this.processes.until("controller-manager", () =>
      succeeds(() => this.kubectl(["get", "serviceaccount", "default", "-n", "default"])),
    );
  }

  #list(node: string): void {
    const [file = "", ...args] = this.ctr(node, ["version"]);
    execFileSync(file, args, { stdio: "pipe" });
  }

  #loaded(archive: string): string {
    return join(this.folder, "run", `${archive.replaceAll("/", "_")}.loaded`);
  }

  #nodeReady(node: string): boolean {
    const path = '{.status.conditions[?(@.type=="Ready")].status}';
    return succeeds(() => {
      if (this.kubectl(["get", "node", node, "-o", `jsonpath=${path}`]) !== "True") throw new Error("not ready");
    });
  }
}

function succeeds(action: () => unknown): boolean {
  try {
    action();
    return true;
  } catch {
    return false;
  }
}

const clustersFolder = (): string => join(cacheFolder(), "cluster");
const folderOf = (name: string): string => join(clustersFolder(), name);
const cgroupOf = (name: string): string => `hot-${name}`;

/** Keeps two starts of one cluster apart. A lock whose holder has died is taken over. */
function lock(folder: string): () => void {
  const file = `${folder}.lock`;
  mkdirSync(clustersFolder(), { recursive: true });
  for (;;) {
    try {
      writeFileSync(file, String(process.pid), { flag: "wx" });
      return () => rmSync(file, { force: true });
    } catch {
      const holder = livingPid(file);
      if (holder !== undefined) {
        throw new ClusterError(
          "another start of this cluster is under way",
          `process ${holder} holds ${file}`,
          "wait until it has ended, or choose another --name",
        );
      }
      rmSync(file, { force: true });
    }
  }
}
