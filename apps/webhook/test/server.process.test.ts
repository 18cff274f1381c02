// SPDX-License-Identifier: Apache-2.0
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { Agent, request, type RequestOptions } from "node:https";
import { connect as connectPlain } from "node:net";
import { connect } from "node:tls";
import { createAuthority, issueCertificate, type CertificatePair } from "@hot/kube/certificates";
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { readRequest } from "../src/admission.ts";
import { createLog } from "../src/log.ts";
import { MAX_BODY_BYTES, startAdmissionServer, type AdmissionServer } from "../src/server.ts";

let authority: CertificatePair;
let server: AdmissionServer;
/** Ends the handler of /slow. */
let release: () => void;
let entered: Promise<void>;

const leaf = (): Promise<CertificatePair> =>
  issueCertificate(authority, {
    commonName: "test",
    dnsNames: [],
    ipAddresses: ["127.0.0.1"],
    days: 1,
    usage: "server",
  });

beforeEach(async () => {
  authority = await createAuthority({ commonName: "test-ca", days: 1 });
  const gate = Promise.withResolvers<void>();
  const arrival = Promise.withResolvers<void>();
  release = gate.resolve;
  entered = arrival.promise;
  server = await startAdmissionServer({
    host: "127.0.0.1",
    port: 0,
    certificate: await leaf(),
    routes: {
      "/echo": (body) => ({ body }),
      "/review": (body) => readRequest(body),
      "/broken": () => Promise.reject(new Error("secret detail")),
      "/slow": async () => {
        arrival.resolve();
        await gate.promise;
        return { slow: true };
      },
    },
    log: createLog("error", () => {}),
  });
});

afterEach(() => server.stop());

interface Reply {
  status: number;
  body: string;
}

function send(path: string, body: string | Buffer, options: RequestOptions = {}): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { host: "127.0.0.1", port: server.port, path, method: "POST", ca: authority.certPem, agent: false, ...options },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
      },
    );
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

