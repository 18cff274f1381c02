// SPDX-License-Identifier: Apache-2.0
// Renders the chart with Helm. Helm: $HELM, or `helm` of the path; without it these tests are skipped.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseAllDocuments } from "yaml";

export const CHART = fileURLToPath(new URL("../../charts/hot", import.meta.url));
export const NAMESPACE = "some-namespace";
const HELM = process.env["HELM"] ?? "helm";
const VERSION = ["--kube-version", "1.36.0"];

export interface Rule {
  apiGroups: string[];
  resources: string[];
  resourceNames?: string[];
  verbs: string[];
}

export interface Rendered {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    labels: Record<string, string>;
    annotations?: Record<string, string>;
  };
  spec?: unknown;
  rules?: Rule[];
  roleRef?: { kind: string; name: string };
  subjects?: { kind: string; name: string; namespace: string }[];
}

export interface Container {
  name: string;
  image: string;
  args: string[];
  env: { name: string; value?: string }[];
  ports: { name: string; containerPort: number }[];
  securityContext: object;
  resources: { requests?: object; limits?: Record<string, string> };
  startupProbe: object;
  readinessProbe: object;
  livenessProbe: object;
  volumeMounts?: { name: string; mountPath: string }[];
}

export interface Workload {
  replicas: number;
  strategy: { rollingUpdate: object };
  selector: { matchLabels: Record<string, string> };
  template: {
    metadata: { labels: Record<string, string>; annotations?: Record<string, string> };
    spec: Record<string, unknown> & { serviceAccountName: string; containers: Container[]; securityContext: object };
  };
}

export type Values = Record<string, unknown>;

function run(words: string[], values: Values): { status: number | null; output: string; error: string } {
  const { status, stdout, stderr } = spawnSync(HELM, [...words, ...VERSION, "-f", "-"], {
    input: JSON.stringify(values),
    encoding: "utf8",
  });
  return { status, output: stdout, error: stderr };
}

/** False only where nobody asked for these tests: a $HELM that does not run is a failure. */
export const helmIsThere = ((): boolean => {
  const { status, error } = spawnSync(HELM, ["version", "--short"], { encoding: "utf8" });
  if (status !== 0 && process.env["HELM"] !== undefined)
    throw new Error(`$HELM (${HELM}) does not run`, { cause: error });
  return status === 0;
})();

/** All objects of a release `hot` with these values. */
export function render(values: Values = {}): Rendered[] {
  const { status, output, error } = run(["template", "hot", CHART, "--namespace", NAMESPACE], values);
  if (status !== 0) throw new Error(error);
  return parseAllDocuments(output).map((document) => {
    if (document.errors.length > 0) throw document.errors[0]!;
    return document.toJS() as Rendered;
  });
}

/** What Helm says of values that it refuses. */
export function refusal(values: Values): string {
  const { status, error } = run(["template", "hot", CHART, "--namespace", NAMESPACE], values);
  return status === 0 ? "" : error;
}

export function lint(values: Values = {}): { status: number | null; output: string } {
  const { status, output, error } = run(["lint", CHART, "--strict"], values);
  return { status, output: output + error };
}

/** `Kind/name` of everything, sorted. */
export function names(objects: readonly Rendered[]): string[] {
  return objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`).sort();
}

export function find(objects: readonly Rendered[], kind: string, name: string): Rendered {
  const found = objects.find((one) => one.kind === kind && one.metadata.name === name);
  if (found === undefined) throw new Error(`there is no ${kind} ${name}, only ${names(objects).join(", ")}`);
  return found;
}

export function workload(objects: readonly Rendered[], name = "hot-webhook", kind = "Deployment"): Workload {
  return find(objects, kind, name).spec as Workload;
}

export function container({ template }: Workload): Container {
  const [first, ...others] = template.spec.containers;
  if (first === undefined || others.length > 0) throw new Error("there is not exactly one container");
  return first;
}
