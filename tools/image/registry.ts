// SPDX-License-Identifier: Apache-2.0
// A read-only registry over archives: the pull part of the OCI distribution specification 1.0, plain HTTP.
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream";
import { MANIFEST_TYPE } from "./oci.ts";
import { RegistryContent, wantedBy, withoutHost, type Found, type Wanted } from "./registry-content.ts";

/** How a manifest is refused: with this status, or never answered. */
export type Failure = number | "hang";

export interface RegistryOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Files of `buildImages`. */
  readonly archives: readonly string[];
}

export interface Registry extends AsyncDisposable {
  /** Such as `http://127.0.0.1:5000`. */
  readonly url: string;
  readonly port: number;
  /** Refuses an image by tag and by digest until `heal`, default with 404. Such as `hot/sidecar-demo:v2`, with or without host. */
  fail(name: string, how?: Failure): void;
  heal(name: string): void;
  /** How often a manifest of this image was asked for (HEAD and GET), by tag, without host. */
  requestsFor(name: string): number;
  close(): Promise<void>;
}

const codes: Readonly<Record<number, string>> = {
  401: "UNAUTHORIZED",
  403: "DENIED",
  404: "MANIFEST_UNKNOWN",
  429: "TOOMANYREQUESTS",
};

function refuse(response: ServerResponse, status: number, message: string): void {
  const code = codes[status] ?? "UNKNOWN";
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify({ errors: [{ code, message }] }));
}

function answer(request: IncomingMessage, response: ServerResponse, kind: Wanted["kind"], found: Found): void {
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
  const { fd, offset, size, digest } = found;
  if (from >= size && size > 0) return refuse(response, 416, `there are ${size} bytes`);
  response.writeHead(from > 0 ? 206 : 200, {
    "content-type": kind === "manifests" ? MANIFEST_TYPE : "application/octet-stream",
    "content-length": size - from,
    "docker-content-digest": digest,
    "accept-ranges": "bytes",
    ...(from > 0 && { "content-range": `bytes ${from}-${size - 1}/${size}` }),
  });
  if (request.method === "HEAD") return void response.end();
  const stored = createReadStream("", { fd, autoClose: false, start: offset + from, end: offset + size - 1 });
  // A client that goes away in the middle is its own business.
  return void pipeline(stored, response, () => undefined);
}

/** Starts listening; `archives` are read once. */
export async function startRegistry({ host, port, archives }: RegistryOptions): Promise<Registry> {
  const content = new RegistryContent(archives);
  const failures = new Map<string, Failure>();
  const requests = new Map<string, number>();

  const failureOf = ({ repository, reference }: Wanted): Failure | undefined =>
    failures.get(reference) ?? failures.get(`${repository}:${reference}`);

  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    response.setHeader("docker-distribution-api-version", "registry/2.0");
    const url = new URL(request.url ?? "/", "http://registry");
    const wanted = wantedBy(url);
    if (request.method !== "GET" && request.method !== "HEAD")
      return refuse(response, 405, "this registry is read-only");
    if (url.pathname === "/v2/") return void response.writeHead(200, { "content-type": "application/json" }).end("{}");
    if (!wanted) return refuse(response, 404, `there is nothing at ${url.pathname}`);
    const { kind, repository, reference } = wanted;
    if (kind === "manifests") {
      const name = `${repository}:${reference}`;
      requests.set(name, (requests.get(name) ?? 0) + 1);
      const failure = failureOf(wanted);
      if (failure === "hang") return;
      if (failure !== undefined) return refuse(response, failure, `${name} is refused on purpose`);
    }
    const found = content.find(wanted);
    if (!found) return refuse(response, 404, `${repository} has no ${reference}`);
    answer(request, response, kind, found);
  };

  const server = createServer(handle).listen(port, host);
  try {
    await once(server, "listening");
  } catch (error) {
    content.close();
    throw error;
  }
  const { port: listening } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
    content.close();
  };
  const keysOf = (name: string): string[] => [withoutHost(name), ...content.digestsOf(name)];
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${listening}`,
    port: listening,
    fail: (name, how = 404) => keysOf(name).forEach((key) => failures.set(key, how)),
    heal: (name) => keysOf(name).forEach((key) => failures.delete(key)),
    requestsFor: (name) => requests.get(withoutHost(name)) ?? 0,
    close,
    [Symbol.asyncDispose]: close,
  };
}
