import { BerthError, isCode } from "../../base/errors.ts";
import type { App } from "../../model/app.ts";
import type { Engine } from "../../ports/engine.ts";
import { parseConstraint } from "../../schedule/constraint.ts";

/** Refuses by name what Berth does not do, and what the app needs and is not there, before anything is changed. */
export async function refuseUnfit(
  app: App,
  services: Iterable<string>,
  engine: Engine,
  hostHooks: boolean,
): Promise<void> {
  const names = [...services];
  for (const name of names) {
    const service = app.services[name];
    if (!service) throw unknownService(app, name);
    if (service.provider) {
      throw new BerthError(
        "unsupported",
        `service ${name}: provider "${service.provider.type}" is an outside program`,
        {
          hint: "run that program yourself, and leave the service out with a profile",
        },
      );
    }
    if (service.models && Object.keys(service.models).length > 0) {
      throw new BerthError("unsupported", `service ${name}: models (${Object.keys(service.models).join(", ")})`, {
        hint: "run the model's server as a service of the app",
      });
    }
    if (service.hostHooks && !hostHooks) {
      throw new BerthError("forbidden", `service ${name}: host hooks are off on this host`, {
        hint: "start berthd with --allow-host-hooks to let apps run commands on the host",
      });
    }
    const replicas = service.deploy?.replicas ?? service.scale ?? 1;
    if (service.containerName && replicas > 1) {
      throw new BerthError(
        "invalid",
        `service ${name}: container_name "${service.containerName}" can name one container, not ${replicas}`,
        {
          hint: "leave container_name out",
        },
      );
    }
    for (const text of service.deploy?.placement?.constraints ?? []) parseConstraint(text);
  }
  await refuseMissing(app, names, engine);
}

export function unknownService(app: Pick<App, "name" | "services" | "disabledServices">, name: string): BerthError {
  if (app.disabledServices[name]) {
    const profiles = app.disabledServices[name].profiles.join(", ");
    return new BerthError("not_found", `service ${name} of ${app.name} is not enabled`, {
      hint: `enable it with --profile ${profiles}`,
    });
  }
  return new BerthError("not_found", `${app.name} has no service ${name}`, {
    hint: `it has ${Object.keys(app.services).sort().join(", ") || "none"}`,
  });
}

async function refuseMissing(app: App, names: string[], engine: Engine): Promise<void> {
  const networks = new Set(names.flatMap(name => Object.keys(app.services[name]!.networks)));
  for (const key of networks) {
    const network = app.networks[key];
    if (!network?.external) continue;
    await mustExist(
      () => engine.networks.get(network.name),
      `network ${network.name}`,
      `berth network create ${network.name}`,
    );
  }
  const volumes = new Set(names.flatMap(name => app.services[name]!.mounts.map(({ source }) => source ?? "")));
  for (const key of volumes) {
    const volume = app.volumes[key];
    if (!volume?.external) continue;
    await mustExist(
      () => engine.volumes.get(volume.name),
      `volume ${volume.name}`,
      `berth volume create ${volume.name}`,
    );
  }
}

async function mustExist(look: () => Promise<unknown>, what: string, command: string): Promise<void> {
  try {
    await look();
  } catch (thrown) {
    if (!isCode(thrown, "not_found")) throw thrown;
    throw new BerthError("not_found", `${what} is external to the app, and does not exist`, {
      hint: `make it with '${command}'`,
    });
  }
}
