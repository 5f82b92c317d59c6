import { BerthError } from "../../base/errors.ts";

export interface Owner {
  uid: number;
  gid: number;
}

/** Text of /etc/passwd and /etc/group of the root being built; undefined where there is none. */
export interface AccountFiles {
  passwd: () => string | undefined;
  group: () => string | undefined;
}

const largestId = 2 ** 32 - 2;

function numeric(text: string): number | undefined {
  return /^\d{1,10}$/.test(text) && Number(text) <= largestId ? Number(text) : undefined;
}

function lookUp(file: string | undefined, name: string): string[] | undefined {
  for (const line of file?.split("\n") ?? []) {
    const fields = line.split(":");
    if (fields[0] === name) return fields;
  }
  return undefined;
}

function unknown(kind: "user" | "group", name: string): BerthError {
  return new BerthError(
    "not_found",
    `--chown: the ${kind} '${name}' is not in /etc/${kind === "user" ? "passwd" : "group"} of the image`,
    {
      hint: `create it in a RUN before, or use its number`,
    },
  );
}

/** `user[:group]`, names or numbers. A lone number is also the group; a lone name brings its own group. */
export function parseOwner(text: string, files: AccountFiles): Owner {
  const [user = "", group] = text.split(":", 2);
  if (user === "" || group === "")
    throw new BerthError("invalid", `--chown is '${text}'`, { hint: "write user, user:group, uid or uid:gid" });
  let uid = numeric(user);
  let gid = uid;
  if (uid === undefined) {
    const entry = lookUp(files.passwd(), user);
    uid = numeric(entry?.[2] ?? "");
    gid = numeric(entry?.[3] ?? "");
    // root is root even where no file says so.
    if (user === "root" && uid === undefined) uid = gid = 0;
    if (uid === undefined || gid === undefined) throw unknown("user", user);
  }
  if (group === undefined) return { uid, gid: gid! };
  const found = numeric(group) ?? (group === "root" ? 0 : numeric(lookUp(files.group(), group)?.[2] ?? ""));
  if (found === undefined) throw unknown("group", group);
  return { uid, gid: found };
}
