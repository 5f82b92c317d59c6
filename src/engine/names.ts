import { BerthError } from "../base/errors.ts";

/** As Docker's: two characters at least, so that a name is never taken for a drive or a switch. */
const namePattern = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;

/** The name without Docker's leading slash; throws `invalid`. */
export function checkName(name: string): string {
  const bare = name.replace(/^\//, "");
  if (!namePattern.test(bare) || bare.length > 255) {
    throw new BerthError("invalid", `container name ${JSON.stringify(name)} is not allowed`, {
      hint: "use at least two of a-z A-Z 0-9 _ . - and begin with a letter or digit",
    });
  }
  return bare;
}

const adjectives =
  `able agile amber ample aware bold brave breezy bright brisk calm candid careful cheerful civil clear clever cosy crisp curious daring deft
  diligent eager earnest easy elegant fair famous fearless fine firm fluent focused fond frank free fresh friendly gallant gentle glad golden graceful grand happy
  hardy hearty helpful honest hopeful humble jolly jovial keen kind lively loyal lucid lucky mellow merry mild modest neat nimble noble patient peaceful placid
  plucky polite prime prompt proud quick quiet ready robust serene sharp silent silver sincere smart solid sound spry steady stoic sunny swift tender tidy trusty
  upbeat useful vivid warm wise witty worthy zesty`.split(/\s+/);

/** Builders of ships, harbours, bridges and of machines that compute. */
const surnames =
  `ammann anderson archimedes bacon baird bazalgette beaufort bell bessemer boole borg brindley brunel brunelleschi cerf chadwick chapman clarke
  codd conway cook cooley cray darby daimler diesel dijkstra eads eiffel engelbart ericsson euler fairbairn feinler floyd franklin freyssinet fulton
  gauss goldberg goldstine hamilton harrison heaviside hedley hoare hollerith hopper huffman jennings joule karpinski kay kilby knuth lamarr lamport
  laplace liskov locke lovelace maillart maury mccarthy metcalfe milner naur navier newcomen noether otis parsons pascal perlman porter postel
  ritchie robinson roebling rumsey savery shannon smeaton spence stephenson stroustrup strutt sutherland swinton telford tesla thompson
  torvalds trevithick turing vauban vitruvius watt wheeler whitworth wilkes wilson wirth zuse`.split(/\s+/);

/** adjective_surname; from the third try on with a number, so that it ends also where thousands of containers are. */
export function suggestName(random: () => number, attempt: number): string {
  const pick = (list: string[]) => list[Math.floor(random() * list.length)]!;
  const suffix = attempt > 1 ? String(Math.floor(random() * 10 ** Math.min(attempt, 6))) : "";
  return `${pick(adjectives)}_${pick(surnames)}${suffix}`;
}
