// SPDX-License-Identifier: Apache-2.0
import type { Container, Handler, Lifecycle, Probe } from "../container.ts";
import { fieldError, forbidden, invalid, notSupported, required, type FieldErrors } from "../field-error.ts";
import { portNameProblem, portProblem } from "./port.ts";

const SCHEMES = ["HTTP", "HTTPS"];
const HANDLERS = ["exec", "httpGet", "tcpSocket", "grpc", "sleep"] as const;
const NUMBERS = [
  "initialDelaySeconds",
  "timeoutSeconds",
  "periodSeconds",
  "successThreshold",
  "failureThreshold",
] as const;

type AnyHandler = Handler & Pick<Probe, "grpc"> & { sleep?: { seconds: number } };

/** Probes and hooks; an init container that is no native sidecar has none. */
export function* validateProbes(
  container: Container,
  kind: "container" | "native" | "init",
  path: string,
): FieldErrors {
  for (const name of ["livenessProbe", "readinessProbe", "startupProbe"] as const) {
    const probe = container[name];
    if (!probe) continue;
    if (kind === "init")
      yield forbidden(`${path}.${name}`, probe, "An init container without restartPolicy Always has no probes.");
    else yield* validateProbe(probe, name, `${path}.${name}`);
  }
  if (!container.lifecycle) return;
  if (kind === "init")
    yield forbidden(
      `${path}.lifecycle`,
      container.lifecycle,
      "An init container without restartPolicy Always has no hooks.",
    );
  else yield* validateLifecycle(container.lifecycle, `${path}.lifecycle`);
}

function* validateLifecycle(lifecycle: Lifecycle, path: string): FieldErrors {
  for (const name of ["postStart", "preStop"] as const)
    if (lifecycle[name]) yield* validateHandler(lifecycle[name], `${path}.${name}`);
}

function* validateProbe(probe: Probe, name: string, path: string): FieldErrors {
  yield* validateHandler(probe, path);
  for (const field of NUMBERS) {
    const value = probe[field];
    if (value !== undefined && value < 0) yield invalid(`${path}.${field}`, value, "It must be at least 0.");
  }
  const grace = probe.terminationGracePeriodSeconds;
  if (grace !== undefined && name === "readinessProbe")
    yield invalid(`${path}.terminationGracePeriodSeconds`, grace, "A readinessProbe has no grace period.");
  else if (grace !== undefined && grace <= 0)
    yield invalid(`${path}.terminationGracePeriodSeconds`, grace, "It must be greater than 0.");
  // A startupProbe has no defaults in the object, for the sake of the hash; here it is judged as the kubelet runs it.
  const success = probe.successThreshold ?? 1;
  if (name !== "readinessProbe" && success !== 1 && success !== 0)
    yield invalid(`${path}.successThreshold`, success, "It must be 1.");
}

function* validateHandler(handler: AnyHandler, path: string): FieldErrors {
  const set = HANDLERS.filter((name) => handler[name]);
  if (set.length === 0) yield fieldError("ProbeInvalid", "FieldValueRequired", path, handler, "It has no handler.");
  for (const extra of set.slice(1))
    yield forbidden(`${path}.${extra}`, handler[extra], `It can't be set beside ${set[0]}.`);

  const { exec, httpGet, tcpSocket, grpc, sleep } = handler;
  if (exec && !exec.command?.length) yield required(`${path}.exec.command`);
  if (httpGet) {
    yield* validatePort(httpGet.port, `${path}.httpGet.port`);
    // An empty path is the root, as where it is not set.
    const { scheme = "HTTP" } = httpGet;
    if (!SCHEMES.includes(scheme)) yield notSupported(`${path}.httpGet.scheme`, scheme, SCHEMES);
    for (const [index, header] of (httpGet.httpHeaders ?? []).entries())
      if (!/^[-A-Za-z0-9]+$/.test(header.name))
        yield invalid(`${path}.httpGet.httpHeaders[${index}]`, header.name, "It must have letters, digits and '-'.");
  }
  if (tcpSocket) yield* validatePort(tcpSocket.port, `${path}.tcpSocket.port`);
  if (grpc && portProblem(grpc.port) !== undefined)
    yield invalid(`${path}.grpc.port`, grpc.port, "It must be a number from 1 to 65535.");
  // The upper bound is the grace period of each pod, which is not known here.
  if (sleep && sleep.seconds <= 0) yield invalid(`${path}.sleep.seconds`, sleep.seconds, "It must be at least 1.");
}

function* validatePort(port: number | string | undefined, path: string): FieldErrors {
  const problem = typeof port === "string" ? portNameProblem(port) : portProblem(port);
  if (problem !== undefined) yield invalid(path, port, problem);
}
