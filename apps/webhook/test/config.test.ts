// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { parseConfig, UsageError } from "../src/config.ts";

test("without flags: the deployed form", () => {
  expect(parseConfig([], { POD_NAMESPACE: "infra" })).toEqual({
    command: "run",
    lifetimes: { leafMs: 7 * 86_400_000, authorityMs: 365 * 86_400_000 },
    revertConversion: false,
    host: "0.0.0.0",
    port: 9443,
    healthPort: 8081,
    namespace: "infra",
    failurePolicy: "Ignore",
    role: "all",
    logLevel: "info",
  });
});

test("every flag", () => {
  const flags = {
    kubeconfig: "/tmp/kubeconfig",
    host: "127.0.0.1",
    port: "0",
    "health-port": "0",
    url: "https://127.0.0.1:9443/",
    namespace: "hot",
    "failure-policy": "Fail",
    role: "webhook",
    "log-level": "debug",
    "cert-dir": "/etc/certs",
    "leaf-lifetime": "60s",
    "authority-lifetime": "10m",
  };
  expect(
    parseConfig([...Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]), "--revert-conversion"], {}),
  ).toEqual({
    command: "run",
    certDir: "/etc/certs",
    lifetimes: { leafMs: 60_000, authorityMs: 600_000 },
    revertConversion: true,
    kubeconfig: "/tmp/kubeconfig",
    host: "127.0.0.1",
    port: 0,
    healthPort: 0,
    url: "https://127.0.0.1:9443",
    namespace: "hot",
    failurePolicy: "Fail",
    role: "webhook",
    logLevel: "debug",
  });
});

test("uninstall is a command with the same flags", () => {
  expect(parseConfig(["uninstall", "--namespace=hot"], {})).toMatchObject({ command: "uninstall", namespace: "hot" });
});

test("--help asks for help, whatever else is there", () => {
  expect(parseConfig(["--help", "--port", "x"], {})).toBe("help");
});

test.each([
  [["--port", "99999"], '--port is "99999"'],
  [["--port", "http"], '--port is "http"'],
  [["--port", "-1"], "--port"],
  [["--health-port", "9443"], "another port than --port"],
  [["--url", "http://127.0.0.1"], "--url"],
  [["--url", "https://user@host"], "--url"],
  [["--url", "nonsense"], "--url"],
  [["--host", "example.com/x"], "--host"],
  [["--namespace", "Not_A_Name"], "--namespace"],
  [["--failure-policy", "fail"], "Ignore or Fail"],
  [["--role", "both"], "all or webhook or controller"],
  [["--log-level", "trace"], "--log-level"],
  [["--kubeconfig", ""], "--kubeconfig"],
  [["--unknown"], "--unknown"],
  [["uninstall", "twice"], "no command"],
  [["--cert-dir="], "--cert-dir"],
  [["--leaf-lifetime", "7"], "a time such as"],
  [["--leaf-lifetime", "29s"], "at least 30s"],
  [["--authority-lifetime", "27d"], "four times"],
  [["stray"], "stray"],
  [["--port"], "--port"],
])("%j is one clear message with a code", (argv, part) => {
  expect(() => parseConfig(argv, {})).toThrow(UsageError);
  expect(() => parseConfig(argv, {})).toThrow(part);
  expect(() => parseConfig(argv, {})).toThrow(/^[^\n]*\(HOT5001\)$/);
});
