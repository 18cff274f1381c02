// SPDX-License-Identifier: Apache-2.0
import type { Readable } from "node:stream";

/** The body exceeds what this client is willing to hold in memory. */
export class TooLargeError extends Error {}

/** The body of an answer as text, at most `limit` bytes of it. */
export async function readText(body: Readable, limit: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) throw new TooLargeError(`the answer is longer than ${limit} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/**
 * The lines of a stream, without their newline. A last line that was cut off is not yielded. Leaving the loop closes
 * the stream.
 */
export async function* readLines(body: Readable, limit: number): AsyncGenerator<string, void, undefined> {
  let parts: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    let start = 0;
    for (let end = chunk.indexOf(0x0a); end !== -1; end = chunk.indexOf(0x0a, start)) {
      const rest = chunk.subarray(start, end);
      if (size + rest.length > limit) throw new TooLargeError(`a watch event is longer than ${limit} bytes`);
      const line = size === 0 ? rest : Buffer.concat([...parts, rest]);
      parts = [];
      size = 0;
      start = end + 1;
      if (line.length > 0) yield line.toString("utf8");
    }
    if (start === chunk.length) continue;
    parts.push(chunk.subarray(start));
    size += chunk.length - start;
    if (size > limit) throw new TooLargeError(`a watch event is longer than ${limit} bytes`);
  }
}
