/** "2.0.17.172.in-addr.arpa" -> "172.17.0.2", and the same for ip6.arpa in the short spelling (RFC 1035 section 3.5, RFC 3596 section 2.5). */
export function addressOfPointer(name: string): string | undefined {
  const labels = name.toLowerCase().split(".");
  const zone = labels.splice(-2).join(".");
  if (zone === "in-addr.arpa" && labels.length === 4 && labels.every(label => /^\d{1,3}$/.test(label))) {
    return labels.reverse().join(".");
  }
  if (zone === "ip6.arpa" && labels.length === 32 && labels.every(label => /^[0-9a-f]$/.test(label))) {
    const groups = labels.reverse().join("").match(/.{4}/g)!;
    return shorten(groups.map(group => group.replace(/^0{1,3}/, "")));
  }
  return undefined;
}

/** RFC 5952 section 4.2. */
function shorten(groups: string[]): string {
  const runs = [
    ...groups
      .map(group => (group === "0" ? "0" : "x"))
      .join("")
      .matchAll(/0{2,}/g),
  ];
  const longest = runs.sort((one, other) => other[0].length - one[0].length || one.index - other.index)[0];
  if (longest === undefined) return groups.join(":");
  return `${groups.slice(0, longest.index).join(":")}::${groups.slice(longest.index + longest[0].length).join(":")}`;
}
