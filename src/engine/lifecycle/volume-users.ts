import type { EngineContext } from "../context.ts";

/** Names of the containers that mount the volume, running or not. */
export function usersOfVolume({ store }: EngineContext, volume: string): string[] {
  return store.ids().flatMap(id => {
    const config = store.tryConfig(id);
    const uses = config?.mounts.some(mount => mount.type === "volume" && mount.name === volume);
    return config && uses ? [config.name] : [];
  });
}

export function userOfVolume(context: EngineContext, volume: string): string | undefined {
  return usersOfVolume(context, volume)[0];
}
