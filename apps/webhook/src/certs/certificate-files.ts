// SPDX-License-Identifier: Apache-2.0
import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Certificates } from "./serving.ts";

/**
 * Certificates that somebody else keeps fresh in a folder, such as a Secret of cert-manager: `tls.crt`, `tls.key` and
 * `ca.crt`. An authority that is replaced while this program runs stays trusted until it runs out.
 *
 * @throws when a file is missing, or certificate and key do not fit
 */
export async function certificatesFrom(folder: string, present: Certificates | undefined): Promise<Certificates> {
  const read = (name: string): Promise<string> => readFile(join(folder, name), "utf8");
  const parsed = <T>(name: string, parse: () => T): T => {
    try {
      return parse();
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new Error(`${join(folder, name)} can't be used: it is no whole PEM file (${why})`, { cause });
    }
  };
  const [certPem, keyPem, caPem] = await Promise.all(
    ["tls.crt", "tls.key", "ca.crt"].map(read) as [Promise<string>, Promise<string>, Promise<string>],
  );
  const { serving, authority } = present ?? {};
  if (present !== undefined && serving?.certPem === certPem && authority?.certPem === caPem) return present;
  const leaf = parsed("tls.crt", () => new X509Certificate(certPem));
  const key = parsed("tls.key", () => createPrivateKey(keyPem));
  parsed("ca.crt", () => new X509Certificate(caPem));
  // Read while the files are being replaced: the next look is better.
  if (!leaf.checkPrivateKey(key)) throw new Error(`${folder}: tls.key is not the key of tls.crt`);
  const before = authority?.certPem === caPem ? authority.previousCertPem : authority?.certPem;
  return {
    authority: { certPem: caPem, keyPem: "", ...(before !== undefined && { previousCertPem: before }) },
    serving: { certPem, keyPem },
    notAfter: leaf.validToDate,
    caBundle:
      [caPem, before ?? ""]
        .map((pem) => pem.trim())
        .join("\n")
        .trim() + "\n",
  };
}
