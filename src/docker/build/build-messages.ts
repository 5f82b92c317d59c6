import { StringDecoder } from "node:string_decoder";
import { asBerthError } from "../../base/errors.ts";
import { shortId } from "../../base/ids.ts";
import { familiarName, parseReference, withDefaultTag } from "../../image/reference.ts";
import type { BuildEvent, BuildResult } from "../../ports/build.ts";
import { failure } from "../http/failure.ts";
import type { LineWriter } from "../http/line-writer.ts";

/** A build's progress in the words of Docker's classic builder, which clients read: "Step 1/3 : FROM …", "Successfully built …". */
export class BuildMessages {
  readonly #lines: LineWriter;
  readonly #quiet: boolean;
  readonly #decoders = new Map<string, StringDecoder>();

  constructor(lines: LineWriter, quiet: boolean) {
    this.#lines = lines;
    this.#quiet = quiet;
    // Headers at once: the client shows that the build has begun.
    if (!quiet) lines.start();
  }

  readonly show = (event: BuildEvent): void => {
    if (this.#quiet) return;
    if (event.kind === "state") this.#state(event);
    else if (event.kind === "log") this.#say(this.#decoder(event).write(event.data));
    else if (event.kind === "warning") {
      this.#say(`[Warning] ${event.line === undefined ? "" : `line ${event.line}: `}${event.message}\n`);
    } else {
      this.#lines.tell({ status: event.status, ...(event.id ? { id: event.id } : {}), progressDetail: {} });
    }
  };

  async done({ imageId }: BuildResult, tags: string[]): Promise<void> {
    if (this.#quiet) await this.#lines.write({ stream: `${imageId}\n` });
    else {
      await this.#lines.write({ aux: { ID: imageId } });
      await this.#lines.write({ stream: `Successfully built ${shortId(imageId)}\n` });
      for (const tag of tags) {
        await this.#lines.write({
          stream: `Successfully tagged ${familiarName(withDefaultTag(parseReference(tag)))}\n`,
        });
      }
    }
    this.#lines.end();
  }

  async fail(thrown: unknown): Promise<void> {
    const { message } = failure(thrown);
    const code = Number(asBerthError(thrown).details?.["exitCode"]);
    const errorDetail = Number.isInteger(code) ? { code, message } : { message };
    // What is wrong before the first step has a status of its own.
    if (!this.#lines.begun) throw thrown;
    await this.#lines.write({ errorDetail, error: message });
    this.#lines.end();
  }

  #state({ vertex, state, layerId }: Extract<BuildEvent, { kind: "state" }>): void {
    if (vertex.step === undefined) return;
    if (state === "started") {
      const instruction = vertex.name.replace(/^\[[^\]]*\] /, "");
      this.#say(`Step ${vertex.step}/${vertex.steps} : ${instruction}\n`);
    } else if (state === "cached") this.#say(" ---> Using cache\n");
    if ((state === "cached" || state === "done") && layerId) this.#say(` ---> ${shortId(layerId)}\n`);
  }

  #say(stream: string): void {
    if (stream) this.#lines.tell({ stream });
  }

  /** Characters are not cut in two where the output's pieces end. */
  #decoder({ vertexId, stream }: Extract<BuildEvent, { kind: "log" }>): StringDecoder {
    const key = `${vertexId} ${stream}`;
    const decoder = this.#decoders.get(key) ?? new StringDecoder("utf8");
    this.#decoders.set(key, decoder);
    return decoder;
  }
}
