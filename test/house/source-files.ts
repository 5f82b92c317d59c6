import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** All TypeScript files under the given folders. */
export function sourceFiles(...folders: string[]): string[] {
  return folders
    .filter(folder => existsSync(folder))
    .flatMap(folder => readdirSync(folder, { recursive: true, withFileTypes: true }))
    .filter(entry => entry.isFile() && /\.m?ts$/.test(entry.name) && !entry.name.endsWith(".d.ts"))
    .map(entry => join(entry.parentPath, entry.name));
}
