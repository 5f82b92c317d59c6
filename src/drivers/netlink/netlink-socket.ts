import { closeSync } from "node:fs";
import { constants } from "node:os";
import { BerthError } from "../../base/errors.ts";
import { declare, SystemError } from "../linux/libc.ts";
import {
  decodeAttributes,
  decodeMessages,
  encodeMessage,
  headerSize_bytes,
  type NetlinkMessage,
  NLM_F_ACK,
  NLM_F_DUMP,
  type ReceivedMessage,
  textOf,
} from "./message.ts";

const socketCall = declare("int socket(int domain, int type, int protocol)");
const sendCall = declare("intptr_t send(int fd, const uint8_t *data, size_t size, int flags)");
const recvCall = declare("intptr_t recv(int fd, _Out_ uint8_t *data, size_t size, int flags)");
const setsockoptCall = declare("int setsockopt(int fd, int level, int option, const uint8_t *value, uint32_t size)");

const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const SOL_NETLINK = 270;
const NETLINK_EXT_ACK = 11;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const NLM_F_DUMP_INTR = 0x10;
const NLM_F_ACK_TLVS = 0x200;
const NLM_F_CAPPED = 0x100;
const NLMSGERR_ATTR_MSG = 1;

export const netlinkProtocols = { route: 0, netfilter: 12 } as const;

/** The kernel answers at once; a silence this long means that something is badly wrong. */
const answerTimeout_s = 5;
/** A dump's datagrams are at most 32 KiB (since Linux 4.x, with the default receive size). */
const receiveSize_bytes = 64 * 1024;
/** One for all sockets: every answer is parsed before the next is received. */
const received = Buffer.allocUnsafeSlow(receiveSize_bytes);
const largestBatch_bytes = 32 * 1024;

const errorNames = new Map(Object.entries(constants.errno).map(([name, value]) => [value, name]));

/** The kernel refused a request; `code` is the errno name (EEXIST …). */
export class NetlinkError extends BerthError {
  readonly errno: string;
  constructor(what: string, errno: number, text: string) {
    const name = errorNames.get(errno) ?? `errno ${errno}`;
    super("internal", `could not ${what}: ${text === "" ? name : `${text} (${name})`}`);
    this.name = "NetlinkError";
    this.errno = name;
  }
}

/**
 * A synchronous netlink socket. It belongs to the network namespace in which it was opened, wherever the thread goes afterwards, so that one process
 * can hold sockets in many namespaces.
 */
export class NetlinkSocket implements Disposable {
  readonly #fd: number;
  #sequence = 0;

