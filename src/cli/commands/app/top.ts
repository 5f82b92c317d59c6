import type { Command } from "commander";
import { isCode } from "../../../base/errors.ts";
import { type AppFlags, addAppOptions } from "../../app/flags.ts";
import { madeTasks } from "../../app/tasks.ts";
import { type CliContext, print } from "../../context.ts";
import { renderTable } from "../../output/table.ts";

export function define(command: Command, context: CliContext): void {
  addAppOptions(command.argument("[service...]", "all if none is named")).action(
    async (services: string[], flags: AppFlags) => {
      const { containers } = await context.engine();
      const running = (await madeTasks(context, flags, services)).filter(({ state }) => state === "running");
      for (const { name, containerId } of running) {
        try {
          const { titles, processes } = await containers.top(containerId, [], { signal: context.signal });
          print(context, `${name}\n${renderTable(titles, processes)}\n`);
        } catch (thrown) {
          // Ended since it was listed.
          if (!isCode(thrown, "not_found", "conflict")) throw thrown;
        }
      }
    },
  );
}
