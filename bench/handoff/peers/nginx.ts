// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Peer } from "./peer.ts";
import { Folder } from "./processes.ts";
import { findProgram, generation, notInstalled, startBackend, startProgram, until } from "./programs.ts";

function configuration(port: number, backend: number, folder: string, drainMs: number): string {
  return `user root;
worker_processes 1;
worker_shutdown_timeout ${drainMs}ms;
pid ${folder}/pid;
error_log ${folder}/log;
events { worker_connections 8000; }
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  keepalive_requests 1000000;
  keepalive_timeout 75s;
  upstream backend { server 127.0.0.1:${backend}; keepalive 128; keepalive_requests 1000000; }
  map $http_upgrade $upstream_connection { default ""; echo Upgrade; }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://backend;
      proxy_http_version 1.1;
      proxy_buffering off;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $upstream_connection;
      proxy_hide_header x-generation;
      add_header x-generation $pid;
    }
  }
}
`;
}

function alive(pid: number): boolean {
  return existsSync(`/proc/${pid}`);
}

/** USR2 to the master, which starts the new one; QUIT to the old one when a new worker has answered. */
export const nginx: Peer = {
  name: "nginx",
  title: "nginx, binary upgrade",
  serves: [],
  absent: () => notInstalled("nginx"),
  start: async ({ http }, drainMs) => {
    const folder = new Folder();
    const backend = await startBackend();
    const file = join(folder.path, "conf");
    writeFileSync(file, configuration(http, backend.port, folder.path, drainMs));
    writeFileSync(join(folder.path, "log"), "");
    const masters: number[] = [];
    const master = (): number => {
      const path = join(folder.path, "pid");
      return existsSync(path) ? Number(readFileSync(path, "utf8")) : 0;
    };
    // It has to be a daemon: with its parent still there, USR2 is ignored. So its whole path is needed, too.
    startProgram(findProgram("nginx") ?? "nginx", ["-p", folder.path, "-c", file], folder.path);
    await until("nginx", folder.path, async () => (await generation(http)) !== "");
    masters.push(master());
    const upgrade = async (): Promise<object> => {
      const [before = 0] = masters.slice(-1);
      const worker = new Set<string>([await generation(http), await generation(http), await generation(http)]);
      // The one before that may still be ending, and has the name that this one's file will get.
      await until("the end of the master before", folder.path, () => !existsSync(join(folder.path, "pid.oldbin")));
      process.kill(before, "SIGUSR2");
      await until("a new master", folder.path, () => ![0, before].includes(master()));
      masters.push(master());
      await until("a new worker", folder.path, async () => !worker.has(await generation(http)));
      process.kill(before, "SIGQUIT");
      return {};
    };
    return {
      upgrade,
      [Symbol.asyncDispose]: async () => {
        for (const pid of masters.filter(alive)) process.kill(pid, "SIGTERM");
        await until("the end of nginx", folder.path, () => !masters.some(alive));
        await backend.process.end();
        folder.remove();
      },
    };
  },
};
