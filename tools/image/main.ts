// SPDX-License-Identifier: Apache-2.0
// `pnpm image build | list | load`
import { join } from "node:path";
import { parseArgs } from "node:util";
import { root } from "./bundle.ts";
import { catalogue, fullNames, select } from "./catalogue.ts";
import { clusterAddress } from "./cluster-address.ts";
import { buildImages, loadImages, type BuiltImage } from "./index.ts";
import { writeRootfs } from "./rootfs.ts";
import { sizeTable } from "./size-table.ts";

const usage = `Usage: pnpm image build [NAME…] [--out DIR] [--version TAG] [--all-in-one] [--gzip]
       pnpm image list
       pnpm image rootfs NAME --out DIR
       pnpm image load [NAME…] [--address SOCKET | --name CLUSTER] [--out DIR] [--version TAG] [--gzip]

Makes container images as OCI archives, without a container engine, and puts them into a cluster.
\`rootfs\` writes the files of one image into a folder instead: that is how the Containerfiles use it.

  NAME              webhook, sidecar-demo, sidecar-demo:v2, standby, demo-app, pause; default: all
  --out DIR         folder of the archives (default: build/images)
  --version TAG     tag of the webhook (default: dev)
  --all-in-one      one archive for all images
  --gzip            compressed layers
  --address SOCKET  socket of containerd
  --name CLUSTER    load into this cluster of \`pnpm cluster\`
`;

class UsageError extends Error {}

function report(images: readonly BuiltImage[]): void {
  process.stdout.write(sizeTable(images));
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    args: process.argv.slice(2).filter((word) => word !== "--"),
    allowPositionals: true,
    options: {
      out: { type: "string", default: join(root, "build", "images") },
      version: { type: "string", default: "dev" },
      "all-in-one": { type: "boolean", default: false },
      gzip: { type: "boolean", default: false },
      address: { type: "string" },
      name: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  const { version, gzip, out } = values;
  const [command, ...names] = positionals;
  if (values.help) process.stdout.write(usage);
  else if (command === "build") {
    report(await buildImages({ names, out, version, gzip, allInOne: values["all-in-one"] }));
  } else if (command === "list") {
    for (const { name } of select(catalogue(version), names)) process.stdout.write(`${fullNames(name)[0]}\n`);
  } else if (command === "rootfs") {
    const [spec, ...more] = select(catalogue(version), names);
    if (names.length !== 1 || spec === undefined || more.length > 0) throw new UsageError("rootfs of which image?");
    await writeRootfs(spec, out);
  } else if (command === "load") {
    if (values.address !== undefined && values.name !== undefined) throw new UsageError("--address or --name?");
    const address = values.address ?? (values.name === undefined ? undefined : clusterAddress(values.name));
    const images = await buildImages({ names, out, version, gzip, allInOne: true });
    report(images);
    const [file = ""] = images.map((image) => image.file);
    if (address !== undefined) {
      loadImages([file], { address });
      process.stdout.write(`loaded into ${address}\n`);
    }
    process.stdout.write(`for kind: kind load image-archive ${file}\n`);
  } else throw new UsageError(command === undefined ? "build, list or load?" : `unknown command: ${command}`);
}

try {
  await main();
} catch (error) {
  const wrongUsage = error instanceof UsageError || (error as NodeJS.ErrnoException).code?.startsWith("ERR_PARSE_ARGS");
  process.stderr.write(`image: ${(error as Error).message}\n${wrongUsage ? `\n${usage}` : ""}`);
  process.exitCode = wrongUsage ? 2 : 1;
}
