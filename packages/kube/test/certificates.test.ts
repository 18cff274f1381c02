// SPDX-License-Identifier: Apache-2.0
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { createServer, connect as tlsConnect, type TLSSocket } from "node:tls";
import type { AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";
import { createAuthority, issueCertificate, type CertificateOptions } from "../src/certificates.ts";

const DAY = 86_400_000;
const serverOptions: CertificateOptions = {
  commonName: "hot-webhook",
  dnsNames: ["hot-webhook.hot-system.svc", "localhost"],
  ipAddresses: ["127.0.0.1", "::1", "fd00::1:2", "::ffff:10.0.0.1"],
  days: 7,
  usage: "server",
};

describe("authority", () => {
  test("is a self-signed CA that may sign leaves", async () => {
    const { certPem, keyPem } = await createAuthority({ commonName: "hot-ca", days: 365 });
    const certificate = new X509Certificate(certPem);
    expect(certificate.ca).toBe(true);
    expect(certificate.subject).toBe("CN=hot-ca");
    expect(certificate.issuer).toBe("CN=hot-ca");
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(certificate.publicKey.asymmetricKeyDetails?.namedCurve).toBe("prime256v1");
    expect(keyPem).toMatch(/^-----BEGIN PRIVATE KEY-----/);
  });

  test("is valid for the days that were asked for, also beyond 2050", async () => {
    const now = Date.UTC(2049, 11, 31, 12);
    const certificate = new X509Certificate((await createAuthority({ commonName: "late", days: 10, now })).certPem);
    expect(Date.parse(certificate.validTo)).toBe(now + 10 * DAY);
    expect(Date.parse(certificate.validFrom)).toBeLessThan(now);
  });
});

describe("issued certificate", () => {
  test("is signed by its authority for the names, addresses and days that were asked for", async () => {
    const now = Date.UTC(2030, 0, 1);
    const authority = await createAuthority({ commonName: "hot-ca", days: 30, now });
    const ca = new X509Certificate(authority.certPem);
    const leaf = new X509Certificate((await issueCertificate(authority, { ...serverOptions, now })).certPem);
    expect(leaf.checkIssued(ca)).toBe(true);
    expect(leaf.verify(ca.publicKey)).toBe(true);
    expect(leaf.ca).toBe(false);
    expect(leaf.checkHost("hot-webhook.hot-system.svc")).toBeDefined();
    expect(leaf.checkHost("other.svc")).toBeUndefined();
    for (const address of serverOptions.ipAddresses) expect(leaf.checkIP(address), address).toBeDefined();
    expect(leaf.checkIP("127.0.0.2")).toBeUndefined();
    expect(Date.parse(leaf.validTo)).toBe(now + 7 * DAY);
    expect(leaf.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1"]);
  });

  test("carries its groups as organizations, and the usage", async () => {
    const authority = await createAuthority({ commonName: "ca", days: 1 });
    const options = { ...serverOptions, commonName: "admin", organizations: ["system:masters", "Zoë"] };
    const client = new X509Certificate(
      (await issueCertificate(authority, { ...options, dnsNames: [], ipAddresses: [], usage: "client" })).certPem,
    );
    expect(client.subject.split("\n").sort()).toEqual(["CN=admin", "O=Zoë", "O=system:masters"].sort());
    expect(client.keyUsage).toEqual(["1.3.6.1.5.5.7.3.2"]);
    expect(client.subjectAltName).toBeUndefined();
    const both = new X509Certificate((await issueCertificate(authority, { ...options, usage: "both" })).certPem);
    expect([...(both.keyUsage ?? [])].sort()).toEqual(["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]);
  });

  test("never outlives its authority, and none is issued by an expired one", async () => {
    const now = Date.UTC(2030, 0, 1);
    const authority = await createAuthority({ commonName: "ca", days: 2, now });
    const leaf = new X509Certificate((await issueCertificate(authority, { ...serverOptions, now })).certPem);
    expect(Date.parse(leaf.validTo)).toBe(now + 2 * DAY);
    await expect(issueCertificate(authority, { ...serverOptions, now: now + 3 * DAY })).rejects.toThrow(/expired/);
  });

  test("has a key of its own and a serial number of its own", async () => {
    const authority = await createAuthority({ commonName: "ca", days: 1 });
    const [a, b] = [await issueCertificate(authority, serverOptions), await issueCertificate(authority, serverOptions)];
    expect(a.keyPem).not.toBe(b.keyPem);
    expect(new X509Certificate(a.certPem).serialNumber).not.toBe(new X509Certificate(b.certPem).serialNumber);
  });

  test.each([
    ["a name that is none", { dnsNames: ["no spaces"] }],
    ["an address that is none", { ipAddresses: ["1.2.3"] }],
    ["no day", { days: 0 }],
    ["an empty common name", { commonName: "" }],
    ["a common name that is too long", { commonName: "x".repeat(65) }],
  ])("refuses %s", async (_, wrong) => {
    const authority = await createAuthority({ commonName: "ca", days: 1 });
    await expect(issueCertificate(authority, { ...serverOptions, ...wrong })).rejects.toThrow(RangeError);
  });

  test("refuses a key that is not the authority's", async () => {
    const [one, other] = [
      await createAuthority({ commonName: "ca", days: 1 }),
      await createAuthority({ commonName: "ca", days: 1 }),
    ];
    await expect(issueCertificate({ ...one, keyPem: other.keyPem }, serverOptions)).rejects.toThrow(/does not belong/);
  });
});

describe("TLS", () => {
  async function handshake(serverName: string, trusted: "own" | "other"): Promise<string> {
    const authority = await createAuthority({ commonName: "ca", days: 1 });
    const other = await createAuthority({ commonName: "ca", days: 1 });
    const server = await issueCertificate(authority, serverOptions);
    const client = await issueCertificate(authority, {
      ...serverOptions,
      commonName: "admin",
      organizations: ["g"],
      usage: "client",
    });
    const listener = createServer({
      cert: server.certPem,
      key: server.keyPem,
      ca: authority.certPem,
      requestCert: true,
      rejectUnauthorized: true,
    });
    listener.on("tlsClientError", () => undefined);
    listener.listen(0, "127.0.0.1");
    await once(listener, "listening");
    const accepted = once(listener, "secureConnection") as Promise<[TLSSocket]>;
    const socket = tlsConnect({
      host: "127.0.0.1",
      port: (listener.address() as AddressInfo).port,
      servername: serverName,
      ca: trusted === "own" ? authority.certPem : other.certPem,
      cert: client.certPem,
      key: client.keyPem,
    });
    try {
      await once(socket, "secureConnect");
      const [peer] = await accepted;
      const { subject } = peer.getPeerCertificate();
      peer.destroy();
      return [subject.CN, subject.O].join(" of ");
    } finally {
      socket.destroy();
      listener.close();
    }
  }

  test("both sides are accepted by node:tls", async () => {
    expect(await handshake("localhost", "own")).toBe("admin of g");
  });

  test("another name or another authority is not", async () => {
    await expect(handshake("elsewhere", "own")).rejects.toThrow(/does not match certificate's altnames/);
    await expect(handshake("localhost", "other")).rejects.toThrow(/signature|unable to verify|self.signed/i);
  });
});
