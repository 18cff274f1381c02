// SPDX-License-Identifier: Apache-2.0
// The lists of an API server, from a process of its own so that nothing of them is in the memory that is measured.
import { startServer } from "../../../packages/kube/test/loopback-server.ts";
import { answering } from "../child.ts";
import { EVEN, meshOf, namespaces, podText, SETS } from "../memory/fleet.ts";

const [pods = ""] = process.argv.slice(2);
const COUNT = Number(pods);
const head = { resourceVersion: String(9_000_000) };

/** A page of pods, as text: whoever makes it has to be faster than whoever reads it. */
function page(from: number, limit: number): string {
  const to = Math.min(COUNT, from + limit);
  const items = Array.from({ length: to - from }, (_, at) => podText(from + at, EVEN));
  const metadata = { ...head, ...(to < COUNT && { continue: String(to) }) };
  return `{"kind":"PodList","apiVersion":"v1","metadata":${JSON.stringify(metadata)},"items":[${items.join()}]}`;
}

const sets = Array.from({ length: SETS }, (_, set) => meshOf(set));
const server = await startServer(({ method, path, query }, response) => {
  if (query.has("watch")) return void response.writeHead(200, { "content-type": "application/json" }).flushHeaders();
  response.setHeader("content-type", "application/json");
  // The status of a SidecarSet: nobody here reads it.
  if (method !== "GET")
    return void response.end(JSON.stringify(sets.find((one) => path.includes(`${one.metadata.name}/`)) ?? {}));
  if (path.endsWith("/pods"))
    return void response.end(page(Number(query.get("continue") ?? 0), Number(query.get("limit"))));
  const items = path.endsWith("/sidecarsets") ? sets : path.endsWith("/namespaces") ? namespaces() : [];
  response.end(JSON.stringify({ metadata: head, items }));
});
const kubeconfig = await server.kubeconfig({});
process.on("disconnect", () => void server.close());
answering({ kubeconfig: () => kubeconfig, close: () => server.close() });
