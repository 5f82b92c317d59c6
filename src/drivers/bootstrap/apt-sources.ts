/** One source of Debian packages, as apt's configuration names it (sources.list(5)). */
export interface AptSource {
  uri: string;
  suite: string;
  components: string[];
  /** Path of a keyring, or the key itself. */
  signedBy?: string;
}

/** Reads one-line (`*.list`) and deb822 (`*.sources`) files; only binary packages, only what is enabled. Pure. */
export function parseAptSources(fileName: string, text: string): AptSource[] {
  return fileName.endsWith(".sources") ? parseStanzas(text) : parseLines(text);
}

function parseLines(text: string): AptSource[] {
  const found: AptSource[] = [];
  for (const line of text.split("\n")) {
    const match = /^deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s*([^#]*)/.exec(line.trim());
    if (match === null) continue;
    const signedBy = /(?:^|\s)signed-by=(\S+)/.exec(match[1] ?? "")?.[1];
    found.push({ uri: match[2]!, suite: match[3]!, components: words(match[4]!), signedBy });
  }
  return found;
}

function parseStanzas(text: string): AptSource[] {
  const found: AptSource[] = [];
  for (const stanza of text.split(/\n\s*\n/)) {
    const fields = new Map<string, string>();
    let last = "";
    for (const line of stanza.split("\n")) {
      if (line.startsWith("#")) continue;
      const field = /^([\w-]+):(.*)$/.exec(line);
      if (field !== null) {
        last = field[1]!.toLowerCase();
        fields.set(last, field[2]!.trim());
      } else if (/^\s/.test(line) && last !== "") fields.set(last, `${fields.get(last)}\n${line.trimEnd()}`);
    }
    if (!words(fields.get("types") ?? "").includes("deb") || /^(no|false|0)$/i.test(fields.get("enabled") ?? "yes"))
      continue;
    for (const uri of words(fields.get("uris") ?? "")) {
      for (const suite of words(fields.get("suites") ?? "")) {
        const components = words(fields.get("components") ?? "");
        found.push({ uri, suite, components, signedBy: fields.get("signed-by") });
      }
    }
  }
  return found;
}

const words = (text: string): string[] => text.split(/\s+/).filter(Boolean);

/** Suites of Debian that have neither updates nor security archives of their own. */
const rolling = new Set(["sid", "unstable", "experimental"]);

/**
 * Sources for a suite out of those that a host has: its own where it has the suite, else the same mirrors with the other suite's name. Empty when the host knows no
 * Debian mirror (`hostSuite` is what it runs itself, undefined where it is no Debian).
 */
export function sourcesForSuite(all: AptSource[], suite: string, hostSuite: string | undefined): AptSource[] {
  const known = [suite, hostSuite].filter(name => name !== undefined);
  const model = known.find(name => all.some(source => source.suite === name && source.components.includes("main")));
  if (model === undefined) return [];
  const found: AptSource[] = [];
  for (const { uri, suite: name, signedBy } of all) {
    const tail =
      name === model
        ? ""
        : name.startsWith(`${model}-`) || name.startsWith(`${model}/`)
          ? name.slice(model.length)
          : undefined;
    if (tail === undefined || !["", "-updates", "-security", "/updates"].includes(tail)) continue;
    if (tail !== "" && rolling.has(suite)) continue;
    const source = { uri, suite: suite + tail, components: ["main"], signedBy };
    if (!found.some(other => other.uri === source.uri && other.suite === source.suite)) found.push(source);
  }
  return found;
}

/** deb822, as Debian's own images have it since bookworm and apt reads it since 1.1. */
export function formatAptSources(sources: AptSource[]): string {
  return sources
    .map(({ uri, suite, components, signedBy }) =>
      [
        "Types: deb",
        `URIs: ${uri}`,
        `Suites: ${suite}`,
        `Components: ${components.join(" ")}`,
        ...(signedBy === undefined ? [] : [`Signed-By: ${signedBy}`]),
      ].join("\n"),
    )
    .join("\n\n")
    .concat("\n");
}
