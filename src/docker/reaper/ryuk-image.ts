import type { Image } from "../../model/image.ts";

/** Any version of it, from any registry. */
export function isRyuk(image: string): boolean {
  return /(^|\/)testcontainers\/ryuk(?:[:@]|$)/.test(image);
}

const digest = `sha256:${"ryuk"
  .split("")
  .map(letter => letter.charCodeAt(0).toString(16))
  .join("")
  .padEnd(64, "0")}`;

/** What stands for the image, which is nowhere: berthd does its work. */
export function ryukImage(reference: string): Image {
  return {
    id: digest,
    tags: [reference],
    repoDigests: [],
    manifest: { mediaType: "", digest, size: 0 },
    config: {
      os: "linux",
      architecture: "",
      rootfs: { type: "layers", diff_ids: [] },
      config: { ExposedPorts: { "8080/tcp": {} }, Cmd: ["ryuk"] },
    },
    size_bytes: 0,
    createdAt: "1970-01-01T00:00:00Z",
    layers: [],
  };
}
