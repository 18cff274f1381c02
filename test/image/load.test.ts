// SPDX-License-Identifier: Apache-2.0
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, afterEach, expect, test, vi } from "vitest";
import { addressIn } from "../../tools/image/cluster-address.ts";
import { loadImages } from "../../tools/image/index.ts";

const folder = mkdtempSync(join(tmpdir(), "hot-load-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(() => vi.unstubAllEnvs());

/** A `ctr` that writes its words down. */
function useCtr(end: string): void {
  writeFileSync(join(folder, "ctr"), `#!/bin/sh\necho "$@" >> ${join(folder, "calls")}\n${end}\n`);
  chmodSync(join(folder, "ctr"), 0o755);
  vi.stubEnv("PATH", [folder, process.env["PATH"]].join(delimiter));
}

test("each archive is imported once, into the namespace of the kubelet", () => {
  useCtr("exit 0");
  loadImages(["/a.tar", "/b.tar", "/a.tar"], { address: "/c.sock" });
  expect(readFileSync(join(folder, "calls"), "utf8")).toBe(
    "-a /c.sock -n k8s.io images import /a.tar\n-a /c.sock -n k8s.io images import /b.tar\n",
  );
});

test("a failure says which archive, where to, and what ctr said", () => {
  useCtr("echo ctr: connection refused >&2; exit 1");
  expect(() => loadImages(["/a.tar"], { address: "/c.sock" })).toThrow(
    "/a.tar was not imported into /c.sock: ctr: connection refused",
  );
});

test("without ctr it says what to install", () => {
  vi.stubEnv("PATH", join(folder, "nothing"));
  expect(() => loadImages(["/a.tar"], { address: "/c.sock" })).toThrow("install the package containerd");
});

test("the address of a cluster is a line of its environment", () => {
  expect(addressIn("export KUBECONFIG=/k\nexport CONTAINERD_ADDRESS=/proc/7/root/run/c.sock\n")).toBe(
    "/proc/7/root/run/c.sock",
  );
  expect(addressIn('CONTAINERD_ADDRESS="/c.sock"')).toBe("/c.sock");
  expect(addressIn("export KUBECONFIG=/k\n")).toBeUndefined();
});
