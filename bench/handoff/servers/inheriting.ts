// SPDX-License-Identifier: Apache-2.0
// Holds the listener and never accepts. With each SIGUSR2 a new server inherits it; when that one is ready, the one
// before is told to stop.
import { spawn, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import { loadNative } from "../../../packages/fd-transfer/src/native/addon.ts";
import { say } from "../../../packages/fd-transfer/test/fixtures/say.ts";
import { endWithParent } from "./end-with-parent.ts";

endWithParent();
const { HTTP_PORT = "0" } = process.env;
const fd = loadNative().listenTcp("127.0.0.1", Number(HTTP_PORT), { backlog: 4096, v6only: false });
const file = fileURLToPath(new URL("node.ts", import.meta.url));
let serving: ChildProcess | null = null;
let version = 0;

function upgrade(): void {
  const env = { ...process.env, VERSION: String(++version), LISTEN: "inherited" };
  // Its stdin ends with this process.
  const next = spawn(process.execPath, [...process.execArgv, file], { env, stdio: ["pipe", "pipe", "inherit", fd] });
  next.stdout?.once("data", () => {
    serving?.kill("SIGTERM");
    serving = next;
    say("ready");
  });
}

process.on("SIGUSR2", upgrade);
upgrade();
