// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ConfigError } from "../src/api-error.ts";
import { createCredentialSource } from "../src/credentials.ts";
import { createServiceAccountSource, isInCluster } from "../src/service-account.ts";

let folder: string;
let time: number;
const now = (): number => time;
const env = { KUBERNETES_SERVICE_HOST: "10.0.0.1", KUBERNETES_SERVICE_PORT: "6443" };

beforeEach(() => {
  time = 0;
  folder = mkdtempSync(join(tmpdir(), "hot-sa-"));
  writeFileSync(join(folder, "token"), "first\n");
  writeFileSync(join(folder, "ca.crt"), "CA 1");
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

const source = (more: Record<string, string> = {}): ReturnType<typeof createServiceAccountSource> =>
  createServiceAccountSource({ folder, env: { ...env, ...more }, now });

describe("the credentials of a pod", () => {
  test("are the token, the authority and the address of its environment", async () => {
    const pod = source();
    expect(pod.server.href).toBe("https://10.0.0.1:6443/");
    expect(await pod.current()).toEqual({ headers: { authorization: "Bearer first" }, tls: { ca: "CA 1" } });
  });

  test("follow the files when they are replaced, without a restart", async () => {
    const pod = source();
    writeFileSync(join(folder, "token"), "second");
    writeFileSync(join(folder, "ca.crt"), "CA 2");
    time = 9_000;
    expect((await pod.current()).headers["authorization"]).toBe("Bearer first");
    time = 10_000;
    expect(await pod.current()).toEqual({ headers: { authorization: "Bearer second" }, tls: { ca: "CA 2" } });
  });

  test("are read again at once after the server has said 401", async () => {
    const pod = source();
    writeFileSync(join(folder, "token"), "second");
    pod.invalidate();
    expect((await pod.current()).headers["authorization"]).toBe("Bearer second");
  });

  test("stay as they were while a file is missing or empty", async () => {
    const pod = source();
    writeFileSync(join(folder, "token"), "");
    time = 20_000;
    expect((await pod.current()).headers["authorization"]).toBe("Bearer first");
    rmSync(join(folder, "ca.crt"));
    time = 40_000;
    expect((await pod.current()).tls.ca).toBe("CA 1");
  });

  test("an IPv6 address is put in brackets, and the port may be missing", () => {
    expect(source({ KUBERNETES_SERVICE_HOST: "fd00::1" }).server.href).toBe("https://[fd00::1]:6443/");
    const bare = createServiceAccountSource({ folder, env: { KUBERNETES_SERVICE_HOST: "10.0.0.1" }, now });
    expect(bare.server.href).toBe("https://10.0.0.1/");
  });

  test("without an authority, or with a nonsensical address: an error that says what to do", () => {
    expect(() => source({ KUBERNETES_SERVICE_PORT: "many" })).toThrow(ConfigError);
    rmSync(join(folder, "ca.crt"));
    expect(() => source()).toThrow(/ca\.crt can't be read.*ServiceAccount/);
    writeFileSync(join(folder, "ca.crt"), "");
    expect(() => source()).toThrow(/ca\.crt is empty/);
  });
});

describe("where credentials come from", () => {
  beforeEach(() => {
    vi.stubEnv("KUBECONFIG", "");
    vi.stubEnv("HOME", folder);
    vi.stubEnv("KUBERNETES_SERVICE_HOST", "10.0.0.1");
    vi.stubEnv("KUBERNETES_SERVICE_PORT", "443");
  });

  test("the service account, where there is no kubeconfig", () => {
    const { server } = createCredentialSource({ serviceAccountFolder: folder }, now);
    expect(server.href).toBe("https://10.0.0.1/");
  });

  test("not the service account where a kubeconfig was named", () => {
    const options = { serviceAccountFolder: folder, kubeconfig: join(folder, "missing") };
    expect(() => createCredentialSource(options, now)).toThrow(/missing/);
  });

  test("outside of a cluster there is none", () => {
    expect(isInCluster({ folder, env: {} })).toBe(false);
    expect(isInCluster({ folder: join(folder, "x"), env })).toBe(false);
    expect(() => createCredentialSource({ serviceAccountFolder: join(folder, "x") }, now)).toThrow(/there is none/);
  });
});
