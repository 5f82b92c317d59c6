import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadFiles } from "../../testing/app-files.ts";
import { service } from "../4-decode/service.ts";
import { printDocument } from "../print.ts";

const full = readFileSync(join(import.meta.dirname, "full.compose.yaml"), "utf8");
const files = {
  "compose.yaml": full,
  "one.env": "ONE=1\nRACK=file\n",
  "raw.env": "RAW='as $is'\n",
  labels: "from.file=yes\ncom.example.number=0\n",
};
const input = { profiles: ["front"], environment: { FROM_ENV: "env", HOME: "/home/me" } };

/** Compose Specification, 05-services.md, and the schema that compose-go ships. */
const attributes = `annotations attach blkio_config build cap_add cap_drop cgroup cgroup_parent command configs container_name
cpu_count cpu_percent cpu_period cpu_quota cpu_rt_period cpu_rt_runtime cpu_shares cpus cpuset credential_spec depends_on deploy develop
device_cgroup_rules devices dns dns_opt dns_search domainname entrypoint env_file environment expose extends external_links extra_hosts
gpus group_add healthcheck hostname image init ipc isolation label_file labels links logging mac_address mem_limit mem_reservation
mem_swappiness memswap_limit models network_mode networks oom_kill_disable oom_score_adj pid pids_limit platform ports post_start
pre_start pre_stop privileged profiles provider pull_policy pull_refresh_after read_only restart runtime scale secrets security_opt
shm_size stdin_open stop_grace_period stop_signal storage_opt sysctls tmpfs tty ulimits use_api_socket user userns_mode uts volumes
volumes_from working_dir`.split(/\s+/);

test("all 93 attributes of a service are known, and each is in the full example", () => {
  expect(attributes).toHaveLength(93);
  expect([...service.keys!.keys()].filter(key => !key.startsWith("x-")).sort()).toEqual([...attributes].sort());
  expect(attributes.filter(key => !new RegExp(`\\b${key}:`).test(full))).toEqual([]);
});

test("the full example prints as its golden canonical form, in YAML and JSON", async () => {
  const { document } = loadFiles(files, input);
  await expect(printDocument(document)).toMatchFileSnapshot("full.canonical.yaml");
  expect(JSON.parse(printDocument(document, "json")).services.base).toMatchObject({ command: null, entrypoint: null });
});

test("the full example gives its golden typed model", async () => {
  const { app } = loadFiles(files, input);
  await expect(`${JSON.stringify(app, null, 2)}\n`).toMatchFileSnapshot("full.model.json");
});
