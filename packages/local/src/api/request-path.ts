// SPDX-License-Identifier: Apache-2.0
import { badRequest } from "./failure.ts";

/** What a path below `/api/v1` or `/apis/GROUP/VERSION` is about. */
export interface ResourcePath {
  group: string;
  version: string;
  plural: string;
  namespace: string | undefined;
  name: string | undefined;
  subresource: string | undefined;
}

/** Undefined when the path names no resource (discovery, health, unknown). Broken escapes are a 400. */
export function parseResourcePath(path: string): ResourcePath | undefined {
  const parts = path.split("/").slice(1).map(unescape);
  if (parts.at(-1) === "") parts.pop();
  const core = parts[0] === "api";
  if (!core && parts[0] !== "apis") return undefined;
  const [group, version] = core ? ["", parts[1]] : [parts[1], parts[2]];
  const rest = parts.slice(core ? 2 : 3);
  if (group === undefined || version === undefined || rest.length === 0 || rest.includes("")) return undefined;
  const inNamespace = rest[0] === "namespaces" && rest.length >= 3 && !(core && isNamespaceSubresource(rest));
  const namespace = inNamespace ? rest[1] : undefined;
  const [plural, name, subresource, ...more] = inNamespace ? rest.slice(2) : rest;
  if (plural === undefined || more.length > 0) return undefined;
  return { group, version, plural, namespace, name, subresource };
}

const isNamespaceSubresource = (rest: string[]): boolean =>
  rest.length === 3 && (rest[2] === "status" || rest[2] === "finalize");

function unescape(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw badRequest(`the path has a broken escape: ${JSON.stringify(part)}`);
  }
}
