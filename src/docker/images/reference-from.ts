/** Docker gives repository and tag (or digest) in two parameters; a tag in the repository is beaten by one beside it. */
export function referenceFrom(repository: string, tag: string | undefined): string {
  if (!tag) return repository;
  if (tag.startsWith("sha256:")) return `${repository}@${tag}`;
  return `${repository.replace(/:[^/:]+$/, "")}:${tag}`;
}
