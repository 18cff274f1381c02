// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Identity {
  caPem: string;
  server: { certPem: string; keyPem: string };
  /** What the kubeconfig carries: user `admin`. */
  client: { certPem: string; keyPem: string };
}

export async function createIdentity(host: string): Promise<Identity> {
  const dir = mkdtempSync(join(tmpdir(), "hot-id-"));
  const run = (...args: string[]): void => void execFileSync("openssl", args, { cwd: dir, stdio: "ignore" });
  const text = (name: string): string => readFileSync(join(dir, name), "utf8");
  try {
    run(
      "req",
      "-x509",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:P-256",
      "-nodes",
      "-keyout",
      "ca.key",
      "-out",
      "ca.crt",
      "-subj",
      "/CN=local-ca",
      "-days",
      "7",
    );
    for (const [name, subject, extra] of [
      ["server", `/CN=${host}`, `subjectAltName=IP:${host},DNS:localhost`],
      ["client", "/CN=admin", "extendedKeyUsage=clientAuth"],
    ] as const) {
      writeFileSync(join(dir, "ext"), extra);
      run(
        "req",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-keyout",
        `${name}.key`,
        "-out",
        `${name}.csr`,
        "-subj",
        subject,
      );
      run(
        "x509",
        "-req",
        "-in",
        `${name}.csr`,
        "-CA",
        "ca.crt",
        "-CAkey",
        "ca.key",
        "-CAcreateserial",
        "-out",
        `${name}.crt`,
        "-days",
        "7",
        "-extfile",
        "ext",
      );
    }
    return {
      caPem: text("ca.crt"),
      server: { certPem: text("server.crt"), keyPem: text("server.key") },
      client: { certPem: text("client.crt"), keyPem: text("client.key") },
    };
  } finally {
    rmSync(dir, { recursive: true });
  }
}
