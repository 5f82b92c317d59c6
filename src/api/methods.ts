/**
 * Berth's own API, as one table: what travels how. Every method of the backends is `POST /v1/<noun>/<verb>` with `{"args": […]}`; the table says how the
 * result comes back, so that server and client are two readers of it and cannot drift apart.
 *
 * - call: JSON in, JSON out.
 * - progress: NDJSON of `{"progress": …}` lines and a last `{"result": …}`. Options' callbacks (onProgress, onRegistered …) are called on the client's side.
 * - items: NDJSON of `{"item": …}` lines for an async iterable.
 * - download: the body is the stream, the rest of the result is in the `Berth-Result` header.
 * - upload: the body is the stream given as the argument `stream`, the arguments are in the `Berth-Args` header; answers as progress does.
 * - session: `Upgrade: berth-session`, then frames both ways (frames.ts).
 */
export type Transport =
  | { kind: "call" }
  | { kind: "progress"; callbacks: string[] }
  | { kind: "items" }
  | { kind: "download"; stream?: string }
  | { kind: "upload"; argument: number; callbacks: string[] }
  | { kind: "session" };

/** `options` is the position of the method's options argument, where the server puts the caller's signal. */
export type MethodShape = Transport & { options: number };

export type MethodTable = Record<string, Record<string, MethodShape>>;

export const call = (options: number): MethodShape => ({ kind: "call", options });
export const items = (options: number): MethodShape => ({ kind: "items", options });
export const session = (options: number): MethodShape => ({ kind: "session", options });
export const progress = (options: number, ...callbacks: string[]): MethodShape => ({
  kind: "progress",
  options,
  callbacks: callbacks.length > 0 ? callbacks : ["onProgress"],
});
export const download = (options: number, stream?: string): MethodShape => ({ kind: "download", options, stream });
export const upload = (argument: number, options: number, ...callbacks: string[]): MethodShape => ({
  kind: "upload",
  argument,
  options,
  callbacks,
});

export const engineMethods: MethodTable = {
  containers: {
    create: call(1),
    start: call(1),
    stop: call(1),
    restart: call(1),
    kill: call(2),
    pause: call(1),
    unpause: call(1),
    remove: call(1),
    rename: call(2),
    update: call(2),
    wait: progress(1, "onRegistered"),
    inspect: call(1),
    list: call(0),
    sizes: call(1),
    top: call(2),
    stats: call(1),
    logs: items(1),
    attach: session(1),
    resize: call(3),
    createExec: call(2),
    startExec: session(1),
    resizeExec: call(3),
    inspectExec: call(1),
    waitExec: call(1),
    statPath: call(2),
    readArchive: download(2, "tar"),
    writeArchive: upload(2, 3),
    changes: call(1),
    export: download(1),
    commit: call(1),
    prune: call(0),
  },
  images: {
    get: call(1),
    find: call(1),
    list: call(0),
    history: call(1),
    pull: progress(1),
    push: progress(1),
    resolveRemote: call(1),
    login: call(2),
    tag: call(2),
    remove: call(1),
    prune: call(0),
    save: download(1),
    load: upload(0, 1, "onProgress"),
    import: upload(0, 1),
    create: call(1),
    bootstrap: progress(1),
    canBootstrap: call(1),
    diskUsage: call(0),
  },
  networks: {
    create: call(1),
    get: call(1),
    list: call(0),
    remove: call(1),
    prune: call(0),
    connect: call(3),
    disconnect: call(2),
    members: call(1),
  },
  volumes: {
    create: call(1),
    get: call(1),
    list: call(0),
    users: call(1),
    remove: call(1),
    prune: call(0),
    size_bytes: call(1),
  },
  system: { info: call(0), diskUsage: call(0), events: items(0), check: call(0) },
};

/** `buildTar` is `build` with the context as the body: for contexts that come through a pipe. */
export const builderMethods: MethodTable = {
  builder: {
    build: progress(0),
    buildTar: upload(0, 1, "onProgress"),
    print: call(0),
    cacheUsage: call(0),
    pruneCache: call(0),
  },
};

/** Apps; changes answer with what happens until they are done. */
export const appMethods: MethodTable = {
  apps: {
    plan: call(1),
    up: items(1),
    down: items(1),
    build: items(1),
    pull: items(1),
    run: items(2),
    start: items(1),
    stop: items(1),
    restart: items(1),
    rm: items(1),
    scale: items(2),
    pause: items(1),
    unpause: items(1),
    kill: call(1),
    rollback: items(2),
    ls: call(0),
    ps: call(1),
    events: items(1),
    history: call(1),
    version: call(2),
    why: call(2),
  },
  /** Secrets and configs that stand for themselves. */
  files: { create: call(3), list: call(1), remove: call(2) },
  host: { backup: call(1) },
};

/** All that berthd serves. */
export const hostMethods: MethodTable = { ...engineMethods, ...builderMethods, ...appMethods };
