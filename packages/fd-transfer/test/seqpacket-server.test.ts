// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { SeqpacketServer } from "../src/seqpacket-server.ts";

test("a path that cannot be put in place costs no descriptor and leaves no file, however often it is tried", () => {
  const dir = mkdtempSync(join(tmpdir(), "hft-"));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const path = join(dir, "owner.sock");
  mkdirSync(path);
  const open = readdirSync("/proc/self/fd").length;
  for (let tries = 0; tries < 10; tries++) {
    expect(() => new SeqpacketServer(path, join(dir, `owner.${tries}.tmp`), 0o600, () => undefined)).toThrow(/rename/);
  }
  expect(readdirSync("/proc/self/fd").length).toBe(open);
  expect(readdirSync(dir)).toEqual(["owner.sock"]);
});
