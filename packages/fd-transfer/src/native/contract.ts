// SPDX-License-Identifier: Apache-2.0

/** Process, user and group of a peer. `pid` is 0 when the peer lives in a PID namespace that we cannot see. */
export interface Credentials {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

/** One received message. Every descriptor in `fds` belongs to the caller, whatever else is wrong with the message. */
export interface Received {
  /** Length 0 = end of stream. */
  readonly data: Buffer;
  /** Close-on-exec. */
  readonly fds: number[];
  /** The message was longer than `maxBytes`; the rest is lost. */
  readonly truncated: boolean;
  /** The kernel dropped descriptors: room, RLIMIT_NOFILE or a security policy. It does not tell which. */
  readonly controlTruncated: boolean;
  readonly cred: Credentials | null;
}

export interface SocketInfo {
  /** AF_UNIX 1, AF_INET 2, AF_INET6 10. */
  readonly domain: number;
  /** SOCK_STREAM 1, SOCK_DGRAM 2, SOCK_SEQPACKET 5. */
  readonly type: number;
  readonly protocol: number;
  /** It listens. False for a listener on which anybody called shutdown(). */
  readonly accepting: boolean;
  /** SO_COOKIE: equal for every descriptor of one socket, in every process; never used twice. */
  readonly cookie: bigint;
  readonly v6only: boolean;
  readonly reusePort: boolean;
  /** Local address; null for a socket without a name. An abstract name begins with a NUL character. */
  readonly address: { readonly host: string; readonly port: number } | { readonly path: string } | null;
}

export interface ListenTcpOptions {
  /** Length of the accept queue; the kernel clamps it to `net.core.somaxconn`. */
  readonly backlog: number;
  /** Default false: `::` also takes IPv4. */
  readonly v6only?: boolean;
  readonly reusePort?: boolean;
}

export interface BindUdpOptions {
  /** Room for datagrams that wait to be read; more than `net.core.rmem_max` needs CAP_NET_ADMIN. 0 = the default. */
  readonly receiveBytes: number;
  /** Default false: `::` also takes IPv4. */
  readonly v6only?: boolean;
}

/**
 * One u32 in shared memory, changed by compare-and-swap across processes.
 * `load` and `compareExchange` throw EBADF after `close`. Unmapped by `close` or by the garbage collector.
 */
export interface Word {
  load(): number;
  /** True = it was `expected` and is `next` now. */
  compareExchange(expected: number, next: number): boolean;
  close(): void;
}

/** Of thousands an Int32Array takes a third of the time. */
export type Descriptors = readonly number[] | Int32Array;

/**
 * System calls that Node does not offer. Every function throws a `NativeError` on failure and on a bad argument (EINVAL,
 * EBADF); none blocks. Every returned descriptor is close-on-exec and belongs to the caller.
 */
export interface Native {
  /** Bound and listening, non-blocking. The path must not exist (EADDRINUSE). `mode` holds whatever the umask is. */
  listenSeqpacket(path: string, mode: number, backlog: number): number;
  /** Connected at once, or an error: ENOENT, ECONNREFUSED (nobody has it), EPROTOTYPE (of another type), EACCES, EAGAIN (accept queue full). */
  connectSeqpacket(path: string): number;
  /**
   * The same with a stream or datagram socket. A first character NUL means an abstract name: its bytes, without a NUL at
   * the end.
   */
  connectUnix(path: string, type: "stream" | "datagram"): number;
  /** null = nobody waits. */
  accept(fd: number): number | null;
  /**
   * How many bytes were sent: 0 = EAGAIN; a stream takes a part when it has no room for all, with all descriptors. `data`
   * must not be empty; at most 252 descriptors, which stay ours as well.
   */
  send(fd: number, data: Uint8Array, fds: Descriptors): number;
  /** null = EAGAIN. At most 1 MiB. Has room for 253 descriptors and the credentials. */
  recv(fd: number, maxBytes: number): Received | null;
  /** SEQPACKET, non-blocking. */
  socketpair(): [number, number];
  /** `host` is a numeric address, not a name. `port` 0 = any. */
  listenTcp(host: string, port: number, options: ListenTcpOptions): number;
  /** `host` is a numeric address. `port` 0 = any. */
  bindUdp(host: string, port: number, options: BindUdpOptions): number;
  /** Stream socket. The path must not exist. */
  listenUnix(path: string, backlog: number, mode: number): number;
  socketInfo(fd: number): SocketInfo;
  /**
   * For each descriptor two numbers: SO_COOKIE, and what it is: bits 0 to 7 as `SocketInfo.type`, bit 8 set when it
   * listens. Zeros for what is no socket. At most 252 descriptors.
   */
  identify(fds: Descriptors): BigUint64Array;
  dup(fd: number): number;
  /** EBUSY while a `Poller` of this thread watches it. */
  close(fd: number): void;
  isOpen(fd: number): boolean;
  /** Who connected, or who listens on the other end (SO_PEERCRED). */
  peerCredentials(fd: number): Credentials;
  /** false = somebody else holds it. Given up only when the last descriptor of this description is closed. */
  lockExclusive(fd: number): boolean;
  /**
   * Compare-and-swap of the first 8 bytes of a regular file, little endian, across processes; a shorter file counts as 0.
   * True = it was `expected` and is `next` now. EACCES when the descriptor was not opened to read and write.
   */
  exchangeEpoch(fd: number, expected: bigint, next: bigint): boolean;
  /** A memfd with one u32, sealed against shrink, grow and further seals. */
  createWord(initial: number): number;
  /** Refuses what is not such a memfd. Does not take the descriptor. */
  mapWord(fd: number): Word;
  /** An empty memfd, to be written and then sealed. */
  createMemory(): number;
  /** Nobody can change the bytes, the size or the seals from now on. */
  sealMemory(fd: number): void;
  /** Size in bytes; EINVAL for anything but a memfd that is sealed so. */
  memorySize(fd: number): number;
}

/** What watches one descriptor; `Poller` is the public form. */
export interface PollHandle {
  start(events: number): void;
  stop(): void;
  close(): void;
  ref(): void;
  unref(): void;
}

/** Everything the addon has. */
export interface Addon extends Native {
  createPoller(fd: number, onEvent: (events: number) => void): PollHandle;
}
