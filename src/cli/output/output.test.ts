import { expect, test } from "vitest";
import { containerStatus, portList } from "./container.ts";
import { matchesReference, splitName } from "./image-names.ts";
import { nearest } from "./nearest.ts";
import { renderTable } from "./table.ts";
import { compileTemplate } from "./template.ts";
import { humanDuration, humanSize, parseDuration_ms, parseSize, parseTime_ms } from "./units.ts";

test.each([
  ["{{.Name}}", "web"],
  ["{{json .Ports}}", "[80,443]"],
  ["{{range .Ports}}{{.}} {{end}}", "80 443 "],
  ['{{if .Labels}}{{index .Labels "a.b"}}{{else}}none{{end}}', "c"],
  ['{{if eq .Name "db"}}db{{else if .Ports}}ports{{end}}', "ports"],
  ["{{.State.Status | upper}}", "RUNNING"],
  ["{{with .State}}{{.status}}{{end}}", "running"],
  ['{{len .Ports}} {{join .Names ","}}', "2 x,y"],
  ['{{printf "%s=%d" .Name 5}}', "web=5"],
  ['a {{- " b " -}} c', "a b c"],
  ["{{.Missing}}", "<no value>"],
])("template %s", (template, expected) => {
  const data = {
    Name: "web",
    Ports: [80, 443],
    Labels: { "a.b": "c" },
    State: { status: "running" },
    Names: ["x", "y"],
  };
  expect(compileTemplate(template)(data)).toBe(expected);
});

test.each(["{{.Name", "{{if .A}}x", "{{end}}", "{{nonsense}}", "{{(.A}}"])(
  "template %s is refused or taken as text, never crashes",
  template => {
    try {
      expect(typeof compileTemplate(template)({})).toBe("string");
    } catch (thrown) {
      expect(thrown).toMatchObject({ code: "invalid" });
    }
  },
);

test("sizes and spans read like docker's", () => {
  expect([0, 999, 1240, 77_900_000].map(humanSize)).toEqual(["0B", "999B", "1.24kB", "77.9MB"]);
  expect([500, 5000, 61_000, 3_600_000 * 5, 86_400_000 * 20].map(humanDuration)).toEqual([
    "Less than a second",
    "5 seconds",
    "About a minute",
    "5 hours",
    "2 weeks",
  ]);
  expect([parseSize("1.5g", "x"), parseSize("64KiB", "x"), parseSize("10", "x")]).toEqual([
    1.5 * 1024 ** 3,
    65_536,
    10,
  ]);
  expect([parseDuration_ms("1m30s", "x"), parseDuration_ms("300ms", "x"), parseDuration_ms("2", "x")]).toEqual([
    90_000, 300, 2000,
  ]);
  expect(parseTime_ms("10m", 1_000_000, "x")).toBe(400_000);
  expect(() => parseDuration_ms("soon", "--since")).toThrow(/--since/);
});

test("a table keeps its columns and leaves no trailing space", () => {
  expect(
    renderTable(
      ["ID", "NAMES"],
      [
        ["1", "a"],
        ["22", ""],
      ],
    ),
  ).toBe("ID   NAMES\n1    a\n22\n");
});

test("states and ports are told as docker tells them", () => {
  const state = {
    status: "running",
    pid: 1,
    exitCode: 0,
    oomKilled: false,
    error: "",
    restartCount: 0,
    stoppedByUser: false,
  } as const;
  expect(
    containerStatus(
      { ...state, startedAt: "2026-01-01T00:00:00Z", health: { status: "healthy", failingStreak: 0, log: [] } },
      Date.parse("2026-01-01T00:05:00Z"),
    ),
  ).toBe("Up 5 minutes (healthy)");
  expect(
    containerStatus(
      { ...state, status: "exited", exitCode: 137, finishedAt: "2026-01-01T00:00:00Z" },
      Date.parse("2026-01-01T02:00:00Z"),
    ),
  ).toBe("Exited (137) 2 hours ago");
  expect(
    portList([{ containerPort: 80, protocol: "tcp", hostAddress: "", hostPort: 8080 }], ["80/tcp", "443/tcp"]),
  ).toBe("0.0.0.0:8080->80/tcp, 443/tcp");
});

test("image names are split and matched as people write them", () => {
  expect(splitName("docker.io/library/redis:7")).toEqual({ Repository: "redis", Tag: "7" });
  expect(splitName("localhost:5000/team/web:1.2")).toEqual({ Repository: "localhost:5000/team/web", Tag: "1.2" });
  expect(matchesReference("docker.io/library/redis:7", "red*")).toBe(true);
  expect(matchesReference("docker.io/library/redis:7", "redis:6")).toBe(false);
});

test("a mistyped command finds its neighbour", () => {
  expect(nearest("imgaes", ["images", "info", "run"])).toBe("images");
  expect(nearest("xyz", ["images", "info", "run"])).toBeUndefined();
});
