// SPDX-License-Identifier: Apache-2.0
import type { BuiltImage } from "./build.ts";

/** A line for each image: name, megabytes (10^6 bytes, layers that are shared counted in each), digest, archive. */
export function sizeTable(images: readonly BuiltImage[]): string {
  const rows = [
    ["IMAGE", "MB", "DIGEST", "ARCHIVE"],
    ...images.map(({ name, bytes, digest, file }) => [name, (bytes / 1e6).toFixed(1), digest.slice(0, 19), file]),
  ];
  const width = (column: number): number => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  return rows
    .map(([name = "", size = "", digest = "", file = ""]) =>
      [name.padEnd(width(0)), size.padStart(width(1)), digest.padEnd(width(2)), file].join("  "),
    )
    .join("\n")
    .concat("\n");
}
