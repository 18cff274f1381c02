// SPDX-License-Identifier: Apache-2.0
// The application container of the demo: an HTTP server that lets a client check every byte of what it got.
import { createHash } from "node:crypto";
import { createServer, type ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { listenHostIn, portIn } from "./config.ts";

const LINE_MS = 100;
const MAX_STREAM_SECONDS = 600;

/** `GET /slow?seconds=3`: a numbered line each 100 ms, so that a client sees a hole, a cut or a wrong order. */
async function slow(response: ServerResponse, seconds: number): Promise<void> {
  response.writeHead(200, { "content-type": "text/plain" });
  for (let line = 0; line < seconds * (1000 / LINE_MS) && !response.destroyed; line += 1) {
    response.write(`${line} of a slow answer\n`);
    await sleep(LINE_MS);
  }
  response.end();
}

const pod = process.env["POD_NAME"] ?? "";

let ending = false;

const server = createServer((request, response) => {
  response.shouldKeepAlive &&= !ending;
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://app");
  if (request.method === "POST" && pathname === "/echo") {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks);
      const hash = createHash("sha256").update(body).digest("hex");
      response.writeHead(200, { "content-length": body.length, "x-body-sha256": hash }).end(body);
    });
  } else if (request.method === "GET" && pathname === "/slow") {
    const seconds = Math.min(Number(searchParams.get("seconds") ?? 3) || 0, MAX_STREAM_SECONDS);
    void slow(response, seconds);
  } else if (request.method === "GET" && pathname === "/") {
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ pod, answered: true }));
  } else {
    response.writeHead(404, { "content-type": "text/plain" }).end("POST /echo, GET /, GET /slow?seconds=3\n");
  }
});

server.on("error", (error) => {
  process.stderr.write(`app: ${error.message}\n`);
  process.exit(1);
});
server.listen(portIn(process.env, "PORT", 8080), listenHostIn(process.env));
// Answers that are under way are finished, connections end with their next answer; the pod's grace period is the limit.
process.once("SIGTERM", () => {
  ending = true;
  server.close(() => process.exit(0));
});
