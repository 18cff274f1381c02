// SPDX-License-Identifier: Apache-2.0
import { isIP } from "node:net";
import { parseArgs } from "node:util";
import { LIFETIMES, type Lifetimes } from "./certs/lifetimes.ts";

export type FailurePolicy = "Ignore" | "Fail";
export type Role = "all" | "webhook" | "controller";
export type LogLevel = "debug" | "info" | "warn" | "error";

export interface Config {
  /** `run`: serve until a signal comes; `uninstall`: take the registration away and end. */
  command: "run" | "uninstall";
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
  /** Folder with tls.crt, tls.key and ca.crt; absent: an authority of our own. */
  certDir?: string;
  /** Of the certificates of our own authority. */
  lifetimes: Lifetimes;
  /** With `uninstall`: also set the conversion of the CustomResourceDefinition to None. */
  revertConversion: boolean;
}

/** Bad command line: the message is for the user, the exit code is 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  readonly code = "HOT5001";
}

export const USAGE = `hot webhook: admission server and controller for SidecarSets

  hot-webhook [FLAGS]            run until SIGTERM
  hot-webhook uninstall [FLAGS]  delete the webhook configurations and end; replicas that still run don't make them anew

  --kubeconfig FILE        default: $KUBECONFIG, ~/.kube/config, or the service account
  --host ADDRESS           where to listen (default 0.0.0.0)
  --port NUMBER            admission server, HTTPS (default 9443)
  --health-port NUMBER     /healthz, /readyz, /metrics (default 8081)
  --url URL                https URL under which the API server reaches this process; default: through the Service
  --namespace NAME         namespace of Service and Secret (default $POD_NAMESPACE or hot-system)
  --failure-policy POLICY  Ignore (default) or Fail: what becomes of a pod that can't be injected
  --role ROLE              all (default), webhook or controller
  --cert-dir FOLDER        serve tls.crt and tls.key from here, ca.crt is their authority (cert-manager); default: an own authority
  --leaf-lifetime TIME     of serving certificates of the own authority (default 7d, at least 30s)
  --authority-lifetime TIME  of the own authority (default 365d, at least four leaf lifetimes)
  --revert-conversion      with uninstall: also set the conversion of the CustomResourceDefinition to None
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
  "cert-dir": { type: "string" },
  "leaf-lifetime": { type: "string" },
  "authority-lifetime": { type: "string" },
  "revert-conversion": { type: "boolean", default: false },
  help: { type: "boolean", default: false },
} as const;

/**
 * Reads the command line; `"help"` if it asks for help.
 *
 * @throws {UsageError} naming the flag, its value and what it has to be
 */
export function parseConfig(argv: readonly string[], env: Record<string, string | undefined>): Config | "help" {
  const { values, positionals } = parse(argv);
  if (values.help) return "help";
  const { kubeconfig, url, namespace = env["POD_NAMESPACE"] || "hot-system" } = values;
  if (!/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(namespace)) fail("namespace", namespace, "the name of a namespace");
  if (isIP(values.host) === 0 && values.host !== "localhost") fail("host", values.host, "an IP address or localhost");
  if (kubeconfig === "") fail("kubeconfig", "", "the path of a file");
  const [command = "run", ...stray] = positionals;
  if ((command !== "run" && command !== "uninstall") || stray.length > 0) {
    throw new UsageError(`"${positionals.join(" ")}" is no command; there is uninstall. See --help. (HOT5001)`);
  }
  const certDir = values["cert-dir"];
  if (certDir === "") fail("cert-dir", "", "the path of a folder");
  const config: Config = {
    command,
    lifetimes: lifetimesOf(values["leaf-lifetime"], values["authority-lifetime"]),
    revertConversion: values["revert-conversion"],
    ...(certDir !== undefined && { certDir }),
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

function parse(
  argv: readonly string[],
): ReturnType<typeof parseArgs<{ options: typeof OPTIONS; allowPositionals: true }>> {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true });
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

const UNITS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `30s`, `10m`, `12h`, `7d` in milliseconds. */
function durationOf(flag: string, value: string): number {
  const [, number = "", unit = "s"] =
    /^(\d{1,6})([smhd])$/.exec(value) ?? fail(flag, value, "a time such as 30s, 12h or 7d");
  return Number(number) * UNITS[unit as keyof typeof UNITS];
}

function lifetimesOf(leaf: string | undefined, authority: string | undefined): Lifetimes {
  const leafMs = leaf === undefined ? LIFETIMES.leafMs : durationOf("leaf-lifetime", leaf);
  const authorityMs = authority === undefined ? LIFETIMES.authorityMs : durationOf("authority-lifetime", authority);
  if (leafMs < 30_000) fail("leaf-lifetime", leaf ?? "", "at least 30s");
  if (authorityMs < 4 * leafMs) fail("authority-lifetime", authority ?? "", "at least four times the leaf lifetime");
  return { leafMs, authorityMs };
}

function oneOf<T extends string>(flag: string, value: string, allowed: readonly T[]): T {
  return allowed.find((one) => one === value) ?? fail(flag, value, allowed.join(" or "));
}

function urlOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const plain = url?.protocol === "https:" && url.search + url.hash + url.username === "";
  return plain ? text.replace(/\/+$/, "") : fail("url", text, "an https URL without user, query and fragment");
}
