import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { type BuildOptions, build } from "esbuild";

/**
 * Bundles each program of src/main/ with what it imports and no more, into dist/. CommonJS, because it starts quicker here than ES modules
 * (importing node:http from an ES module evaluates all its exports, which loads Node's whole HTTP client: 40 ms).
 * Beside each bundle stands a loader that switches Node's compile cache on before the bundle is read.
 */
const root = join(import.meta.dirname, "..");
const dist = join(root, "dist");
const entries = readdirSync(join(root, "src/main")).filter(
  file => /^berth[\w-]*\.ts$/.test(file) && !file.endsWith(".test.ts"),
);
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };

mkdirSync(dist, { recursive: true });
const shared: BuildOptions = {
  outdir: dist,
  outExtension: { ".js": ".main.cjs" },
  bundle: true,
  platform: "node",
  format: "cjs",
  target: "node24",
  minifySyntax: true,
  legalComments: "none",
  logLevel: "warning",
  // Holds a native library that must stay a file of its own.
  external: ["koffi"],
  define: {
    "import.meta.dirname": "__dirname",
    "import.meta.filename": "__filename",
    BERTH_VERSION: JSON.stringify(version),
  },
  loader: { ".pl": "text", ".sh": "text", ".sql": "text" },
};
const paths = (names: string[]) => names.map(file => join(root, "src/main", file));
// What is typed at a prompt must start at once, and reading a bundle takes time in proportion to its length; daemons keep readable stack traces instead.
await build({ ...shared, entryPoints: paths(["berth.ts"]), minify: true, keepNames: true });
await build({ ...shared, entryPoints: paths(entries.filter(file => file !== "berth.ts")) });

rmSync(join(dist, "compile-cache"), { recursive: true, force: true });
for (const file of entries) {
  const name = basename(file, ".ts");
  writeFileSync(
    join(dist, `${name}.cjs`),
    `require("node:module").enableCompileCache(require("node:path").join(__dirname, "compile-cache"));\nrequire("./${name}.main.cjs");\n`,
  );
}
for (const file of existsSync(join(root, "bin")) ? readdirSync(join(root, "bin")) : [])
  chmodSync(join(root, "bin", file), 0o755);

// The first start decides what is in the cache: one that goes through the parser of options, as most commands do.
for (const name of ["berth", "berth-engine"]) {
  spawnSync(process.execPath, [join(dist, `${name}.cjs`), "run", "--help"], { stdio: "ignore" });
}
