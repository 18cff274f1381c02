// SPDX-License-Identifier: Apache-2.0
// TLS sessions that began with the old process are resumed by the new one.
import { once } from "node:events";
import { connect } from "node:tls";
import type { SecureVersion } from "node:tls";
import { expect, test } from "vitest";
import { Scene } from "./fixtures/fixture-process.ts";
import { identity } from "./fixtures/tls-identity.ts";

interface Visit {
  readonly answer: string;
  readonly resumed: boolean;
  readonly session: Buffer;
}

async function visit(port: number, version: SecureVersion, session?: Buffer): Promise<Visit> {
  const socket = connect({
    port,
    host: "127.0.0.1",
    servername: "localhost",
    ca: identity.cert,
    minVersion: version,
    maxVersion: version,
    ...(session === undefined ? {} : { session }),
  });
  let given = session ?? Buffer.alloc(0);
  socket.on("session", (ticket) => (given = ticket));
  socket.write("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  let text = "";
  socket.on("data", (chunk) => (text += String(chunk)));
  let resumed = false;
  socket.once("secureConnect", () => (resumed = socket.isSessionReused()));
  await once(socket, "end");
  socket.destroy();
  return { answer: text.slice(text.indexOf("\r\n\r\n") + 4), resumed, session: given };
}

test.each(["TLSv1.2", "TLSv1.3"] as const)("%s: all of 20 sessions go on after two upgrades", async (version) => {
  await using scene = await Scene.open();
  await scene.start("v1", {}, "secure.ts").says("ready");
  const first = await Promise.all(Array.from({ length: 20 }, async () => visit(scene.port, version)));
  expect(first.map(({ resumed }) => resumed)).toEqual(first.map(() => false));
  await scene.start("v2", {}, "secure.ts").says("ready");
  await scene.start("v3", {}, "secure.ts").says("ready");
  const again = await Promise.all(first.map(async ({ session }) => visit(scene.port, version, session)));
  const seen = again.map(({ answer, resumed }) => ({ resumed, byNew: answer.includes("v3") }));
  expect(seen).toEqual(first.map(() => ({ resumed: true, byNew: true })));
});

test("a server with ticket keys of its own keeps them: sessions of the old one begin anew", async () => {
  await using scene = await Scene.open();
  await scene.start("v1", {}, "secure.ts").says("ready");
  const { session } = await visit(scene.port, "TLSv1.3");
  await scene.start("v2", { OWN_KEYS: "1" }, "secure.ts").says("ready");
  expect((await visit(scene.port, "TLSv1.3", session)).resumed).toBe(false);
});

test("certificates that were added while the old process ran are there from the first handshake of the new one", async () => {
  await using scene = await Scene.open();
  await scene.start("v1", { GIVEN: "localhost" }, "secure-names.ts").says("ready");
  const first = await visit(scene.port, "TLSv1.3");
  expect(first.answer).toContain("v1");
  for (const version of ["v2", "v3"]) {
    const next = await scene.start(version, {}, "secure-names.ts").says("ready");
    expect(next).toMatchObject({ role: "successor", names: ["localhost"] });
  }
  const again = await visit(scene.port, "TLSv1.3", first.session);
  expect([again.answer.includes("v3"), again.resumed]).toEqual([true, true]);
});
