import { closeSync, openSync } from "node:fs";
import { declare } from "./libc.ts";
import { mount, mountFlags } from "./mount.ts";

const unshareCall = declare("int unshare(int flags)");
const setnsCall = declare("int setns(int fd, int type)");

const CLONE_NEWNET = 0x40000000;

/** Runs `work` (synchronous, by necessity: another callback must not run in the wrong place) with the thread in another network namespace. */
export function inNetworkNamespace<T>(path: string, work: () => T): T {
  const home = openSync("/proc/thread-self/ns/net", "r");
  try {
    const target = openSync(path, "r");
    try {
      setnsCall(path, target, CLONE_NEWNET);
    } finally {
      closeSync(target);
    }
    try {
      return work();
    } finally {
      // If the way back fails, every later call would act in the container's network: nothing sane can follow.
      setnsCall("home namespace", home, CLONE_NEWNET);
    }
  } finally {
    closeSync(home);
  }
}

/** Makes a network namespace and keeps it alive by a bind mount on `path`, an existing empty file. */
export function createNetworkNamespace(path: string): void {
  const home = openSync("/proc/thread-self/ns/net", "r");
  try {
    unshareCall("network namespace", CLONE_NEWNET);
    try {
      mount("/proc/thread-self/ns/net", path, null, mountFlags.bind);
    } finally {
      setnsCall("home namespace", home, CLONE_NEWNET);
    }
  } finally {
    closeSync(home);
  }
}
