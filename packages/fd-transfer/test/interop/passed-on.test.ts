// SPDX-License-Identifier: Apache-2.0
import { closeSync, openSync } from "node:fs";
import { expect, onTestFinished, test } from "vitest";
import { fromNginxEnv, fromSystemd, toNginxEnv } from "../../src/interop/index.ts";
import { loadNative } from "../../src/native/addon.ts";
import { closing, isCloseOnExec } from "../native/descriptors.ts";
import { cookies, cookiesOf, heldSockets } from "./loopback.ts";

const listener = (): number => closing(loadNative().listenTcp("127.0.0.1", 0, { backlog: 1 }));

test("nginx's descriptors get new numbers that no child inherits, and the variable goes", () => {
  const [first, second] = [listener(), listener()];
  const identities = cookiesOf([first, second]);
  const env: NodeJS.ProcessEnv = { NGINX: `${first};${second}:` };
  const held = heldSockets().length;
  using sockets = fromNginxEnv(env);
  expect(env).toEqual({});
  expect(cookies(sockets)).toEqual(identities);
  expect(heldSockets().length).toBe(held);
  expect([...sockets].map(({ fd }) => [first, second].includes(fd) || !isCloseOnExec(fd))).toEqual([false, false]);
  sockets.close();
  expect(heldSockets().length).toBe(held - 2);
  expect(fromNginxEnv(env).size).toBe(0);
});

test("a list that is none, or that names what is no socket of ours, touches nothing", () => {
  const fd = listener();
  const file = openSync("/dev/null", "r");
  onTestFinished(() => closeSync(file));
  const held = heldSockets();
  for (const list of [
    "3",
    "x;",
    `${fd}`,
    `${fd};2;`,
    `${fd};${fd};`,
    `${fd};${file};`,
    `${fd};999999;`,
    `${fd}; `,
    "-3;",
  ]) {
    const env: NodeJS.ProcessEnv = { NGINX: list };
    expect(() => fromNginxEnv(env), list).toThrow(expect.objectContaining({ code: "HOT4034" }));
    expect(env).toEqual({ NGINX: list });
  }
  expect(heldSockets()).toEqual(held);
  expect(loadNative().socketInfo(fd).accepting).toBe(true);
});

test("the numbers in nginx's variable follow those that the child gets", () => {
  expect(toNginxEnv(3)).toEqual({ NGINX: "3;4;5;" });
  expect(toNginxEnv(1, 7)).toEqual({ NGINX: "7;" });
  expect(() => toNginxEnv(1, 2)).toThrow(/^HOT4037/);
});

test("systemd's variables are taken when they are meant for this process, and count and names must be right", () => {
  const { pid } = process;
  for (const env of [{}, { LISTEN_FDS: "1" }, { LISTEN_FDS: "1", LISTEN_PID: String(pid + 1) }, { LISTEN_FDS: "x" }]) {
    const before = { ...env };
    expect(fromSystemd(env).size).toBe(0);
    expect(env).toEqual(before);
  }
  for (const [LISTEN_FDS, LISTEN_FDNAMES] of [
    ["-1", undefined],
    ["1 ", undefined],
    ["10001", undefined],
    ["1000000", undefined],
    ["9999", undefined],
    ["1", "a:b"],
  ]) {
    const env = { LISTEN_PID: String(pid), LISTEN_FDS, LISTEN_FDNAMES };
    expect(() => fromSystemd(env), LISTEN_FDS).toThrow(expect.objectContaining({ code: "HOT4034" }));
  }
});
