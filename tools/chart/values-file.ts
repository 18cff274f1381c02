// SPDX-License-Identifier: Apache-2.0
import { isMap, parseDocument, stringify, type Pair, type Scalar } from "yaml";
import type { ChartValue } from "./values-schema.ts";

const HEADER = " Generated from values.schema.json by tools/chart/generate.ts; README.md has the same as a table.";

/** values.yaml: every value with its default, and above it its description. */
export function valuesFile(values: readonly ChartValue[]): string {
  const plain = {};
  for (const { path, isGroup, default: value } of values) place(plain, path, isGroup ? {} : value);
  const commented = parseDocument(stringify(plain));
  commented.commentBefore = HEADER;
  for (const { path, description } of values) {
    const map = path.length === 1 ? commented.contents : commented.getIn(path.slice(0, -1));
    if (!isMap(map)) continue;
    const pair = map.items.find((one) => (one.key as Scalar).value === path.at(-1)) as Pair<Scalar> | undefined;
    if (pair !== undefined) {
      pair.key.commentBefore = wrap(description);
      pair.key.spaceBefore = path.length === 1;
    }
  }
  return commented.toString({ lineWidth: 0 });
}

function place(plain: object, path: readonly string[], value: unknown): void {
  const last = path.at(-1) ?? "";
  const holder = path.slice(0, -1).reduce((object, key) => Reflect.get(object, key) as object, plain);
  Reflect.set(holder, last, value);
}

const WIDTH = 100;

function wrap(text: string): string {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const line = lines.at(-1);
    if (line === undefined || line.length + word.length + 1 > WIDTH) lines.push(` ${word}`);
    else lines[lines.length - 1] = `${line} ${word}`;
  }
  return lines.join("\n");
}
