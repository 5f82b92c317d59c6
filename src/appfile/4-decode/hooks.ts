import { listOf, object, pairs } from "./collections.ts";
import { command } from "./commands.ts";
import { bool, numberedText, text } from "./scalars.ts";

const hookKeys = { user: numberedText, privileged: bool, working_dir: text, environment: pairs("variables", "null") };
export const hook = object("a hook", { command }, hookKeys);
export const hooks = listOf(hook);
export const startHooks = listOf(object("a hook", { command }, { ...hookKeys, image: text, per_replica: bool }));
