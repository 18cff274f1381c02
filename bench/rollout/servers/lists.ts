// SPDX-License-Identifier: Apache-2.0
// The lists of an API server, from a process of its own so that nothing of them is in the memory that is measured.
import { startServer } from "../../../packages/kube/test/loopback-server.ts";
import { answering } from "../child.ts";
import { EVEN, meshOf, namespaces, podText, SETS } from "../memory/fleet.ts";

const [pods = ""] = process.argv.slice(2);
const COUNT = Number(pods);
const head = { resourceVersion: String(9_000_000) };

/** As many pods as a reflector asks for at once. */
const PAGE = 500;

/** Made before anybody asks: whoever makes a page has to be faster than whoever reads it. */
const pages = new Map<number, Buffer>();
const KIND = '"apiVersion":"v1","kind":"Pod",';
for (let from = 0; from < COUNT; from += PAGE) pages.set(from, Buffer.from(page(from, PAGE)));

function page(from: number, limit: number): string {
  const to = Math.min(COUNT, from + limit);
  // As in the lists of an API server, which says once for all of them what they are.
  const items = Array.from({ length: to - from }, (_, at) => podText(from + at, EVEN).replace(KIND, ""));
  const metadata = { ...head, ...(to < COUNT && { continue: String(to) }) };
  return `{"kind":"PodList","apiVersion":"v1","metadata":${JSON.stringify(metadata)},"items":[${items.join()}]}`;
}

const sets = Array.from({ length: SETS }, (_, set) => meshOf(set));
const server = await startServer(({ method, path, query }, response) => {
  response.setHeader("content-type", "application/json");
  // A watch of which nothing ever comes.
  if (query.has("watch")) response.flushHeaders();
  else response.end(method === "GET" ? listOf(path, query) : JSON.stringify(sets.find(isNamedIn(path)) ?? {}));
});

function listOf(path: string, query: URLSearchParams): string | Buffer {
  if (path.endsWith("/pods")) {
    const [from, limit] = [Number(query.get("continue") ?? 0), Number(query.get("limit"))];
    return (limit === PAGE && pages.get(from)) || page(from, limit);
  }
  const items = path.endsWith("/sidecarsets") ? sets : path.endsWith("/namespaces") ? namespaces() : [];
  return JSON.stringify({ metadata: head, items });
}

/** The answer to a write of a status: nobody here reads what is written. */
function isNamedIn(path: string): (one: { metadata: { name?: string } }) => boolean {
  return ({ metadata }) => path.includes(`/${metadata.name}/`);
}

const kubeconfig = await server.kubeconfig({});
process.on("disconnect", () => void server.close());
answering({ kubeconfig: () => kubeconfig, close: () => server.close() });
