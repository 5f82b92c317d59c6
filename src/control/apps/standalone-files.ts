import { BerthError } from "../../base/errors.ts";
import type { StandaloneFilesBackend, StandaloneFileView } from "../../ports/apps.ts";
import type { CallOptions } from "../../ports/content.ts";
import type { FileKind, StoredFiles } from "../files/stored-files.ts";

const largest_bytes = 500_000;

/** `berth secret` and `berth config`: contents that no app declares. */
export class StandaloneFiles implements StandaloneFilesBackend {
  readonly #files: StoredFiles;

  constructor(files: StoredFiles) {
    this.#files = files;
  }

  async create(
    kind: FileKind,
    name: string,
    content: string,
    options: CallOptions & { labels?: Record<string, string> } = {},
  ): Promise<StandaloneFileView> {
    if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,63}$/.test(name)) {
      throw new BerthError(
        "invalid",
        `${kind} name ${JSON.stringify(name)}: use letters, digits, "_", "." and "-", at most 64`,
      );
    }
    const bytes = Buffer.from(content, "base64");
    if (bytes.length > largest_bytes) {
      throw new BerthError("exhausted", `${kind} ${name} has ${bytes.length} bytes; at most ${largest_bytes} fit`);
    }
    const id = await this.#files.put({ kind, name, labels: options.labels }, bytes, options);
    const made = (await this.list(kind, options)).find(file => file.id === id);
    if (!made) throw new BerthError("conflict", `${kind} ${name} was replaced by somebody else meanwhile`);
    return made;
  }

  async list(kind: FileKind, options: CallOptions = {}): Promise<StandaloneFileView[]> {
    const files = await this.#files.standalone(kind, options);
    return files.map(({ id, name, labels, createdAt_ms }) => ({ id, name, labels, createdAt_ms }));
  }

  remove(kind: FileKind, name: string, options: CallOptions = {}): Promise<void> {
    return this.#files.removeStandalone(kind, name, options);
  }
}