  constructor(protocol: number = netlinkProtocols.route) {
    this.#fd = socketCall("netlink", AF_NETLINK, SOCK_RAW_CLOEXEC, protocol);
    const timeout = Buffer.alloc(16);
    timeout.writeBigInt64LE(BigInt(answerTimeout_s), 0);
    setsockoptCall("netlink timeout", this.#fd, SOL_SOCKET, SO_RCVTIMEO, timeout, timeout.length);
    setsockoptCall("netlink errors", this.#fd, SOL_NETLINK, NETLINK_EXT_ACK, Buffer.from([1, 0, 0, 0]), 4);
  }

  /**
   * Sends all messages at once and waits for every acknowledgement: the kernel works through them in order, and continues after one that fails.
   * Throws a NetlinkError for the first that failed, except for errors that `tolerate` names for it ("EEXIST").
   */
  run(messages: NetlinkMessage[], tolerate: (message: NetlinkMessage, errno: string) => boolean = () => false): void {
    let failure: NetlinkError | undefined;
    for (const batch of batches(messages)) {
      const first = this.#sequence + 1;
      const encoded = batch.map(message =>
        encodeMessage({ ...message, flags: message.flags | NLM_F_ACK }, ++this.#sequence),
      );
      this.#send(Buffer.concat(encoded));
      for (let waiting = batch.length; waiting > 0; ) {
        for (const answer of this.#receiveMessages()) {
          const message = batch[answer.sequence - first];
          if (message === undefined || answer.type !== NLMSG_ERROR) continue;
          waiting -= 1;
          const error = errorOf(message.what, answer);
          if (error !== undefined && !tolerate(message, error.errno)) failure ??= error;
        }
      }
    }
    if (failure !== undefined) throw failure;
  }

  /** One object, or undefined where the kernel says that there is none (ENODEV, ENOENT). */
  get<T>(message: NetlinkMessage, parse: (body: Buffer) => T): T | undefined {
    const sequence = ++this.#sequence;
    this.#send(encodeMessage(message, sequence));
    for (;;) {
      for (const answer of this.#receiveMessages()) {
        if (answer.sequence !== sequence) continue;
        if (answer.type !== NLMSG_ERROR) return parse(answer.body);
        const error = errorOf(message.what, answer);
        if (error === undefined || error.errno === "ENODEV" || error.errno === "ENOENT") return undefined;
        throw error;
      }
    }
  }

  /** All objects; asked again when the kernel says that the list changed under way. */
  dump<T>(message: NetlinkMessage, parse: (body: Buffer) => T | undefined): T[] {
    for (let attempt = 0; ; attempt++) {
      const { found, interrupted } = this.#dumpOnce(message, parse);
      if (!interrupted || attempt === 10) return found;
    }
  }

  #dumpOnce<T>(message: NetlinkMessage, parse: (body: Buffer) => T | undefined) {
    const sequence = ++this.#sequence;
    const found: T[] = [];
    let interrupted = false;
    this.#send(encodeMessage({ ...message, flags: message.flags | NLM_F_DUMP }, sequence));
    for (;;) {
      for (const answer of this.#receiveMessages()) {
        if (answer.sequence !== sequence) continue;
        if (answer.flags & NLM_F_DUMP_INTR) interrupted = true;
        if (answer.type === NLMSG_DONE) return { found, interrupted };
        if (answer.type === NLMSG_ERROR)
          throw errorOf(message.what, answer) ?? new BerthError("internal", message.what);
        const item = parse(answer.body);
        if (item !== undefined) found.push(item);
      }
    }
  }

  #send(data: Buffer): void {
    sendCall("netlink request", this.#fd, data, data.length, 0);
  }

  #receiveMessages(): ReceivedMessage[] {
    for (;;) {
      try {
        const size = recvCall("netlink answer", this.#fd, received, received.length, 0);
        return [...decodeMessages(received.subarray(0, size))];
      } catch (thrown) {
        if (thrown instanceof SystemError && thrown.code === "EINTR") continue;
        throw thrown;
      }
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}

function errorOf(what: string, answer: ReceivedMessage): NetlinkError | undefined {
  const errno = -answer.body.readInt32LE(0);
  if (errno === 0) return undefined;
  let text = "";
  if (answer.flags & NLM_F_ACK_TLVS) {
    // The request is repeated behind the error number, unless the kernel capped it to its header; the attributes follow.
    const echoed = answer.flags & NLM_F_CAPPED ? headerSize_bytes : (answer.body.readUInt32LE(4) + 3) & ~3;
    text = textOf(decodeAttributes(answer.body.subarray(4 + echoed)).get(NLMSGERR_ATTR_MSG));
  }
  return new NetlinkError(what, errno, text);
}

function* batches(messages: NetlinkMessage[]): Generator<NetlinkMessage[]> {
  let batch: NetlinkMessage[] = [];
  let size_bytes = 0;
  for (const message of messages) {
    if (size_bytes + message.body.length > largestBatch_bytes && batch.length > 0) {
      yield batch;
      batch = [];
      size_bytes = 0;
    }
    batch.push(message);
    size_bytes += message.body.length + headerSize_bytes;
  }
  if (batch.length > 0) yield batch;
}
