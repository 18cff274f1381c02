// SPDX-License-Identifier: Apache-2.0
import { spawnSync, execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { addresses, SLOTS, type Addresses } from "./addresses.ts";
import { ClusterError } from "./cluster-error.ts";
import { cgroupRoots } from "./requirements.ts";
import { runInside } from "./sandbox.ts";

// What a cluster leaves on the machine outside of its namespaces: one cable, cgroups, and settings of the kernel.

/** Lays a cable into the sandbox and routes over it. The first free slot is taken: creating the cable claims it. */
export function connect(init: number, nodes: number): Addresses {
  for (let slot = 0; slot < SLOTS; slot++) {
    const at = addresses(slot, nodes);
    const peer = ["type", "veth", "peer", "name", "eth0", "netns", String(init)];
    const { status, stderr } = spawnSync("ip", ["link", "add", at.link, ...peer], { encoding: "utf8" });
    if (status === 0) {
      configure(init, at);
      return at;
    }
    if (!stderr.includes("File exists")) {
      throw new ClusterError("the network of the cluster could not be made", stderr.trim(), "load the module veth");
    }
  }
  throw new ClusterError(`${SLOTS} clusters run already`, "each needs addresses of its own", "pnpm cluster down --all");
}

function configure(init: number, { link, host, gateway, nodes, podNets, services, api }: Addresses): void {
  ip(["address", "add", `${host}/24`, "dev", link]);
  ip(["link", "set", link, "up"]);
  const lines = [
    "link set lo up",
    `address add ${api}/32 dev lo`,
    ...nodes.map((node) => `address add ${node}/24 dev eth0`),
    "link set eth0 up",
    `route add default via ${host}`,
  ];
  runInside(init, ["ip", "-batch", "-"], `${lines.join("\n")}\n`);
  runInside(init, ["sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"]);
  for (const net of [services, ...podNets]) ip(["route", "add", net, "via", gateway]);
}

export function linkExists(link: string): boolean {
  return existsSync(`/sys/class/net/${link}`);
}

function ip(args: readonly string[]): void {
  execFileSync("ip", args, { stdio: "pipe" });
}

export function createCgroups(name: string, nodes: number): void {
  for (const root of cgroupRoots()) {
    for (let index = 1; index <= nodes; index++) {
      mkdirSync(join(root, name, `n${index}`), { recursive: true });
      for (const file of ["cpuset.cpus", "cpuset.mems"]) copySetting(root, [name, `n${index}`], file);
    }
  }
}

/** A new cpuset of cgroup v1 is empty, and no process may enter an empty one. */
function copySetting(root: string, path: readonly string[], file: string): void {
  if (!existsSync(join(root, file)) || existsSync(join(root, "cgroup.controllers"))) return;
  const value = readFileSync(join(root, file), "utf8");
  path.reduce((parent, child) => {
    writeFileSync(join(parent, child, file), value);
    return join(parent, child);
  }, root);
}

/** Removes them, children first. The last process may take a moment to leave. */
export async function removeCgroups(name: string): Promise<void> {
  for (const root of cgroupRoots()) {
    for (let attempt = 0; !removeFolders(join(root, name)) && attempt < 100; attempt++) await sleep(50);
  }
}

function removeFolders(folder: string): boolean {
  if (!existsSync(folder)) return true;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) removeFolders(join(folder, entry.name));
  }
  try {
    rmdirSync(folder);
    return true;
  } catch {
    return false;
  }
}

/** Settings of the whole machine that a kubelet changes. */
const SETTINGS = [
  "vm/overcommit_memory",
  "kernel/panic",
  "kernel/panic_on_oops",
  "kernel/keys/root_maxkeys",
  "kernel/keys/root_maxbytes",
];

export function saveSettings(file: string): void {
  const values = SETTINGS.map((name) => [name, readFileSync(`/proc/sys/${name}`, "utf8").trim()]);
  writeFileSync(file, JSON.stringify(Object.fromEntries(values)));
}

export function restoreSettings(file: string): void {
  if (!existsSync(file)) return;
  for (const [name, value] of Object.entries(JSON.parse(readFileSync(file, "utf8")) as Record<string, string>)) {
    writeFileSync(`/proc/sys/${name}`, value);
  }
}
