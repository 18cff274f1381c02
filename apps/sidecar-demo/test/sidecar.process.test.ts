// SPDX-License-Identifier: Apache-2.0
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { Agent, request as httpRequest } from "node:http";
import { createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { send, slowLines } from "./load.ts";
import { Pod } from "./programs.ts";

test("bodies of 32 MiB pass both ways unchanged, several at once", async () => {
  await using pod = await Pod.open();
  await pod.app();
  await pod.sidecar(1, 0).says("owns");
  const bodies = [0, 1, 2].map(() => randomBytes(32 << 20));
  const answers = await Promise.all(bodies.map(async (body) => send(pod.port, "/echo", body)));
  for (const [index, { status, headers, body }] of answers.entries()) {
    expect(status).toBe(200);
    expect(headers).toMatchObject({ "x-sidecar-version": "v1", "x-sidecar-container": "sidecar-1" });
    expect(headers["x-body-sha256"]).toBe(createHash("sha256").update(bodies[index]!).digest("hex"));
    expect(body.equals(bodies[index]!)).toBe(true);
  }
});

test("while the application is down requests get a 502 with place, cause and identity; then it works again", async () => {
  await using pod = await Pod.open();
  await pod.sidecar(1, 0).says("owns");
  const { status, headers, body } = await send(pod.port, "/echo", Buffer.from("x"));
  expect(status).toBe(502);
  expect(headers["x-sidecar-version"]).toBe("v1");
  expect(body.toString()).toBe(
    `the application at 127.0.0.1:${pod.appPort} gives no answer (ECONNREFUSED); is its container running?\n`,
  );
  const app = await pod.app();
  expect((await send(pod.port, "/")).status).toBe(200);
  expect((await app.stop("SIGTERM")).code).toBe(0);
  expect((await send(pod.port, "/")).status).toBe(502);
});

test("clients that leave in the middle of an upload or an answer leave nothing behind", async () => {
  await using pod = await Pod.open();
  await pod.app();
  const sidecar = pod.sidecar(1, 0);
  await sidecar.says("owns");
  expect((await send(pod.port, "/")).status).toBe(200);
  for (let round = 0; round < 20; round += 1) {
    const options = { host: "127.0.0.1", port: pod.port, agent: false } as const;
    const upload = httpRequest({ ...options, path: "/echo", method: "POST", headers: { "content-length": 1 << 20 } });
    upload.on("error", () => undefined);
    upload.write(randomBytes(100_000));
    const download = httpRequest({ ...options, path: "/slow?seconds=60" }).end();
    download.on("error", () => undefined);
    const [answer] = (await once(download, "response")) as [NodeJS.ReadableStream];
    await once(answer, "data");
    upload.destroy();
    download.destroy();
  }
  expect((await send(pod.port, "/")).status).toBe(200);
  // 20 clients and 40 connections to the application have come and gone; a kept one and a closing one may remain.
  while (sidecar.descriptors() > 40) await delay(50);
  expect(sidecar.err).toBe("");
});

test("TERM: an answer that is under way is finished, its client is told to close, and the process ends with 0", async () => {
  await using pod = await Pod.open();
  await pod.app();
  const sidecar = pod.sidecar(1, 0);
  await sidecar.says("owns");
  const slow = send(pod.port, "/slow?seconds=2");
  await delay(300);
  const ended = sidecar.stop("SIGTERM");
  const agent = new Agent({ keepAlive: true });
  while ((await send(pod.port, "/", undefined, agent)).headers.connection !== "close") await delay(10);
  const { status, body } = await slow;
  expect(status).toBe(200);
  expect(body.toString()).toBe(slowLines(2));
  const { code, err } = await ended;
  expect({ code, err }).toEqual({ code: 0, err: "" });
});

test.each([
  [{ DEMO_CRASH: "1" }, "sidecar: version v1 is broken on purpose (DEMO_CRASH=1)\n"],
  [{ LISTEN_PORT: "http" }, "sidecar: LISTEN_PORT=http is no port; set it to a number from 1 to 65535\n"],
  [{ UPSTREAM_PORT: "65536" }, "sidecar: UPSTREAM_PORT=65536 is no port; set it to a number from 1 to 65535\n"],
  [{ LISTEN_HOST: "localhost" }, "sidecar: LISTEN_HOST=localhost is no IP address; set it to one, :: for all\n"],
])("what it cannot start with is one message and exit code 1: %j", async (env: Record<string, string>, message) => {
  await using pod = await Pod.open();
  expect(await pod.sidecar(1, 0, env).ended).toEqual({ code: 1, out: "", err: message });
});

test("a taken port is one message with what to do", async () => {
  await using pod = await Pod.open();
  const other = createServer().listen(pod.port, "127.0.0.1");
  await once(other, "listening");
  const { code, err } = await pod.sidecar(1, 0).ended;
  other.close();
  expect(code).toBe(1);
  expect(err).toBe(
    `sidecar: port ${pod.port} on 127.0.0.1 is taken by a process that is no sidecar of this pod\n` +
      "  fix: Stop the process that listens there, or set LISTEN_PORT to a free port.\n",
  );
});
