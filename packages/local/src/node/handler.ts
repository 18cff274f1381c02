// SPDX-License-Identifier: Apache-2.0
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { connect } from "node:net";
import type { Container, Handler } from "@hot/spec";
import type { ExecOptions, ExecResult } from "./exec.ts";

/** The container that a probe or hook is about. */
export interface HandlerTarget {
  container: Container;
  podIP: string;
  /** Undefined = the container does not run. */
  exec: (argv: readonly string[], options: ExecOptions) => Promise<ExecResult | undefined>;
}

/** `error` = it could not be tried at all (no such container, nothing to do); a probe throws that away. */
export type HandlerResult = { outcome: "success" } | { outcome: "failure" | "error"; message: string };

export interface HandlerOptions {
  timeoutMs?: number;
  signal?: AbortSignal;
  /** Keep the output of a command for the message. */
  capture?: boolean;
}

const SUCCESS: HandlerResult = { outcome: "success" };

/** Does what a probe or hook says, once. Never rejects. */
export async function runHandler(
  handler: Handler,
  target: HandlerTarget,
  options: HandlerOptions,
): Promise<HandlerResult> {
  if (handler.exec !== undefined) return runExec(handler.exec.command ?? [], target, options);
  const address = handler.httpGet ?? handler.tcpSocket;
  if (address === undefined)
    return { outcome: "error", message: "only exec, httpGet and tcpSocket are supported by the local node" };
  const port = portNumber(address.port, target.container);
  if (port === undefined)
    return { outcome: "error", message: `container ${target.container.name} has no port named "${address.port}"` };
  const host = address.host ?? target.podIP;
  try {
    if (handler.httpGet === undefined) await connectTo(host, port, options);
    else await httpGet(handler.httpGet, host, port, options);
    return SUCCESS;
  } catch (error) {
    return { outcome: "failure", message: (error as Error).message };
  }
}

async function runExec(
  command: readonly string[],
  target: HandlerTarget,
  options: HandlerOptions,
): Promise<HandlerResult> {
  const { timeoutMs, signal, capture = false } = options;
  const result = await target.exec(command, {
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(signal === undefined ? {} : { signals: [signal] }),
    capture,
  });
  if (result === undefined) return { outcome: "error", message: "the container is not running" };
  const shown = command.join(" ");
  if (result.timedOut) return { outcome: "failure", message: `command "${shown}" timed out` };
  if (result.code === 0) return SUCCESS;
  const printed = capture ? `, message: ${JSON.stringify(result.output)}` : "";
  return { outcome: "failure", message: `command '${shown}' exited with ${result.code}: ${result.errors}${printed}` };
}

function portNumber(port: number | string, container: Container): number | undefined {
  const number = Number(port);
  if (Number.isInteger(number)) return number;
  return container.ports?.find((one) => one.name === port)?.containerPort;
}

/** The deadline covers the whole attempt, as a probe's timeout does. */
function abortSignal({ timeoutMs, signal }: HandlerOptions): AbortSignal {
  const signals = [
    ...(timeoutMs === undefined ? [] : [AbortSignal.timeout(timeoutMs)]),
    ...(signal === undefined ? [] : [signal]),
  ];
  return AbortSignal.any(signals);
}

function httpGet(
  get: NonNullable<Handler["httpGet"]>,
  host: string,
  port: number,
  options: HandlerOptions,
): Promise<void> {
  const headers: Record<string, string> = { "user-agent": "kube-probe/local", accept: "*/*", connection: "close" };
  for (const { name, value } of get.httpHeaders ?? []) headers[name.toLowerCase()] = value;
  const send = get.scheme === "HTTPS" ? httpsRequest : httpRequest;
  const { path = "/" } = get;
  return new Promise((resolve, reject) => {
    const request = send(
      { host, port, path, headers, agent: false, rejectUnauthorized: false, signal: abortSignal(options) },
      (response) => {
        const { statusCode = 0 } = response;
        response.resume();
        if (statusCode >= 200 && statusCode < 400) resolve();
        else reject(new Error(`HTTP probe failed with statuscode: ${statusCode}`));
        response.once("error", () => undefined);
      },
    );
    request.once("error", reject);
    request.end();
  });
}

function connectTo(host: string, port: number, options: HandlerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const signal = abortSignal(options);
    const socket = connect({ host, port });
    const give = (error?: Error): void => {
      signal.removeEventListener("abort", expire);
      socket.destroy();
      if (error === undefined) resolve();
      else reject(error);
    };
    const expire = (): void => give(new Error(`dial tcp ${host}:${port}: timeout`));
    signal.addEventListener("abort", expire);
    socket.once("connect", () => give());
    socket.once("error", give);
  });
}
