/** Entity tags (RFC 9110 §8.8.3): names of a state of a representation. */

/** Tags of a list that are looked at; what follows is passed over. Caches send those of the variants they hold, a few. */
const TAGS_MAX = 128;

const TAG = /^(?:W\/)?"[!#-~\x80-\xff]*"$/;
/** One member of a list, and what separates it from the next. Sticky: a list is read from its beginning to where it breaks. */
const MEMBER = /[ \t,]*((?:W\/)?"[!#-~\x80-\xff]*")[ \t]*(?:,|$)/y;

/** Whether it has the form of an entity tag: `"…"`, or `W/"…"`. */
export function isEntityTag(text: string): boolean {
  return TAG.test(text);
}

/** The tags of a list, as they were sent, up to where it breaks the grammar. */
export function parseEntityTags(field: string): string[] {
  const tags: string[] = [];
  MEMBER.lastIndex = 0;
  while (tags.length < TAGS_MAX) {
    const match = MEMBER.exec(field);
    if (match === null) break;
    tags.push(match[1] as string);
  }
  return tags;
}

/** The strong comparison: equal, and neither is weak. */
export function matchesStrongly(a: string, b: string): boolean {
  return a === b && !a.startsWith("W/");
}

/** The weak comparison: equal but for the mark of weakness. */
export function matchesWeakly(a: string, b: string): boolean {
  return opaque(a) === opaque(b);
}

/** A tag that says no more than that the meaning is the same. */
export function weakened(tag: string): string {
  return tag.startsWith("W/") ? tag : `W/${tag}`;
}

function opaque(tag: string): string {
  return tag.startsWith("W/") ? tag.slice(2) : tag;
}
