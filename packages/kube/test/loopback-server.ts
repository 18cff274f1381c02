// SPDX-License-Identifier: Apache-2.0
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer as createHttp, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createHttps } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { createAuthority, issueCertificate } from "../src/certificates.ts";

/** One request that a test server got. */
export interface Seen {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingMessage["headers"];
  body: unknown;
  /** `CN of O` of the client certificate. */
  client: string;
}

export interface LoopbackServer {
  url: string;
  dir: string;
  requests: Seen[];
  /** Connections since the start. */
  readonly connections: number;
  /** Writes a kubeconfig with this user and returns its path. */
  kubeconfig: (user: object, cluster?: object) => Promise<string>;
  clientPair: { certPem: string; keyPem: string };
  authorityPem: string;
  close: () => Promise<void>;
}

export type Handler = (request: Seen, response: ServerResponse, count: number) => void;

/** A server on loopback that does what `handle` says; `count` is the number of requests before this one. */
export async function startServer(handle: Handler, { tls = false } = {}): Promise<LoopbackServer> {
  const authority = await createAuthority({ commonName: "test-ca", days: 1 });
  const names = { dnsNames: ["localhost"], ipAddresses: ["127.0.0.1"], days: 1 };
  const own = await issueCertificate(authority, { ...names, commonName: "server", usage: "server" });
  const clientPair = await issueCertificate(authority, {
    ...names,
    commonName: "admin",
    organizations: ["system:masters"],
    usage: "client",
  });
  const requests: Seen[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;

  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const url = new URL(request.url ?? "", "http://server");
      const text = Buffer.concat(chunks).toString();
      const subject = tls ? (request.socket as TLSSocket).getPeerCertificate().subject : undefined;
      const seen: Seen = {
        method: request.method ?? "",
        path: url.pathname,
        query: url.searchParams,
        headers: request.headers,
        body: text === "" ? undefined : (JSON.parse(text) as unknown),
        client: subject === undefined ? "" : `${String(subject.CN)} of ${String(subject.O)}`,
      };
      requests.push(seen);
      handle(seen, response, requests.length - 1);
    });
  };
  const tlsOptions = { cert: own.certPem, key: own.keyPem, ca: authority.certPem, requestCert: true };
  const server = tls ? createHttps({ ...tlsOptions, rejectUnauthorized: false }, onRequest) : createHttp(onRequest);
  server.on("connection", (socket: Socket) => {
    connections++;
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `${tls ? "https" : "http"}://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const dir = await mkdtemp(join(tmpdir(), "hot-kube-"));

  return {
    url,
    dir,
    requests,
    get connections() {
      return connections;
    },
    clientPair,
    authorityPem: authority.certPem,
    async kubeconfig(user, cluster = {}) {
      const ca = tls ? { "certificate-authority-data": Buffer.from(authority.certPem).toString("base64") } : {};
      const path = join(dir, "kubeconfig");
      const config = {
        apiVersion: "v1",
        kind: "Config",
        clusters: [{ name: "c", cluster: { server: url, ...ca, ...cluster } }],
        users: [{ name: "u", user }],
        contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
        "current-context": "x",
      };
      await writeFile(path, JSON.stringify(config));
      return path;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
      await rm(dir, { recursive: true });
    },
  };
}

/** Answers with JSON. */
export function answer(response: ServerResponse, status: number, body: unknown, headers: object = {}): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(body));
}
