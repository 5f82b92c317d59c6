/** Names in the distribution API, checked before they become paths. OCI distribution-spec 1.1, "Pulling manifests". */
const component = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const repository = new RegExp(`^${component}(?:/${component})*$`);
const tag = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const digest = /^sha256:[a-f0-9]{64}$/;
const uploadId = /^[a-f0-9]{64}$/;

const repositoryLimit = 255;

export const isRepository = (text: string) => text.length <= repositoryLimit && repository.test(text);
export const isTag = (text: string) => tag.test(text);
export const isDigest = (text: string) => digest.test(text);
export const isUploadId = (text: string) => uploadId.test(text);
