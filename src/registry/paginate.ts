import { RegistryError } from "./registry-error.ts";

/** `n` and `last` of tag and repository lists (distribution-spec, "Listing Tags"); `link` is the header for the next page. */
export function paginate(sorted: string[], url: URL): { items: string[]; link?: string } {
  const n = url.searchParams.get("n");
  const last = url.searchParams.get("last");
  if (n !== null && !/^\d{1,9}$/.test(n))
    throw new RegistryError("PAGINATION_NUMBER_INVALID", `n=${n} is not a number`);
  const rest = last === null ? sorted : sorted.filter(item => item > last);
  if (n === null || rest.length <= Number(n)) return { items: rest };
  const items = rest.slice(0, Number(n));
  const next = new URLSearchParams({ n, last: items.at(-1) ?? last ?? "" });
  return { items, link: `<${url.pathname}?${next}>; rel="next"` };
}
