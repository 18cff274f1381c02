// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { CatalogueError, findImage, loadCatalogue, type Catalogue } from "../src/catalogue.ts";

const file = (text: string): string => {
  const dir = mkdtempSync(join(tmpdir(), "hot-catalogue-"));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  writeFileSync(join(dir, "images.yaml"), text);
  return join(dir, "images.yaml");
};

test("a YAML file", () => {
  const text = `
images:
  hot/demo:v1:
    entrypoint: [node, /abs/main.js]
    env: { LISTEN_HOST: $(POD_IP) }
    paths: { /hot-standby: /abs/hot-standby }
    pull: { seconds: 0.2 }
  hot/standby:v1: { entrypoint: [/abs/hot-standby, pause], tags: [hot/standby:latest] }
`;
  const catalogue = loadCatalogue(file(text));
  expect(findImage(catalogue, "hot/demo:v1")?.entry).toEqual({
    entrypoint: ["node", "/abs/main.js"],
    env: { LISTEN_HOST: "$(POD_IP)" },
    paths: { "/hot-standby": "/abs/hot-standby" },
    pull: { seconds: 0.2 },
  });
  expect(findImage(catalogue, "hot/standby:latest")).toEqual(findImage(catalogue, "hot/standby:v1"));
  expect(findImage(catalogue, "hot/standby:v2")).toBeUndefined();
});

test("a digest is an image's content and name; how it is pulled is no part of it", () => {
  const images = {
    a: { entrypoint: ["run"] },
    b: { entrypoint: ["run"] },
  };
  const digest = (catalogue: Catalogue, name: string): string => findImage(catalogue, name)!.digest;
  expect(digest({ images }, "a")).toMatch(/^sha256:[0-9a-f]{64}$/);
  expect(digest({ images }, "a")).not.toBe(digest({ images }, "b"));
  expect(digest({ images: { a: { entrypoint: ["run"], pull: { seconds: 1 } } } }, "a")).toBe(digest({ images }, "a"));
  expect(digest({ images: { a: { entrypoint: ["run"], env: { V: "2" } } } }, "a")).not.toBe(digest({ images }, "a"));
});

test("all problems at once, each with path, value and fix", () => {
  const text = `
images:
  a: { entrypoint: run, commando: [x], env: { PORT: 80 }, paths: { /x: y } }
  b: { cmd: [1], tags: [a, c], pull: { seconds: -1, error: 5, often: true } }
  c: nothing
`;
  expect(() => loadCatalogue(file(text))).toThrow(CatalogueError);
  const message = messageOf(() => loadCatalogue(file(text)));
  expect(message.split("\n").slice(1)).toEqual([
    '  images["a"].commando: is not known; the fields are entrypoint, cmd, env, paths, tags, pull',
    '  images["a"].entrypoint: must be a list of strings, but it is "run"; write "entrypoint: [a, b]", numbers in quotes',
    '  images["a"].env.PORT: must be a string, but it is 80; put it in quotes',
    '  images["a"].paths["/x"]: must be an absolute path, but it is "y"; containers run in a folder of their own: start it with /',
    '  images["b"].cmd: must be a list of strings, but it is [1]; write "cmd: [a, b]", numbers in quotes',
    '  images["b"].tags[0]: names an image that images["a"] has already, but it is "a"; remove one of the two',
    '  images["b"].pull.seconds: must be a number of at least 0, but it is -1; give seconds, as in 0.2',
    '  images["b"].pull.error: must be a string, but it is 5; give the text of the pull error',
    '  images["b"].pull.often: is not known; the fields are seconds, error',
    '  images["c"]: names an image that images["b"].tags[1] has already, but it is "c"; remove one of the two',
    '  images["c"]: must be a map, but it is "nothing"; use the fields entrypoint, cmd, env, paths, tags, pull',
  ]);
});

test.each([
  ["no images", "other: 1", /images: must be a map of image names/],
  ["no YAML", "images: [", /no valid YAML or JSON/],
])("%s", (_what, text, expected) => {
  expect(() => loadCatalogue(file(text))).toThrow(expected);
});

test("a file that is not there", () => {
  expect(() => loadCatalogue("/no/such/images.yaml")).toThrow(
    /\/no\/such\/images.yaml\) cannot be used:\n.*cannot be read: ENOENT/,
  );
});

function messageOf(run: () => unknown): string {
  try {
    run();
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}
