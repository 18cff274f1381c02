// SPDX-License-Identifier: Apache-2.0
// pnpm cluster: a real Kubernetes for tests, made of plain processes in namespaces of their own.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { isToolName, KUBERNETES_VERSION, provide, type ToolName } from "./binaries.ts";
import { ClusterError } from "./cluster-error.ts";
import { down, find, names, up, type Cluster } from "./cluster.ts";
import { projectImages } from "./installation.ts";

const USAGE = `usage: pnpm cluster up [--name NAME] [--nodes N] [--version 1.36]
       pnpm cluster down [--name NAME | --all]
       pnpm cluster status|env [--name NAME]
       pnpm cluster logs [COMPONENT] [--name NAME]
       pnpm cluster build kubernetes|etcd|helm    prints the folder with the programs
`;

const say = (sentence: string): void => void process.stderr.write(`${sentence}\n`);

async function main(): Promise<void> {
  const { positionals, values } = parseArgs({
    args: process.argv.slice(2).filter((argument) => argument !== "--"),
    allowPositionals: true,
    options: {
      name: { type: "string", default: "default" },
      nodes: { type: "string", default: "1" },
      version: { type: "string", default: "1.36" },
      all: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const [verb, component] = positionals;
  if (values.help) return void process.stdout.write(USAGE);
  switch (verb) {
    case "up": {
      requireVersion(values.version);
      const images = await projectImages();
      const cluster = await up({ name: values.name, nodes: Number(values.nodes), images, say });
      say(`run: eval "$(pnpm --silent cluster env --name ${cluster.name})"`);
      return;
    }
    case "down":
      for (const name of values.all ? names() : [values.name]) await down(name);
      return;
    case "status":
      return print(status(running(values.name)));
    case "env":
      return print(environment(running(values.name)));
    case "logs":
      return print(logs(running(values.name), component));
    case "build":
      return print(provide(toolName(component), say));
    case undefined:
    default:
      process.stderr.write(USAGE);
      process.exitCode = 2;
  }
}

function print(text: string): void {
  process.stdout.write(`${text.trimEnd()}\n`);
}

function toolName(name: string | undefined): ToolName {
  if (name !== undefined && isToolName(name)) return name;
  throw new ClusterError(
    `no program "${name ?? ""}"`,
    "only the modules below tools/cluster/go can be built",
    "pnpm cluster build kubernetes|etcd|helm",
  );
}

function requireVersion(wanted: string): void {
  if (KUBERNETES_VERSION.startsWith(`v${wanted.replace(/^v/, "")}`)) return;
  throw new ClusterError(
    `Kubernetes ${wanted} is not to be had`,
    `the module tools/cluster/go/kubernetes pins ${KUBERNETES_VERSION}`,
    "leave --version out, or add a module for that version",
  );
}

function running(name: string): Cluster {
  const cluster = find(name);
  if (cluster !== undefined) return cluster;
  throw new ClusterError(`the cluster "${name}" does not run`, "it was not started", "pnpm cluster up");
}

function status(cluster: Cluster): string {
  const rows = cluster.processes
    .names()
    .map(
      (name) =>
        `${name.padEnd(22)} ${String(cluster.processes.pid(name) ?? "stopped").padEnd(9)} ${logFile(cluster, name)}`,
    );
  return [
    `Kubernetes ${KUBERNETES_VERSION}, https://${cluster.at.api}`,
    ...rows,
    cluster.kubectl(["get", "nodes"]),
  ].join("\n");
}

function environment(cluster: Cluster): string {
  return [
    `export KUBECONFIG=${cluster.kubeconfig}`,
    `export PATH=${join(cluster.kubectlPath, "..")}:$PATH`,
    `export CONTAINERD_ADDRESS=${cluster.containerd(cluster.nodes[0] ?? "")}`,
  ].join("\n");
}

function logs(cluster: Cluster, component: string | undefined): string {
  if (component !== undefined) return readFileSync(logFile(cluster, component), "utf8");
  return cluster.processes
    .names()
    .map((name) => logFile(cluster, name))
    .join("\n");
}

const logFile = (cluster: Cluster, name: string): string => join(cluster.folder, "log", `${name}.log`);

try {
  await main();
} catch (error) {
  if (!(error instanceof ClusterError) && !(error instanceof TypeError && "code" in error)) throw error;
  process.stderr.write(`hot: ${error.message}\n`);
  process.exitCode = error instanceof ClusterError ? 1 : 2;
}
