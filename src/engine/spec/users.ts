import { BerthError } from "../../base/errors.ts";

export interface ResolvedUser {
  uid: number;
  gid: number;
  additionalGids: number[];
  home: string;
}

interface PasswdEntry {
  name: string;
  uid: number;
  gid: number;
  home: string;
}

interface GroupEntry {
  name: string;
  gid: number;
  members: string[];
}

const highestId = 2 ** 31 - 1;

/**
 * `user[:group]`, each a name or a number, as the container's own /etc/passwd and /etc/group have them; passwd(5), group(5). A number needs no entry.
 * As in Docker, supplementary groups of the user count only where no group is given; `extraGroups` always do.
 */
export function resolveUser(
  user: string,
  files: { passwd: string; group: string },
  extraGroups: string[] = [],
): ResolvedUser {
  const [userPart = "", groupPart] = user.split(":", 2);
  const groups = parseGroups(files.group);
  const entry = findUser(userPart || "0", parsePasswd(files.passwd));
  const gid = groupPart ? findGroup(groupPart, groups, "user") : (entry.gid ?? 0);
  const own =
    groupPart || entry.name === undefined
      ? []
      : groups.filter(group => group.members.includes(entry.name!)).map(group => group.gid);
  const extra = extraGroups.map(name => findGroup(name, groups, "groups"));
  return {
    uid: entry.uid,
    gid,
    additionalGids: [...new Set([...own, ...extra])].filter(id => id !== gid || extra.includes(id)),
    home: entry.home || "/",
  };
}

function findUser(wanted: string, entries: PasswdEntry[]): Partial<PasswdEntry> & { uid: number } {
  const byName = entries.find(entry => entry.name === wanted);
  if (byName) return byName;
  if (/^\d+$/.test(wanted)) {
    const uid = inRange(wanted, "user");
    return entries.find(entry => entry.uid === uid) ?? { uid };
  }
  throw new BerthError("invalid", `user: the container's /etc/passwd has no user '${wanted}'`, {
    hint: "give a number, or a name that the image knows",
  });
}

function findGroup(wanted: string, groups: GroupEntry[], field: string): number {
  const byName = groups.find(group => group.name === wanted);
  if (byName) return byName.gid;
  if (/^\d+$/.test(wanted)) return inRange(wanted, field);
  throw new BerthError("invalid", `${field}: the container's /etc/group has no group '${wanted}'`, {
    hint: "give a number, or a name that the image knows",
  });
}

function inRange(text: string, field: string): number {
  const id = Number(text);
  if (id > highestId) throw new BerthError("invalid", `${field}: ${text} is not between 0 and ${highestId}`);
  return id;
}

function parsePasswd(text: string): PasswdEntry[] {
  return lines(text).flatMap(fields => {
    const [name, , uid, gid, , home] = fields;
    return name && isNumber(uid) && isNumber(gid)
      ? [{ name, uid: Number(uid), gid: Number(gid), home: home ?? "" }]
      : [];
  });
}

function parseGroups(text: string): GroupEntry[] {
  return lines(text).flatMap(fields => {
    const [name, , gid, members] = fields;
    return name && isNumber(gid) ? [{ name, gid: Number(gid), members: members ? members.split(",") : [] }] : [];
  });
}

function lines(text: string): string[][] {
  return text.split("\n").flatMap(line => (line === "" || line.startsWith("#") ? [] : [line.split(":")]));
}

const isNumber = (text: string | undefined) => text !== undefined && /^\d+$/.test(text);