describe("whatever comes, the answer is well-formed", () => {
  test("JSON in, JSON out", async () => {
    expect(await send("/echo?timeout=5s", '{"a":"ü"}')).toEqual({ status: 200, body: '{"body":{"a":"ü"}}' });
  });

  test.each([
    ["an unknown path", "/nothing", "{}", 404, "/nothing"],
    ["a member of Object.prototype", "/toString", "{}", 404, "/toString"],
    ["no JSON", "/echo", "{", 400, "HOT5301"],
    ["an empty body", "/echo", "", 400, "HOT5301"],
    ["no review", "/review", "{}", 400, "HOT5301"],
    ["too deep", "/echo", "[".repeat(5000) + "]".repeat(5000), 413, "HOT5302"],
  ])("%s", async (_what, path, body, status, part) => {
    const reply = await send(path, body);
    expect(reply.status).toBe(status);
    expect((JSON.parse(reply.body) as { message: string }).message).toContain(part);
  });

  test("another method", async () => {
    expect((await send("/echo", "", { method: "GET" })).status).toBe(405);
  });

  test("a body up to the bound is taken, one byte more is not", async () => {
    const text = (size: number): string => `"${"a".repeat(size - 2)}"`;
    expect((await send("/echo", text(MAX_BODY_BYTES))).status).toBe(200);
    const refused = await send("/echo", text(MAX_BODY_BYTES + 1)).catch((error: NodeJS.ErrnoException) => error.code);
    // The answer comes before the body was read whole; a client that still writes may see the connection cut instead.
    expect(["EPIPE", "ECONNRESET", 413]).toContain(typeof refused === "object" ? refused.status : refused);
    expect((await send("/echo", "1")).status).toBe(200);
  });

  test("__proto__ is inert", async () => {
    const reply = await send("/echo", '{"__proto__":{"polluted":true},"a":{"__proto__":{"polluted":true}}}');
    expect(reply.body).toBe('{"body":{"a":{}}}');
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  test("a fault of ours does not tell its details", async () => {
    const reply = await send("/broken", "{}");
    expect(reply.status).toBe(500);
    expect(reply.body).toContain("HOT5901");
    expect(reply.body).not.toContain("secret detail");
  });
});

function serialOf(session: ReturnType<typeof connect>): Promise<string> {
  return new Promise((resolve, reject) => {
    session.once("error", reject);
    session.once("secureConnect", () => resolve(session.getPeerCertificate().serialNumber));
  });
}

test("an API server, which closes idle connections after 90 s, does so before we do", async () => {
  const agent = new Agent({ keepAlive: true });
  onTestFinished(() => agent.destroy());
  const outgoing = request({ host: "127.0.0.1", port: server.port, path: "/echo", ca: authority.certPem, agent });
  outgoing.end();
  const [{ headers }] = (await once(outgoing, "response")) as [IncomingMessage];
  const [, seconds] = /^timeout=(\d+)$/.exec(String(headers["keep-alive"])) ?? [];
  expect(Number(seconds)).toBeGreaterThan(90);
});

test("a new certificate is served on new connections; open ones go on", async () => {
  const options = { host: "127.0.0.1", port: server.port, ca: authority.certPem };
  const old = connect(options);
  const before = await serialOf(old);
  server.rotate(await leaf());
  const fresh = connect(options);
  expect(await serialOf(fresh)).not.toBe(before);
  fresh.destroy();
  const reply = new Promise<string>((resolve) => old.once("data", (data: Buffer) => resolve(data.toString())));
  old.write("POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\n1");
  expect(await reply).toMatch(/^HTTP\/1\.1 200 /);
  old.destroy();
});

test("stop: the request under way is answered, a new one is refused, and idle connections do not hold it up", async () => {
  const idle = connect({ host: "127.0.0.1", port: server.port, ca: authority.certPem });
  await serialOf(idle);
  const idleClosed = new Promise((resolve) => idle.once("close", resolve));
  const agent = new Agent({ keepAlive: true });
  const slow = send("/slow", "{}", { agent });
  await entered;
  const stopped = server.stop();
  await expect(send("/echo", "1")).rejects.toThrow(/ECONNREFUSED|ECONNRESET|socket hang up/);
  await idleClosed;
  release();
  expect(await slow).toEqual({ status: 200, body: '{"slow":true}' });
  await stopped;
});

test("stop: a connection without a TLS handshake is cut like any other, and holds nothing up", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const silent = connectPlain(server.port, "127.0.0.1");
  await once(silent, "connect");
  // Connections are taken in their order: the one before has been taken when this is answered.
  expect((await send("/echo", "1")).status).toBe(200);
  const closed = once(silent, "close");
  const stopped = server.stop();
  vi.advanceTimersByTime(3000);
  await Promise.all([stopped, closed]);
});

test("a server that retires takes new connections, and says with each answer that the connection ends", async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ended: (string | undefined)[] = [];
  const ask = async (path: string): Promise<void> => {
    const answer = Promise.withResolvers<IncomingMessage>();
    const { port } = server;
    request({ host: "127.0.0.1", port, path, method: "POST", ca: authority.certPem, agent }, answer.resolve)
      .on("error", answer.reject)
      .end("1");
    const response = await answer.promise;
    response.resume();
    await once(response, "end");
    ended.push(response.headers.connection);
  };
  await ask("/echo");
  const slow = ask("/slow");
  await entered;
  server.retire();
  release();
  await slow;
  await ask("/echo");
  expect(ended).toEqual(["keep-alive", "close", "close"]);
});

test("a port that is taken: which one, and what to do", async () => {
  const options = {
    host: "127.0.0.1",
    port: server.port,
    certificate: await leaf(),
    routes: {},
    log: createLog("error", () => {}),
  };
  await expect(startAdmissionServer(options)).rejects.toThrow(
    new RegExp(`127\\.0\\.0\\.1:${server.port}: The port is in use\\..*--port.*HOT5004`),
  );
});
