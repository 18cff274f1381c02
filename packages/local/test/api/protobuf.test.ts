// SPDX-License-Identifier: Apache-2.0
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { decodeProtobuf } from "../../src/api/protobuf.ts";

/** Field `number` with wire type 2. */
const field = (number: number, content: string | Buffer): Buffer => {
  const bytes = Buffer.from(content);
  return Buffer.concat([Buffer.from([number * 8 + 2, bytes.length]), bytes]);
};
const envelope = (kind: string, raw: Buffer): Buffer =>
  Buffer.concat([Buffer.from("k8s\0"), field(1, Buffer.concat([field(1, "v1"), field(2, kind)])), field(2, raw)]);

test("a Namespace as `kubectl create namespace` sends it", () => {
  const metadata = Buffer.concat([field(1, "team"), field(11, Buffer.concat([field(1, "a"), field(2, "b")]))]);
  expect(decodeProtobuf(envelope("Namespace", field(1, metadata)))).toEqual({
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: "team", labels: { a: "b" } },
  });
});

test("a Secret's data becomes base64, as in JSON", () => {
  const entry = Buffer.concat([field(1, "key"), field(2, "value")]);
  expect(decodeProtobuf(envelope("Secret", field(2, entry)))).toMatchObject({ data: { key: "dmFsdWU=" } });
});

test("another kind is 415 and says what to do", () => {
  expect(() => decodeProtobuf(envelope("Deployment", Buffer.alloc(0)))).toThrow("--dry-run=client");
});

test("property: any bytes are decoded or refused as the client's fault", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      try {
        decodeProtobuf(envelope("ConfigMap", Buffer.from(bytes)));
      } catch (error) {
        expect(error).toMatchObject({ status: { code: 400 } });
      }
    }),
  );
});
