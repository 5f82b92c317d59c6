import { systemClock } from "../../src/base/clock.ts";
import { newId } from "../../src/base/ids.ts";
import { FileLocks } from "../../src/drivers/linux/file-locks.ts";
import { BridgeNetworks } from "../../src/drivers/network/bridge-networks.ts";

/** Makes, connects, publishes and releases containers without end; the test kills it somewhere. Arguments: definitions, state, instance. */
const [definitionsDirectory, stateDirectory, instance] = process.argv.slice(2) as [string, string, string];
const networks = new BridgeNetworks({
  definitionsDirectory,
  stateDirectory,
  instance,
  locks: new FileLocks(systemClock),
  clock: systemClock,
  random: Math.random,
});
process.stdout.write("ready\n");
for (;;) {
  const id = newId();
  const name = `own-${id.slice(0, 8)}`;
  await networks.create({ name, driver: "bridge", options: {}, labels: {} });
  const netnsPath = await networks.createNamespace(id);
  const member = { containerId: id, containerName: name, hostname: "", netnsPath };
  const endpoints = [
    await networks.connect(member, { network: "bridge" }),
    await networks.connect(member, { network: name }),
  ];
  await networks.publish(id, endpoints, [{ containerPort: 80, protocol: "tcp" }]);
  await networks.publish(id, endpoints, [{ containerPort: 81, protocol: "udp" }]);
  await networks.disconnect(id, name);
  await networks.release(id);
  await networks.remove(name);
}
