import { encodeEntry, tarEnd, tarPadding } from "../image/layer/tar-encode.ts";
import type { TarEntry } from "../image/layer/tar-entry.ts";

export type MemberSpec = Partial<Omit<TarEntry, "xattrs">> & {
  path: string;
  content?: string | Buffer;
  xattrs?: Record<string, string>;
};

/** Header and data of one member; a file unless `type` says otherwise. Names are taken as they are, however evil. */
export function tarMember({ content = "", xattrs = {}, ...some }: MemberSpec): Buffer {
  const data = Buffer.from(content);
  const entry: TarEntry = {
    type: "file",
    link: "",
    mode: some.type === "directory" ? 0o755 : 0o644,
    uid: 0,
    gid: 0,
    size: data.length,
    mtime: { seconds: 1_700_000_000, nanoseconds: 0 },
    major: 0,
    minor: 0,
    xattrs: new Map(Object.entries(xattrs).map(([name, value]) => [name, Buffer.from(value)])),
    ...some,
  };
  return Buffer.concat([encodeEntry(entry), data, tarPadding(data.length)]);
}

/** A whole archive; a plain string is a directory if it ends in "/", else an empty file. */
export function tarOf(...members: (MemberSpec | string)[]): Buffer {
  const specs = members.map(
    (member): MemberSpec =>
      typeof member !== "string"
        ? member
        : member.endsWith("/")
          ? { path: member, type: "directory" }
          : { path: member },
  );
  return Buffer.concat([...specs.map(tarMember), tarEnd]);
}
