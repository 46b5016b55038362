/** The numbered promises of `docs/promises.md`, and the numbers that titles of tests name: `(§2.2, §6)`. */

/** A paragraph that begins with its number, or with its section's. */
const paragraphPattern = /^\*\*§(\d+(?:\.\d+)?)\*\*/gm;

/** A section. One without numbered paragraphs is a promise as a whole. */
const sectionPattern = /^## §(\d+) /gm;

/** A line with a title: a string that has numbers in it. Comments have none that count. */
const titlePattern = /(["'`])(?:\\.|(?!\1).)*?\((§[^)"'`]*)\)/g;
const commentPattern = /^\s*(?:\/\/|\/?\*)/;

/** One number, or the first and the last of several: `§3.1–§3.3`. */
const numberPattern = /§(\d+(?:\.\d+)?)(?:\s*[–-]\s*§?(\d+(?:\.\d+)?))?/g;

/** One place in a title that names promises. */
export interface Citation {
  readonly line: number;
  readonly first: string;
  /** The same as `first` unless it is a range. */
  readonly last: string;
}

/** The numbers that can be named, in the page's order. */
export function readPromises(page: string): string[] {
  const paragraphs = [...page.matchAll(paragraphPattern)].map(([, number = ""]) => number);
  return [...page.matchAll(sectionPattern)].flatMap(([, section = ""]) => {
    const within = paragraphs.filter((number) => number.split(".")[0] === section);
    return within.length > 0 ? within : [section];
  });
}

/** What the titles of a file of tests name. */
export function readCitations(source: string): Citation[] {
  return source.split("\n").flatMap((line, index) => {
    if (commentPattern.test(line)) return [];
    return [...line.matchAll(titlePattern)].flatMap(([, , numbers = ""]) =>
      [...numbers.matchAll(numberPattern)].map(([, first = "", last = first]) => ({
        line: index + 1,
        first,
        last,
      })),
    );
  });
}

/** What is wrong between the page and the tests; a line each. */
export function findGaps(page: string, tests: ReadonlyMap<string, string>): string[] {
  const promises = readPromises(page);
  const tested = new Set<string>();
  const gaps: string[] = [];
  for (const [path, source] of tests) {
    for (const { line, first, last } of readCitations(source)) {
      for (const number of new Set([first, last])) {
        if (!promises.includes(number)) gaps.push(`${path}:${line}: there is no §${number}`);
      }
      const range = promises.slice(promises.indexOf(first), promises.indexOf(last) + 1);
      for (const number of range) tested.add(number);
    }
  }
  const untested = promises.filter((number) => !tested.has(number));
  return [...gaps, ...untested.map((number) => `§${number} has no test`)];
}
