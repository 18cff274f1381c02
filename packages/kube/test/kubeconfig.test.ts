// SPDX-License-Identifier: Apache-2.0
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ConfigError } from "../src/api-error.ts";
import { loadKubeconfig } from "../src/kubeconfig.ts";

let dir = "";
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "hot-kubeconfig-"));
  vi.stubEnv("HOME", dir);
  vi.stubEnv("KUBECONFIG", "");
  vi.stubEnv("KUBERNETES_SERVICE_HOST", "");
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(dir, { recursive: true });
});

const yaml = (name: string, current = name): string => `
apiVersion: v1
kind: Config
clusters: [{ name: c-${name}, cluster: { server: "https://${name}:6443", certificate-authority: ca.pem } }]
users: [{ name: u-${name}, user: { token: t-${name} } }]
contexts: [{ name: ${name}, context: { cluster: c-${name}, user: u-${name} } }]
current-context: ${current}
`;

async function write(path: string, text: string): Promise<string> {
  await writeFile(join(dir, path), text);
  return join(dir, path);
}

const refusal = (options: Parameters<typeof loadKubeconfig>[0]): string => {
  try {
    loadKubeconfig(options);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    expect(error).toMatchObject({ code: "KUBE_CONFIG" });
    return (error as Error).message;
  }
  throw new Error("it was accepted");
};

describe("which kubeconfig", () => {
  test("the named file, before all others; files in it are relative to it", async () => {
    vi.stubEnv("KUBECONFIG", await write("env", yaml("env")));
    const config = loadKubeconfig({ kubeconfig: await write("named", yaml("named")) });
    expect(config.getCurrentCluster()).toMatchObject({ server: "https://named:6443", caFile: join(dir, "ca.pem") });
  });

  test("the files of KUBECONFIG: the first to name something wins, a missing one is skipped", async () => {
    const first = await write("first", yaml("one"));
    const second = await write("second", yaml("two").replace("c-two, cluster", "c-one, cluster"));
    vi.stubEnv("KUBECONFIG", [first, join(dir, "missing"), second].join(delimiter));
    const config = loadKubeconfig({});
    expect(config.currentContext).toBe("one");
    expect(config.getCurrentCluster()?.server).toBe("https://one:6443");
    expect(config.contexts.map(({ name }) => name)).toEqual(["one", "two"]);
  });

  test("~/.kube/config", async () => {
    await mkdir(join(dir, ".kube"));
    await write(".kube/config", yaml("home"));
    expect(loadKubeconfig({}).getCurrentCluster()?.server).toBe("https://home:6443");
  });

  test("none at all is an error, not localhost", () => {
    expect(refusal({})).toMatch(/the default kubeconfig: there is none\. Name a kubeconfig, set KUBECONFIG/);
  });

  test("another context than the current one", async () => {
    const path = await write("config", yaml("a", "other"));
    expect(loadKubeconfig({ kubeconfig: path, context: "a" }).currentContext).toBe("a");
  });
});

describe("what is refused, with the file and the next step", () => {
  test.each([
    ["a missing file", undefined, /nowhere: it can't be read \(ENOENT.*\)\. Name a kubeconfig/],
    ["no YAML", "a: [", /it can't be read/],
    ["an empty file", "", /it can't be read|no current-context/],
    ["an unknown context", yaml("a", "b"), /there is no context "b"\. Choose one of: a\./],
    ["no current context", yaml("a", '""'), /it has no current-context\. Choose one of its contexts: a\./],
    ["an unknown cluster", yaml("a").replace("cluster: c-a, user", "cluster: c-x, user"), /unknown cluster "c-x"/],
    ["an address that is none", yaml("a").replace("https://a:6443", "a:6443"), /"a:6443" of cluster "c-a" is no http/],
  ])("%s", async (_, text, message) => {
    const path = text === undefined ? join(dir, "nowhere") : await write("config", text);
    expect(refusal({ kubeconfig: path })).toMatch(message);
    expect(refusal({ kubeconfig: path })).toContain(path);
  });
});
