import { type Command, Command as CommanderCommand } from "commander";
import { BerthError } from "../../../base/errors.ts";
import { commands } from "../../commands.ts";
import { type CliContext, print } from "../../context.ts";

export function define(command: Command, context: CliContext): void {
  command
    .argument("<shell>", "bash, zsh or fish")
    .addHelpText("after", `\nExample:\n  source <(${context.program} completion bash)`)
    .action(async (shell: string) => {
      const words = await describe(context);
      if (shell === "bash") return print(context, bash(context.program, words));
      if (shell === "zsh")
        return print(context, `autoload -U +X bashcompinit && bashcompinit\n${bash(context.program, words)}`);
      if (shell === "fish") return print(context, fish(context.program, words));
      throw new BerthError("invalid", `no completion for the shell "${shell}"`, {
        hint: "bash, zsh and fish are supported",
      });
    });
}

interface Described {
  name: string;
  summary: string;
  flags: string[];
  /** What the first argument is: decides what is offered. */
  argument: string;
}

async function describe(context: CliContext): Promise<Described[]> {
  return await Promise.all(
    commands
      .filter(entry => !entry.hidden)
      .map(async entry => {
        const described = new CommanderCommand(entry.name);
        (await entry.load()).define(described, context);
        const flags = described.options.flatMap(option =>
          [option.short, option.long].filter(flag => flag !== undefined && flag !== null),
        );
        return {
          name: entry.name,
          summary: entry.summary,
          flags: [...flags, "--help"],
          argument: described.registeredArguments[0]?.name() ?? "",
        };
      }),
  );
}

/** How names are listed for an argument, as a command line of ours. */
const lists: Record<string, string> = {
  container: "ps -a --format '{{.Names}}'",
  image: "images --format '{{.Repository}}:{{.Tag}}'",
  network: "network ls --format '{{.Name}}'",
  volume: "volume ls -q",
};

function bash(program: string, words: Described[]): string {
  const cases = words.map(({ name, flags, argument }) => {
    const list = lists[argument] ? ` $(${program} ${lists[argument]} 2>/dev/null)` : "";
    return `    "${name}") words="${flags.join(" ")}${list}" ;;`;
  });
  const firsts = [...new Set(words.map(word => word.name.split(" ")[0]))];
  const groups = [...new Set(words.filter(word => word.name.includes(" ")).map(word => word.name.split(" ")[0]!))];
  const seconds = groups.map(
    group =>
      `    ${group}) words="${words
        .filter(word => word.name.startsWith(`${group} `))
        .map(word => word.name.split(" ")[1])
        .join(" ")}" ;;`,
  );
  return `_${program.replaceAll("-", "_")}() {
  local words="" current="\${COMP_WORDS[COMP_CWORD]}" first="\${COMP_WORDS[1]}" second="\${COMP_WORDS[2]}"
  if [ "$COMP_CWORD" -eq 1 ]; then words="${firsts.join(" ")}"
  else
    case "$first" in
${seconds.join("\n")}
    esac
    case "$first $second" in
${cases.filter(line => line.includes(" ") && /"\w+ \w+"\)/.test(line)).join("\n")}
    *) case "$first" in
${cases.filter(line => !/"\w+ \w+"\)/.test(line)).join("\n")}
    esac ;;
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _${program.replaceAll("-", "_")} ${program}`;
}

function fish(program: string, words: Described[]): string {
  const lines = words.flatMap(({ name, summary, flags, argument }) => {
    const [first, second] = name.split(" ");
    const seen =
      second === undefined
        ? `__fish_seen_subcommand_from ${first}`
        : `__fish_seen_subcommand_from ${first}; and __fish_seen_subcommand_from ${second}`;
    const offer =
      second === undefined
        ? `complete -c ${program} -f -n __fish_use_subcommand -a ${first} -d ${JSON.stringify(summary)}`
        : `complete -c ${program} -f -n '__fish_seen_subcommand_from ${first}' -a ${second} -d ${JSON.stringify(summary)}`;
    const options = flags
      .filter(flag => flag.startsWith("--"))
      .map(flag => `complete -c ${program} -n '${seen}' -l ${flag.slice(2)}`);
    const names = lists[argument]
      ? [`complete -c ${program} -f -n '${seen}' -a "(${program} ${lists[argument]} 2>/dev/null)"`]
      : [];
    return [offer, ...options, ...names];
  });
  return lines.join("\n");
}
