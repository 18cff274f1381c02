// SPDX-License-Identifier: Apache-2.0
import { isIP } from "node:net";
import { parseArgs } from "node:util";

export type FailurePolicy = "Ignore" | "Fail";
export type Role = "all" | "webhook" | "controller";
export type LogLevel = "debug" | "info" | "warn" | "error";

export interface Config {
  /** Path of a kubeconfig; absent: the usual places, then the service account. */
  kubeconfig?: string;
  /** Where the admission server listens. */
  host: string;
  port: number;
  /** Plain HTTP: /healthz, /readyz, /metrics. */
  healthPort: number;
  /** Base URL under which the API server reaches us, without a final slash; absent: through the Service. */
  url?: string;
  /** Namespace of the Service, the Secret and this program. */
  namespace: string;
  /** What becomes of a pod that can't be injected. */
  failurePolicy: FailurePolicy;
  role: Role;
  logLevel: LogLevel;
}

/** Bad command line: the message is for the user, the exit code is 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  readonly code = "HOT5001";
}

export const USAGE = `hot webhook: admission server and controller for SidecarSets

  --kubeconfig FILE        default: $KUBECONFIG, ~/.kube/config, or the service account
  --host ADDRESS           where to listen (default 0.0.0.0)
  --port NUMBER            admission server, HTTPS (default 9443)
  --health-port NUMBER     /healthz, /readyz, /metrics (default 8081)
  --url URL                https URL under which the API server reaches this process; default: through the Service
  --namespace NAME         namespace of Service and Secret (default $POD_NAMESPACE or hot-system)
  --failure-policy POLICY  Ignore (default) or Fail: what becomes of a pod that can't be injected
  --role ROLE              all (default), webhook or controller
  --log-level LEVEL        debug, info (default), warn or error
  --help
`;

const OPTIONS = {
  kubeconfig: { type: "string" },
  host: { type: "string", default: "0.0.0.0" },
  port: { type: "string", default: "9443" },
  "health-port": { type: "string", default: "8081" },
  url: { type: "string" },
  namespace: { type: "string" },
  "failure-policy": { type: "string", default: "Ignore" },
  role: { type: "string", default: "all" },
  "log-level": { type: "string", default: "info" },
  help: { type: "boolean", default: false },
} as const;

/**
 * Reads the command line; `"help"` if it asks for help.
 *
 * @throws {UsageError} naming the flag, its value and what it has to be
 */
export function parseConfig(argv: readonly string[], env: Record<string, string | undefined>): Config | "help" {
  const { values } = parse(argv);
  if (values.help) return "help";
  const { kubeconfig, url, namespace = env["POD_NAMESPACE"] || "hot-system" } = values;
  if (!/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(namespace)) fail("namespace", namespace, "the name of a namespace");
  if (isIP(values.host) === 0 && values.host !== "localhost") fail("host", values.host, "an IP address or localhost");
  if (kubeconfig === "") fail("kubeconfig", "", "the path of a file");
  const config: Config = {
    host: values.host,
    port: portOf("port", values.port),
    healthPort: portOf("health-port", values["health-port"]),
    namespace,
    failurePolicy: oneOf("failure-policy", values["failure-policy"], ["Ignore", "Fail"]),
    role: oneOf("role", values.role, ["all", "webhook", "controller"]),
    logLevel: oneOf("log-level", values["log-level"], ["debug", "info", "warn", "error"]),
    ...(kubeconfig !== undefined && { kubeconfig }),
    ...(url !== undefined && { url: urlOf(url) }),
  };
  if (config.port === config.healthPort && config.port !== 0) {
    fail("health-port", String(config.port), "another port than --port");
  }
  return config;
}

function parse(argv: readonly string[]): ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>> {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: false });
  } catch (error) {
    const cause = error instanceof Error ? error.message.split(/\.?\n|\. /)[0] : String(error);
    throw new UsageError(`${cause}. See --help. (HOT5001)`, { cause: error });
  }
}

function fail(flag: string, value: string, wanted: string): never {
  throw new UsageError(`--${flag} is "${value}", but has to be ${wanted}. See --help. (HOT5001)`);
}

function portOf(flag: string, value: string): number {
  const port = /^\d{1,5}$/.test(value) ? Number(value) : Number.NaN;
  return port <= 65_535 ? port : fail(flag, value, "a port number from 0 (any) to 65535");
}

function oneOf<T extends string>(flag: string, value: string, allowed: readonly T[]): T {
  return allowed.find((one) => one === value) ?? fail(flag, value, allowed.join(" or "));
}

function urlOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const plain = url?.protocol === "https:" && url.search + url.hash + url.username === "";
  return plain ? text.replace(/\/+$/, "") : fail("url", text, "an https URL without user, query and fragment");
}
