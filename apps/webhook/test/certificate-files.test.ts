// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAuthority, issueCertificate, type CertificatePair } from "@hot/kube/certificates";
import { afterEach, beforeEach, expect, test } from "vitest";
import { certificatesFrom } from "../src/certs/certificate-files.ts";

const NOW = Date.UTC(2030, 0, 1);
const DAY = 86_400_000;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "hot-certs-"));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const authority = (): Promise<CertificatePair> => createAuthority({ commonName: "issuer", days: 90, now: NOW });

async function issue(by: CertificatePair): Promise<CertificatePair> {
  const names = { commonName: "x", dnsNames: ["hot-webhook.hot-system.svc"], ipAddresses: [] };
  const pair = await issueCertificate(by, { ...names, days: 7, usage: "server", now: NOW });
  writeFileSync(join(folder, "tls.crt"), pair.certPem);
  writeFileSync(join(folder, "tls.key"), pair.keyPem);
  writeFileSync(join(folder, "ca.crt"), by.certPem);
  return pair;
}

const inBundle = (bundle: string): number => bundle.match(/BEGIN CERTIFICATE/g)?.length ?? 0;

test("serves the files, trusts their authority, and knows when they end", async () => {
  const ca = await authority();
  const pair = await issue(ca);
  const found = await certificatesFrom(folder, undefined);
  expect(found.serving).toEqual(pair);
  expect(found.caBundle).toBe(`${ca.certPem.trim()}\n`);
  expect(found.notAfter.getTime()).toBe(NOW + 7 * DAY);
  expect(await certificatesFrom(folder, found)).toBe(found);
});

test("a new leaf is taken; a new authority too, and the one before stays trusted", async () => {
  const [ca, other] = [await authority(), await authority()];
  await issue(ca);
  const first = await certificatesFrom(folder, undefined);
  const renewed = await issue(ca);
  const second = await certificatesFrom(folder, first);
  expect(second.serving).toEqual(renewed);
  expect(inBundle(second.caBundle)).toBe(1);
  await issue(other);
  const third = await certificatesFrom(folder, second);
  expect(inBundle(third.caBundle)).toBe(2);
  expect(third.caBundle).toContain(ca.certPem.trim());
  await issue(other);
  expect((await certificatesFrom(folder, third)).caBundle).toBe(third.caBundle);
});

test("a file that is missing or does not fit is an error with its path or kind", async () => {
  await expect(certificatesFrom(folder, undefined)).rejects.toThrow(/tls\.crt|tls\.key|ca\.crt/);
  await issue(await authority());
  writeFileSync(join(folder, "tls.key"), (await authority()).keyPem);
  await expect(certificatesFrom(folder, undefined)).rejects.toThrow("tls.key is not the key of tls.crt");
});

test.each(["tls.crt", "tls.key", "ca.crt"])("%s half-written: the error names it", async (name) => {
  await issue(await authority());
  const file = join(folder, name);
  const whole = readFileSync(file, "utf8");
  for (const half of ["", whole.slice(0, 100), whole.slice(0, -40)]) {
    writeFileSync(file, half);
    await expect(certificatesFrom(folder, undefined)).rejects.toThrow(`${file} can't be used`);
  }
});
