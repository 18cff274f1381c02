// SPDX-License-Identifier: Apache-2.0
// Records what kubectl asks of this package's API server, one file per command, for replay.test.ts:
//   node --conditions=@hot/source packages/local/test/recorded/record.ts /path/to/kubectl
// Read the difference before committing it: a recording is a contract, not a snapshot.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, request } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createIdentity } from "../../src/api/identity.ts";
import { kubeconfig } from "../../src/api/kubeconfig.ts";
import { startApiServer } from "../../src/api/server.ts";
import { PLACEHOLDER, type RecordedRequest, type Recording, shapeOf } from "./recording.ts";

const COMMANDS = [
  "version",
  "api-resources",
  "get namespaces",
  "create namespace team",
  "apply -f manifests/definition.yaml",
  "apply -f manifests/objects.yaml",
  "apply -f manifests/sidecarset.yaml",
  "apply -f manifests/sidecarset-misspelt.yaml",
  "apply -f manifests/objects-changed.yaml",
  "apply --server-side -f manifests/sidecarset.yaml",
  "get pods",
  "get pods -o wide",
  "get pod web -o yaml",
  "get pods -A -l app=web",
  "get pods --field-selector status.phase=Pending",
  "get all",
  "get scs",
  "get pod missing",
  "describe pod web",
  "describe scs mesh",
  "explain scs.spec",
  'patch scs mesh --type=merge -p {"spec":{"partition":3}}',
  'patch pod web -p {"spec":{"containers":[{"name":"app","image":"app:3"}]}}',
  'patch pod web --type=json -p [{"op":"replace","path":"/spec/containers/0/image","value":"app:4"}]',
  'patch scs mesh --subresource=status --type=merge -p {"status":{"conditions":[{"type":"Ready","status":"True"}]}}',
  "wait scs/mesh --for=condition=Ready --timeout=5s",
  "set image pod/web app=app:5",
  "label pod web tier=front",
  "annotate pod web note=x",
  "scale deployment shop --replicas=4",
  "rollout status deployment/shop --watch=false",
  "get events",
  "diff -f manifests/objects-changed.yaml",
  "create configmap made --from-literal=a=b",
  "create configmap made --from-literal=a=b",
  "run tool --image=tool:1 --dry-run=server",
  "delete pod web",
  "delete configmap settings made",
  "delete namespace team",
  "delete deployment shop --cascade=foreground",
  "delete crd sidecarsets.apps.kruise.io",
];

const [kubectl] = process.argv.slice(2);
if (kubectl === undefined) throw new Error("usage: record.ts /path/to/kubectl");
const here = import.meta.dirname;
const dir = await mkdtemp(join(tmpdir(), "hot-record-"));
const server = await startApiServer({ dir });
const identity = await createIdentity("127.0.0.1");
let requests: RecordedRequest[] = [];
let lastVersion = "";

const proxy = createServer({ cert: identity.server.certPem, key: identity.server.keyPem }, (incoming, response) => {
  void forward(incoming, response);
});
proxy.listen(0, "127.0.0.1");
await once(proxy, "listening");
const config = join(dir, "proxy-kubeconfig");
await writeFile(
  config,
  kubeconfig(`https://127.0.0.1:${(proxy.address() as AddressInfo).port}`, identity.caPem, identity.client),
);

async function forward(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = Buffer.concat(await incoming.toArray());
  const { accept, "content-type": type } = incoming.headers;
  const headers = { ...(accept ? { accept } : {}), ...(type ? { "content-type": type } : {}) };
  const path = (incoming.url ?? "").replace(/resourceVersion=\d+/, (text) =>
    text.endsWith(`=${lastVersion}`) ? `resourceVersion=${PLACEHOLDER}` : text,
  );
  const recorded: RecordedRequest = { method: incoming.method ?? "", path, headers, status: 0, shape: {} };
  if (body.length > 0)
    recorded.body = body.toString("utf8").includes("\0") ? `base64:${body.toString("base64")}` : body.toString("utf8");
  requests.push(recorded);
  const outgoing = request(
    server.url + incoming.url,
    {
      method: incoming.method,
      ca: server.caPem,
      headers: {
        ...headers,
        ...(body.length > 0 ? { "content-length": body.length } : {}),
        authorization: `Bearer ${server.token}`,
      },
    },
    (answer) => {
      recorded.status = answer.statusCode ?? 0;
      response.writeHead(recorded.status, answer.headers);
      const watching = /[?&]watch=(true|1)/.test(path);
      let text = "";
      answer.on("data", (chunk: Buffer) => {
        text += chunk.toString("utf8");
        if (watching)
          recorded.shape = {
            events: text
              .trim()
              .split("\n")
              .filter(Boolean)
              .map((line) => JSON.parse(line).type),
          };
        response.write(chunk);
      });
      answer.on("end", () => {
        response.end();
        if (watching) return;
        const parsed = String(answer.headers["content-type"]).startsWith("application/json") ? JSON.parse(text) : text;
        recorded.shape = shapeOf(parsed);
        if (parsed?.metadata?.resourceVersion) lastVersion = parsed.metadata.resourceVersion;
      });
      answer.on("error", () => response.destroy());
    },
  );
  response.on("close", () => outgoing.destroy());
  outgoing.on("error", () => response.destroy());
  outgoing.end(body);
}

for (const file of await readdir(here)) if (file.endsWith(".json")) await rm(join(here, file));
for (const [index, command] of COMMANDS.entries()) {
  requests = [];
  const child = spawn(kubectl, [...command.split(" "), `--cache-dir=${join(dir, "cache")}`], {
    cwd: here,
    env: { ...process.env, KUBECONFIG: config },
    stdio: "inherit",
  });
  await once(child, "exit");
  const recording: Recording = { command: `kubectl ${command}`, requests };
  const name = command
    .split(" ")
    .slice(0, 3)
    .join("-")
    .replaceAll(/[^a-z0-9-]+/gi, "-")
    .replaceAll(/^-|-$/g, "");
  await writeFile(
    join(here, `${String(index + 1).padStart(2, "0")}-${name}.json`),
    `${JSON.stringify(recording, undefined, 2)}\n`,
  );
}
proxy.close();
proxy.closeAllConnections();
await server.stop();
await rm(dir, { recursive: true });
