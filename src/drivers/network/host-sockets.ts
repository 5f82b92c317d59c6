import { closeSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import type { Protocol } from "../../model/container.ts";
import { declare, SystemError } from "../linux/libc.ts";
import { errnoOf } from "../linux/state-files.ts";
import { AF_INET, AF_INET6 } from "../netlink/addresses.ts";
import { ipBytes, parseIp } from "../netlink/ip.ts";

const socketCall = declare("int socket(int domain, int type, int protocol)");
const setsockoptCall = declare("int setsockopt(int fd, int level, int option, const uint8_t *value, uint32_t size)");
const bindCall = declare("int bind(int fd, const uint8_t *address, uint32_t size)");

const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;
const LISTEN = "0A";
const one = Buffer.from([1, 0, 0, 0]);

/** A bound socket's descriptor; the caller closes it. Throws a SystemError (EADDRINUSE, EADDRNOTAVAIL). */
export function bindSocket(protocol: Protocol, address: string, port: number): number {
  const ip = parseIp(address);
  const type = (protocol === "tcp" ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC;
  const what = `${address} port ${port}/${protocol}`;
  const fd = socketCall(what, ip.family === 4 ? AF_INET : AF_INET6, type, 0);
  try {
    // With it, connections that linger in TIME_WAIT do not count as holders; listening sockets still do.
    if (protocol === "tcp") setsockoptCall(what, fd, SOL_SOCKET, SO_REUSEADDR, one, one.length);
    if (ip.family === 6) setsockoptCall(what, fd, IPPROTO_IPV6, IPV6_V6ONLY, one, one.length);
    const socketAddress = Buffer.alloc(ip.family === 4 ? 16 : 28);
    socketAddress.writeUInt16LE(ip.family === 4 ? AF_INET : AF_INET6, 0);
    socketAddress.writeUInt16BE(port, 2);
    ipBytes(ip).copy(socketAddress, ip.family === 4 ? 4 : 8);
    bindCall(what, fd, socketAddress, socketAddress.length);
    return fd;
  } catch (thrown) {
    closeSync(fd);
    throw thrown;
  }
}

const getsocknameCall = declare("int getsockname(int fd, _Out_ uint8_t *address, _Inout_ uint32_t *size)");

/** The port that the kernel chose for a socket bound to port 0. */
export function portOf(fd: number): number {
  const address = Buffer.alloc(28);
  getsocknameCall("bound socket", fd, address, [address.length]);
  return address.readUInt16BE(2);
}

export type PortState = "free" | "taken" | "not ours";

/** Asks the kernel by binding for a moment: it alone knows all the rules. "not ours": the address is not this host's. */
export function portState(protocol: Protocol, address: string, port: number): PortState {
  try {
    closeSync(bindSocket(protocol, address, port));
    return "free";
  } catch (thrown) {
    if (thrown instanceof SystemError && thrown.code === "EADDRINUSE") return "taken";
    if (thrown instanceof SystemError && thrown.code === "EADDRNOTAVAIL") return "not ours";
    throw thrown;
  }
}

/** "nginx (process 812)" for an error message; undefined where the process cannot be found. Slow: reads all of /proc. */
export function holderOf(protocol: Protocol, port: number): string | undefined {
  const inodes = new Set([`net/${protocol}`, `net/${protocol}6`].flatMap(table => inodesIn(table, protocol, port)));
  if (inodes.size === 0) return undefined;
  for (const pid of readdirSync("/proc")) {
    if (!/^\d+$/.test(pid) || !holdsOne(pid, inodes)) continue;
    return `${readOrEmpty(`/proc/${pid}/comm`).trim()} (process ${pid})`;
  }
  return undefined;
}

/** Lines of /proc/net/tcp: "sl local_address rem_address st … inode"; ports in hex (Documentation/networking/proc_net_tcp.rst). */
function inodesIn(table: string, protocol: Protocol, port: number): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return readOrEmpty(`/proc/${table}`)
    .split("\n")
    .map(line => line.trim().split(/\s+/))
    .filter(fields => fields[1]?.endsWith(suffix) && (protocol === "udp" || fields[3] === LISTEN))
    .flatMap(fields => fields[9] ?? []);
}

function holdsOne(pid: string, inodes: Set<string>): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some(fd => {
      const target = readlinkSync(`/proc/${pid}/fd/${fd}`);
      return target.startsWith("socket:[") && inodes.has(target.slice(8, -1));
    });
  } catch (thrown) {
    if (errnoOf(thrown) === "ENOENT" || errnoOf(thrown) === "EACCES") return false; // it has just ended
    throw thrown;
  }
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (thrown) {
    if (errnoOf(thrown) === "ENOENT" || errnoOf(thrown) === "ESRCH") return "";
    throw thrown;
  }
}
