// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { defaultPullPolicy, parseImage } from "../src/index.ts";

const digest = `sha256:${"a".repeat(64)}`;

describe("image names", () => {
  it.each([
    ["nginx", { repository: "docker.io/library/nginx" }],
    ["nginx:1.2", { repository: "docker.io/library/nginx", tag: "1.2" }],
    ["a/b", { repository: "docker.io/a/b" }],
    ["index.docker.io/nginx", { repository: "docker.io/library/nginx" }],
    ["r.io:5000/a/b:t", { repository: "r.io:5000/a/b", tag: "t" }],
    ["localhost/x", { repository: "localhost/x" }],
    ["localhost:80", { repository: "docker.io/library/localhost", tag: "80" }],
    [`r.io/n:t@${digest}`, { repository: "r.io/n", tag: "t", digest }],
  ])("%s", (image, expected) => expect(parseImage(image)).toEqual(expected));

  it.each(["", "Bad Image!!", "a b", "nginx:", "nginx@sha256:abc", "a".repeat(64), "a/B", "x".repeat(2000)])(
    "%s is none",
    (image) => expect(parseImage(image)).toBeUndefined(),
  );
});

describe("the default pull policy", () => {
  it.each([
    ["nginx", "Always"],
    ["nginx:latest", "Always"],
    ["nginx:Latest", "IfNotPresent"],
    ["r.io:5000/nginx", "Always"],
    [`r.io/n@${digest}`, "IfNotPresent"],
    [`r.io/n:latest@${digest}`, "Always"],
    ["UPPER/x", "Always"],
    ["", "IfNotPresent"],
  ])("of %s is %s", (image, expected) => expect(defaultPullPolicy(image)).toBe(expected));
});
