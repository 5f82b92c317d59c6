import { BerthError } from "../base/errors.ts";
import { type Access, type Action, parseScopes } from "./access.ts";
import { type Exchange, json } from "./exchange.ts";
import { RegistryError } from "./registry-error.ts";
import type { Route } from "./route.ts";

interface Need {
  type: "repository" | "registry";
  name: string;
  action: Action;
}

/** What a request needs: every route is in here, so that none is open by being forgotten. */
function needsOf(route: Route, method: string): Need[] {
  const repository = (name: string, action: Action): Need => ({ type: "repository", name, action });
  const reads = method === "GET" || method === "HEAD";
  switch (route.kind) {
    case "base":
      return [];
    case "catalog":
      return [{ type: "registry", name: "catalog", action: "catalog" }];
    case "tags":
    case "referrers":
      return [repository(route.repository, "pull")];
    case "blob":
    case "manifest":
      return [repository(route.repository, reads ? "pull" : method === "DELETE" ? "delete" : "push")];
    case "uploads":
    case "upload":
      return [repository(route.repository, "push")];
  }
}

/** Lets the request pass and says what else the caller may read, or throws UNAUTHORIZED with the challenge that tells the client how to come back, or DENIED. */
export function authorize({ request }: Exchange, route: Route, access: Access): Exchange["mayPull"] {
  const needs = needsOf(route, request.method ?? "");
  const header = request.headers.authorization;
  const bearer = header?.match(/^bearer (.+)$/i)?.[1];
  if (bearer !== undefined) {
    const granted = access.read(bearer);
    if (granted === undefined) throw challenge(request, needs, access, "the token is not valid any more");
    const missing = needs.filter(
      need =>
        !granted.some(
          grant => grant.type === need.type && grant.name === need.name && grant.actions.includes(need.action),
        ),
    );
    if (missing.length > 0)
      throw challenge(request, needs, access, `the token does not allow to ${missing[0]!.action} ${missing[0]!.name}`);
    return repository =>
      granted.some(grant => grant.type === "repository" && grant.name === repository && grant.actions.includes("pull"));
  }
  let user: string | undefined;
  try {
    user = access.basicUser(header);
  } catch (thrown) {
    if (thrown instanceof BerthError && thrown.code === "unauthorized")
      throw challenge(request, needs, access, thrown.message);
    throw thrown;
  }
  const refused = needs.find(need => !access.allowed(user, need.type === "registry" ? "*" : need.name, need.action));
  // The base endpoint is how clients learn the scheme: it asks everybody who has not said who they are.
  if (user === undefined && (refused !== undefined || route.kind === "base"))
    throw challenge(request, needs, access, "authentication is required");
  if (refused !== undefined) throw new RegistryError("DENIED", `${user} may not ${refused.action} ${refused.name}`);
  return repository => access.allowed(user, repository, "pull");
}

function challenge(request: Exchange["request"], needs: Need[], access: Access, message: string): RegistryError {
  if (access.scheme === "basic")
    return new RegistryError("UNAUTHORIZED", message, { headers: { "WWW-Authenticate": 'Basic realm="registry"' } });
  const host = request.headers.host ?? "localhost";
  const scheme = "encrypted" in request.socket ? "https" : "http";
  const scope = needs
    .map(
      need =>
        `${need.type}:${need.name}:${need.action === "push" ? "pull,push" : need.action === "catalog" ? "*" : need.action}`,
    )
    .join(" ");
  const value = `Bearer realm="${scheme}://${host}/token",service="${host}"${scope ? `,scope="${scope}"` : ""}`;
  return new RegistryError("UNAUTHORIZED", message, { headers: { "WWW-Authenticate": value } });
}

/** GET /token?scope=…: a token for what the caller (Basic, or nobody) is allowed of it. */
export async function serveToken({ request, response, url }: Exchange, access: Access): Promise<void> {
  let user: string | undefined;
  try {
    user = access.basicUser(request.headers.authorization);
  } catch (thrown) {
    if (thrown instanceof BerthError && thrown.code === "unauthorized")
      throw new RegistryError("UNAUTHORIZED", thrown.message);
    throw thrown;
  }
  const { token, expires_in } = access.issue(user, parseScopes(url.searchParams.getAll("scope")));
  json(response, 200, { token, access_token: token, expires_in });
}
