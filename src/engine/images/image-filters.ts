import { BerthError } from "../../base/errors.ts";
import { familiarName, formatReference, parseReference } from "../../image/reference.ts";
import type { Image } from "../../model/image.ts";
import type { Filters } from "../../ports/engine.ts";
import type { EngineContext } from "../context.ts";
import { filterTime_ms } from "../filters/filter-time.ts";
import { matchesLabelFilters } from "../filters/labels.ts";

type Test = (image: Image) => boolean;

/** Docker's filters of GET /images/json. Throws `invalid` on a key that there is not. */
export async function imageTest(context: EngineContext, filters: Filters): Promise<Test> {
  const all: Test[] = [image => matchesLabelFilters(image.config.config?.Labels ?? {}, filters)];
  for (const [key, values] of Object.entries(filters)) {
    if (key === "label" || key === "label!" || values.length === 0) continue;
    const any = await Promise.all(values.map(value => filterTest(context, key, value)));
    all.push(image => any.some(test => test(image)));
  }
  return image => all.every(test => test(image));
}

async function filterTest(context: EngineContext, key: string, value: string): Promise<Test> {
  switch (key) {
    case "dangling": {
      const wanted = value === "true" || value === "1";
      return image => (image.tags.length === 0) === wanted;
    }
    case "reference":
      return referenceTest(value);
    case "before": {
      const other = await context.images.get(value);
      return image => image.createdAt < other.createdAt;
    }
    case "since": {
      const other = await context.images.get(value);
      return image => image.createdAt > other.createdAt;
    }
    case "until": {
      const until_ms = filterTime_ms(value, context.clock.now_ms());
      return image => Date.parse(image.createdAt) <= until_ms;
    }
    default:
      throw new BerthError("invalid", `images have no filter ${JSON.stringify(key)}`, {
        hint: "use one of dangling, label, reference, before, since, until",
      });
  }
}

/** "busybox", "busybox:1.3*" …: matched against the full and the familiar form, with and without the tag. */
function referenceTest(pattern: string): Test {
  const test = tagTest(pattern);
  return image => image.tags.some(test);
}

/** Whether a tag is one that the filter `reference` asks for. */
export function tagTest(pattern: string): (tag: string) => boolean {
  const glob = globPattern(pattern);
  return tag => forms(tag).some(form => glob.test(form));
}

function forms(tag: string): string[] {
  const full = formatReference(parseReference(tag));
  return [full, familiarName(tag)].flatMap(form => [form, form.replace(/:[^:/]+$/, "")]);
}

/** As Go's path.Match: `*` and `?` stop at a slash. */
function globPattern(pattern: string): RegExp {
  const source = pattern
    .replace(/[.+^${}()|\\]/g, "\\$&")
    .replaceAll("*", "[^/]*")
    .replaceAll("?", "[^/]");
  try {
    return new RegExp(`^${source}$`);
  } catch {
    throw new BerthError("invalid", `filter reference=${pattern} is no pattern`);
  }
}
