/**
 * What libraries are built on: the suspension primitive, variables and tasks of a run, and hooks that see what tasks do.
 *
 * @example Wait for a callback
 * ```ts
 * import { run } from "arborio";
 * import { suspend } from "arborio/lowlevel";
 *
 * await run(async () => {
 *   await suspend<void>({ kind: "timer" }, (waiter) => {
 *     const timer = setTimeout(() => waiter.wake(), 1);
 *     return () => clearTimeout(timer);
 *   });
 * });
 * ```
 * @module
 */
import "./platform/host.ts";

// Waiting
export { suspend, type SuspendOptions, type Wakeable } from "./core/lowlevel.ts";
export { cancelShieldedCheckpoint, checkpoint, checkpointIfCancelled } from "./core/checkpoint.ts";
export { ParkingLot, type ParkingLotStatistics } from "./sync/parking-lot.ts";

// A run
export { onTaskEnd, random, runSyncSoon, startSystemTask } from "./core/lowlevel.ts";
export { RunLocal } from "./sync/run-local.ts";

// Bytes
export {
  createCompressor,
  Compressor,
  type CompressOptions,
  type CompressorOptions,
} from "./codec/compressor.ts";
export {
  createDecompressor,
  Decompressor,
  type DecompressorOptions,
} from "./codec/decompressor.ts";
export {
  compressNowait,
  type CompressNowaitOptions,
  decompressNowait,
  type DecompressNowaitOptions,
  type MessageEnding,
} from "./codec/whole-message.ts";
export { CompressionError, type CompressionFailure } from "./core/errors.ts";
export type { CompressionFormat } from "./platform/compression.ts";
export { createDigest, Digest, type DigestOptions } from "./codec/digest.ts";
export type { DigestAlgorithm } from "./platform/digest.ts";
export { randomBytes } from "./codec/random-bytes.ts";

// What protocols stand on
export { streamFromWire } from "./streams/stream-from-wire.ts";
export { takeWire } from "./streams/take-wire.ts";
export { wallNow } from "./sync/timeouts.ts";

// Seeing what happens
export { instrument } from "./core/lowlevel.ts";
export type { Instrument, WaitDescription } from "./core/instrument.ts";
export { droppedRejections } from "./platform/rejection-filter.ts";

// Backends
export type { Backend, Entropy, HostProcess, Scheduler } from "./platform/backend.ts";
export type { Clock, ClockTimer } from "./core/clock.ts";
export type {
  Wire,
  WireDetails,
  WireReceiver,
  IpAddress,
  SocketAddress,
  SocketOptions,
  TlsInfo,
  UnixAddress,
} from "./platform/wire.ts";
export type {
  Acceptor,
  Completion,
  ConnectTarget,
  DatagramHandle,
  DatagramOption,
  DatagramReceiver,
  DatagramTarget,
  ListenerHandle,
  ListenTarget,
  Network,
  UnixDatagramTarget,
  Withdraw,
} from "./platform/network.ts";
export type {
  Pem,
  Tls,
  TlsClientSettings,
  TlsCommonSettings,
  TlsIdentity,
  TlsServerSettings,
  TlsSettings,
} from "./platform/tls.ts";
export type {
  DirectoryEntry,
  DirectoryEntryKind,
  DirectoryHandle,
  FileHandle,
  FileKind,
  Files,
  FileStat,
  LockRequest,
  OpenTarget,
  PathChange,
  WatchHandle,
  WatchListener,
} from "./platform/files.ts";
export type {
  ProcessCommand,
  Processes,
  ProcessExit,
  ProcessHandle,
  StreamTarget,
} from "./platform/processes.ts";
export type {
  MessagePortLike,
  Threads,
  WorkerExit,
  WorkerHandle,
  WorkerListener,
  WorkerParent,
  WorkerTarget,
} from "./platform/threads.ts";
export type { Signals } from "./platform/signals.ts";
export type { ByteSource, StandardStreams } from "./platform/standard-streams.ts";
export type { Codec, CodecEnding, CodecSettings, Compression } from "./platform/compression.ts";
export type { Digests, DigestState } from "./platform/digest.ts";
