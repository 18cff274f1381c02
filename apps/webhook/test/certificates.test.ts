// SPDX-License-Identifier: Apache-2.0
import { X509Certificate } from "node:crypto";
import { describe, expect, test } from "vitest";
import { CertificateError } from "../src/certs/authority.ts";
import { nextCertificates, type Certificates } from "../src/certs/serving.ts";
import { createFakeApi, type FakeApi } from "./fake-api.ts";

const DAY = 24 * 3600 * 1000;
const START = Date.parse("2026-01-02T03:04:05Z");
const namespace = "hot-system";

const next = (api: FakeApi, day: number, present?: Certificates, url?: string): Promise<Certificates> =>
  nextCertificates({ api, namespace, now: new Date(START + day * DAY), ...(url !== undefined && { url }) }, present);

const pems = (bundle: string): string[] => bundle.match(/-----BEGIN CERTIFICATE-----/g) ?? [];

describe("the authority", () => {
  test("is made once and then shared through the Secret", async () => {
    const api = createFakeApi();
    const [first, second] = [await next(api, 0), await next(api, 0)];
    expect(second.authority).toEqual(first.authority);
    expect(api.writes).toEqual(["create secrets/hot-webhook-certs"]);
    expect(pems(first.caBundle)).toHaveLength(1);
  });

  test("of two replicas that start at once, the later takes what the faster wrote", async () => {
    const api = createFakeApi();
    const other = createFakeApi();
    const faster = await next(other, 0);
    api.beforeNextWrite(() => api.put("secrets", other.object("secrets", "hot-webhook-certs")!));
    expect((await next(api, 0)).authority).toEqual(faster.authority);
    expect(api.writes).toEqual([]);
  });

  test("is replaced in good time, and the one before stays trusted", async () => {
    const api = createFakeApi();
    const first = await next(api, 0);
    expect((await next(api, 300)).authority).toEqual(first.authority);
    const second = await next(api, 310, first);
    expect(second.authority.certPem).not.toBe(first.authority.certPem);
    expect(pems(second.caBundle)).toHaveLength(2);
    expect(second.caBundle).toContain(first.authority.certPem.trim());
    expect(new X509Certificate(second.serving.certPem).checkIssued(new X509Certificate(second.authority.certPem))).toBe(
      true,
    );
    // When the one before has ended, it is trusted no longer.
    expect(pems((await next(api, 366, second)).caBundle)).toHaveLength(1);
  });

  test("a Secret with something else in it is an error that says how to get rid of it", async () => {
    const api = createFakeApi();
    api.put("secrets", { metadata: { name: "hot-webhook-certs", namespace }, data: { "ca.crt": "bm9uc2Vuc2U=" } });
    await expect(next(api, 0)).rejects.toThrow(CertificateError);
    await expect(next(api, 0)).rejects.toThrow(/kubectl delete secret -n hot-system hot-webhook-certs.*HOT5202/);
    expect(api.writes).toEqual([]);
  });
});

describe("the serving certificate", () => {
  test("is for the Services' names, or for the host of the URL too", async () => {
    const api = createFakeApi();
    const leaf = new X509Certificate((await next(api, 0)).serving.certPem);
    expect(leaf.checkHost("hot-webhook.hot-system.svc")).toBeDefined();
    expect(leaf.checkHost("hot-webhook-conversion.hot-system.svc")).toBeDefined();
    const local = new X509Certificate((await next(api, 0, undefined, "https://127.0.0.1:9443")).serving.certPem);
    expect(local.checkIP("127.0.0.1")).toBeDefined();
    const named = new X509Certificate((await next(api, 0, undefined, "https://dev.example:9443")).serving.certPem);
    expect(named.checkHost("dev.example")).toBeDefined();
  });

  test("lives seven days and is replaced when a third of them is left", async () => {
    const api = createFakeApi();
    const first = await next(api, 0);
    expect(first.notAfter.getTime()).toBe(START + 7 * DAY);
    expect((await next(api, 4.6, first)).serving).toBe(first.serving);
    const second = await next(api, 4.7, first);
    expect(second.serving).not.toBe(first.serving);
    expect(second.authority).toEqual(first.authority);
  });
});
