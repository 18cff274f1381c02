// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { call, type Target, target, watch } from "../contract/target.ts";
import { PLACEHOLDER, type RecordedRequest, type Recording, shapeOf } from "./recording.ts";

// The commands build on each other, as they were recorded: one server, in the order of the files.
let on: Target;
let lastVersion = "0";
beforeAll(async () => {
  on = await target();
});
afterAll(() => on.close());

const files = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith(".json"))
  .toSorted((a, b) => a.localeCompare(b));

describe.each(files)("%s", (file) => {
  const { command, requests } = JSON.parse(readFileSync(join(import.meta.dirname, file), "utf8")) as Recording;
  test(command, async () => {
    for (const request of requests) await replay(request);
  });
});

async function replay({ method, path, headers, body, status, shape }: RecordedRequest): Promise<void> {
  const where = path.replace(PLACEHOLDER, lastVersion);
  if (shape.events) {
    const watching = await watch(on, where, headers);
    const types: (string | undefined)[] = [];
    while (types.length < shape.events.length) types.push((await watching.next())?.type);
    watching.stop();
    expect(types, path).toEqual(shape.events);
    return;
  }
  const sent = body?.startsWith("base64:") ? Buffer.from(body.slice("base64:".length), "base64") : body;
  const answer = await call(on, method, where, { headers, ...(sent === undefined ? {} : { body: sent }) });
  expect({ status: answer.status, shape: shapeOf(answer.body) }, `${method} ${path}`).toEqual({ status, shape });
  if (answer.body?.metadata?.resourceVersion) lastVersion = answer.body.metadata.resourceVersion;
}
