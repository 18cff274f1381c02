// SPDX-License-Identifier: Apache-2.0
import { closeSync, openSync } from "node:fs";
import { readArchive, type StoredBlob } from "./archive.ts";

/** What a request asks for. */
export interface Wanted {
  readonly kind: "manifests" | "blobs";
  /** Without host. */
  readonly repository: string;
  /** Tag or digest. */
  readonly reference: string;
  /** The host that a mirror stands for; containerd says it as `?ns=docker.io`. */
  readonly host?: string;
}

export interface Found extends StoredBlob {
  readonly fd: number;
  readonly digest: string;
}

const path = /^\/v2\/(?<repository>[a-z0-9._/-]+)\/(?<kind>manifests|blobs)\/(?<reference>[A-Za-z0-9._:-]+)$/;

/** Undefined when the address names neither a manifest nor a blob. */
export function wantedBy(url: URL): Wanted | undefined {
  const { repository = "", kind = "", reference = "" } = path.exec(url.pathname)?.groups ?? {};
  const host = url.searchParams.get("ns");
  if (kind !== "manifests" && kind !== "blobs") return undefined;
  return { kind, repository, reference, ...(host !== null && { host }) };
}

/** Without the registry host, if it has one: a first part with a dot or a colon, or `localhost`. */
export function withoutHost(name: string): string {
  return name.replace(/^(localhost|[^/]*[.:][^/]*)\//, "");
}

/** The images of some archives by name, tag and digest. The files stay open, so that a new build does not disturb. */
export class RegistryContent {
  readonly #files: number[] = [];
  readonly #images = new Map<string, string>();
  readonly #blobs = new Map<string, Found>();

  constructor(archives: readonly string[]) {
    for (const archive of archives) {
      const fd = openSync(archive, "r");
      this.#files.push(fd);
      const { images, blobs } = readArchive(fd);
      for (const [name, digest] of images) {
        this.#images.set(name, digest);
        // Asked without a host, the first of several images with one name is meant.
        if (!this.#images.has(withoutHost(name))) this.#images.set(withoutHost(name), digest);
      }
      for (const [digest, blob] of blobs) this.#blobs.set(digest, { ...blob, fd, digest });
    }
  }

  find({ kind, repository, reference, host }: Wanted): Found | undefined {
    if (reference.startsWith("sha256:")) return this.#blobs.get(reference);
    if (kind === "blobs") return undefined;
    const name = `${repository}:${reference}`;
    const digest = this.#images.get(`${host}/${name}`) ?? this.#images.get(name);
    return digest === undefined ? undefined : this.#blobs.get(digest);
  }

  /** Digests of the images with this name, with or without host. */
  digestsOf(name: string): string[] {
    return [...this.#images].filter(([one]) => one === name || withoutHost(one) === name).map(([, digest]) => digest);
  }

  close(): void {
    for (const fd of this.#files.splice(0)) closeSync(fd);
  }
}
