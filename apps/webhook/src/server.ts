// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { reasonCode } from "@hot/spec";
import { ReviewError } from "./admission.ts";
import { parseBoundedJson, TooDeepError } from "./bounded-json.ts";
import { listen } from "./listen.ts";
import type { Log } from "./log.ts";
import { stoppable, type Stoppable } from "./stoppable.ts";

/** Twice the largest object that etcd takes by default. */
export const MAX_BODY_BYTES = 3 * 2 ** 20;

/**
 * Longer than an API server keeps a connection that it does not use (90 s), so that it closes first: a review that meets
 * a connection which is being closed at this side is lost, and with `Ignore` the pod starts without sidecars.
 */
const KEEP_IDLE_MS = 120_000;

/** A certificate with its key and, in PEM, whatever leads from it to the authority. */
export interface ServingCertificate {
  certPem: string;
  keyPem: string;
}

export interface AdmissionServerOptions {
  host: string;
  /** 0: any free one. */
  port: number;
  certificate: ServingCertificate;
  /** By path. A handler gets the parsed body and returns the JSON to answer with. */
  routes: Readonly<Record<string, (body: unknown) => object | Promise<object>>>;
  log: Log;
}

export interface AdmissionServer extends Stoppable {
  readonly port: number;
  /** New connections get the new certificate; open ones are not touched. */
  rotate(certificate: ServingCertificate): void;
}

/**
 * The HTTPS server of the webhooks. Whatever the body is, the answer is a well-formed one: 404 unknown path, 405 not
 * POST, 413 too large or too deep, 400 not a review; each says what is wrong, with a code.
 *
 * @throws when the port is taken
 */
export async function startAdmissionServer(options: AdmissionServerOptions): Promise<AdmissionServer> {
  const { certificate, routes, log } = options;
  const server = createServer(
    {
      cert: certificate.certPem,
      key: certificate.keyPem,
      minVersion: "TLSv1.2",
      requestTimeout: 15_000,
      keepAliveTimeout: KEEP_IDLE_MS,
    },
    (request, response) => {
      respond(request, response, routes).catch((error: unknown) => {
        log.error("request failed", { err: error, path: request.url });
        send(response, 500, { message: `${reasonCode("Internal").sentence} (${reasonCode("Internal").code})` });
      });
    },
  );
  server.on("tlsClientError", (error) => log.debug("TLS handshake failed", { err: error }));
  const end = stoppable(server);
  await listen(server, { host: options.host, port: options.port, flag: "--port" });
  return {
    port: (server.address() as AddressInfo).port,
    rotate: ({ certPem, keyPem }) => server.setSecureContext({ cert: certPem, key: keyPem, minVersion: "TLSv1.2" }),
    ...end,
  };
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  routes: AdmissionServerOptions["routes"],
): Promise<void> {
  const path = (request.url ?? "").split("?")[0] ?? "";
  const route = Object.hasOwn(routes, path) ? routes[path] : undefined;
  if (route === undefined) return send(response, 404, { message: `there is nothing at ${path}` });
  if (request.method !== "POST") return send(response, 405, { message: `${path} takes POST only` });
  try {
    const text = await readBody(request);
    send(response, 200, await route(parseBoundedJson(text)));
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === undefined) throw error;
    // The rest of a body that is too large is not read, so the connection can't be used again.
    if (refusal.status === 413) response.setHeader("connection", "close");
    send(response, refusal.status, { message: refusal.message });
  }
}

class TooLargeError extends Error {}

/** By events: reviews are small and many, and an iterator over each costs as much as parsing it. */
function readBody(request: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= MAX_BODY_BYTES) {
        chunks.push(chunk);
        return;
      }
      request.pause();
      chunks.length = 0;
      reject(new TooLargeError(`larger than ${MAX_BODY_BYTES} bytes`));
    });
    request.on("end", () => resolve(Buffer.concat(chunks, size).toString("utf8")));
    request.on("error", reject);
  });
}

function refusalOf(error: unknown): { status: number; message: string } | undefined {
  if (error instanceof ReviewError) return { status: 400, message: error.message };
  if (error instanceof SyntaxError) {
    return { status: 400, message: new ReviewError("ReviewMalformed", `it is no JSON: ${error.message}`).message };
  }
  if (error instanceof TooLargeError || error instanceof TooDeepError) {
    return { status: 413, message: new ReviewError("ReviewTooLarge", error.message).message };
  }
  return undefined;
}

function send(response: ServerResponse, status: number, body: object): void {
  if (response.headersSent || response.destroyed) return;
  const text = JSON.stringify(body);
  response.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(text) });
  response.end(text);
}
