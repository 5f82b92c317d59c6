/** The nameservers of a resolv.conf(5), in order. Where it names none, a resolver asks this host (resolver(5)). */
export function nameserversIn(text: string): string[] {
  const found = text
    .split("\n")
    .map(line => line.trim().split(/\s+/))
    .filter(([keyword, address]) => keyword === "nameserver" && address)
    .map(([, address]) => address!);
  return found.length > 0 ? found : ["127.0.0.1"];
}
