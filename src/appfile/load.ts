import { BerthError } from "../base/errors.ts";
import { type Located, locate } from "./1-locate/locate.ts";
import { projectName } from "./1-locate/project-name.ts";
import { lookupIn, substitute, TemplateError } from "./3-interpolate/template.ts";
import { type ComposeDocument, document } from "./4-decode/document.ts";
import { resolveFiles } from "./8-resolve/env-files.ts";
import { normalize } from "./8-resolve/normalize.ts";
import { activeProfiles, dropUnused, selectServices } from "./8-resolve/profiles.ts";
import { check, reporter } from "./9-check/check.ts";
import { Budget } from "./budget.ts";
import type { LoadInput, LoadResult } from "./input.ts";
import { buildModel, parseFiles } from "./model-node.ts";
import { childOf, type MapNode, type Node, textOf } from "./node.ts";
import { ParamBook } from "./params/book.ts";
import { toPlain } from "./plain.ts";
import { Problems } from "./problems.ts";
import { Reader } from "./reader.ts";
import { decoder, type Scope } from "./scope.ts";
import { appOf } from "./to-model/app.ts";

/**
 * An app out of its Compose files, in the phases that the folders name. Throws `invalid` with every problem of the files
 * (`details.problems`), `not_found` where there is no file. Where parameters have no value, it gives their list instead of an app.
 */
export function loadApp(input: LoadInput): LoadResult {
  const problems = new Problems();
  const params = new ParamBook(
    { set: input.set ?? {}, answers: input.answers ?? {}, environment: input.environment },
    problems,
  );
  const known: { name?: string } = {};
  try {
    return load(input, problems, params, known);
  } catch (error) {
    // What was read with stand-ins for missing parameters may well be wrong: first things first.
    if (params.missing.length === 0 || !(error instanceof BerthError)) throw error;
    return { ...known, missing: params.missing, params: params.list, warnings: problems.warnings };
  }
}

function load(input: LoadInput, problems: Problems, params: ParamBook, known: { name?: string }): LoadResult {
  const reader = new Reader(input.files);
  const located = locate(input, reader);
  problems.warnings.push(...located.warnings);
  const scope: Scope = {
    reader,
    budget: new Budget(),
    problems,
    params,
    homeDirectory: input.homeDirectory ?? located.environment["HOME"],
    directory: located.directory,
    environment: located.environment,
    prefix: "",
    bound: {},
    outer: () => undefined,
    trail: [located.paths.join(",")],
    documents: new Map(),
    directives: { seen: false },
    unset: new Set(),
  };
  const documents = parseFiles(located.paths, scope);
  const name = nameOf(input, located, documents);
  known.name = name;
  scope.environment = { ...scope.environment, COMPOSE_PROJECT_NAME: name };
  const model = buildModel(documents, scope);
  if (params.missing.length > 0)
    return { name, missing: params.missing, params: params.list, warnings: problems.warnings };
  params.checkAllUsed();
  document.check!(model, decoder(scope));
  problems.throwIfAny();
  return finish(model, name, input, located, scope);
}

function finish(model: MapNode, name: string, input: LoadInput, located: Located, scope: Scope): LoadResult {
  const { problems, reader, environment, params } = scope;
  // The shapes made it so.
  const plain = toPlain(model) as unknown as ComposeDocument;
  const report = reporter(problems, model);
  delete plain.version;
  delete plain["x-berth"];
  const origins = resolveFiles(plain, { reader, budget: scope.budget, environment, problem: report });
  normalize(plain, name, located.directory);
  const selection = selectServices(plain, activeProfiles(input.profiles, environment), input.services ?? []);
  check(plain, selection, report);
  problems.throwIfAny();
  dropUnused(plain, selection.enabled);
  const app = appOf(plain, selection, {
    name,
    directory: located.directory,
    files: located.paths,
    params: params.list,
    origins,
  });
  plain.services = selection.enabled;
  return { app, document: plain, warnings: problems.warnings, missing: [] };
}

/** The last `name:` of the files, with variables of the environment; parameters cannot name an app. */
function nameOf(input: LoadInput, { environment, directory }: Located, documents: readonly Node[]): string {
  const inFile = documents.map(each => textOf(childOf(each, "name"))).findLast(text => text !== undefined);
  let filled: string | undefined;
  try {
    filled = inFile && substitute(inFile, lookupIn(environment));
  } catch (error) {
    // The same error is found again, with its place, when the whole file is filled in.
    if (!(error instanceof TemplateError)) throw error;
  }
  return projectName({
    flag: input.projectName,
    variable: environment["COMPOSE_PROJECT_NAME"],
    inFile: filled,
    directory,
  });
}
