// SPDX-License-Identifier: Apache-2.0

/** Deeper than any Kubernetes object; what recursion over one can take without harm. */
export const MAX_DEPTH = 100;

/** The text is JSON but nested too deeply. */
export class TooDeepError extends Error {
  override readonly name = "TooDeepError";
}

/**
 * Parses JSON from a source that is not trusted: nesting is bounded, and `__proto__` members, which no Kubernetes field
 * or key can be, are dropped, so that no later copy can turn one into a prototype.
 *
 * @throws {SyntaxError} when the text is not JSON
 * @throws {TooDeepError} when it is nested deeper than `maxDepth`
 */
export function parseBoundedJson(text: string, maxDepth: number = MAX_DEPTH): unknown {
  const root: unknown = JSON.parse(text);
  // An explicit stack: recursion would be the very thing that deep nesting breaks.
  const pending: { value: unknown; depth: number }[] = [{ value: root, depth: 1 }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { value, depth } = next;
    if (typeof value !== "object" || value === null) continue;
    if (depth > maxDepth) throw new TooDeepError(`nested deeper than ${maxDepth} levels`);
    if (Object.hasOwn(value, "__proto__")) Reflect.deleteProperty(value, "__proto__");
    for (const member of Object.values(value)) pending.push({ value: member, depth: depth + 1 });
  }
  return root;
}
