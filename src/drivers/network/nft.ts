import { spawnSync } from "node:child_process";
import { BerthError } from "../../base/errors.ts";
import { koffi } from "../linux/libc.ts";

/**
 * Runs nft scripts, each as one transaction: all of it is applied or none. The program `nft` is a thin shell around libnftables; calling the library
 * in-process takes 0.2 ms instead of 5. Where the library is missing the program is used.
 */
export interface Nft {
  /** Throws with nft's own words; `what` says what was tried. */
  run(what: string, script: string): void;
  /** Output of a listing command, or undefined where the listed thing does not exist. */
  list(command: string): string | undefined;
}

interface Library {
  open(): unknown;
  close(context: unknown): void;
  setOutputFlags(context: unknown, flags: number): void;
  run(context: unknown, script: string): number;
  bufferOutput(context: unknown): number;
  bufferError(context: unknown): number;
  output(context: unknown): string;
  error(context: unknown): string;
}

// nftables/libnftables.h
const NFT_CTX_OUTPUT_STATELESS = 4;
const NFT_CTX_OUTPUT_NUMERIC_PRIORITY = 256;
const NFT_CTX_OUTPUT_NUMERIC_PROTO = 128;
const outputFlags = NFT_CTX_OUTPUT_STATELESS | NFT_CTX_OUTPUT_NUMERIC_PROTO | NFT_CTX_OUTPUT_NUMERIC_PRIORITY;

let library: Library | undefined | "not loaded" = "not loaded";
let host: Nft | undefined;

/**
 * nft in the namespace that the thread was in at the first call. Its context stays open: closing one after something was deleted waits until every
 * processor has let go of that, some 10 ms.
 */
export function hostNft(): Nft {
  host ??= openNft();
  return host;
}

/** nft in the namespace that the thread is in now; for few calls, and closed afterwards. */
export function withNft<T>(work: (nft: Nft) => T): T {
  using nft = openNft();
  return work(nft);
}

function openNft(): Nft & Disposable {
  if (library === "not loaded") library = loadLibrary();
  return library === undefined ? nftProgram : openContext(library);
}

function loadLibrary(): Library | undefined {
  let lib: ReturnType<typeof koffi.load>;
  try {
    lib = koffi.load("libnftables.so.1");
  } catch {
    return undefined; // not installed under this name: the program does the same
  }
  return {
    open: lib.func("void *nft_ctx_new(uint32_t flags)").bind(null, 0),
    close: lib.func("void nft_ctx_free(void *context)"),
    setOutputFlags: lib.func("void nft_ctx_output_set_flags(void *context, uint32_t flags)"),
    run: lib.func("int nft_run_cmd_from_buffer(void *context, const char *script)"),
    bufferOutput: lib.func("int nft_ctx_buffer_output(void *context)"),
    bufferError: lib.func("int nft_ctx_buffer_error(void *context)"),
    output: lib.func("const char *nft_ctx_get_output_buffer(void *context)"),
    error: lib.func("const char *nft_ctx_get_error_buffer(void *context)"),
  };
}

function openContext(library: Library): Nft & Disposable {
  const context = library.open();
  if (context === null) throw new BerthError("internal", "could not open libnftables: no memory or no netlink socket");
  library.bufferOutput(context);
  library.bufferError(context);
  library.setOutputFlags(context, outputFlags);
  const runScript = (script: string) => {
    const code = library.run(context, script);
    return { failed: code !== 0, output: library.output(context), error: library.error(context) };
  };
  return {
    run(what, script) {
      const { failed, error } = runScript(script);
      if (failed) throw nftError(what, error);
    },
    list(command) {
      const { failed, output, error } = runScript(command);
      if (failed && /No such file or directory/.test(error)) return undefined;
      if (failed) throw nftError(command, error);
      return output;
    },
    [Symbol.dispose]: () => library.close(context),
  };
}

const nftProgram: Nft & Disposable = {
  run(what, script) {
    const { status, stderr, error } = spawnSync("nft", ["-f", "-"], { input: script, encoding: "utf8" });
    if (error) throw missingProgram(error);
    if (status !== 0) throw nftError(what, stderr);
  },
  list(command) {
    const { status, stdout, stderr, error } = spawnSync("nft", ["-snyp", ...command.split(" ")], { encoding: "utf8" });
    if (error) throw missingProgram(error);
    if (status !== 0 && /No such file or directory/.test(stderr)) return undefined;
    if (status !== 0) throw nftError(command, stderr);
    return stdout;
  },
  [Symbol.dispose]() {},
};

function missingProgram(cause: Error): BerthError {
  return new BerthError("unavailable", `could not run nft: ${cause.message}`, {
    cause,
    retryable: false,
    hint: "install it: apt-get install nftables",
  });
}

function nftError(what: string, words: string): BerthError {
  const missing = /Operation not supported|Protocol not supported/.test(words);
  return new BerthError(missing ? "unsupported" : "internal", `could not ${what}: nft says: ${words.trim()}`);
}
