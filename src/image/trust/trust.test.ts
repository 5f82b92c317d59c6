import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { mediaTypes } from "../../model/image.ts";
import { type TestImages, testImages } from "../../testing/image-store.ts";
import { TestRegistry } from "../../testing/registry.ts";
import { sampleImage, sha256 } from "../../testing/sample-images.ts";
import { TrustPolicy } from "./trust-policy.ts";

let registry: TestRegistry;
let store: TestImages;
let directory: string;
let policy: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "berth-image-trust-"));
  policy = join(directory, "trust.json");
  registry = await TestRegistry.start();
  store = await testImages({ trust: new TrustPolicy(policy) });
});
afterEach(async () => {
  await store[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

const pair = () => generateKeyPairSync("ec", { namedCurve: "P-256" });
const pem = (key: KeyObject) => key.export({ type: "spki", format: "pem" }).toString();

/** As `cosign sign --key` stores a signature. */
function signImage(
  digest: string,
  key: KeyObject,
  changes: { signed?: string; repository?: string; type?: string } = {},
): void {
  const payload = Buffer.from(
    JSON.stringify({
      critical: {
        identity: { "docker-reference": changes.repository ?? `${registry.domain}/app` },
        image: { "docker-manifest-digest": changes.signed ?? digest },
        type: changes.type ?? "cosign container image signature",
      },
      optional: null,
    }),
  );
  const signature = sign(key.asymmetricKeyType === "ed25519" ? null : "sha256", payload, key).toString("base64");
  const config = Buffer.from("{}");
  const { blobs } = registry.repository("app");
  blobs.set(sha256(payload), payload).set(sha256(config), config);
  registry.addManifest("app", `${digest.replace(":", "-")}.sig`, mediaTypes.ociManifest, {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, digest: sha256(config), size: config.length },
    layers: [
      {
        mediaType: "application/vnd.dev.cosign.simplesigning.v1+json",
        digest: sha256(payload),
        size: payload.length,
        annotations: { "dev.cosignproject.cosign/signature": signature },
      },
    ],
  });
}

async function requireKeys(keys: KeyObject[], matchRepository = false): Promise<void> {
  const rule = { requires: { sigstoreKeys: keys.map(pem), matchRepository } };
  await writeFile(policy, JSON.stringify({ prefixes: { [`${registry.domain}/app`]: rule } }));
}

const pull = (name = "app") => store.images.pull(`${registry.domain}/${name}:1`);

test.each([
  ["ECDSA P-256", pair],
  ["RSA", () => generateKeyPairSync("rsa", { modulusLength: 2048 })],
  ["Ed25519", () => generateKeyPairSync("ed25519")],
])("a signature by an accepted key lets the image in (%s)", async (_, make) => {
  const { publicKey, privateKey } = make();
  const sample = sampleImage();
  registry.add("app", "1", sample);
  signImage(sample.manifest.digest, privateKey);
  await requireKeys([pair().publicKey, publicKey], true);
  expect((await pull()).id).toBe(sample.id);
});

test("the signature of an index covers the images in it", async () => {
  const { publicKey, privateKey } = pair();
  const sample = sampleImage();
  registry.add("app", "x", sample);
  const entry = { ...sample.manifest, platform: { os: "linux", architecture: "amd64" } };
  signImage(
    registry.addManifest("app", "1", mediaTypes.ociIndex, { schemaVersion: 2, manifests: [entry] }),
    privateKey,
  );
  await requireKeys([publicKey]);
  expect((await pull()).id).toBe(sample.id);
});

describe("refused before any layer is fetched:", () => {
  const trusted = pair();
  const digest = sampleImage().manifest.digest;
  const cases: [string, () => void, RegExp][] = [
    ["no signature", () => {}, /not signed \(no tag sha256-[a-f0-9]{64}\.sig/],
    ["another key", () => signImage(digest, pair().privateKey), /signed with another key/],
    [
      "a signature of another image",
      () => signImage(digest, trusted.privateKey, { signed: sha256("x") }),
      /for another image/,
    ],
    [
      "another repository's",
      () => signImage(digest, trusted.privateKey, { repository: "evil/app" }),
      /for the repository evil\/app/,
    ],
    [
      "a signature of something else",
      () => signImage(digest, trusted.privateKey, { type: "attestation" }),
      /of type "attestation"/,
    ],
  ];
  test.each(cases)("%s", async (_, prepare, reason) => {
    registry.add("app", "1", sampleImage());
    await requireKeys([trusted.publicKey], true);
    prepare();
    await expect(pull()).rejects.toMatchObject({ code: "forbidden", message: expect.stringMatching(reason) });
    expect(registry.requests.some(({ path }) => path.includes(sampleImage().layers[0]!.digest))).toBe(false);
    expect(await store.images.list()).toEqual([]);
  });
});

test("the longest prefix decides, on whole path components", async () => {
  registry.add("app", "1", sampleImage());
  registry.add("apple", "1", sampleImage());
  registry.add("app/open", "1", sampleImage());
  const prefixes = { [`${registry.domain}/app`]: "reject", [`${registry.domain}/app/open`]: "accept" };
  await writeFile(policy, JSON.stringify({ prefixes }));
  await expect(pull("app")).rejects.toMatchObject({ code: "forbidden", message: expect.stringContaining("rejects") });
  await pull("apple");
  await pull("app/open");
  await writeFile(policy, JSON.stringify({ default: "reject", prefixes: {} }));
  await expect(pull("apple")).rejects.toMatchObject({ code: "forbidden" });
});

test.each([
  ["not json", "is not JSON"],
  ['{"prefix": {}}', 'unknown key "prefix"'],
  ['{"prefixes": {"a": "maybe"}}', "neither"],
  ['{"prefixes": {"a": {"requires": {"sigstoreKeys": []}}}}', "neither"],
  ['{"prefixes": {"a": {"requires": {"sigstoreKeys": ["missing.pub"]}}}}', "missing.pub"],
])("a policy with a mistake lets nothing in: %s", async (text, message) => {
  registry.add("app", "1", sampleImage());
  await writeFile(policy, text);
  await expect(pull()).rejects.toThrow(message);
});
