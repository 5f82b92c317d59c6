import type { Builder } from "../../ports/build.ts";
import type { Engine } from "../../ports/engine.ts";
import type { OneOffs } from "../../ports/one-offs.ts";
import type { ControlPlane } from "../control-plane.ts";

/** What the answers to users are made with. */
export interface AppsParts {
  control: ControlPlane;
  /** Engine of a host, for images and for what is done at once. Absent id: the one on which images are built and looked up. */
  engineOf: (host?: string) => Engine;
  /** Absent: apps that need a build are refused. */
  builder?: Builder;
  /** Absent: nothing can be run once. */
  oneOffs?: OneOffs;
  /** Name of this program's user, where the caller does not say who it is. */
  user: string;
}
