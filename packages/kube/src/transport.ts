// SPDX-License-Identifier: Apache-2.0
import { Agent, ProxyAgent, request, type Dispatcher } from "undici";
import { ConnectionError, type ConnectionErrorCode } from "./api-error.ts";
import type { CredentialSource, TlsMaterial } from "./credential-source.ts";

/** One HTTP exchange. `what` names it in messages. */
export interface HttpRequest {
  what: string;
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Path and query below the server's address. */
  path: string;
  body?: { type: string; text: string };
  signal?: AbortSignal | undefined;
  /** A stream may be silent for as long as it likes; its reader decides when that is too long. */
  stream?: boolean;
}

export type HttpResponse = Pick<Dispatcher.ResponseData, "statusCode" | "headers" | "body">;

export interface Transport extends AsyncDisposable {
  /** Resolves with the response's head; the body is to be read or destroyed by the caller. */
  send(request: HttpRequest): Promise<HttpResponse>;
}

/** No answer within this time is a timeout. Longer than the 60 s that the API server gives itself. */
const ANSWER_MS = 65_000;

/** HTTP/1.1 with keep-alive, one connection for each watch, so that a broken connection breaks one stream only. */
export function createTransport(source: CredentialSource, userAgent: string): Transport {
  let current: { key: string; dispatcher: Dispatcher } | undefined;
  const base = source.server.pathname.replace(/\/$/, "");

  const dispatcherFor = (tls: TlsMaterial): Dispatcher => {
    const key = JSON.stringify(tls);
    if (current?.key === key) return current.dispatcher;
    void current?.dispatcher.close(); // requests under way finish with the certificate they began with
    current = { key, dispatcher: createDispatcher(tls, source.proxy) };
    return current.dispatcher;
  };

  return {
    async send({ what, method, path, body, signal, stream = false }) {
      signal?.throwIfAborted();
      try {
        const { headers, tls } = await source.current();
        return await request(`${source.server.origin}${base}${path}`, {
          method,
          dispatcher: dispatcherFor(tls),
          headers: {
            ...headers,
            accept: "application/json",
            "user-agent": userAgent,
            ...(body === undefined ? {} : { "content-type": body.type }),
          },
          body: body?.text ?? null,
          signal: signal ?? null,
          headersTimeout: ANSWER_MS,
          bodyTimeout: stream ? 0 : ANSWER_MS,
        });
      } catch (error) {
        signal?.throwIfAborted();
        throw connectionError(what, source.server.origin, error);
      }
    },
    [Symbol.asyncDispose]: async () => {
      await current?.dispatcher.destroy();
    },
  };
}

function createDispatcher(tls: TlsMaterial, proxy: string | undefined): Dispatcher {
  // Keep-alive probes find a dead peer below HTTP; 30 s is below the idle limits of the usual load balancers.
  const connect = { ...tls, keepAlive: true, keepAliveInitialDelay: 30_000, timeout: 10_000 };
  if (proxy !== undefined) return new ProxyAgent({ uri: proxy, requestTls: connect, allowH2: false });
  return new Agent({ connect, allowH2: false });
}

const CODES: Record<string, ConnectionErrorCode> = {
  UND_ERR_HEADERS_TIMEOUT: "KUBE_TIMEOUT",
  UND_ERR_BODY_TIMEOUT: "KUBE_TIMEOUT",
  UND_ERR_SOCKET: "KUBE_CUT",
  ECONNRESET: "KUBE_CUT",
  EPIPE: "KUBE_CUT",
  UND_ERR_ABORTED: "KUBE_CUT",
  UND_ERR_DESTROYED: "KUBE_CUT",
  UND_ERR_CLOSED: "KUBE_CUT",
};

/** Wraps whatever the network or the credentials threw. */
export function connectionError(what: string, server: string, error: unknown): ConnectionError {
  if (error instanceof ConnectionError) return error;
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const isNoHttp = error instanceof Error && error.name === "HTTPParserError";
  const kind = isNoHttp ? "KUBE_MALFORMED" : (CODES[code] ?? "KUBE_UNREACHABLE");
  return new ConnectionError(what, server, kind, reasonOf(error, code), error);
}

function reasonOf(error: unknown, code: string): string {
  if (error instanceof AggregateError && error.message === "") {
    return error.errors.map((each) => reasonOf(each, "")).join("; ");
  }
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/[.\s]+$/, "") || code || "unknown error";
}
