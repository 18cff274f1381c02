// SPDX-License-Identifier: Apache-2.0
import { accessSync, constants, existsSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { ClusterError } from "./cluster-error.ts";

/** What has to be there, and the Debian package that brings it. */
const PROGRAMS: Readonly<Record<string, string>> = {
  containerd: "containerd",
  ctr: "containerd",
  runc: "runc",
  ip: "iproute2",
  iptables: "iptables",
  conntrack: "conntrack",
  unshare: "util-linux",
  nsenter: "util-linux",
};
const FILES: Readonly<Record<string, string>> = { "/usr/lib/cni/bridge": "containernetworking-plugins" };

/** Names everything that a test cluster needs and this machine lacks. */
export function requireMachine(): void {
  if (process.platform !== "linux" || process.getuid?.() !== 0) {
    throw new ClusterError(
      "a test cluster needs root on Linux",
      "it runs a real kubelet and container runtime in namespaces of their own",
      "run as root, or use a cluster that you have: KUBECONFIG=… pnpm test:cluster",
    );
  }
  const packages = new Set<string>();
  for (const [name, from] of Object.entries(PROGRAMS)) if (!onPath(name)) packages.add(from);
  for (const [file, from] of Object.entries(FILES)) if (!existsSync(file)) packages.add(from);
  if (packages.size > 0) {
    throw new ClusterError(
      `programs are missing: ${[...packages].join(", ")}`,
      "containers are run by the system's own containerd and runc",
      `apt-get update && apt-get install -y --no-install-recommends ${[...packages].join(" ")}`,
    );
  }
  if (cgroupRoots().length === 0) {
    throw new ClusterError("no cgroup hierarchy is mounted", "/sys/fs/cgroup is empty", "mount cgroups, v1 or v2");
  }
}

/** The roots of the machine's cgroup hierarchies: one per controller (v1), one for all (v2), or both kinds. */
export function cgroupRoots(): string[] {
  const root = "/sys/fs/cgroup";
  if (!existsSync(root)) return [];
  const folders = readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const candidates = [root, ...folders.map(({ name }) => join(root, name))];
  const roots = candidates.filter((folder) => existsSync(join(folder, "cgroup.procs")));
  return roots.includes(root) ? [root] : roots;
}

function onPath(name: string): boolean {
  return (process.env["PATH"] ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
