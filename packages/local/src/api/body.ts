// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage } from "node:http";
import { ApiFailure, badRequest } from "./failure.ts";

export const BODY_LIMIT = 3 * 1024 * 1024;
const DEPTH_LIMIT = 500;

/** The whole body; more than {@link BODY_LIMIT} bytes is a 413. */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > BODY_LIMIT) {
      throw new ApiFailure(413, "RequestEntityTooLarge", `Request entity too large: limit is ${BODY_LIMIT}`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Parses JSON; no JSON, or JSON nested so deep that walking it would exhaust the stack, is a 400. Empty is undefined. */
export function parseBody(body: Buffer): unknown {
  const text = body.toString("utf8");
  if (text.trim() === "") return undefined;
  if (depth(text) > DEPTH_LIMIT) throw badRequest(`the body is nested deeper than ${DEPTH_LIMIT} levels`);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw badRequest(
      `the body of the request is not valid JSON: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

function depth(text: string): number {
  let [level, deepest, inString] = [0, 0, false];
  for (let index = 0; index < text.length; index++) {
    const character = text[index];
    if (inString) {
      if (character === "\\") index++;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === "{" || character === "[") deepest = Math.max(deepest, ++level);
    else if (character === "}" || character === "]") level--;
  }
  return deepest;
}
