export interface GitSource {
  url: string;
  /** Branch, tag or commit. */
  reference?: string;
  /** Within the repository, "" for all of it. */
  subdirectory: string;
}

/** `git@host:path`, `git://…`, `ssh://…`, `https://….git`, `github.com/owner/name`, each with `#reference:directory`. Undefined: no repository. */
export function gitSource(text: string): GitSource | undefined {
  const hash = text.indexOf("#");
  const url = hash < 0 ? text : text.slice(0, hash);
  const isGit =
    /^(git|ssh|git\+https?|git\+ssh):\/\//.test(url) ||
    /^[\w.-]+@[\w.-]+:(?!\/\/)/.test(url) ||
    /^https?:\/\/[^?]+\.git$/.test(url) ||
    /^file:\/\/.+/.test(url) ||
    /^(github\.com|gitlab\.com|bitbucket\.org)\/[\w.-]+\/[\w.-]+$/.test(url);
  if (!isGit) return undefined;
  const [reference = "", subdirectory = ""] = hash < 0 ? [] : text.slice(hash + 1).split(/:(.*)/s, 2);
  const full = /^(github|gitlab|bitbucket)\./.test(url) ? `https://${url}.git` : url.replace(/^git\+/, "");
  return { url: full, reference: reference || undefined, subdirectory };
}

export function isHttpUrl(text: string): boolean {
  return /^https?:\/\/[^/]/i.test(text);
}
