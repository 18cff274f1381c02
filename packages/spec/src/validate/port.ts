// SPDX-License-Identifier: Apache-2.0
import type { Container } from "../container.ts";
import { duplicate, invalid, notSupported, required, type FieldErrors } from "../field-error.ts";

const PROTOCOLS = ["TCP", "UDP", "SCTP"];
const PORT_NAME = /^[a-z0-9](?:[a-z0-9]|-(?!-))*$/;

export function portProblem(port: unknown): string | undefined {
  const valid = Number.isInteger(port) && (port as number) >= 1 && (port as number) <= 65535;
  return valid ? undefined : "It must be a number from 1 to 65535.";
}

/** The name of a port, as a port of a probe refers to it. */
export function portNameProblem(name: string): string | undefined {
  const valid = name.length <= 15 && PORT_NAME.test(name) && !name.endsWith("-") && /[a-z]/.test(name);
  return valid
    ? undefined
    : "It must have at most 15 lower-case letters, digits and single '-', among them a letter, and start and end with a letter or digit.";
}

export function* validatePorts(container: Container, path: string): FieldErrors {
  const names = new Set<string>();
  for (const [index, port] of (container.ports ?? []).entries()) {
    const at = `${path}.ports[${index}]`;
    if (port.name) {
      const problem = portNameProblem(port.name);
      if (problem !== undefined) yield invalid(`${at}.name`, port.name, problem);
      else if (names.has(port.name)) yield duplicate(`${at}.name`, port.name);
      names.add(port.name);
    }
    if (!port.containerPort) yield required(`${at}.containerPort`);
    else if (portProblem(port.containerPort) !== undefined)
      yield invalid(`${at}.containerPort`, port.containerPort, "It must be a number from 1 to 65535.");
    if (port.hostPort && portProblem(port.hostPort) !== undefined)
      yield invalid(`${at}.hostPort`, port.hostPort, "It must be a number from 1 to 65535.");
    if (!port.protocol) yield required(`${at}.protocol`);
    else if (!PROTOCOLS.includes(port.protocol)) yield notSupported(`${at}.protocol`, port.protocol, PROTOCOLS);
  }
}

/** Host ports are taken once by containers that run side by side. `first` is the index of the first one in its list. */
export function* validateHostPorts(containers: readonly Container[], path: string, first = 0): FieldErrors {
  const taken = new Set<string>();
  for (const [index, { ports }] of containers.entries()) {
    for (const [number, { hostPort, hostIP, protocol }] of (ports ?? []).entries()) {
      if (!hostPort) continue;
      const key = `${protocol}/${hostIP ?? ""}/${hostPort}`;
      if (taken.has(key)) yield duplicate(`${path}[${first + index}].ports[${number}].hostPort`, hostPort);
      taken.add(key);
    }
  }
}
