import { type Directives, readDirectives } from "./directives.ts";
import { type Heredoc, readHeredocs } from "./heredoc.ts";
import { type Arg, type From, type Instruction, instructionKinds } from "./instruction.ts";
import { LineReader, type LogicalLine, positionAt } from "./lines.ts";
import { parseCommand, parseHealthCheck, parseRun, parseShell } from "./parse-commands.ts";
import { parseCopy } from "./parse-files.ts";
import { parseArg, parseFrom, parseKeyValues, parseOnBuild, parseValue, parseValues } from "./parse-values.ts";
import { dockerfileError, limits, type SourceText, sourceText } from "./source.ts";
import { jsonList } from "./split.ts";
import { failAt, type Statement, takeFlags } from "./statement.ts";
import { nearest } from "./suggest.ts";

export interface ParsedStage {
  from: From;
  instructions: Exclude<Instruction, From>[];
}

export interface Dockerfile {
  source: SourceText;
  directives: Directives;
  /** ARGs before the first FROM. */
  globals: Arg[];
  stages: ParsedStage[];
}

/** Splits name and flags off a logical line; `from` is where the instruction starts in it (behind ONBUILD). */
function readStatement(
  source: SourceText,
  line: LogicalLine,
  escapeChar: "\\" | "`",
  heredocs: Heredoc[],
  from = 0,
): Statement {
  const match = /^\s*(\S+)\s*/.exec(line.text.slice(from));
  const name = match?.[1] ?? "";
  const nameOffset = from + (match ? match[0].indexOf(name) : 0);
  const after = from + (match?.[0].length ?? 0);
  const { flags, rest, restOffset } = takeFlags(line.text.slice(after), after, escapeChar);
  const at = positionAt(line, nameOffset);
  return {
    source,
    line,
    escape: escapeChar,
    name: name.toUpperCase(),
    nameOffset,
    flags,
    rest,
    restOffset,
    heredocs,
    at,
  };
}

const heredocKinds = ["RUN", "COPY", "ADD"];

/** RUN, COPY and ADD (also behind ONBUILD) may open heredocs, unless they are in exec form. */
function mayHoldHeredocs(statement: Statement, escapeChar: "\\" | "`"): boolean {
  if (statement.name === "ONBUILD") {
    const inner = readStatement(statement.source, statement.line, escapeChar, [], statement.restOffset);
    return inner.name !== "ONBUILD" && mayHoldHeredocs(inner, escapeChar);
  }
  return heredocKinds.includes(statement.name) && jsonList(statement.rest) === "not-json";
}

function parseInstruction(statement: Statement): Instruction {
  const kind = instructionKinds.find(known => known === statement.name);
  switch (kind) {
    case "FROM":
      return parseFrom(statement);
    case "RUN":
      return parseRun(statement);
    case "COPY":
    case "ADD":
      return parseCopy(statement, kind);
    case "ARG":
      return parseArg(statement);
    case "ENV":
    case "LABEL":
      return parseKeyValues(statement, kind);
    case "CMD":
    case "ENTRYPOINT":
      return parseCommand(statement, kind);
    case "SHELL":
      return parseShell(statement);
    case "HEALTHCHECK":
      return parseHealthCheck(statement);
    case "EXPOSE":
    case "VOLUME":
      return parseValues(statement, kind);
    case "WORKDIR":
    case "USER":
    case "STOPSIGNAL":
    case "MAINTAINER":
      return parseValue(statement, kind);
    case "ONBUILD": {
      const trigger = readStatement(
        statement.source,
        statement.line,
        statement.escape,
        statement.heredocs,
        statement.restOffset,
      );
      return parseOnBuild(statement, inner => void parseInstruction(inner), trigger);
    }
    case undefined:
      throw unknownInstruction(statement);
  }
}

function unknownInstruction(statement: Statement) {
  const shown = statement.name.slice(0, 40);
  const meant = nearest(statement.name, instructionKinds);
  const hint = meant ? `did you mean ${meant}?` : "end the line before with \\ if this continues it";
  return failAt(statement, statement.nameOffset, `unknown instruction '${shown}'`, hint);
}

function* readInstructions(source: SourceText, escapeChar: "\\" | "`"): Generator<Instruction> {
  const reader = new LineReader(source, escapeChar);
  for (let count = 1; ; count++) {
    const line = reader.nextLogical();
    if (!line) return;
    if (count > limits.instructions)
      throw dockerfileError(source, { line: line.line, column: 1 }, `more than ${limits.instructions} instructions`);
    const statement = readStatement(source, line, escapeChar, []);
    if (mayHoldHeredocs(statement, escapeChar)) statement.heredocs = readHeredocs(source, line, reader, escapeChar);
    yield parseInstruction(statement);
  }
}

/** Text -> stages. Pure; throws `invalid` that points at file, line and column. Variables are not yet expanded. */
export function parseDockerfile(text: string, name = "Dockerfile"): Dockerfile {
  const source = sourceText(name, text);
  const directives = readDirectives(source);
  const globals: Arg[] = [];
  const stages: ParsedStage[] = [];
  for (const instruction of readInstructions(source, directives.escape)) {
    const stage = stages.at(-1);
    if (instruction.kind === "FROM") stages.push({ from: instruction, instructions: [] });
    else if (stage) stage.instructions.push(instruction);
    else if (instruction.kind === "ARG") globals.push(instruction);
    else
      throw dockerfileError(source, instruction.at, `${instruction.kind} stands before the first FROM`, {
        hint: "begin with FROM image; only ARG may come before it",
      });
  }
  if (stages.length === 0) {
    throw dockerfileError(source, { line: 1, column: 1 }, `the file has no FROM`, {
      hint: "begin with FROM image, or FROM scratch",
    });
  }
  if (stages.length > limits.stages) {
    throw dockerfileError(source, stages[limits.stages]!.from.at, `more than ${limits.stages} stages`);
  }
  checkStageNames(source, stages);
  return { source, directives, globals, stages };
}

function checkStageNames(source: SourceText, stages: ParsedStage[]) {
  const seen = new Map<string, number>();
  for (const { from } of stages) {
    if (from.as === undefined) continue;
    const before = seen.get(from.as);
    if (before !== undefined)
      throw dockerfileError(source, from.at, `two stages have the name '${from.as}'`, {
        hint: `the other is in line ${before}`,
      });
    seen.set(from.as, from.at.line);
  }
}

/** The instruction of an ONBUILD trigger as a base image keeps it, with a text of its own to point into. */
export function parseTrigger(
  trigger: string,
  image: string,
): { instruction: Exclude<Instruction, From>; source: SourceText } {
  const source = sourceText(`ONBUILD of ${image}`, trigger);
  const [instruction] = [...readInstructions(source, "\\")];
  if (!instruction || instruction.kind === "FROM") {
    throw dockerfileError(source, { line: 1, column: 1 }, "no instruction for ONBUILD");
  }
  return { instruction, source };
}
