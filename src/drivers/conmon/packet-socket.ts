import { closeSync, constants, openSync } from "node:fs";
import { Socket } from "node:net";
import { basename, dirname } from "node:path";
import { declare } from "../linux/libc.ts";

const socketCall = declare("int socket(int domain, int type, int protocol)");
const connectCall = declare("int connect(int fd, const uint8_t *address, uint32_t size)");
const dup3Call = declare("int dup3(int from, int to, int flags)");

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_SEQPACKET = 5;
/** Flags of socket(2) and dup3(2) are those of open(2). */
const O_CLOEXEC = 0o2000000;
const O_NONBLOCK = constants.O_NONBLOCK;

/**
 * Connects to a Unix socket of type SOCK_SEQPACKET, on which each write and each read is one packet (unix(7)). Node's net knows stream sockets only, and tells by
 * asking the descriptor; so it is given an unconnected stream socket, whose descriptor then gets to mean the packet socket before the event loop has looked at
 * it. From there on reading, writing, end and shutdown are the same calls for both. Each `data` event is one packet.
 */
export function connectPacketSocket(path: string): Socket {
  // A socket's path has at most 107 characters: through the open directory it is always short.
  const directory = openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    const packets = socketCall(path, AF_UNIX, SOCK_SEQPACKET | O_CLOEXEC | O_NONBLOCK, 0);
    try {
      const address = unixAddress(`/proc/self/fd/${directory}/${basename(path)}`);
      connectCall(path, packets, address, address.length);
      const fd = socketCall(path, AF_UNIX, SOCK_STREAM | O_CLOEXEC, 0);
      const socket = new Socket({ fd, readable: true, writable: true, allowHalfOpen: true });
      dup3Call(path, packets, fd, O_CLOEXEC);
      return socket;
    } finally {
      closeSync(packets);
    }
  } finally {
    closeSync(directory);
  }
}

/** struct sockaddr_un: family, then the path with its final zero. */
function unixAddress(path: string): Buffer {
  const address = Buffer.alloc(2 + Buffer.byteLength(path) + 1);
  address.writeUInt16LE(AF_UNIX, 0);
  address.write(path, 2);
  return address;
}
