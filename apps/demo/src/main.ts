// SPDX-License-Identifier: Apache-2.0
// `npm run demo`: the only reader of process.* in the demo, and the one that cleans up.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runDemo } from "./demo.ts";
import { demoImages } from "./images.ts";
import { parseOptions, usage, type DemoOptions } from "./options.ts";
import { startPlatform } from "./platform.ts";
import { createScreen } from "./screen.ts";
import { describe, summarise } from "./summary.ts";

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
const EXIT_INTERRUPTED = 130;

async function main(options: DemoOptions, signal: AbortSignal): Promise<number> {
  const screen = createScreen(options.json ? process.stderr : process.stdout);
  const dir = await mkdtemp(join(tmpdir(), "hot-demo-"));
  try {
    screen.say("starting a Kubernetes API, a node and the webhook application on this machine");
    const platform = await startPlatform({ dir, images: demoImages() });
    try {
      const run = await Promise.race([runDemo(platform, screen, signal), platform.failed]);
      screen.end();
      const summary = summarise(run, { upgrades: 3, aborts: 1, answersFrom: "v3" });
      for (const line of describe(run, summary)) screen.say(line);
      if (options.json) process.stdout.write(`${JSON.stringify(summary)}\n`);
      if (options.keep) await keep(platform.kubeconfigPath, screen.say, signal);
      return summary.ok ? 0 : EXIT_FAILED;
    } finally {
      screen.end();
      await platform.stop();
    }
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function keep(kubeconfig: string, say: (sentence: string) => void, signal: AbortSignal): Promise<void> {
  say(`
everything goes on running until Ctrl-C; to look at it:
  export KUBECONFIG=${kubeconfig}
  kubectl get pods,sidecarsets
  kubectl patch sidecarset mesh --type=json -p '[{"op":"replace","path":"/spec/containers/0/image","value":"hot/sidecar-demo:v2"}]'
  kubectl wait sidecarset/mesh --for=condition=Ready --timeout=1m`);
  await new Promise((resolve) => signal.addEventListener("abort", resolve));
}

function fail(error: unknown): number {
  const lines: string[] = [];
  for (let cause: unknown = error; cause instanceof Error; { cause } = cause) lines.push(cause.message);
  process.stderr.write(`demo: ${lines.length > 0 ? lines.join("\n  why: ") : String(error)}\n`);
  return EXIT_FAILED;
}

function readOptions(): DemoOptions | { exit: number; text: string } {
  try {
    const options = parseOptions(process.argv.slice(2));
    return options.help ? { exit: 0, text: usage } : options;
  } catch (error) {
    return { exit: EXIT_USAGE, text: `demo: ${(error as Error).message}\n\n${usage}` };
  }
}

const options = readOptions();
if ("exit" in options) {
  (options.exit === 0 ? process.stdout : process.stderr).write(options.text);
  process.exitCode = options.exit;
} else {
  const interrupted = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const)
    process.on(name, () => interrupted.abort(new Error("interrupted")));
  process.exitCode = await main(options, interrupted.signal).catch((error: unknown) =>
    interrupted.signal.aborted ? EXIT_INTERRUPTED : fail(error),
  );
}
