// SPDX-License-Identifier: Apache-2.0

/** What a request needs to be let in, and to trust the server. */
export interface Credentials {
  headers: Record<string, string>;
  tls: TlsMaterial;
}

export interface TlsMaterial {
  ca?: string;
  cert?: string;
  key?: string;
  servername?: string;
  rejectUnauthorized?: boolean;
}

/**
 * Credentials that stay fresh: tokens in files, inline tokens, certificates and exec plugins are asked again when they
 * may have changed. Concurrent requests share one look-up, so that an exec plugin never runs twice at once.
 */
export interface CredentialSource {
  readonly server: URL;
  readonly proxy: string | undefined;
  current(): Promise<Credentials>;
  /** The server said 401: the next request looks up everything anew. */
  invalidate(): void;
}
