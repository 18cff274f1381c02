// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { UnhashableError, safeEncode, sidecarSetHashes, type SidecarSet } from "../src/index.ts";

const container = { name: "container1", image: "test-image" };
const hashes = (spec: SidecarSet["spec"]) => sidecarSetHashes({ spec });

describe("hashes", () => {
  it("equal upstream's for containers alone or beside a plain init container", () => {
    const expected = {
      hash: "w26c4x8fz245642fdv499b464248f974xddx4x55z5dw55bc6x66464fxz77dc78",
      hashWithoutImage: "8wzddb4dvv9c6x8zdc77z4z75987424f457dfv6724ddw6zbdx467wz5x24fc759",
    };
    expect(hashes({ containers: [container] })).toEqual(expected);
    expect(hashes({ containers: [container], initContainers: [container] })).toEqual(expected);
  });

  it("equal upstream's with a native sidecar", () => {
    expect(hashes({ containers: [container], initContainers: [{ ...container, restartPolicy: "Always" }] })).toEqual({
      hash: "4xwx4d4844vd4v9x79wb4xbxf4xb29475cc4446v8cz2c2f2f5c5bw448vd42z8w",
      hashWithoutImage: "5725fw8bwbx249bw57v5892c847dzf48bww9zb7c86xb95264fdz26654847b2c8",
    });
  });

  it("ignore what is rolled out otherwise, our hotUpgrade policy included", () => {
    const plain = hashes({ containers: [container] });
    expect(
      hashes({
        containers: [container],
        selector: { matchLabels: { a: "b" } },
        volumes: [{ name: "v" }],
        updateStrategy: { hotUpgrade: { minReadySeconds: 5 } },
      }),
    ).toEqual(plain);
  });

  it("differ only in `hash` when only an image differs", () => {
    const [before, after] = [
      hashes({ containers: [container] }),
      hashes({ containers: [{ ...container, image: "x" }] }),
    ];
    expect(after.hash).not.toBe(before.hash);
    expect(after.hashWithoutImage).toBe(before.hashWithoutImage);
  });

  it("name the field that can't be hashed", () => {
    const wrong = { ...container, ports: [{ containerPort: 80.5 }] };
    expect(() => hashes({ containers: [wrong] })).toThrow(UnhashableError);
    expect(() => hashes({ containers: [wrong] })).toThrow(/spec\.containers\[0\]\.ports\[0\]\.containerPort must be/);
  });
});

describe("safe encoding", () => {
  it("maps each byte to a letter or digit without vowels", () => {
    // "0" is byte 48, 48 mod 27 = 21, the 22nd letter; "a" is byte 97, 97 mod 27 = 16.
    expect(safeEncode("0a")).toBe("4v");
    expect(safeEncode("0123456789abcdef")).toMatch(/^[bcdfghjklmnpqrstvwxz2456789]{16}$/);
  });
});
